"""Narrow screens: a table that has no room is told row by row, a few named values a line, instead of being cut off."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.panel import Panel
from rich.table import Column, Table
from rich.text import Text

_FOLDED = 12  # what a column is given at least whose cells may be folded
_ANY = 10_000  # a width that has room for everything
_GAP = 4  # between what stands side by side


class Fitting:
    """A table as it is, where the screen has room for every column that may not be folded; else its rows as blocks."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        widths = [_least_width(column) for column in self._table.columns]
        _, right, _, left = self._table.padding
        if sum(widths) + (left + right + 1) * len(widths) <= options.max_width:
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
            yield from _packed([_named(name, cell) for name, cell in named if cell.plain], width)


class Beside:
    """Two parts beside each other, or one below the other where the screen has no room for both."""

    def __init__(self, left: RenderableType, right: RenderableType) -> None:
        self._parts = (left, right)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        beyond = options.update(max_width=_ANY)
        widths = [Measurement.get(console, beyond, part).maximum for part in self._parts]
        if sum(widths) + 2 * _GAP <= options.max_width:
            grid = Table.grid(padding=(0, _GAP, 0, 0))
            grid.add_row(*self._parts)
            yield grid
        else:
            left, right = self._parts
            yield from (left, "", right)


class Widest:
    """The first of some ways to show something that the screen has room for, or else the last."""

    def __init__(self, *ways: RenderableType) -> None:
        self._ways = ways

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        beyond = options.update(max_width=_ANY)
        fitting = (way for way in self._ways if Measurement.get(console, beyond, way).maximum <= options.max_width)
        yield next(fitting, self._ways[-1])


class Titled:
    """A box with a title, which stands above where the box is too narrow for it."""

    def __init__(self, inside: RenderableType, title: Text) -> None:
        self._inside, self._title = inside, title

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self._title.cell_len + 6 <= options.max_width:
            yield Panel(self._inside, title=self._title, title_align="left", box=box.ROUNDED)
        else:
            yield from (self._title, Panel(self._inside, box=box.ROUNDED))


def _named(name: str, cell: Text) -> Text:
    return Text.assemble((name, "dim"), " ", cell) if name else cell


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
    return longest if column.no_wrap or column.overflow != "fold" else min(longest, _FOLDED)


def _text(cell: object) -> Text:
    return cell if isinstance(cell, Text) else Text(str(cell))
