"""Primitives against plain Python: what each one means, on values that come from nowhere in particular.

A batch of values is one query. Text is made of the characters that Python's Unicode tables know, most of all of those
that primitives treat differently.
"""

from __future__ import annotations

import decimal
import hashlib
import json
import math
import re
import struct
import sys
import unicodedata
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo, available_timezones

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.expressions import compile_sql, literal
from pipelines.macros import MACROS, definitions
from pipelines.primitives import AGGREGATES, PRIMITIVES
from tests.examples import examples

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (wall time)
BLANKS = "".join(map(chr, [*range(0x09, 0x0E), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B)]))
BLANKS += "\u2028\u2029\u202f\u205f\u3000"
KNOWN = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) not in {"Cn", "Cs", "Co"}]

characters = st.one_of(
    st.sampled_from(BLANKS + "\u200b\ufeff\x1c\x1f\0"),
    st.sampled_from("abcXYZ0019-. ßẞÄäÉéÇçøłİıĿΣσςﬁǆ"),
    st.sampled_from("\u0301\u0308\u0327\u0323\u0338\u034f\u0489\u200d\u1100\u1161\u11a8가각かが"),
    st.sampled_from(KNOWN),
)
texts = st.text(characters, max_size=12)
few = settings(max_examples=examples(40))


@pytest.fixture(scope="module")
def connection():
    with duckdb.connect() as opened:
        opened.execute("SET TimeZone = 'UTC'")
        for definition in (definition for name in MACROS for definition in definitions(name)):
            opened.execute(definition)
        yield opened


@pytest.fixture(scope="module")
def evaluate(connection):
    """The values of a canonical expression over the rows of these columns."""

    def run(sql: str, **columns: pa.Array) -> list:
        rows = len(next(iter(columns.values())))
        connection.register("given", pa.table({"row": range(rows), **columns}))
        selected = f"SELECT {compile_sql(sql)} FROM given ORDER BY row"
        return [row[0] for row in connection.execute(selected).fetchall()]

    return run


def lists_of(values, **bounds):
    return st.lists(values, min_size=1, max_size=40, **bounds)


# --- text


def simple_upper(character):
    """The mapping of one character to one, as Unicode has it beside the one that may give several."""
    if character == "ß":
        return "ẞ"
    shapes = (character.upper(), character.title(), character)
    return next(shape for shape in shapes if len(shape) == 1)


def simple_lower(character):
    return "i" if character == "İ" else character.lower()


def simple_fold(character):
    """The mapping of one character to one; but for the mark that becomes a letter."""
    folded = character.casefold()
    return simple_lower(folded if len(folded) == 1 and character != "\u0345" else character)


def without_marks(text):
    kept = (c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c)[0] != "M")
    return unicodedata.normalize("NFC", "".join(kept))


ON_TEXT = {
    "trim_blanks": lambda text: text.strip(BLANKS),
    "squeeze_blanks": lambda text: re.sub(f"[{BLANKS}]+", " ", text),
    "upper_text": lambda text: "".join(map(simple_upper, text)),
    "lower_text": lambda text: "".join(map(simple_lower, text)),
    "fold_case": lambda text: "".join(map(simple_fold, text)),
    "nfc": lambda text: unicodedata.normalize("NFC", text),
    "strip_accents": without_marks,
    "strip_zeros": lambda text: text.lstrip("0") or text[-1:],
    "keep_alphanumeric": lambda text: "".join(c for c in text if unicodedata.category(c)[0] in "LN"),
    "sha256_hex": lambda text: hashlib.sha256(text.encode()).hexdigest(),
    "json_text": lambda text: re.sub(
        r"(?<!\\)((?:\\\\)*)\\u00([0-9a-f]{2})",
        lambda found: f"{found[1]}\\u00{found[2].upper()}",
        json.dumps(text, ensure_ascii=False),
    ),
    "key_part": lambda text: "".join(f"\\{c}" if c in "\\|" else c for c in text),
    "text_of": lambda text: text,
}


@pytest.mark.parametrize("name", ON_TEXT)
def test_each_character(evaluate, name):
    found = evaluate(f"{name}(x)", x=pa.array(KNOWN))

    assert {c: got for c, got in zip(KNOWN, found, strict=True) if got != ON_TEXT[name](c)} == {}


