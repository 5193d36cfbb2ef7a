"""Writes the generated parts of the pages in this folder: columns of tables, comparators, causes, primitives.

What comparators say is taken from their specification, `tests/spec/comparisons.py`, and what causes are from
`tests/spec/causes.py`; the tests run both.

    python docs/generate.py            write them
    python docs/generate.py --check    exit code 1 when a page is not current

A generated part stands between `<!-- generated: NAME -->` and `<!-- end of generated -->`; the rest is written by hand.
"""  # noqa: INP001 (a script beside the pages, not a package)

import dataclasses
import re
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from enum import Enum
from itertools import zip_longest
from pathlib import Path

import pyarrow as pa

from pipelines import catalog, comparators
from pipelines.comparators import Comparator
from pipelines.primitives import AGGREGATES, PRIMITIVES
from pipelines.schemas import descriptions
from tests.spec import causes
from tests.spec.comparisons import EXAMPLES, Example
from tests.spec.given import FIRST
from tests.spec.tables import cells

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


def contents(_: str) -> str:
    """All comparators, each leading to its section."""
    return " · ".join(f"[{name}](#{name.lower()})" for name in _kinds())


def sections(_: str) -> str:
    """Every comparator: what it is for, its arguments, and examples of what it says."""
    return "\n\n".join(part for kind in _kinds().values() for part in _comparator(kind))


def _kinds() -> dict[str, type[Comparator]]:
    """The comparators in the order of their specification."""
    return {example.kind: getattr(comparators, example.kind) for example in EXAMPLES}


def _comparator(kind: type[Comparator]) -> Iterator[str]:
    # A docstring says what the comparator is for, and then of each argument `name`: what it means.
    about, *arguments = re.split(r"`(\w+)`: ", " ".join((kind.__doc__ or "").split()))
    yield f"## {kind.__name__}\n\n{about.strip()}"
    meanings = dict(zip(arguments[::2], arguments[1::2], strict=True))
    rows = [[f"`{field.name}`", meanings[field.name].strip(), _default(field)] for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    if rows:
        yield as_table(["argument", "meaning", "default"], rows)
    for example in EXAMPLES:
        if example.kind == kind.__name__:
            yield f"```python\n{example.declared}\n```"
            yield _pairs(example)


def _default(field: "dataclasses.Field[object]") -> str:
    if field.default is dataclasses.MISSING:
        return ""
    value = field.default
    shown = f"{type(value).__name__}.{value.name}" if isinstance(value, Enum) else repr(value)
    return f"`{shown.removeprefix('datetime.')}`"


def _pairs(example: Example) -> str:
    head, *lines = cells(example.pairs)
    titles = [re.sub(r"^(\w+): (.+)$", r"\1 (\2)", str(title)) for title in head]
    return as_table(titles, [[_cell(expected), _cell(actual), str(says)] for expected, actual, says in lines])


def _cell(text: str | None) -> str:
    return f"`{text}`" if text else "*empty*"


def examples(of_type: str) -> str:
    """An example of every reason of a type: what both sides hold, and what is said of it."""
    return "\n\n".join(part for cause in causes.EXAMPLES if cause.type == of_type for part in _cause(cause))


def _cause(example: causes.Example) -> Iterator[str]:
    declared = f" Declared: {example.declared}." if example.declared else ""
    yield f"**Example of `{example.reason}`.**{declared}"
    yield "```text\n" + "\n\n".join(_days(example)) + "\n```"
    where = " / ".join("no row" if part == "-" else part for part in example.finding[:2])
    field = "the whole row" if example.finding[2] == "-" else f"`{example.finding[2]}`"
    yield f"`coexist explain` of legacy / service `{where}`, {field}: {example.says}"


def _days(example: causes.Example) -> Iterator[str]:
    """Both sides beside each other, and the events, day by day; links once."""
    several = len(example.legacy) > 1
    for number, sides in enumerate(zip(example.legacy, example.service, strict=True)):
        day = f" on {FIRST + timedelta(days=number)}" if several else ""
        columns = [[f"{name}{day}", *_lines(held)] for name, held in zip(("legacy", "service"), sides, strict=True)]
        log = _lines(example.events[number]) if example.events else []
        columns += [["events", *log]] if len(log) > 1 else []
        yield _beside(columns)
    if example.links:
        yield _beside([["links", *_lines(example.links)]])


def _lines(held: str) -> list[str]:
    """A table with its columns in line, types left out."""
    rows = [[cell or "" for cell in row] for row in cells(held)]
    rows[0] = [name.partition(":")[0] for name in rows[0]]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _beside(columns: list[list[str]]) -> str:
    """Blocks of lines beside each other."""
    widths = [max(map(len, column)) + 4 for column in columns]
    return "\n".join(
        "".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in zip_longest(*columns, fillvalue="")
    )


def as_table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    every = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in every)


MAKERS: dict[str, Callable[[str], str]] = {
    "columns": columns, "primitives": primitives, "contents": contents, "comparators": sections,
    "causes": examples,
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(main())
