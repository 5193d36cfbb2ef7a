"""Rules on dates and times as old systems write them."""

from __future__ import annotations

import re
from dataclasses import KW_ONLY
from datetime import date
from enum import StrEnum
from functools import cache
from typing import ClassVar
from zoneinfo import available_timezones

from pipelines.declared import declared
from pipelines.errors import did_you_mean
from pipelines.expressions import literal
from pipelines.rules.rule import Failure, Operand, Rule, text_of, value_of


class DateSpelling(StrEnum):
    """How an old system writes a date in digits; leading zeros lost in integer columns are put back."""

    YYYYMMDD = "YYYYMMDD"
    YYMMDD = "YYMMDD"
    DDMMYYYY = "DDMMYYYY"
    DDMMYY = "DDMMYY"


@declared
class LegacyDate(Rule):
    """Digits as a date. `missing` spellings (zero dates) are no date; `open_ended` ones (9999...) become `open_means`.

    Two-digit years below `pivot` are 20yy, the others 19yy. Anything that is not a calendar date fails.
    """

    of: Operand
    spelling: DateSpelling
    _: KW_ONLY
    pivot: int | None = None
    missing: tuple[str, ...] = ("0", "00000000", "000000")
    open_ended: tuple[str, ...] = ()
    open_means: date | None = None

    reason: ClassVar[str] = "impossible_date"

    def value(self) -> str:
        open_means = f"CAST({literal(self.open_means.isoformat())} AS DATE)" if self.open_means else "NULL"
        is_open = f"WHEN {self._is(self.open_ended)} THEN {open_means} " if self.open_ended else ""
        return f"CASE WHEN {self._is(self.missing)} THEN NULL {is_open}ELSE {self._date()} END"

    def own_failures(self) -> tuple[Failure, ...]:
        sentinels = self._is((*self.missing, *self.open_ended))
        return (
            Failure(f"{value_of(self.of)} IS NOT NULL AND NOT {sentinels} AND {self.value()} IS NULL", self.reason),
        )

    def reused(self) -> tuple[str, ...]:
        year = self._digits("YYYY" if "YYYY" in self.spelling else "YY")
        return (*super().reused(), self._number(), year, self._digits("MM"), self._digits("DD"), self._year())

    def problems(self) -> list[str]:
        two_digits = "YYYY" not in self.spelling
        if two_digits and self.pivot is None:
            return [f"{self.spelling} has a two-digit year: declare its pivot"]
        return ["a pivot makes no sense for a four-digit year"] if not two_digits and self.pivot is not None else []

    def _is(self, spellings: tuple[str, ...]) -> str:
        return f"{text_of(self.of)} IN ({', '.join(map(literal, spellings))})" if spellings else "FALSE"

    def _date(self) -> str:
        return f"calendar_date({self._year()}, {self._digits('MM')}, {self._digits('DD')})"

    def _year(self) -> str:
        if "YYYY" in self.spelling:
            return self._digits("YYYY")
        year = self._digits("YY")
        return f"CASE WHEN {year} < {self.pivot} THEN 2000 + {year} ELSE 1900 + {year} END"

    def _digits(self, part: str) -> str:
        """A part of the number: leading zeros that were lost are none that it would lack."""
        after = len(self.spelling) - self.spelling.index(part) - len(part)
        return f"digits_of({self._number()}, {10**after}, {10 ** len(part)})"

    def _number(self) -> str:
        text = text_of(self.of)
        return f"CAST(CASE WHEN matches({text}, '[0-9]{{1,{len(self.spelling)}}}') THEN {text} END AS BIGINT)"


@declared
class ParsedDate(Rule):
    """Text as a date by a strptime format, for spellings with separators."""

    of: Operand
    format: str

    reason: ClassVar[str] = "impossible_date"

    def value(self) -> str:
        return f"parse_date({text_of(self.of)}, {literal(self.format)})"

    def problems(self) -> list[str]:
        return [f'"{self.format}" reads a zone: the day would be that of UTC'] if _reads_zone(self.format) else []


@declared
class LocalTime(Rule):
    """Wall time in a zone as an instant (UTC). Without `format` the column already is a timestamp.

    Wall time that occurs twice, when clocks are set back, means the earlier instant.
    """

    of: Operand
    zone: str
    _: KW_ONLY
    format: str | None = None

    reason: ClassVar[str] = "impossible_time"

    def value(self) -> str:
        return f"local_to_utc({self._wall()}, {literal(self.zone)})"

    def reused(self) -> tuple[str, ...]:
        return (*super().reused(), self._wall())

    def _wall(self) -> str:
        if self.format is None:
            return value_of(self.of)
        return f"parse_timestamp({text_of(self.of)}, {literal(self.format)})"

    def problems(self) -> list[str]:
        known = _zones()
        found = [] if self.zone in known else [f'unknown time zone "{self.zone}"; {did_you_mean(self.zone, known)}']
        if self.format and _reads_zone(self.format):
            found.append(f'"{self.format}" reads a zone from the text, and another one is declared')
        return found


def _reads_zone(spelling: str) -> bool:
    """Whether a strptime format has a place for a zone."""
    return re.search(r"(?<!%)(%%)*%[zZ]", spelling) is not None


@cache
def _zones() -> frozenset[str]:
    """The zones every machine means the same by."""
    return frozenset(available_timezones() - {"localtime"})