@pytest.mark.parametrize("name", ON_TEXT)
def test_texts(evaluate, name):
    @few
    @given(lists_of(texts))
    def check(values):
        assert evaluate(f"{name}(x)", x=pa.array(values)) == [ON_TEXT[name](text) for text in values]

    check()


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("trim_blanks", "\u00a0 Meier\u3000\t", "Meier"),
        ("squeeze_blanks", "Am\u000b\u000bMarkt  1", "Am Markt 1"),
        ("upper_text", "Straße", "STRAẞE"),
        ("lower_text", "ΟΔΟΣ", "οδοσ"),
        ("fold_case", "οδο\u03c2", "οδοσ"),
        ("nfc", "e\u0301\0e\u0301", "é\0é"),
        ("strip_accents", "é\0é", "e\0e"),
        ("strip_accents", "Ångström, Łódź", "Angstrom, Łodz"),
        ("strip_zeros", "000", "0"),
        ("strip_zeros", "00\n1", "\n1"),
        ("keep_alphanumeric", "12/34-Ä½", "1234Ä½"),
        ("key_part", r"policy|12\3", r"policy\|12\\3"),
        ("part_of_key", r"policy\|12\\3", r"policy|12\3"),
        ("json_text", 'a"\\\x0b', '"a\\"\\\\\\u000B"'),
    ],
)
def test_text_by_example(evaluate, name, text, expected):
    assert evaluate(f"{name}(x)", x=pa.array([text])) == [expected]


@few
@given(lists_of(st.text("\\|a", max_size=6)))
def test_a_part_of_a_key_is_what_the_key_was_made_of(evaluate, values):
    assert evaluate("part_of_key(key_part(x))", x=pa.array(values)) == values


@few
@given(lists_of(st.text("ab-é ", max_size=8)), st.sampled_from(["-", "ab", " ", "é"]), st.integers(1, 4))
def test_split_text(evaluate, values, separator, part):
    found = evaluate(f"split_text(x, {literal(separator)}, {part})", x=pa.array(values))

    assert found == [((text.split(separator) + [""] * part)[part - 1]) or None for text in values]


@few
@given(lists_of(st.text("aB1\n-", max_size=5)), st.sampled_from(["[a-z]+", "a.*", "(a|B)?1", "", "a{2,3}-?"]))
def test_matches(evaluate, values, pattern):
    assert evaluate(f"matches(x, {literal(pattern)})", x=pa.array(values)) == [
        bool(re.fullmatch(pattern, text)) for text in values
    ]


# --- numbers

number_like = st.one_of(
    st.text("0123456789+-.,e_ \n\u0661", max_size=12),
    st.from_regex(r"[+-]?0{0,3}[0-9]{0,22}(\.[0-9]{0,6}0{0,3})?", fullmatch=True),
)


def exact(text, digits, scale):
    """The decimal a text says, if it is one of so many digits."""
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)", text, re.ASCII):
        return None
    return fitting(Decimal(text), digits, scale)


def fitting(number, digits, scale):
    """The number with so many decimals, unless it would be rounded or too long."""
    with decimal.localcontext(prec=200):
        scaled = number.quantize(Decimal(1).scaleb(-scale))
        return scaled if scaled == number and abs(scaled) < Decimal(10) ** (digits - scale) else None


@few
@given(lists_of(number_like))
def test_to_integer(evaluate, values):
    def integer(text):
        number = int(text) if re.fullmatch("[+-]?[0-9]+", text, re.ASCII) else None
        return number if number is not None and -(2**63) <= number < 2**63 else None

    assert evaluate("to_integer(x)", x=pa.array(values)) == list(map(integer, values))


@few
@given(lists_of(number_like | st.integers(-(2**130), 2**130).map(str) | st.integers().map(lambda n: f"{n}.00")))
def test_to_whole(evaluate, values):
    def whole(text):
        found = re.fullmatch(r"([+-]?[0-9]+)(\.0+)?", text, re.ASCII)
        return found[1] if found and -(2**127) <= int(found[1]) < 2**127 else None

    digits = evaluate("text_of(to_whole(x))", x=pa.array(values))
    assert digits == [None if whole(text) is None else str(int(whole(text))) for text in values]


