"""Traps in keys and in rows as a whole: separators, missing parts, duplicates, values that changed places."""

from __future__ import annotations

from pipelines.declarations import NaturalKey, Number, Same
from tests.spec.traps.trap import Trap, agrees, differs

KEYS = (
    Trap(
        "a separator inside a key",
        "a | b | n: int\n'p|q' | r | 1",
        "a | b | n: int\np | 'q|r' | 1",
        agrees(0, legacy_only=1, service_only=1),
        key=("a", "b"),
    ),
    Trap(
        "parts of a key that read the same together",
        "a | b | n: int\n'12' | '3' | 1",
        "a | b | n: int\n'1' | '23' | 1",
        agrees(0, legacy_only=1, service_only=1),
        key=("a", "b"),
    ),
    Trap(
        "values that read the same together",
        "id | a | b\n1 | '12' | '3'\n2 | 'x' | 'y'",
        "id | a | b\n1 | '1' | '23'\n2 | 'x' | 'y'",
        differs("1.a", "1.b", same=1),
    ),
    Trap(
        "a value that moved to the next column",
        "id | a | b\n1 | 'x' |\n2 | |",
        "id | a | b\n1 | | 'x'\n2 | |",
        differs("1.a", "1.b", same=1),
    ),
    Trap(
        "two rows that swapped their values",
        "id | n: int\n1 | 10\n2 | 20\n3 | 30",
        "id | n: int\n1 | 20\n2 | 10\n3 | 30",
        differs("1.n", "2.n", same=1),
    ),
    Trap(
        "a missing key is a row",
        "id | n: int\n1 | 1\n | 2",
        "id | n: int\n1 | 1",
        agrees(1, legacy_only=1),
    ),
    Trap(
        "a missing key meets nothing, with another value",
        "id | n: int\n1 | 1\n | 2",
        "id | n: int\n1 | 1\n | 3",
        agrees(1, legacy_only=1, service_only=1),
    ),
    Trap(
        "a missing part of a key",
        "a | b | n: int\n1 | | 1\n1 | 2 | 1",
        "a | b | n: int\n1 | 2 | 2",
        differs("1|2.n", legacy_only=1),
        key=("a", "b"),
    ),
    Trap(
        "an empty key is not a missing one",
        "id | n: int\n'' | 1\n1 | 1",
        "id | n: int\n | 1\n1 | 1",
        agrees(1, legacy_only=1, service_only=1),
    ),
    Trap(
        "keys that differ in case or blanks",
        "id | n: int\na | 1\n'b ' | 1",
        "id | n: int\nA | 1\n'b' | 1",
        agrees(0, legacy_only=2, service_only=2),
    ),
    Trap(
        "keys beyond 2**53",
        "id: int | n: int\n9007199254740993 | 1",
        "id: int | n: int\n9007199254740992 | 1",
        agrees(0, legacy_only=1, service_only=1),
    ),
    Trap(
        "key 1 against '1'",
        "id: int | n: int\n1 | 1\n2 | 2",
        "id | n: int\n'1' | 1\n'02' | 3",
        differs("2.n", same=1),
        identity=NaturalKey(legacy=(Same("id"),), service=(Number("id"),)),
    ),
    Trap(
        "the same multiset in another order",
        "id | t\n1 | 'a'\n1 | 'b'\n1 | 'b'\n2 | 'c'",
        "id | t\n2 | 'c'\n1 | 'b'\n1 | 'a'\n1 | 'b'",
        agrees(4),
    ),
    Trap(
        "a pair of duplicates too many",
        "id | t\n1 | 'a'\n1 | 'a'\n1 | 'a'\n2 | 'c'",
        "id | t\n1 | 'a'\n2 | 'c'",
        agrees(2, legacy_only=2),
    ),
    Trap(
        "the same number of duplicates, of other rows",
        "id | t\n1 | 'a'\n1 | 'a'\n1 | 'b'",
        "id | t\n1 | 'a'\n1 | 'b'\n1 | 'b'",
        agrees(2, legacy_only=1, service_only=1),
    ),
    Trap(
        "a duplicate next to its original",
        "id | t\n1 | 'a'\n1 | 'x'\n2 | 'c'",
        "id | t\n1 | 'a'\n2 | 'd'",
        differs("2.t", same=1, legacy_only=1),
    ),
    Trap(
        "duplicates whose other cells are missing",
        "id | t | n: int\n1 | 'a' |\n1 | | 1",
        "id | t | n: int\n1 | | 1\n1 | 'a' |",
        agrees(2),
    ),
    Trap(
        "duplicates whose decimals have no digits before the point",
        "id | n: decimal(4,4)\n1 | 0.5000\n1 | 0.0000\n2 | -0.1000\n2 | -0.1000",
        "id | n: decimal(6,2)\n1 | 0.00\n1 | 0.50\n2 | -0.10",
        agrees(3, legacy_only=1),
    ),
    Trap(
        "an empty side",
        "id | n: int\n1 | 1",
        "id | n: int",
        agrees(0, legacy_only=1),
    ),
    Trap(
        "rows in another order",
        "id | n: int\n1 | 1\n2 | 2\n3 | 3",
        "id | n: int\n3 | 3\n1 | 1\n2 | 2",
        agrees(3),
    ),
)
