"""Rules on codes: a table that says what a code means, and constants."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import KW_ONLY
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

from pipelines.declared import declared
from pipelines.errors import did_you_mean
from pipelines.expressions import literal
from pipelines.rules.rule import Failure, Operand, Rule, constant, text_of, value_of


class UnknownCode(StrEnum):
    """What a code that is not in the table becomes."""

    UNTRANSLATABLE = "untranslatable"
    MISSING = "missing"
    KEEP = "keep"


@declared
class CodeTable:
    """A code table in a CSV file with a header: one column of codes, one of meanings (an empty meaning is missing)."""

    path: str
    code: str = "code"
    meaning: str = "meaning"

    def read(self) -> dict[str, str | None]:
        """The table. Raises OSError, csv.Error, and ValueError for a missing column or a code that cannot be told."""
        table: dict[str, str | None] = {}
        with Path(self.path).open(encoding="utf-8-sig", newline="") as file:
            lines = csv.DictReader(file, strict=True)
            for name in (self.code, self.meaning):
                if name not in (lines.fieldnames or ()):
                    raise ValueError(f'column "{name}" is missing; {did_you_mean(name, lines.fieldnames or ())}')
            for row in lines:
                # The reader has values too many under no name, and nothing for those too few.
                if None in (*row, *row.values()):
                    raise ValueError(f"line {lines.line_num}: expected {len(lines.fieldnames or ())} values")
                code: str = row[self.code]
                if code in table:
                    raise ValueError(f"line {lines.line_num}: {code} again")
                table[code] = row[self.meaning] or None
        return table


def _trouble(error: OSError | csv.Error | ValueError) -> str:
    """What is wrong with a file, in few words: what cannot be decoded is not repeated."""
    if isinstance(error, UnicodeDecodeError):
        return "it is no UTF-8"
    return str(error.strerror or error) if isinstance(error, OSError) else str(error)


@declared
class Decode(Rule):
    """A code looked up in a table.

    `unknown` says what a code without entry does; `otherwise` gives it a fixed meaning.
    """

    of: Operand
    table: Mapping[str, str | int | bool | None] | CodeTable
    _: KW_ONLY
    unknown: UnknownCode = UnknownCode.UNTRANSLATABLE
    otherwise: str | int | bool | None = None

    reason: ClassVar[str] = "unknown_code"

    def codes(self) -> Mapping[str, str | int | bool | None]:
        return self.table.read() if isinstance(self.table, CodeTable) else self.table

    def value(self) -> str:
        whens = " ".join(f"WHEN {literal(code)} THEN {constant(meaning)}" for code, meaning in self.codes().items())
        return f"CASE {text_of(self.of)} {whens} ELSE {self._otherwise()} END"

    def _otherwise(self) -> str:
        if self.otherwise is not None:
            return f"CASE WHEN {value_of(self.of)} IS NOT NULL THEN {constant(self.otherwise)} END"
        return text_of(self.of) if self.unknown is UnknownCode.KEEP else "NULL"

    def own_failures(self) -> tuple[Failure, ...]:
        if self.otherwise is not None or self.unknown is not UnknownCode.UNTRANSLATABLE:
            return ()
        # Seldom does nothing come out, and few codes mean that: the whole table is not asked again.
        none = [literal(code) for code, meaning in self.codes().items() if meaning is None]
        unmeant = f" AND NOT {text_of(self.of)} IN ({', '.join(none)})" if none else ""
        return (Failure(f"{value_of(self.of)} IS NOT NULL AND {self.value()} IS NULL{unmeant}", self.reason),)

    def problems(self) -> list[str]:
        try:
            codes = self.codes()
        except (OSError, csv.Error, ValueError) as error:
            path = self.table.path if isinstance(self.table, CodeTable) else ""
            return [f"code table {path} cannot be read: {_trouble(error)}"]
        kinds = {type(meaning).__name__ for meaning in (*codes.values(), self.otherwise) if meaning is not None}
        kinds |= {"str"} if self.otherwise is None and self.unknown is UnknownCode.KEEP else set()
        found = [] if codes else ["the code table is empty"]
        return [*found, f"meanings of different types: {', '.join(sorted(kinds))}"] if len(kinds) > 1 else found


@declared
class Constant(Rule):
    """The same value for every row."""

    constant: str | int | bool | None

    def inputs(self) -> tuple[Operand, ...]:
        return ()

    def value(self) -> str:
        return constant(self.constant)

    def own_failures(self) -> tuple[Failure, ...]:
        return ()