@few
@given(lists_of(st.from_regex(r"[0-2]?[0-9]:[0-6][0-9](:[0-6][0-9](\.[0-9]{0,7})?)?", fullmatch=True) | number_like))
def test_to_time(evaluate, values):
    def clock(text):
        found = re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6}0*)?)?", text, re.ASCII)
        parts = (text + ":0").split(":")[:3] if found else ()
        return time(*map(int, parts[:2]), *seconds(parts[2])) if found else None

    def seconds(text):
        whole, _, fraction = text.partition(".")
        return int(whole), int(fraction.rstrip("0").ljust(6, "0"))

    assert evaluate("to_time(x)", x=pa.array(values)) == list(map(clock, values))


MOMENTS = st.from_regex(
    r"(2024|9999)-0?[1-9]-[0-3][0-9]([T ](0[0-9]|1[0-9]|2[0-4]):[0-6][0-9](:[0-6][0-9](\.[0-9]{1,8})?)?"
    r"(Z|[+-]0[0-9](:?[03]0)?)?)?",
    fullmatch=True,
) | st.sampled_from([
    "2024-02-29T00:00", "2024-02-29 00:00:00.000", "2024-01-01 10:00:00.1234567", "2024-01-01 10:00:00.1234560+01",
    "2024-01-01T24:00", "2024-01-01 10:00 Europe/Berlin", "epoch", "infinity", " 2024-01-01", "2024/01/01", "",
])  # fmt: skip


@few
@given(lists_of(MOMENTS))
def test_to_date(evaluate, values):
    def day(text):
        found = re.fullmatch(r"(\d{4}-\d{2}-\d{2})([T ]00:00(:00(\.0+)?)?)?", text)
        return moment(date.fromisoformat, found[1]) if found else None

    assert evaluate("to_date(x)", x=pa.array(values)) == list(map(day, values))


@few
@given(lists_of(MOMENTS))
def test_to_instant_and_to_wall_time(evaluate, values):
    def at(text):
        found = re.fullmatch(
            r"(?P<day>\d{4}-\d\d-\d\d)([T ](?P<clock>\d\d:\d\d)(?P<second>:\d\d(\.\d{1,6}(?=0*\D|0*$))?0*)?"
            r"(?P<zone>Z|[+-]\d\d(:?\d\d)?)?)?", text,
        )  # fmt: skip
        if not found:
            return None
        second = (found["second"] or ":00").partition(".")
        clock = f"{found['clock'] or '00:00'}{second[0]}.{second[2].rstrip('0').ljust(6, '0')}"
        return moment(datetime.fromisoformat, f"{found['day']}T{clock}{found['zone'] or 'Z'}")

    instants = list(map(at, values))
    assert evaluate("to_instant(x)", x=pa.array(values)) == instants
    assert evaluate("to_wall_time(x)", x=pa.array(values)) == [one and one.replace(tzinfo=None) for one in instants]


def test_members_of_what_is_no_json_are_missing(evaluate):
    payloads = pa.array(['{"a": 1.5}', '{"a": null}', "{}", "[1]", "no JSON", '{"a": 1', "", None])

    assert evaluate("json_member(x, 'a')", x=payloads) == ["1.5", *[None] * 7]
    assert evaluate("json_has(x, 'a')", x=payloads) == [True, True, False, False, *[None] * 4]


def moment(read, text):
    try:
        return read(text)
    except ValueError:
        return None


@few
@given(lists_of(number_like), st.sampled_from([(5, 2), (18, 0), (4, 4), (38, 10), (18, 6)]))
def test_to_decimal(evaluate, values, kind):
    found = evaluate(f"to_decimal(x, {kind[0]}, {kind[1]})", x=pa.array(values))

    assert found == [exact(text, *kind) for text in values]


