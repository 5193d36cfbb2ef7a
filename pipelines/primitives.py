"""The named primitives of canonical SQL: what engines spell, round or order differently, once per engine.

Each primitive says what it means for every engine; the spelling must keep that meaning to the last bit. A NULL argument
gives NULL unless said otherwise. Add one when a rule or stage needs a function outside the portable subset.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Primitive:
    """A named function: how many arguments, what it means, and how an engine spells it ($1 is the first argument)."""

    arity: int
    meaning: str
    spelling: dict[str, str]


def _duckdb(arity: int, meaning: str, spelling: str) -> Primitive:
    # Parentheses: an argument may be any expression, so the expansion must bind as tightly as a function call.
    return Primitive(arity, meaning, {"duckdb": f"({spelling})"})


# White space is Unicode's White_Space, since NBSP and thin spaces come out of old terminals and spreadsheets.
_BLANK = r"[\s\x{0085}\x{00A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}]"

# Trimming by a set of characters is several times cheaper than by a pattern, and most rules trim.
_BLANK_CODES = (
    *range(0x09, 0x0E),
    0x20,
    0x85,
    0xA0,
    0x1680,
    *range(0x2000, 0x200B),
    0x2028,
    0x2029,
    0x202F,
    0x205F,
    0x3000,
)
_BLANK_CHARACTERS = "'" + "".join(map(chr, _BLANK_CODES)) + "'"

PRIMITIVES: dict[str, Primitive] = {
    # text
    "trim_blanks": _duckdb(1, "without white space at both ends", f"trim($1, {_BLANK_CHARACTERS})"),
    "squeeze_blanks": _duckdb(1, "each run of white space as one blank", rf"regexp_replace($1, '{_BLANK}+', ' ', 'g')"),
    "upper_text": _duckdb(1, "upper case (Unicode simple mapping)", "upper($1)"),
    "lower_text": _duckdb(1, "lower case (Unicode simple mapping)", "lower($1)"),
    "nfc": _duckdb(1, "Unicode normal form C", "nfc_normalize($1)"),
    "strip_accents": _duckdb(1, "without combining marks", "strip_accents($1)"),
    "strip_zeros": _duckdb(1, "without leading zeros; '000' is '0'", r"regexp_replace($1, '^0+(.)', '\1')"),
    "keep_alphanumeric": _duckdb(
        1, "only letters and digits (Unicode)", r"regexp_replace($1, '[^\p{L}\p{N}]', '', 'g')"
    ),
    "split_text": _duckdb(
        3, "n-th part (from 1) between separators; NULL beyond the last", "nullif(string_split($1, $2)[$3], '')"
    ),
    "matches": _duckdb(2, "whether a regular expression (RE2) matches the whole text", "regexp_full_match($1, $2)"),
    "text_of": _duckdb(
        1, "the value as text, as the engine-independent forms of `canonical_text` say", "CAST($1 AS VARCHAR)"
    ),
    # numbers: text that is not exactly such a number, or does not fit, gives NULL; nothing is ever rounded
    "to_integer": _duckdb(
        1,
        "text of an integer as BIGINT",
        r"CASE WHEN regexp_full_match($1, '[+-]?[0-9]+') THEN TRY_CAST($1 AS BIGINT) END",
    ),
    "to_decimal": _duckdb(
        3,
        "text of a decimal as DECIMAL(p, s)",
        r"CASE WHEN regexp_full_match($1, '[+-]?([0-9]+(\.[0-9]{0,' || $3 || '}0*)?|\.[0-9]{0,' || $3 || '}0*)') "
        "THEN TRY_CAST($1 AS DECIMAL($2, $3)) END",
    ),
    "scale_decimal": _duckdb(
        4,
        "number times factor as DECIMAL(p, s), NULL when that would round",
        "CASE WHEN TRY_CAST($1 * $2 AS DECIMAL($3, $4)) = $1 * $2 THEN TRY_CAST($1 * $2 AS DECIMAL($3, $4)) END",
    ),
    "round_decimal": _duckdb(
        4, "number times factor as DECIMAL(p, s), half away from zero", "TRY_CAST($1 * $2 AS DECIMAL($3, $4))"
    ),
    "as_double": _duckdb(1, "text or number as DOUBLE", "TRY_CAST($1 AS DOUBLE)"),
    "is_not_a_number": _duckdb(1, "whether a DOUBLE is NaN", "isnan($1)"),
    # dates and times
    "calendar_date": _duckdb(
        3,
        "the date of year, month, day (integers); NULL for an impossible one",
        "TRY_CAST(printf('%04d-%02d-%02d', $1, $2, $3) AS DATE)",
    ),
    "parse_date": _duckdb(
        2, "text by strptime format as DATE, NULL when it does not fit", "CAST(try_strptime($1, $2) AS DATE)"
    ),
    "parse_timestamp": _duckdb(
        2, "text by strptime format as wall time, NULL when it does not fit", "CAST(try_strptime($1, $2) AS TIMESTAMP)"
    ),
    "local_to_utc": _duckdb(
        2,
        "wall time in a zone as an instant; the earlier one when the clock is set back (as Python's fold=0)",
        "least(timezone($2, $1), timezone($2, $1 - INTERVAL 1 HOUR) + INTERVAL 1 HOUR)",
    ),
    "epoch_us": _duckdb(1, "microseconds since 1970 of a timestamp or instant", "epoch_us($1)"),
    "whole_seconds": _duckdb(
        1, "microseconds as whole seconds, towards minus infinity", "CAST(floor($1 / 1000000) AS BIGINT)"
    ),
    "epoch_days": _duckdb(1, "days since 1970 of a date", "date_diff('day', DATE '1970-01-01', $1)"),
    "discrete_quantile": _duckdb(2, "of a group: smallest value at or above that share", "quantile_disc($1, $2)"),
    # keys, findings, evidence
    "sha256_hex": _duckdb(1, "SHA-256 of text (UTF-8), lower-case hex", "sha256($1)"),
    "json_text": _duckdb(1, "a text as a JSON string", "CAST(to_json($1) AS VARCHAR)"),
}

AGGREGATES = frozenset({"discrete_quantile"})  # for the plan's own queries: in a user's expression they mean nothing
