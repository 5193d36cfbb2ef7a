"""Narrow screens: a table that has no room is told row by row, a few named values a line, instead of being cut off."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Column, Table
from rich.text import Text

_FOLDED = 12  # what a column is given at least whose cells may be folded


class Fitting:
    """A table as it is, where the screen has room for every column that may not be folded; else its rows as blocks."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        widths = [_least_width(column) for column in self._table.columns]
        if sum(widths) + 2 * len(widths) <= options.max_width:
            yield self._table
        else:
            yield from self._blocks(options.max_width)

    def _blocks(self, width: int) -> Iterator[Text]:
        """The first cell of each row, and beneath it the others with the names of their columns."""
        names = [" ".join(_text(column.header).plain.split()) for column in self._table.columns]
        yield Text(f"\n {names[0]}", style="bold")
        for cells in zip(*(column.cells for column in self._table.columns), strict=True):
            yield Text.assemble(" ", (_text(cells[0]).plain, "cyan"))
            named = zip(names[1:], map(_text, cells[1:]), strict=True)
            yield from _packed([Text.assemble((name, "dim"), " ", cell) for name, cell in named if cell.plain], width)


def _packed(parts: list[Text], width: int) -> Iterator[Text]:
    """As many parts on each line as it has room for."""
    line = Text()
    for part in parts:
        if line and len("   , ") + line.cell_len + part.cell_len > width:
            yield Text.assemble("   ", line)
            line = Text()
        line = Text.assemble(line, ", ", part) if line else part
    if line:
        yield Text.assemble("   ", line)


def _least_width(column: Column) -> int:
    """How many characters a column needs so that nothing is cut off."""
    lines = [line for cell in (column.header, *column.cells) for line in _text(cell).plain.splitlines()]
    longest = max(map(cell_len, lines), default=0)
    return longest if column.no_wrap else min(longest, _FOLDED)


def _text(cell: object) -> Text:
    return cell if isinstance(cell, Text) else Text(str(cell))
