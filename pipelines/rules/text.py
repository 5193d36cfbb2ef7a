"""Rules on text: taking it as it is, cleaning, splitting, combining, and texts that mean "missing"."""

from __future__ import annotations

from dataclasses import KW_ONLY
from enum import StrEnum
from typing import ClassVar

from pipelines.declared import declared
from pipelines.expressions import literal, quote
from pipelines.rules.rule import Failure, Operand, Rule, text_of, value_of


@declared
class Same(Rule):
    """The column as it is; with another field name this is a rename."""

    of: str

    def value(self) -> str:
        return quote(self.of)

    def own_failures(self) -> tuple[Failure, ...]:
        return ()


@declared
class Split(Rule):
    """One part of a text: the `part`-th (from 1) between separators, or `length` characters from `start` (from 1)."""

    of: Operand
    _: KW_ONLY
    separator: str | None = None
    part: int | None = None
    start: int | None = None
    length: int | None = None
    optional: bool = False

    reason: ClassVar[str] = "part_missing"

    def value(self) -> str:
        if self.separator is not None:
            return f"split_text({text_of(self.of)}, {literal(self.separator)}, {self.part})"
        return f"NULLIF(SUBSTRING({text_of(self.of)}, {self.start}, {self.length}), '')"

    def own_failures(self) -> tuple[Failure, ...]:
        return () if self.optional else super().own_failures()

    def problems(self) -> list[str]:
        by_separator, by_place = (self.separator, self.part), (self.start, self.length)
        if (None in by_separator) == (None in by_place):
            return ["give either separator and part, or start and length"]
        if self.separator == "":
            return ["an empty separator tells no parts apart"]
        counted = (number for number in (self.part, self.start, self.length) if number is not None)
        return ["parts, positions and lengths count from 1"] if min(counted) < 1 else []


@declared
class Combine(Rule):
    """Several values joined by a separator; missing ones are left out, all missing gives missing.

    What cannot be translated is not missing: without that part there is no whole either.
    """

    parts: tuple[Operand, ...]
    _: KW_ONLY
    separator: str = " "

    def inputs(self) -> tuple[Operand, ...]:
        return self.parts

    def value(self) -> str:
        # Each present part carries its separator in front, the first one is cut off again: no part is ever doubled.
        glued = " || ".join(f"COALESCE({literal(self.separator)} || {text_of(part)}, '')" for part in self.parts)
        present = " OR ".join(f"{value_of(part)} IS NOT NULL" for part in self.parts)
        return f"CASE WHEN ({present}) AND NOT {self.torn()} THEN SUBSTRING({glued}, {len(self.separator) + 1}) END"

    def own_failures(self) -> tuple[Failure, ...]:
        return ()

    def problems(self) -> list[str]:
        return [] if self.parts else ["nothing to combine"]


class Case(StrEnum):
    """The case a text is brought to."""

    UPPER = "upper"
    LOWER = "lower"


@declared
class Clean(Rule):
    """Text normalised: what is left empty becomes missing unless `keep_empty`."""

    of: Operand
    _: KW_ONLY
    trim: bool = True
    inner_blanks: bool = False
    case: Case | None = None
    nfc: bool = False
    accents: bool = False
    leading_zeros: bool = False
    punctuation: bool = False
    keep_empty: bool = False

    def value(self) -> str:
        sql = normalised(
            text_of(self.of),
            ("nfc", self.nfc),
            ("strip_accents", self.accents),
            (f"{self.case}_text", self.case is not None),
            ("nfc", self.nfc and self.case is not None),  # some letters compose in one case only
            ("keep_alphanumeric", self.punctuation),
            ("squeeze_blanks", self.inner_blanks),
            ("trim_blanks", self.trim),
            ("strip_zeros", self.leading_zeros),
        )
        return sql if self.keep_empty else f"NULLIF({sql}, '')"

    def own_failures(self) -> tuple[Failure, ...]:
        return ()


def normalised(sql: str, *primitives: tuple[str, bool]) -> str:
    """A text wrapped in those primitives that are switched on, the first one innermost."""
    for name, wanted in primitives:
        sql = f"{name}({sql})" if wanted else sql
    return sql


@declared
class NullIf(Rule):
    """Texts that say "missing" in the legacy system ('', 'N/A', '?') become missing; the value keeps its type."""

    of: Operand
    sentinels: tuple[str, ...]

    def value(self) -> str:
        listed = ", ".join(map(literal, self.sentinels))
        return f"CASE WHEN NOT {text_of(self.of)} IN ({listed}) THEN {value_of(self.of)} END"

    def own_failures(self) -> tuple[Failure, ...]:
        return ()

    def problems(self) -> list[str]:
        return [] if self.sentinels else ["no sentinels given"]
