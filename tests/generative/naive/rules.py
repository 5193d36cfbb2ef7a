"""Every kind of translation rule, row by row: the value it makes and the reasons why it fails."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, localcontext
from functools import singledispatch
from zoneinfo import ZoneInfo

from pipelines import rules
from pipelines.rules import Case, CodeTable, UnknownCode
from tests.generative.naive import texts
from tests.generative.naive.surroundings import Row, Surroundings
from tests.generative.naive.texts import shown


@dataclass(frozen=True)
class Failure:
    """Why a rule could not translate, and which kind of rule it is."""

    reason: str
    rule: str


@dataclass(frozen=True)
class Outcome:
    """What a rule made of a row; of several failures the first, innermost one is reported."""

    value: object
    failures: tuple[Failure, ...] = ()

    @property
    def failure(self) -> Failure | None:
        return self.failures[0] if self.failures else None

    @property
    def text(self) -> str | None:
        return shown(self.value)


def translate(rule: rules.Operand, row: Row, around: Surroundings) -> Outcome:
    return Outcome(row[rule]) if isinstance(rule, str) else _apply(rule, row, around)


def columns_read(rule: rules.Operand, around: Surroundings) -> set[str]:
    """The raw columns a rule reads."""
    if isinstance(rule, str):
        return {rule}
    if isinstance(rule, rules.Sql):
        return set(around.sql[rule.expression].columns)
    return {name for operand in operands(rule) for name in columns_read(operand, around)}


def operands(rule: rules.Rule) -> list[rules.Operand]:
    """What a rule is made from."""
    match rule:
        case rules.Constant() | rules.Sql():
            return []
        case rules.Combine():
            return list(rule.parts)
        case rules.Currency():
            return [rule.of, rule.currency]
        case rules.Reference():
            return list(rule.of)
    return [rule.of]


@singledispatch
def _apply(rule: rules.Rule, row: Row, around: Surroundings) -> Outcome:
    raise NotImplementedError(f"the oracle does not know {type(rule).__name__}")


@_apply.register
def _(rule: rules.Same, row: Row, _: Surroundings) -> Outcome:
    return Outcome(row[rule.of])


@_apply.register
def _(rule: rules.Constant, _: Row, __: Surroundings) -> Outcome:
    return Outcome(rule.constant)


@_apply.register
def _(rule: rules.Sql, row: Row, around: Surroundings) -> Outcome:
    return Outcome(around.sql[rule.expression].value(row))


@_apply.register
def _(rule: rules.Decode, row: Row, around: Surroundings) -> Outcome:
    code = translate(rule.of, row, around)
    table = _csv(rule.table) if isinstance(rule.table, CodeTable) else rule.table
    if code.text is None:
        return Outcome(None, code.failures)
    if code.text in table:
        return Outcome(table[code.text], code.failures)
    if rule.otherwise is not None:
        return Outcome(rule.otherwise, code.failures)
    if rule.unknown is UnknownCode.KEEP:
        return Outcome(code.text, code.failures)
    return _made(None, code, rule, "unknown_code" if rule.unknown is UnknownCode.UNTRANSLATABLE else "")


def _csv(table: CodeTable) -> dict[str, str | None]:
    with open(table.path, encoding="utf-8", newline="") as file:  # noqa: PTH123 (nothing but the obvious)
        return {line[table.code]: line[table.meaning] or None for line in csv.DictReader(file)}


@_apply.register
def _(rule: rules.Split, row: Row, around: Surroundings) -> Outcome:
    whole = translate(rule.of, row, around)
    if whole.text is None:
        return Outcome(None, whole.failures)
    if rule.separator is not None:
        parts = whole.text.split(rule.separator)
        part = parts[rule.part - 1] if rule.part <= len(parts) else ""
    else:
        part = whole.text[rule.start - 1 : rule.start - 1 + rule.length]
    return _made(part or None, whole, rule, "" if rule.optional else "part_missing")


@_apply.register
def _(rule: rules.Combine, row: Row, around: Surroundings) -> Outcome:
    parts = [translate(part, row, around) for part in rule.parts]
    present = [part.text for part in parts if part.text is not None]
    failures = tuple(failure for part in parts for failure in part.failures)
    return Outcome(rule.separator.join(present) if present and not failures else None, failures)


@_apply.register
def _(rule: rules.Clean, row: Row, around: Surroundings) -> Outcome:
    raw = translate(rule.of, row, around)
    if raw.text is None:
        return Outcome(None, raw.failures)
    text = raw.text
    text = texts.composed(text) if rule.nfc else text
    text = texts.without_accents(text) if rule.accents else text
    text = texts.upper(text) if rule.case is Case.UPPER else text
    text = texts.lower(text) if rule.case is Case.LOWER else text
    text = texts.composed(text) if rule.nfc else text
    text = texts.alphanumeric(text) if rule.punctuation else text
    text = texts.squeezed(text) if rule.inner_blanks else text
    text = texts.trimmed(text) if rule.trim else text
    text = texts.without_leading_zeros(text) if rule.leading_zeros else text
    return Outcome(None if text == "" and not rule.keep_empty else text, raw.failures)


@_apply.register
def _(rule: rules.NullIf, row: Row, around: Surroundings) -> Outcome:
    raw = translate(rule.of, row, around)
    return Outcome(None if raw.text in rule.sentinels else raw.value, raw.failures)


@_apply.register
def _(rule: rules.Number, row: Row, around: Surroundings) -> Outcome:
    raw = translate(rule.of, row, around)
    if raw.text is None:
        return Outcome(None, raw.failures)
    if rule.scale is None:
        number = int(raw.text) if re.fullmatch(r"[+-]?[0-9]+", raw.text) else None
        fits = number is not None and -(2**63) <= number < 2**63
        return _made(number if fits else None, raw, rule, "not_a_number")
    number = Decimal(raw.text) if re.fullmatch(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)", raw.text) else None
    return _made(_exactly(number, rule.precision, rule.scale), raw, rule, "not_a_number")


@_apply.register
def _(rule: rules.Scale, row: Row, around: Surroundings) -> Outcome:
    raw = translate(rule.of, row, around)
    if raw.value is None:
        return Outcome(None, raw.failures)
    with localcontext(prec=200):
        product = Decimal(raw.value) * rule.by
    return _made(_exactly(product, rule.precision, rule.scale), raw, rule, "does_not_fit")


@_apply.register
def _(rule: rules.Currency, row: Row, around: Surroundings) -> Outcome:
    amount, currency = translate(rule.of, row, around), translate(rule.currency, row, around)
    failures = (*amount.failures, *currency.failures)
    if amount.value is None or currency.text is None:
        return Outcome(None, failures)
    if currency.text not in rule.rates:
        return Outcome(None, (*failures, Failure("unknown_currency", "currency")))
    with localcontext(prec=200):
        converted = Decimal(amount.value) * rule.rates[currency.text]
        rounded = converted.quantize(Decimal(1).scaleb(-rule.scale), ROUND_HALF_UP)
    value = _exactly(rounded, rule.precision, rule.scale)
    return Outcome(value, (*failures, Failure("does_not_fit", "currency")) if value is None else failures)


def _exactly(number: Decimal | None, precision: int, scale: int) -> Decimal | None:
    """The number as DECIMAL(precision, scale) if it is one."""
    if number is None:
        return None
    with localcontext(prec=200):
        exact = number.quantize(Decimal(1).scaleb(-scale))
        fits = exact == number and abs(exact) < Decimal(10) ** (precision - scale)
    return (exact or abs(exact)) if fits else None


@_apply.register
def _(rule: rules.LegacyDate, row: Row, around: Surroundings) -> Outcome:
    raw = translate(rule.of, row, around)
    if raw.text is None or raw.text in rule.missing:
        return Outcome(None, raw.failures)
    if raw.text in rule.open_ended:
        return Outcome(rule.open_means, raw.failures)
    return _made(_date_of_digits(raw.text, rule), raw, rule, "impossible_date")


def _date_of_digits(text: str, rule: rules.LegacyDate) -> date | None:
    spelling = rule.spelling.value
    if not re.fullmatch(r"[0-9]+", text) or len(text) > len(spelling):
        return None
    digits = text.rjust(len(spelling), "0")

    def part(letters: str) -> int:
        start = spelling.index(letters)
        return int(digits[start : start + len(letters)])

    if "YYYY" in spelling:
        year = part("YYYY")
    else:
        year = part("YY") + (2000 if part("YY") < rule.pivot else 1900)
    return _date(year, part("MM"), part("DD"))


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


@_apply.register
def _(rule: rules.ParsedDate, row: Row, around: Surroundings) -> Outcome:
    raw = translate(rule.of, row, around)
    moment = _parsed(raw.text, rule.format)
    return _made(moment.date() if moment else None, raw, rule, "impossible_date")


@_apply.register
def _(rule: rules.LocalTime, row: Row, around: Surroundings) -> Outcome:
    raw = translate(rule.of, row, around)
    wall = raw.value if rule.format is None else _parsed(raw.text, rule.format)
    if wall is None:
        return _made(None, raw, rule, "impossible_time")
    return Outcome(wall.replace(tzinfo=ZoneInfo(rule.zone), fold=0).astimezone(UTC), raw.failures)


def _parsed(text: str | None, spelling: str) -> datetime | None:
    try:
        return None if text is None else datetime.strptime(text, spelling)  # noqa: DTZ007 (wall time)
    except ValueError:
        return None


@_apply.register
def _(rule: rules.Reference, row: Row, around: Surroundings) -> Outcome:
    parts = [translate(part, row, around) for part in rule.of]
    failures = tuple(failure for part in parts for failure in part.failures)
    values = [part.value for part in parts]
    if failures or all(value is None for value in values):
        return Outcome(None, failures)
    found = around.references[rule.to].get(texts.shown_key(values))  # a key may lack a part
    is_missing = found is not None or None in values
    return Outcome(found, () if is_missing else (Failure("unlinked_reference", "reference"),))


def _made(value: object, came_in: Outcome, rule: rules.Rule, reason: str) -> Outcome:
    """What came out; that something came in and nothing out is a failure, if it has a reason."""
    failed = (
        (Failure(reason, type(rule).__name__.lower()),)
        if reason and value is None and came_in.value is not None
        else ()
    )
    return Outcome(value, (*came_in.failures, *failed))
