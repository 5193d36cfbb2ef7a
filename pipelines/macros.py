r"""Macros of DuckDB: what a primitive means, where its spelling is too long to stand in line.

`primitives` call them by name, and `engine` defines them when a statement first does. Another engine spells the same
meanings its own way.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import pairwise

_CUT = chr(31)  # no character is made of it
_PLANES = range(0xA0, 0x2FA20)  # every character with a compatibility decomposition stands here

# A JSON text as its tokens: strings, numbers, words, punctuation. White space between them is lost, and means nothing.
_STRING = r'"(?:[^"\\]|\\.)*"'
_TOKEN = rf"{_STRING}|-?[0-9][0-9.eE+-]*|-?[A-Za-z]+|[\[\]{{}}:,]"

_JSON = (
    # Digits without zeros at either end, and the power of ten: 1.10, 1.1 and 11e-1 are all 11e-1. No double is made.
    r"json_fraction(t) AS regexp_extract(t, '\.([0-9]+)', 1)",
    r"json_digits(t) AS regexp_extract(t, '^-?([0-9]+)', 1) || json_fraction(t)",
    r"""
    json_exponent(t) AS CASE WHEN regexp_matches(t, '[eE]')
        THEN TRY_CAST(regexp_extract(t, '[eE]([+-]?[0-9]+)$', 1) AS HUGEINT) ELSE 0 END
    """,
    r"""
    json_number(t) AS CASE
        WHEN ltrim(json_digits(t), '0') = '' THEN '0'
        WHEN json_exponent(t) IS NULL THEN t
        ELSE regexp_extract(t, '^-?') || trim(json_digits(t), '0') || 'e'
            || (json_exponent(t) - length(json_fraction(t))
                + length(json_digits(t)) - length(rtrim(json_digits(t), '0'))) END
    """,
    # Strings and numbers as strings of two kinds, so that what sorts the members leaves the numbers alone.
    """
    json_token(t) AS CASE WHEN t[1] = '"' THEN '"$' || substring(t, 2)
        WHEN regexp_matches(t, '^-?[0-9]') THEN '"#' || json_number(t) || '"' ELSE t END
    """,
    # The engine's own reader forgives a comma before a closing bracket, and any case in NaN; JSON does not.
    rf"""
    json_is_valid(x) AS COALESCE(TRY(json_valid(x)), FALSE) AND NOT regexp_matches(
        regexp_replace(x, '{_STRING}|NaN|Infinity', '""', 'g'), ',\s*[\]}}]|(?i:nan|inf)')
    """,
    rf"""
    json_canonical(x) AS CASE WHEN json_is_valid(x) THEN json_normalize(list_aggregate(
        list_transform(regexp_extract_all(x, '{_TOKEN}'), lambda t: json_token(t)), 'string_agg', ''))
        ELSE '?' || x END
    """,
)
_FLOATS = (
    # Floats in the order of their values, as whole numbers without gaps but for one between -0.0 and 0.0. The engine's
    # key of a float has a byte in front; that of single precision is a number, which loses zeros there.
    """
    float_place(x) AS TRY_CAST('0x' || CASE WHEN typeof(x) = 'FLOAT'
        THEN substring(lpad(hex(create_sort_key(x, 'ASC NULLS FIRST')), 16, '0'), 3, 8)
        ELSE substring(hex(create_sort_key(x, 'ASC NULLS FIRST')), 3, 16) END AS HUGEINT)
    """,
    """
    floats_apart(x, y) AS abs(float_place(x) - float_place(y))
        - CASE WHEN (x < 0 AND y >= 0) OR (y < 0 AND x >= 0) THEN 1 ELSE 0 END
    """,
)
_WHOLE = (
    # JSON may write 5 as 5.0.
    r"""
    whole_number(x) AS CASE WHEN regexp_full_match(x, '[+-]?[0-9]+(\.0+)?') THEN TRY_CAST(x AS HUGEINT) END
    """,
)
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_MOMENTS = (
    # The engine would read much more: a day out of any time, `epoch`, names of zones; and drop a seventh digit.
    rf"""
    day_of(x) AS CASE
        WHEN regexp_full_match(x, '{_DAY}([T ]00:00(:00(\.0+)?)?)?') THEN TRY_CAST(left(x, 10) AS DATE) END
    """,
    rf"""
    is_moment(x) AS regexp_full_match(x,
        '{_DAY}([T ]([01][0-9]|2[0-3]):[0-9]{{2}}(:[0-9]{{2}}(\.[0-9]{{1,6}}0*)?)?(Z|[+-][0-9]{{2}}(:?[0-9]{{2}})?)?)?')
    """,
    "wall_of(x) AS CASE WHEN is_moment(x) THEN TRY_CAST(x AS TIMESTAMP) END",
    "instant_of(x) AS CASE WHEN is_moment(x) THEN TRY_CAST(x AS TIMESTAMPTZ) END",
)
_MEMBERS = (
    # The engine makes a double of a number with a point. Where it may have more digits, they are made texts first.
    rf"""
    numbers_as_texts(x) AS list_aggregate(list_transform(regexp_extract_all(x, '{_TOKEN}'),
        lambda t: CASE WHEN regexp_full_match(t, '-?[0-9.]+') THEN '"' || t || '"' ELSE t END), 'string_agg', '')
    """,
    r"""
    member_text(x, path) AS CASE
        WHEN regexp_matches(x, '[0-9.]{17}') AND json_type(x, path) = 'DOUBLE'
        THEN json_extract_string(numbers_as_texts(x), path) ELSE json_extract_string(x, path) END
    """,
)
_CLOCK = (
    r"""
    time_of_day(x) AS CASE
        WHEN regexp_full_match(x, '([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6}0*)?)?')
        THEN TRY_CAST(x AS TIME) END
    """,
)
_ZONES = (
    # A zone that the engine does not know ends the statement, TRY or not.
    "SET VARIABLE zones = (SELECT list(lower(name)) FROM pg_timezone_names())",
    r"""
    is_zone(z) AS list_contains(getvariable('zones'), lower(z))
        OR regexp_full_match(z, 'GMT[+-]([01]?[0-9]|2[0-3])(:?[0-5][0-9])?')
    """,
)


def _piece_by_piece(name: str, function: str) -> str:
    """A macro for a function of the engine's that ends a text at a character of code 0: each part has it by itself.

    It names its argument once: macros are written out, and one in another that names it thrice is written nine times.
    The engine's `array_to_string` is a macro that names it twice.
    """
    return f"""
    {name}(x) AS list_aggregate(
        list_transform(string_split(x, chr(0)), lambda part: {function}(part)), 'string_agg', chr(0))
    """


_COMPOSITION = (_piece_by_piece("composed_text", "nfc_normalize"),)
_ACCENTS = (_piece_by_piece("without_accents", "strip_accents"),)
_LISTS = (
    """
    list_as_set(x) AS list_sort(list_distinct(x)) || CASE WHEN len(list_filter(x, lambda e: e IS NULL)) > 0
        THEN [NULL] ELSE [] END
    """,
)


def definitions(name: str) -> Iterator[str]:
    """The statements that make an engine know the macro of this name, and what it is made of."""
    for definition in MACROS[name]():
        yield definition if definition.startswith("SET") else f"CREATE OR REPLACE TEMP MACRO {definition.strip()}"


@cache
def _compatibility() -> tuple[str, ...]:
    """Normal form KC: characters that have a compatibility decomposition are replaced by it, the rest is form C's work.

    Which characters these are, and by what each is replaced, is Python's own table.
    """
    replaced = {}
    for code in _PLANES:
        character = chr(code)
        if unicodedata.decomposition(character):
            whole = unicodedata.normalize("NFKD", character)
            if whole != unicodedata.normalize("NFD", character):
                replaced[character] = whole
    kind = _character_class([ord(character) for character in replaced])
    # Variables, not constants inside the macro: those would be planned anew wherever it is called.
    return (
        *_COMPOSITION,
        f"SET VARIABLE compatible_characters = {_list(replaced)}",
        f"SET VARIABLE compatible_texts = {_list(replaced.values())}",
        """
        compatible_text(c) AS
            getvariable('compatible_texts')[list_position(getvariable('compatible_characters'), c)]
        """,
        f"""
        nfkc_normalize(x) AS composed_text(list_transform([x], lambda v: CASE WHEN regexp_matches(v, '[{kind}]')
            THEN list_aggregate(list_transform(regexp_extract_all(v, '[{kind}]|[^{kind}]+'), lambda c:
                CASE WHEN regexp_matches(c, '^[{kind}]') THEN compatible_text(c) ELSE c END), 'string_agg', '')
            ELSE v END)[1])
        """,
    )


def _list(texts: Iterable[str]) -> str:
    """A list of texts as an expression: one literal cut into parts, which is much faster than many."""
    return "string_split('" + _CUT.join(texts).replace("'", "''") + f"', '{_CUT}')"


def _character_class(codes: list[int]) -> str:
    """Ascending codes as the inside of a character class, neighbours as ranges."""
    starts = [codes[0], *(after for before, after in pairwise(codes) if after > before + 1)]
    ends = [*(before for before, after in pairwise(codes) if after > before + 1), codes[-1]]
    return "".join(f"\\x{{{start:X}}}-\\x{{{end:X}}}" for start, end in zip(starts, ends, strict=True))


MACROS: Mapping[str, Callable[[], tuple[str, ...]]] = {
    "json_canonical": lambda: _JSON,
    "floats_apart": lambda: _FLOATS,
    "list_as_set": lambda: _LISTS,
    "composed_text": lambda: _COMPOSITION,
    "without_accents": lambda: _ACCENTS,
    "nfkc_normalize": _compatibility,
    "whole_number": lambda: _WHOLE,
    "time_of_day": lambda: _CLOCK,
    "day_of": lambda: _MOMENTS,
    "wall_of": lambda: _MOMENTS,
    "instant_of": lambda: _MOMENTS,
    "member_text": lambda: _MEMBERS,
    "is_zone": lambda: _ZONES,
}
