"""Documentation as data: headings, fenced blocks, tables and comments of a page, in the order they stand there."""

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"```(?P<language>\w*)(?: title=\"(?P<title>[^\"]+)\")?$")


@dataclass(frozen=True)
class Part:
    """One piece of a page: `kind` is heading, comment, prose, table, or the language of a fenced block."""

    kind: str
    text: str
    line: int
    section: str
    title: str = ""
    rows: list[dict[str, str]] = field(default_factory=list)


def parts_of(page: str) -> list[Part]:
    lines = page.splitlines()
    found, section, at = [], "", 0
    while at < len(lines):
        start, line = at, lines[at]
        at += 1
        if fence := _FENCE.match(line):
            at = lines.index("```", at) + 1
            text = "\n".join(lines[start + 1 : at - 1])
            found.append(Part(fence["language"] or "plain", text, start + 1, section, fence["title"] or ""))
        elif line.startswith("#"):
            section = line.lstrip("# ")
            found.append(Part("heading", section, start + 1, section))
        elif line.startswith("<!--"):
            found.append(Part("comment", line.removeprefix("<!--").removesuffix("-->").strip(), start + 1, section))
        elif line.startswith("|"):
            while at < len(lines) and lines[at].startswith("|"):
                at += 1
            found.append(Part("table", "\n".join(lines[start:at]), start + 1, section, rows=_rows(lines[start:at])))
        elif line:
            found.append(Part("prose", line, start + 1, section))
    return found


def _rows(lines: list[str]) -> list[dict[str, str]]:
    r"""The rows of a table by its heads; a bar inside a cell is written `\|`."""
    head, _, *body = ([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines)
    return [dict(zip(head, [cell.replace("\\|", "|") for cell in row], strict=True)) for row in body]


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def page():
    """The parts of a page by its path from the root of the repository."""
    return lambda path: parts_of((ROOT / path).read_text(encoding="utf-8"))
