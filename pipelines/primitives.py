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
_BLANKS = (0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F,
           0x205F, 0x3000)  # fmt: skip
_CODES = "".join(rf"\x{{{code:04X}}}" for code in _BLANKS)
_BLANK, _OTHER_THAN_BLANK = f"[{_CODES}]", f"[^{_CODES}]"

# Most texts have no other white space at their ends than spaces, if any. To see that, and to trim spaces, costs a fifth
# of what it costs to trim a set of characters, which costs several times less than a pattern that replaces.
_AMONG_SPACES = f"(?s) *({_OTHER_THAN_BLANK}(.*{_OTHER_THAN_BLANK})?)? *"
_TRIMMED = (
    f"CASE WHEN regexp_full_match($1, '{_AMONG_SPACES}') THEN trim($1) "
    f"ELSE trim($1, '{''.join(map(chr, _BLANKS))}') END"
)

# Small letters that share their capital with another, the common one: final sigma, long s, other forms in print.
_VARIANTS = "".join(
    map(
        chr,
        (0xB5, 0x17F, 0x3C2, 0x3D0, 0x3D1, 0x3D5, 0x3D6, 0x3F0, 0x3F1, 0x3F5, *range(0x1C80, 0x1C89), 0x1E9B, 0x1FBE),
    )
)

# DuckDB shares an expression that occurs twice, and takes it out of its TRY to do so: what can fail stands in a TRY of
# its own wherever it occurs, then it is the TRY that is shared.
# Numbers are made decimals of more than 18 digits first: DuckDB keeps results of smaller ones within 18, of integers
# within their type, and of unsigned ones above zero.
_ZERO = "CAST(0 AS DECIMAL(19, 0))"
_PRODUCT = f"TRY($1 * ($2 + {_ZERO}))"
_DIFFERENCE = f"TRY(TRY($1 + {_ZERO}) - TRY($2 + {_ZERO}))"
_SCALED = f"TRY_CAST({_PRODUCT} AS DECIMAL($3, $4))"
_DOUBLE = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?|(?i:[+-]?(nan|inf|infinity))"

# The largest number of single precision, and the one half a step beyond it, from which on all are infinite.
_LARGEST, _TOO_LARGE = "CAST('3.4028234663852886e38' AS DOUBLE)", "CAST('3.4028235677973366e38' AS DOUBLE)"
_WHOLE, _OTHER = "TRY_CAST($1 AS HUGEINT)", "TRY_CAST($2 AS HUGEINT)"
_BELOW = f"(CASE WHEN $1 < 0 THEN {_WHOLE} ELSE TRY(-{_WHOLE}) END)"
_IS_INTEGER = "regexp_full_match(typeof({}), 'U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?')"


def _reads_back(kind: str) -> str:
    """Whether a text is the very one that its number is written as: most are, and a pattern costs more to ask."""
    return f"CAST(TRY_CAST($1 AS {kind}) AS VARCHAR) = CAST($1 AS VARCHAR)"


def _within(number: str, most: str) -> str:
    """An integer from 1 up to a number as BIGINT; else NULL."""
    whole = f"TRY_CAST({number} AS BIGINT)"
    return f"CASE WHEN {number} BETWEEN 1 AND {most} AND {number} = {whole} THEN {whole} END"


def _json_without(text: str, path: str) -> str:
    return f"CASE WHEN {text}[1] = '?' THEN {text} ELSE CAST(TRY(json_remove({text}, {path})) AS VARCHAR) END"


_IS_LEAP_YEAR = "$1 % 4 = 0 AND ($1 % 100 <> 0 OR $1 % 400 = 0)"
_DAYS_OF_MONTH = f"CASE WHEN $2 IN (4, 6, 9, 11) THEN 30 WHEN $2 <> 2 THEN 31 WHEN {_IS_LEAP_YEAR} THEN 29 ELSE 28 END"

# DuckDB's strptime reads blanks around the text, years of fewer digits, and the year 0.
_PARSED = (
    "CASE WHEN regexp_full_match($1, '(?s)\\S|\\S.*\\S') AND year(try_strptime($1, $2)) BETWEEN 1 AND 9999 "
    "AND (NOT contains($2, '%Y') OR contains($1, lpad(CAST(year(try_strptime($1, $2)) AS VARCHAR), 4, '0'))) "
    "THEN try_strptime($1, $2) END"
)
_EXACT = "no blank in place of a digit, %Y in four digits from 0001, %y in one or two; NULL when it does not fit"
_MEMBER = "'/' || replace(replace($2, '~', '~0'), '/', '~1')"  # a JSON pointer: any name can be said in it
_BEFORE = "TRY(timezone($2, $1 - INTERVAL 24 HOUR) + INTERVAL 24 HOUR)"
_AFTER = "TRY(timezone($2, $1 + INTERVAL 24 HOUR) - INTERVAL 24 HOUR)"