FACTORS = st.sampled_from(["0.01", "100", "1", "-1", "1000000000", "0.001", "1.95583", "0.5", "12.5"])
COLUMNS = st.sampled_from([
    (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    (pa.int32(), st.integers(-(2**31), 2**31 - 1)),
    (pa.uint8(), st.integers(0, 255)),
    (pa.decimal128(18, 4), st.decimals("-99999999999999.9999", "99999999999999.9999", places=4)),
    (pa.decimal128(9, 2), st.decimals("-9999999.99", "9999999.99", places=2)),
])  # fmt: skip
amounts = COLUMNS.flatmap(lambda column: lists_of(column[1]).map(lambda values: pa.array(values, column[0])))


@few
@given(amounts, FACTORS, st.sampled_from([(18, 2), (12, 0), (38, 10)]))
def test_scale_decimal(evaluate, values, factor, kind):
    found = evaluate(f"scale_decimal(x, {factor}, {kind[0]}, {kind[1]})", x=values)

    assert found == [fitting(Decimal(value.as_py()) * Decimal(factor), *kind) for value in values]


@few
@given(amounts, FACTORS, st.sampled_from([(18, 2), (12, 0), (30, 6)]))
def test_round_decimal(evaluate, values, factor, kind):
    def rounded(value):
        with decimal.localcontext(prec=200):
            product = Decimal(value) * Decimal(factor)
            unit = Decimal(1).scaleb(-kind[1])
            return fitting(product.quantize(unit, rounding=decimal.ROUND_HALF_UP), *kind)

    found = evaluate(f"round_decimal(x, {factor}, {kind[0]}, {kind[1]})", x=values)

    assert found == [rounded(value.as_py()) for value in values]


@few
@given(amounts, amounts)
def test_exact_numbers(evaluate, left, right):
    pairs = [(a.as_py(), b.as_py()) for a, b in zip(left, right, strict=False)]
    columns = {"x": left.slice(0, len(pairs)), "y": right.slice(0, len(pairs))}

    assert evaluate("exact_equal(x, y)", **columns) == [Decimal(a) == Decimal(b) for a, b in pairs]
    assert evaluate("exact_at_most(x, y)", **columns) == [Decimal(a) <= Decimal(b) for a, b in pairs]
    assert evaluate("exact_minus(x, y)", **columns) == [Decimal(a) - Decimal(b) for a, b in pairs]
    assert evaluate("exact_times(exact_minus(x, 0), 0.25)", **columns) == [
        Decimal(a) * Decimal("0.25") for a, _ in pairs
    ]


@few
@given(lists_of(number_like | st.floats().map(repr) | st.sampled_from(["nan", "-INF", "Infinity", "1e400", "1e-400"])))
def test_as_double(evaluate, values):
    def double(text):
        number = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?(?i:nan|inf|infinity)"
        return float(text) if re.fullmatch(number, text, re.ASCII) else None

    found = evaluate("as_double(x)", x=pa.array(values))

    assert list(map(repr, found)) == [repr(double(text)).replace("-nan", "nan") for text in values]
    assert evaluate("is_not_a_number(as_double(x))", x=pa.array(values)) == [
        None if double(text) is None else math.isnan(double(text)) for text in values
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([0, -7, 2**63 - 1]), ["0", "-7", "9223372036854775807"]),
        (pa.array([Decimal("1.50"), Decimal("-0.05")], pa.decimal128(5, 2)), ["1.50", "-0.05"]),
        (pa.array([True, False]), ["true", "false"]),
        (pa.array([date(2024, 2, 29), date(5, 1, 1)]), ["2024-02-29", "0005-01-01"]),
        (pa.array([0.1, 1.0, -0.0, 1e20, 1e-7]), ["0.1", "1.0", "-0.0", "1e+20", "1e-07"]),
        (pa.array([1_500_000], pa.timestamp("us")), ["1970-01-01 00:00:01.5"]),
        (pa.array([1_500_000], pa.timestamp("us", "UTC")), ["1970-01-01 00:00:01.5+00"]),
    ],
)
def test_text_of_other_types(evaluate, values, expected):
    assert evaluate("text_of(x)", x=values) == expected


# --- dates and times

years = st.integers(-10, 10010) | st.integers(1900, 2030)


def calendar_day(year, month, of_month):
    try:
        return date(year, month, of_month)
    except (ValueError, OverflowError):
        return None


