"""Writes the generated parts of the pages in this folder: columns of tables, primitives of canonical SQL.

    python docs/generate.py            write them
    python docs/generate.py --check    exit code 1 when a page is not current

A generated part stands between `<!-- generated: NAME -->` and `<!-- end of generated -->`; the rest is written by hand.
"""  # noqa: INP001 (a script beside the pages, not a package)

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from pipelines import catalog
from pipelines.primitives import AGGREGATES, PRIMITIVES
from pipelines.schemas import descriptions

PAGES = Path(__file__).parent
PART = re.compile(r"(<!-- generated: (.+?) -->\n)(.*?)(<!-- end of generated -->)", re.DOTALL)
TYPES = {
    "string": "text", "int64": "integer", "double": "float", "bool": "boolean", "date32[day]": "date",
    "timestamp[us, tz=UTC]": "instant (UTC)",
}  # fmt: skip


def main() -> int:
    """Write or check all pages."""
    stale = [path for path in sorted(PAGES.glob("*.md")) if current(path) != path.read_text(encoding="utf-8")]
    for path in stale:
        if "--check" in sys.argv:
            sys.stderr.write(f"{path.name} is not current: run python docs/generate.py\n")
        else:
            path.write_text(current(path), encoding="utf-8")
    return 1 if stale and "--check" in sys.argv else 0


def current(path: Path) -> str:
    """The page as it should be."""
    return PART.sub(lambda part: part[1] + made(part[2]) + part[4], path.read_text(encoding="utf-8"))


def made(name: str) -> str:
    """A generated part by its name."""
    kind, _, argument = name.partition(" ")
    return "\n" + MAKERS[kind](argument) + "\n\n"


def columns(table: str) -> str:
    """The columns of a table that BI reads, as its Arrow schema says."""
    schema = (catalog.DATED | catalog.UNDATED)[table]
    meanings = descriptions(schema)
    rows = [[f"`{field.name}`", TYPES[str(field.type)], meanings[field.name]] for field in schema]
    if table in catalog.DATED:
        rows.insert(0, ["`business_date`", TYPES[str(pa.date32())], "Partition the row belongs to"])
    return as_table(["column", "type", "meaning"], rows)


def primitives(_: str) -> str:
    """The functions of canonical SQL."""
    rows = [
        [f"`{name}`", str(primitive.arity), primitive.meaning]
        for name, primitive in sorted(PRIMITIVES.items())
        if name not in AGGREGATES
    ]
    return as_table(["function", "arguments", "gives"], rows)


def as_table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    every = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in every)


MAKERS: dict[str, Callable[[str], str]] = {"columns": columns, "primitives": primitives}

if __name__ == "__main__":
    sys.exit(main())