PRIMITIVES: dict[str, Primitive] = {
    # text
    "trim_blanks": _duckdb(1, "without white space at both ends", _TRIMMED),
    "squeeze_blanks": _duckdb(1, "each run of white space as one blank", rf"regexp_replace($1, '{_BLANK}+', ' ', 'g')"),
    "upper_text": _duckdb(1, "upper case, character by character (Unicode simple mapping; ß becomes ẞ)", "upper($1)"),
    "lower_text": _duckdb(1, "lower case, character by character (Unicode simple mapping)", "lower($1)"),
    "fold_case": _duckdb(
        1,
        "the same for texts that differ in case only: lower case, of small letters that share a capital the common one",
        f"translate(lower($1), '{_VARIANTS}', '{_VARIANTS.casefold()}')",
    ),
    "nfc": _duckdb(1, "Unicode normal form C", "composed_text($1)"),
    "nfkc": _duckdb(1, "Unicode normal form KC", "nfkc_normalize($1)"),
    "strip_accents": _duckdb(1, "without marks (Unicode category M), in normal form C", "without_accents($1)"),
    "strip_zeros": _duckdb(1, "without leading zeros; '000' is '0'", r"regexp_replace($1, '(?s)^0+(.)', '\1')"),
    "keep_alphanumeric": _duckdb(
        1, "only letters and numbers (Unicode categories L and N)", r"regexp_replace($1, '[^\p{L}\p{N}]', '', 'g')"
    ),
    "split_text": _duckdb(
        3,
        "n-th part (from 1) between separators; NULL for an empty one and beyond the last",
        "nullif(string_split($1, $2)[$3], '')",
    ),
    "matches": _duckdb(2, "whether a regular expression (RE2) matches all the text", "TRY(regexp_full_match($1, $2))"),
    "key_part": _duckdb(
        1,
        "text as a part of a key, in which the separator | and the escape \\ are escaped",
        # Few keys have either of them: to look for them costs less than to replace them.
        r"CASE WHEN contains($1, '\') OR contains($1, '|') THEN replace(replace($1, '\', '\\'), '|', '\|') ELSE $1 END",
    ),
    "part_of_key": _duckdb(1, "what `key_part` made all of a key of", r"replace(replace($1, '\|', '|'), '\\', '\')"),
    "text_of": _duckdb(
        1, "the value as text, as the engine-independent forms of `canonical_text` say", "CAST($1 AS VARCHAR)"
    ),
    # numbers: text that is not exactly such a number, or does not fit, gives NULL; nothing is ever rounded
    "to_integer": _duckdb(
        1,
        "text of an integer as BIGINT",
        rf"CASE WHEN {_reads_back('BIGINT')} OR regexp_full_match($1, '[+-]?[0-9]+') THEN TRY_CAST($1 AS BIGINT) END",
    ),
    "to_whole": _duckdb(
        1, "text of an integer of up to 128 bits, with zeros behind a point or without", "whole_number($1)"
    ),
    "to_decimal": _duckdb(
        3,
        "text of a decimal as DECIMAL(p, s)",
        f"CASE WHEN {_reads_back('DECIMAL($2, $3)')} "
        r"OR regexp_full_match($1, '[+-]?([0-9]+(\.[0-9]{0,' || $3 || '}0*)?|\.[0-9]{0,' || $3 || '}0*)') "
        "THEN TRY_CAST($1 AS DECIMAL($2, $3)) END",
    ),
    "scale_decimal": _duckdb(
        4,
        "number times factor (both exact) as DECIMAL(p, s), NULL when that would round or does not fit",
        f"CASE WHEN TRY({_SCALED} = {_PRODUCT}) THEN {_SCALED} END",
    ),
    "round_decimal": _duckdb(
        4,
        "number times factor (both exact) as DECIMAL(p, s), half away from zero, NULL when it does not fit",
        _SCALED,
    ),
    "exact_equal": _duckdb(
        2, "whether two values of one kind are the same; NULL when no type holds both, so they are not", "TRY($1 = $2)"
    ),
    "same_float": _duckdb(
        2,
        "whether two floats of one precision are the same, sign included: 0.0 is not -0.0; NaN is NaN of its sign",
        "$1 = $2 AND signbit($1) = signbit($2)",
    ),
    "exact_at_most": _duckdb(
        2, "whether an exact number is at most another; NULL when no decimal type holds both", "TRY($1 <= $2)"
    ),
    "exact_minus": _duckdb(
        2, "integer or decimal minus another, signed whatever their types; NULL beyond 38 digits", _DIFFERENCE
    ),
    "exact_times": _duckdb(2, "decimal times a constant; NULL beyond 38 digits", _PRODUCT),
    "whole_minus": _duckdb(
        2,
        "integer minus another, up to 128 bits; NULL beyond, and when one is no integer",
        f"CASE WHEN {_IS_INTEGER.format('$1')} AND {_IS_INTEGER.format('$2')} "
        "THEN TRY(TRY_CAST($1 AS HUGEINT) - TRY_CAST($2 AS HUGEINT)) END",
    ),
    "whole_within": _duckdb(
        4,
        "whether an integer is within a share, $3 / $4 of at most 1, of another, up to 128 bits; NULL for other types",
        # Below zero, where the largest number of all has its counterpart: |actual - expected| <= |expected| * share.
        f"CASE WHEN {_IS_INTEGER.format('$1')} AND {_IS_INTEGER.format('$2')} THEN "
        f"CASE WHEN $2 >= $1 THEN TRY({_WHOLE} - {_OTHER}) ELSE TRY({_OTHER} - {_WHOLE}) END "
        f">= ({_BELOW} // $4) * $3 + (({_BELOW} % $4) * $3) // $4 END",
    ),
    "as_single": _duckdb(
        1,
        "DOUBLE as the nearest one of single precision, infinite when it is too large",
        f"COALESCE(TRY_CAST($1 AS FLOAT), TRY_CAST(sign($1) * CASE WHEN abs($1) < {_TOO_LARGE} "
        f"THEN {_LARGEST} ELSE CAST('inf' AS DOUBLE) END AS FLOAT))",
    ),
    "floats_apart": _duckdb(
        2,
        "how many steps from one representable number to the next lie between two floats of one precision",
        "floats_apart($1, $2)",
    ),
    "as_double": _duckdb(
        1,
        "number, or text of one (digits, point, exponent; nan, inf, infinity in any case), as the nearest DOUBLE",
        rf"CASE WHEN regexp_full_match(CAST($1 AS VARCHAR), '{_DOUBLE}') THEN TRY_CAST($1 AS DOUBLE) END",
    ),
    "ratio_text": _duckdb(
        2,
        "a double divided by another, as text of ten significant digits; NULL when the other is zero",
        "printf('%.9e', $1 / nullif($2, 0))",
    ),
    "is_multiple": _duckdb(2, "whether a double is a whole multiple of an integer, zero included", "$1 % $2 = 0"),
    "is_not_a_number": _duckdb(1, "whether a DOUBLE is NaN", "isnan($1)"),
    # dates and times
    "to_time": _duckdb(1, "text of a time of day: HH:MM, HH:MM:SS, up to six digits of a second", "time_of_day($1)"),
    "to_date": _duckdb(1, "text of a day: YYYY-MM-DD, with midnight behind it or without", "day_of($1)"),
    "to_wall_time": _duckdb(1, "text of day and time to the microsecond; an offset means nothing", "wall_of($1)"),
    "to_instant": _duckdb(1, "text of day and time to the microsecond; without an offset it is UTC", "instant_of($1)"),
    "calendar_date": _duckdb(
        3,
        "the date of year (1 to 9999), month, day (integers); NULL for an impossible one",
        # The engine is asked for days that there are: to be refused costs it many times what a date does.
        f"make_date({_within('$1', '9999')}, {_within('$2', '12')}, {_within('$3', _DAYS_OF_MONTH)})",
    ),
    "parse_date": _duckdb(2, f"text by strptime format as DATE, {_EXACT}", f"CAST({_PARSED} AS DATE)"),
    "parse_timestamp": _duckdb(2, f"text by strptime format as wall time, {_EXACT}", f"CAST({_PARSED} AS TIMESTAMP)"),
    "local_to_utc": _duckdb(
        2,
        "wall time in a zone as an instant (as Python's fold=0): the earlier one when the clock is set back; when it "
        "is set forward, time that is skipped counts as if it were not yet; NULL for a zone that there is not",
        # By the offset in force a day before, unless only the one in force a day after leads back to the wall time.
        f"CASE WHEN NOT is_zone($2) THEN NULL WHEN {_BEFORE} <> {_AFTER} AND timezone($2, {_BEFORE}) <> $1 "
        f"AND timezone($2, {_AFTER}) = $1 THEN {_AFTER} ELSE {_BEFORE} END",
    ),
    "epoch_us": _duckdb(1, "microseconds since 1970 of a timestamp or instant", "TRY(epoch_us($1))"),
    "epoch_instant": _duckdb(1, "the instant so many microseconds after 1970", "TRY(make_timestamptz($1))"),
    "whole_seconds": _duckdb(
        1,
        "microseconds as whole seconds, towards minus infinity",
        "CASE WHEN $1 < 0 THEN ($1 + 1) // 1000000 - 1 ELSE $1 // 1000000 END",  # // cuts towards zero
    ),
    "digits_of": _duckdb(
        3,
        "some digits of an integer from 0 on: without as many at its end as $2 has zeros, as many as $3 has: "
        "34 of 1234567, 1000, 100",
        "($1 // $2) % $3",
    ),
    "floor_to": _duckdb(2, "integer cut down to a multiple of a constant from 1", "TRY($1 - ((($1 % $2) + $2) % $2))"),
    "elapsed_us": _duckdb(1, "microseconds of a duration", "TRY(epoch_us($1))"),
    "epoch_days": _duckdb(1, "days since 1970 of a date", "date_diff('day', DATE '1970-01-01', $1)"),
    "listed_where": _duckdb(
        2, "of a group: the values in rows that meet a condition, in no order", "list($1) FILTER (WHERE $2)"
    ),
    "discrete_quantile": _duckdb(2, "of a group: the value at rank ceil(share * count)", "quantile_disc($1, $2)"),
    # lists and documents
    "sorted_items": _duckdb(1, "list in the order of its items, missing ones last", "list_sort($1)"),
    "distinct_items": _duckdb(1, "likewise, each item once", "list_as_set($1)"),
    "json_document": _duckdb(
        1,
        "struct or list as JSON; a text is JSON already",
        "CASE WHEN typeof($1) IN ('VARCHAR', 'JSON') THEN CAST($1 AS VARCHAR) ELSE CAST(to_json($1) AS VARCHAR) END",
    ),
    "json_canonical": _duckdb(
        1,
        "JSON text in one spelling: members by name, numbers by digits and exponent, names and strings marked by $, "
        "numbers by #; other text behind a question mark",
        "json_canonical($1)",
    ),
    "json_without": _duckdb(2, "what `json_canonical` gives, without a path", _json_without("$1", "$2")),
    "json_without_each": _duckdb(
        3,
        "what `json_canonical` gives, without a path in every item of the array at another path",
        "CASE WHEN TRY(json_type($1, $2)) = 'ARRAY' THEN CAST(json_replace($1, $2, to_json(list_transform("
        "from_json(json_extract($1, $2), '[\"JSON\"]'), lambda item: json_remove(item, $3)))) AS VARCHAR) ELSE $1 END",
    ),
    # keys, findings, evidence
    "exact_text": _duckdb(
        1,
        "the value as a text that is the same for equal values of one kind, whatever their widths and scales",
        "CASE WHEN typeof($1) LIKE 'DECIMAL%' "
        # Without zeros at the end, nor a point; with one in front of it, which types without digits there lack.
        r"THEN regexp_replace(regexp_replace(regexp_replace("
        r"CAST($1 AS VARCHAR), '(\.[0-9]*?)0+$', '\1'), '^(-?)(\.|$)', '\1' || '0\2'), '\.$', '') "
        "WHEN typeof($1) IN ('FLOAT', 'DOUBLE') THEN ltrim(CAST(TRY_CAST(CAST($1 AS VARCHAR) AS DOUBLE) + 0 "
        "AS VARCHAR), CASE WHEN CAST($1 AS VARCHAR) = '-nan' THEN '-' ELSE '' END) "
        "ELSE CAST($1 AS VARCHAR) END",
    ),
    "sha256_hex": _duckdb(1, "SHA-256 of text (UTF-8), lower-case hex", "sha256($1)"),
    "json_member": _duckdb(
        2,
        "text of a member of a JSON object by its name, all digits of a number; NULL when missing, null, or no JSON",
        f"TRY(member_text($1, {_MEMBER}))",
    ),
    "json_has": _duckdb(
        2, "whether JSON has a member of this name; NULL of other text", f"TRY(json_exists($1, {_MEMBER}))"
    ),
    "is_json_object": _duckdb(
        1,
        "whether a text is a JSON object",
        "CASE WHEN NOT json_valid($1) THEN FALSE ELSE json_type($1) = 'OBJECT' END",
    ),
    "json_text": _duckdb(
        1, "text as a JSON string, escaping only what must be, hexadecimals in capitals", "CAST(to_json($1) AS VARCHAR)"
    ),
}

# For the plan's own queries: in a user's expression they mean nothing.
AGGREGATES = frozenset({"discrete_quantile", "listed_where"})