@few
@given(lists_of(st.tuples(years, st.integers(-1, 14), st.integers(-1, 33))))
def test_calendar_date(evaluate, values):
    columns = dict(zip("ymd", map(pa.array, zip(*values, strict=True)), strict=True))

    assert evaluate("calendar_date(y, m, d)", **columns) == [calendar_day(*parts) for parts in values]


INTEGERS = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint64(), pa.decimal128(4, 0), pa.float64()]


@pytest.mark.parametrize("kind", INTEGERS, ids=str)
@pytest.mark.parametrize("year", [0, 1, 4, 100, 400, 1900, 1999, 2000, 2023, 2024, 2100, 9996, 9999, 10000, -(2**63)])
def test_calendar_date_at_the_edges(evaluate, year, kind):
    parts = [(year, month, of_month) for month in range(14) for of_month in (*range(34), 99)]
    years, months, days = zip(*parts, strict=True)

    found = evaluate("calendar_date(y, m, d)", y=pa.array(years), m=pa.array(months, kind), d=pa.array(days, kind))

    assert found == [calendar_day(*each) for each in parts]


@pytest.mark.parametrize("part", [2**63 - 1, -(2**63), 2**62])
def test_calendar_date_of_numbers_beyond_all_dates(evaluate, part):
    days = evaluate(
        "calendar_date(x, 2, 29) IS NULL AND calendar_date(2024, x, 29) IS NULL AND calendar_date(2024, 2, x) IS NULL",
        x=pa.array([part]),
    )

    assert days == [True]


def test_a_part_of_a_day_is_no_day_of_a_calendar_date(evaluate):
    days = pa.array([Decimal("28.0"), Decimal("28.5"), Decimal("0.9")], pa.decimal128(5, 1))

    assert evaluate("calendar_date(2024, 2, x)", x=days) == [date(2024, 2, 28), None, None]


@few
@given(lists_of(st.integers(0, 2**63 - 1)), st.integers(0, 18), st.integers(1, 18))
def test_digits_of(evaluate, values, after, count):
    written = [f"{value:040}" for value in values]

    found = evaluate(f"digits_of(x, {10**after}, {10**count})", x=pa.array(values))

    assert found == [int(digits[40 - after - count : 40 - after]) for digits in written]


FORMATS = ("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%Y%m%d", "%y%m%d", "%d-%b-%Y", "%Y-%m-%d %H:%M:%S", "%d.%m.%y %H.%M")


TWO_DIGITS = re.compile(r"\d{6}$|\d+\.\d+\.\d\d ")


def parsed(text, spelling):
    if re.search(r"(^|[-/.]) \d", text):  # Python reads " 1" as a day
        return None
    try:
        return datetime.strptime(text, spelling)  # noqa: DTZ007 (wall time)
    except ValueError:
        return None


def written(moment, spelling, spoil):
    """A moment in a spelling, and now and then one character of it different."""
    text = moment.strftime(spelling.replace("%Y", f"{moment.year:04d}"))
    place, character = spoil
    return text if place >= len(text) else text[:place] + character + text[place + 1 :]


spoilt = st.tuples(st.integers(0, 60), st.sampled_from("0123456789 -.x"))


@pytest.mark.parametrize("spelling", FORMATS)
def test_parse_date_and_timestamp(evaluate, spelling):
    @few
    @given(lists_of(st.tuples(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)), spoilt)))  # noqa: DTZ001
    def check(values):
        texts = [written(moment, spelling, spoil) for moment, spoil in values]
        # Of one digit for %y Python makes no year.
        spelt = pa.array([text for text in texts if "%y" not in spelling or TWO_DIGITS.match(text)], pa.string())
        expected = [parsed(text.as_py(), spelling) for text in spelt]
        assert evaluate(f"parse_timestamp(x, {literal(spelling)})", x=spelt) == expected
        assert evaluate(f"parse_date(x, {literal(spelling)})", x=spelt) == [day and day.date() for day in expected]

    check()


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        (" 2024-02-09", "%Y-%m-%d"),
        ("2024-02-09 ", "%Y-%m-%d"),
        ("24-02-09", "%Y-%m-%d"),
        ("0000-01-01", "%Y-%m-%d"),
        ("2023-02-29", "%Y-%m-%d"),
        ("2024-02-09x", "%Y-%m-%d"),
        ("366 2023", "%j %Y"),
    ],
)
def test_what_is_no_date(evaluate, text, spelling):
    assert evaluate(f"parse_date(x, {literal(spelling)})", x=pa.array([text])) == [None]


