"""Layouts of mainframe records: which item stands at which bytes, in which representation, in which records.

The words are those of COBOL: what a copybook says is said here with explicit places. How bytes become values is
`cobol`'s.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Literal

from pipelines.declared import declared
from pipelines.errors import did_you_mean
from pipelines.sources.source import Misfit

_MOST_DIGITS = 38  # of a decimal128; COBOL has at most 31


@declared
class Item(ABC):
    """Something in a record: its name, its first byte, counted from 1, and what the kinds of items add to that.

    `occurs` times, one every so many bytes (right behind each other, unless `every` says otherwise), it makes the
    columns NAME_1, NAME_2 and so on; the occurrences beyond the number in the item `depends_on` are missing. It is only
    in records of the types `of`, and missing in others: so items can share their bytes (REDEFINES).
    """

    name: str
    start: int
    _: KW_ONLY
    occurs: int = 1
    every: int = 0
    depends_on: str = ""
    of: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.start < 1 or self.occurs < 1 or self.size < 1:
            raise ValueError("start counts from 1; occurs, lengths and digits are at least 1")
        if self.every and self.every < self.size:
            raise ValueError(f"every {self.every} bytes one of {self.size} bytes: they overlap")
        if self.depends_on and self.occurs == 1:
            raise ValueError("depends_on says how many there are of an item that occurs several times")

    @property
    @abstractmethod
    def size(self) -> int:
        """Bytes of one occurrence."""

    @abstractmethod
    def expected(self) -> str:
        """What must stand at these bytes, for the reason of a rejected record."""

    def columns(self) -> Iterator[Column]:
        """A column for each occurrence."""
        for number in range(1, self.occurs + 1):
            at = self.start - 1 + (number - 1) * (self.every or self.size)
            yield Column(self.name if self.occurs == 1 else f"{self.name}_{number}", at, number, self)


@declared
class Chars(Item):
    """PIC X(length): text in the file's code page. `trim` cuts the blanks around it."""

    length: int
    _: KW_ONLY
    trim: bool = True

    @property
    def size(self) -> int:
        return self.length

    def expected(self) -> str:
        return "expected text of the code page"


class _Decimal(Item, ABC):
    """Items that hold decimal digits, `scale` of them behind the (assumed) decimal point."""

    digits: int
    scale: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.scale <= self.digits <= _MOST_DIGITS:
            raise ValueError(f"scale is between 0 and digits, which are at most {_MOST_DIGITS}")


@declared
class Zoned(_Decimal):
    """PIC S9(digits) DISPLAY: one digit a byte.

    Where the `sign` is: over the last digit (`trailing`), over the first (`leading`), or nowhere (`none`: PIC 9).
    `separate` says that it is a character of its own, `+` or `-`.
    """

    digits: int
    _: KW_ONLY
    scale: int = 0
    sign: Literal["trailing", "leading", "none"] = "trailing"
    separate: bool = False

    @property
    def size(self) -> int:
        return self.digits + (self.separate and self.sign != "none")

    def expected(self) -> str:
        return f"expected {self.digits} zoned digits"


@declared
class Packed(_Decimal):
    """PIC S9(digits) COMP-3: two digits a byte, the sign in the last half. Without a sign (PIC 9): `signed=False`."""

    digits: int
    _: KW_ONLY
    scale: int = 0
    signed: bool = True

    @property
    def size(self) -> int:
        return self.digits // 2 + 1

    def expected(self) -> str:
        return f"expected {self.digits} packed digits"


@declared
class Binary(Item):
    """COMP: a whole number in so many bytes, the most significant first (COMP-5 of small machines: `little`).

    `scale` of its decimal digits are behind the (assumed) decimal point.
    """

    bytes: Literal[1, 2, 4, 8]
    _: KW_ONLY
    scale: int = 0
    signed: bool = True
    order: Literal["big", "little"] = "big"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.scale <= _MOST_DIGITS:
            raise ValueError(f"scale is between 0 and {_MOST_DIGITS}")

    @property
    def size(self) -> int:
        return self.bytes

    def expected(self) -> str:
        return f"expected a number of {self.bytes} bytes"


@dataclass(frozen=True)
class Column:
    """One occurrence of an item: its name, its first byte, counted from 0, and which occurrence it is, from 1."""

    name: str
    at: int
    number: int
    item: Item

    @property
    def end(self) -> int:
        """The byte behind its last."""
        return self.at + self.item.size


def columns_of(layout: Sequence[Item]) -> dict[str, Column]:
    """Every column of a layout, by name."""
    return {column.name: column for item in layout for column in item.columns()}


def misfits_of(layout: Sequence[Item], record_type: str, types: Sequence[str]) -> Iterator[Misfit]:
    """What in a layout does not go together."""
    columns = columns_of(layout)
    names = [column.name for item in layout for column in item.columns()]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Misfit("layout", f'two items are called "{name}"', "give each its own name, also where they share bytes")
    if record_type and not isinstance(columns[record_type].item if record_type in columns else None, Chars):
        yield Misfit("record_type", f'the layout has no Chars item "{record_type}"', did_you_mean(record_type, columns))
    for item in layout:
        if item.depends_on and item.depends_on not in columns:
            hint = did_you_mean(item.depends_on, columns)
            yield Misfit("layout", f'"{item.name}" depends on "{item.depends_on}", which is not there', hint)
        for kind in item.of:
            if kind not in types:
                message = f'"{item.name}" is of records "{kind}", a record type that is not declared'
                yield Misfit("layout", message, did_you_mean(kind, types) or "name them in record_types")
