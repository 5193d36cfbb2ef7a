"""What every comparator says of two values, in tables: the specification, and the examples of docs/comparators.md.

Each example is a declaration as users write it and a table of pairs: `says` is equal, within (tolerance) or different.
`test_comparators` runs them through the public path.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Example:
    """A comparator as it is declared, and what it says."""

    declared: str
    pairs: str

    @property
    def kind(self) -> str:
        """The comparator's name."""
        return self.declared.partition("(")[0]


EXAMPLES = (
    Example(
        "Exact()",
        """
        expected | actual | says
        Ulm      | Ulm    | equal
        Ulm      | ulm    | different
        Ulm      | 'Ulm ' | different
        ''       | ''     | equal
        """,
    ),
    Example(
        "Exact()",
        """
        expected: decimal(12,2) | actual: decimal(12,4) | says
        10.10                   | 10.1000               | equal
        10.10                   | 10.1001               | different
        """,
    ),
    Example(
        "Exact()",
        """
        expected: int128                        | actual: int128                          | says
        170141183460469231731687303715884105727 | 170141183460469231731687303715884105727 | equal
        170141183460469231731687303715884105727 | 170141183460469231731687303715884105726 | different
        """,
    ),
    Example(
        "Exact()",
        """
        expected: bytes | actual: bytes | says
        00ff            | 00ff          | equal
        00ff            | ff            | different
        """,
    ),
    Example(
        'Enumeration((("A", "active"), ("C", "closed", "gone")))',
        """
        expected | actual | says
        A        | active | equal
        closed   | gone   | equal
        X        | X      | equal
        A        | closed | different
        """,
    ),
    Example(
        "Text(ignore_case=True, trim=True)",
        """
        expected | actual      | says
        Ulm      | ' ULM'      | equal
        Ulm      | 'Ulm-Mitte' | different
        """,
    ),
    Example(
        "Text(nfkc=True, inner_blanks=True)",
        """
        expected   | actual   | says
        'ﬁn  de'   | 'fin de' | equal
        '№ 1'      | 'No 1'   | equal
        'A1'       | 'a1'     | different
        """,
    ),
    Example(
        "Text(ignore_accents=True, ignore_punctuation=True, ignore_leading_zeros=True)",
        """
        expected  | actual | says
        'Café-9'  | 'Cafe9'  | equal
        '007-42'  | '742'    | equal
        'Café'    | 'Cafe 2' | different
        """,
    ),
    Example(
        'Amount(absolute="0.01")',
        """
        expected: decimal(12,2) | actual: decimal(12,2) | says
        12.50                   | 12.50                 | equal
        12.50                   | 12.51                 | within
        12.50                   | 12.48                 | different
        """,
    ),
    Example(
        'Amount(relative="0.1")',
        """
        expected: int | actual: int | says
        100           | 110         | within
        100           | 111         | different
        """,
    ),
    Example(
        "Floating(absolute=0.001)",
        """
        expected: float | actual: float | says
        1.5             | 1.5           | equal
        1.5             | 1.5005        | within
        1.5             | 1.6           | different
        nan             | nan           | equal
        nan             | 1.5           | different
        -0.0            | 0.0           | equal
        inf             | 1.5           | different
        """,
    ),
    Example(
        "Floating(ulps=1)",
        """
        expected: float     | actual: float | says
        0.30000000000000004 | 0.3           | within
        0.30000000000000004 | 0.30001       | different
        """,
    ),
    Example(
        "Floating(single=True)",
        """
        expected: float32 | actual: float | says
        0.1               | 0.1           | equal
        0.1               | 0.11          | different
        """,
    ),
    Example(
        "Day(tolerance_days=1)",
        """
        expected: day | actual: day | says
        2026-03-09    | 2026-03-09  | equal
        2026-03-09    | 2026-03-10  | within
        2026-03-09    | 2026-03-07  | different
        """,
    ),
    Example(
        "Instant(tolerance=timedelta(seconds=5))",
        """
        expected: instant    | actual: instant           | says
        2026-03-09T12:00:00Z | 2026-03-09T13:00:00+01:00 | equal
        2026-03-09T12:00:00Z | 2026-03-09T12:00:04Z      | within
        2026-03-09T12:00:00Z | 2026-03-09T12:00:06Z      | different
        """,
    ),
    Example(
        "Instant(precision=timedelta(milliseconds=1))",
        """
        expected: instant           | actual: instant ms       | says
        2026-03-09T12:00:00.123999Z | 2026-03-09T12:00:00.123Z | equal
        2026-03-09T12:00:00.123999Z | 2026-03-09T12:00:00.124Z | different
        """,
    ),
    Example(
        "Instant(precision=timedelta(seconds=1), rounding=Rounding.ROUND)",
        """
        expected: wall          | actual: wall        | says
        2026-03-09T12:00:00.500 | 2026-03-09T12:00:01 | equal
        2026-03-09T12:00:00.499 | 2026-03-09T12:00:01 | different
        """,
    ),
    Example(
        "Elapsed(tolerance=timedelta(seconds=1))",
        """
        expected: seconds | actual: seconds | says
        86400             | 86400           | equal
        86400             | 86401           | within
        86400             | 86402           | different
        """,
    ),
    Example(
        "Items(Order.ORDERED)",
        """
        expected: list of int | actual: list of int | says
        [1, 2, null]          | [1, 2, null]        | equal
        [1, 2]                | [2, 1]              | different
        """,
    ),
    Example(
        "Items(Order.BAG)",
        """
        expected: list of int | actual: list of int | says
        [1, 2, 2]             | [2, 1, 2]           | equal
        [1, 2, 2]             | [1, 1, 2]           | different
        """,
    ),
    Example(
        "Items(Order.SET)",
        """
        expected: list of int | actual: list of int | says
        [1, 2, 2]             | [2, 1]              | equal
        [1, 2]                | [1]                 | different
        """,
    ),
    Example(
        "Document()",
        """
        expected                  | actual                | says
        {"a": 1, "b": [1.0, 100]} | {"b":[1,1e2],"a":1.00} | equal
        {"a": 1}                  | {"a": "1"}            | different
        {"a": null}               | {}                    | different
        [1, 2]                    | [2, 1]                | different
        no document               | no document           | equal
        """,
    ),
    Example(
        'Document(ignore=("$.at", "$.lines[*].id"))',
        """
        expected                                | actual                         | says
        {"at": 1, "lines": [{"id": 1, "n": 5}]} | {"lines": [{"id": 2, "n": 5}]} | equal
        {"at": 1, "lines": [{"id": 1, "n": 5}]} | {"lines": [{"id": 2, "n": 6}]} | different
        """,
    ),
    Example(
        'Custom("actual = expected + 10", near="actual = expected + 11", distance="actual - expected - 10")',
        """
        expected: int | actual: int | says
        3             | 13          | equal
        3             | 3           | equal
        3             | 14          | within
        3             | 15          | different
        """,
    ),
)