def microseconds(moment):
    return (moment - EPOCH) // timedelta(microseconds=1)


def instants(evaluate, zone, walls):
    return evaluate(f"epoch_us(local_to_utc(x, {literal(zone)}))", x=pa.array(walls, pa.timestamp("us")))


def as_python(wall, zone):
    return microseconds(wall.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC).replace(tzinfo=None))


def changes(zone, first, last):
    """Wall times before and after every change of a zone's offset between two years, by both offsets."""
    moment, found = datetime(first, 1, 1, tzinfo=UTC), set()
    offset = moment.astimezone(zone).utcoffset()
    while moment.year < last:
        later = moment + timedelta(days=7)
        if (changed := later.astimezone(zone).utcoffset()) != offset:
            steps = (moment + n * timedelta(minutes=15) for n in range(7 * 96 + 1))
            change = next(step for step in steps if step.astimezone(zone).utcoffset() != offset)
            for minutes in (-181, -120, -60, -45, -30, -15, -1, 0, 1, 15, 29, 30, 45, 59, 60, 90, 119, 120, 181, 1441):
                found |= {
                    (change + shift + timedelta(minutes=minutes)).replace(tzinfo=None) for shift in (offset, changed)
                }
        moment, offset = later, changed
    return sorted(found)


# Among them changes by half an hour, by two hours, by a whole day, of standard time, and summer time kept in winter.
ZONES = (
    "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Antarctica/Troll", "Pacific/Apia", "America/Caracas",
    "Asia/Kathmandu", "Europe/Dublin", "Asia/Pyongyang", "America/Sao_Paulo", "Asia/Kolkata", "UTC",
)  # fmt: skip


@pytest.mark.parametrize("zone", ZONES)
def test_local_to_utc_around_every_change(evaluate, zone):
    walls = [*changes(ZoneInfo(zone), 1971, 2025), datetime(2024, 7, 1, 12)]  # noqa: DTZ001

    found = dict(zip(walls, instants(evaluate, zone, walls), strict=True))

    assert {str(wall): got for wall, got in found.items() if got != as_python(wall, zone)} == {}


@pytest.mark.parametrize(
    ("zone", "wall", "instant"),
    [
        ("Europe/Berlin", "2024-10-27 02:30", "2024-10-27 00:30"),  # twice: the earlier one
        ("Europe/Berlin", "2024-10-27 03:00", "2024-10-27 02:00"),
        ("Europe/Berlin", "2024-03-31 02:30", "2024-03-31 01:30"),  # never: as if it were not summer yet
        ("Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-04 14:45"),
        ("Australia/Lord_Howe", "2026-04-05 02:15", "2026-04-04 15:45"),
        ("Pacific/Apia", "2011-12-30 12:00", "2011-12-30 22:00"),  # a day that was not
        ("America/New_York", "2024-11-03 01:30", "2024-11-03 05:30"),
    ],
)
def test_local_to_utc_by_example(evaluate, zone, wall, instant):
    assert instants(evaluate, zone, [datetime.fromisoformat(wall)]) == [microseconds(datetime.fromisoformat(instant))]


def test_every_declarable_zone_is_known_to_the_engine(connection):
    known = {name for (name,) in connection.execute("SELECT name FROM pg_timezone_names()").fetchall()}

    assert available_timezones() - {"localtime"} - known == set()


def test_a_zone_that_there_is_not_is_missing_in_its_row(evaluate):
    zones = ["Europe/Berlin", "utc", "GMT+2", "GMT-11:30", "CEST", "GMT+24", "nowhere", "", None]
    walls = [datetime(2026, 7, 1, 12)] * len(zones)  # noqa: DTZ001

    found = evaluate("local_to_utc(t, z)", t=pa.array(walls, pa.timestamp("us")), z=pa.array(zones))

    hours = [None if instant is None else instant.hour + instant.minute / 60 for instant in found]
    assert hours == [10, 12, 10, 23.5, *[None] * 5]


@few
@given(
    st.sampled_from(sorted(available_timezones() - {"localtime"})),
    lists_of(st.datetimes(datetime(1975, 1, 1), datetime(2035, 1, 1))),  # noqa: DTZ001
)
def test_local_to_utc_is_the_first_instant_that_shows_the_wall_time(evaluate, connection, zone, walls):
    """By the engine's own tables of offsets, which need not be as new as Python's."""
    found = instants(evaluate, zone, walls)
    connection.register("found", pa.table({"row": range(len(found)), "x": pa.array(found, pa.timestamp("us", "UTC"))}))
    shown = connection.execute(f"SELECT timezone('{zone}', x) FROM found ORDER BY row").fetchall()

    for earlier in (30, 60, 90, 120, 180, 1440):
        before = connection.execute(f"SELECT timezone('{zone}', x - INTERVAL {earlier} MINUTE) FROM found ORDER BY row")
        assert [wall for wall, (back,) in zip(walls, before.fetchall(), strict=True) if back == wall] == []
    skipped = [(wall, back) for wall, (back,) in zip(walls, shown, strict=True) if back != wall]
    assert all(timedelta(0) < back - wall <= timedelta(days=1) for wall, back in skipped)


def test_times_beyond_the_calendar_give_nothing_and_raise_nothing(evaluate):
    far = pa.array([2**63 - 2, -(2**63) + 2, 2**63 - 1], pa.timestamp("us"))

    assert evaluate(
        "local_to_utc(x, 'Europe/Berlin') IS NULL OR epoch_us(local_to_utc(x, 'Europe/Berlin')) IS NULL", x=far
    )


@few
@given(lists_of(st.integers(-(2**62), 2**62)))
def test_epoch_and_whole_seconds(evaluate, values):
    assert evaluate("epoch_us(x)", x=pa.array(values, pa.timestamp("us"))) == values
    assert evaluate("epoch_us(x)", x=pa.array(values, pa.timestamp("us", "UTC"))) == values
    assert evaluate("whole_seconds(x)", x=pa.array(values)) == [value // 1_000_000 for value in values]


@pytest.mark.parametrize("value", [253_402_300_799_999_999, -1, 0, -1_000_000, -1_000_001, -(2**63), 2**63 - 1])
def test_whole_seconds_at_the_edges(evaluate, value):
    assert evaluate("whole_seconds(x)", x=pa.array([value])) == [value // 1_000_000]


@few
@given(lists_of(st.dates()))
def test_epoch_days(evaluate, values):
    assert evaluate("epoch_days(x)", x=pa.array(values)) == [(day - date(1970, 1, 1)).days for day in values]


@few
@given(lists_of(st.integers(-5, 5) | st.none()), st.sampled_from(["0", "0.1", "0.5", "0.95", "0.99", "1"]))
def test_discrete_quantile(evaluate, values, share):
    there = sorted(value for value in values if value is not None)
    rank = max(math.ceil(Decimal(share) * len(there)), 1)

    found = evaluate(f"(SELECT discrete_quantile(g.x, {share}) FROM given AS g)", x=pa.array(values, pa.int64()))

    assert found[0] == (there[rank - 1] if there else None)


@few
@given(lists_of(st.tuples(st.integers(0, 3), st.integers(-5, 5) | st.none(), st.booleans())))
def test_listed_where(connection, rows):
    groups, values, wanted = (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
    held = {"of": (groups, pa.int64()), "x": (values, pa.int64()), "wanted": (wanted, pa.bool_())}
    connection.register("held", pa.table({name: pa.array(column, kind) for name, (column, kind) in held.items()}))
    query = compile_sql("SELECT of, listed_where(x, wanted) AS listed FROM held GROUP BY of")

    found = {of: sorted(listed or [], key=str) for of, listed in connection.sql(query).fetchall()}

    due = {of: sorted((x for at, x, is_wanted in rows if at == of and is_wanted), key=str) for of in groups}
    assert found == due


FLOATS = [0.0, -0.0, 1.5, -1.5, math.nan, -math.nan, math.inf, -math.inf, 5e-324]


@pytest.mark.parametrize("kind", [pa.float64(), pa.float32()])
def test_same_float(evaluate, kind):
    pairs = [(x, y) for x in FLOATS for y in FLOATS]
    held = (pa.array(side, kind) for side in zip(*pairs, strict=True))

    found = evaluate("same_float(a, b)", **dict(zip("ab", held, strict=True)))

    def bits(x):
        return struct.pack(">d" if kind == pa.float64() else ">f", x)

    assert found == [bits(x) == bits(y) for x, y in pairs]


# --- all of them


ARGUMENTS = {
    "ratio_text": ["d", "d"],
    "epoch_instant": ["n"],
    "json_member": ["x", "'a'"],
    "json_has": ["x", "'a'"],
    "is_multiple": ["d", "3"],
    "split_text": ["x", "'-'", "1"], "matches": ["x", "'a'"], "to_decimal": ["x", "5", "2"],
    "scale_decimal": ["n", "0.01", "5", "2"], "round_decimal": ["n", "0.01", "5", "2"], "exact_equal": ["n", "1"],
    "exact_at_most": ["n", "1"], "exact_minus": ["n", "1"], "exact_times": ["n", "1"], "is_not_a_number": ["d"],
    "calendar_date": ["n", "n", "n"], "parse_date": ["x", "'%Y'"], "parse_timestamp": ["x", "'%Y'"],
    "as_single": ["d"], "same_float": ["d", "d"], "floats_apart": ["d", "d"],
    "floor_to": ["n", "7"], "digits_of": ["n", "100", "10"], "elapsed_us": ["i"],
    "whole_minus": ["n", "1"], "whole_within": ["n", "n", "1", "2"], "sorted_items": ["l"], "distinct_items": ["l"],
    "json_without": ["x", "'$.a'"], "json_without_each": ["x", "'$.a'", "'$.b'"],
    "local_to_utc": ["t", "'UTC'"], "epoch_us": ["t"], "whole_seconds": ["n"], "epoch_days": ["day"],

}  # fmt: skip


@pytest.mark.parametrize("name", sorted(PRIMITIVES.keys() - AGGREGATES))
def test_a_missing_value_gives_a_missing_value(evaluate, name):
    arguments = ARGUMENTS.get(name, ["x"])
    kinds = {"x": pa.string(), "n": pa.int64(), "d": pa.float64(), "t": pa.timestamp("us"), "day": pa.date32()}
    kinds |= {"i": pa.duration("us"), "l": pa.list_(pa.int64())}

    found = evaluate(f"{name}({', '.join(arguments)})", **{c: pa.nulls(1, kind) for c, kind in kinds.items()})

    assert found == [None]
    assert PRIMITIVES[name].arity == len(arguments)


@pytest.mark.parametrize(
    ("dividend", "divisor", "text"),
    [
        (1234.5, 12.345, "1.000000000e+02"),
        (1.0, 3.0, "3.333333333e-01"),
        (-2.0, 2.0, "-1.000000000e+00"),
        (1.0, 0.0, None),
    ],
)
def test_ratio_text(evaluate, dividend, divisor, text):
    numbers = {"a": pa.array([dividend], pa.float64()), "b": pa.array([divisor], pa.float64())}
    assert evaluate("ratio_text(a, b)", **numbers) == [text]


@pytest.mark.parametrize(("number", "whole"), [(3600.0, True), (-900.0, True), (0.0, True), (3600.5, False)])
def test_is_multiple(evaluate, number, whole):
    assert evaluate("is_multiple(a, 900)", a=pa.array([number], pa.float64())) == [whole]


@pytest.mark.parametrize("skipped", [0, 1])
def test_nfkc_is_python_s(evaluate, skipped):
    """Every character by itself and next to marks: those that have a compatibility form are where it goes wrong."""
    characters = [chr(code) for code in range(skipped, sys.maxunicode + 1, 2) if not 0xD800 <= code <= 0xDFFF]
    texts = [*characters, *(f"e{c}\u0301\0{c}" for c in characters if unicodedata.decomposition(c))]

    found = evaluate("nfkc(x)", x=pa.array(texts))

    wrong = [text for text, normal in zip(texts, found, strict=True) if normal != unicodedata.normalize("NFKC", text)]
    # The engine knows characters that this Python does not, and composes them.
    assert [text for text in wrong if all(unicodedata.category(c) != "Cn" for c in text)] == []
