"""Traps in values that have parts, and in bytes."""

from __future__ import annotations

from pipelines.declarations import Custom, Document, Items, Order
from tests.spec.traps.trap import Trap, differs

NESTED = (
    Trap(
        "bytes that are no text",
        "id | b: bytes\n1 | ff00\n2 | 00\n3 | ''",
        "id | b: bytes\n1 | ff00\n2 | ''\n3 |",
        differs("2.b", "3.b", same=1),
    ),
    Trap(
        "lists in order",
        "id | l: list of int\n1 | [1, 2]\n2 | [1, 2]\n3 | []\n4 | [null]",
        "id | l: list of int\n1 | [1, 2]\n2 | [2, 1]\n3 |\n4 | []",
        differs("2.l", "3.l", "4.l", same=1),
        compare={"l": Items(Order.ORDERED)},
    ),
    Trap(
        "lists as bags",
        'id | l: list of text\n1 | ["a", "b", null]\n2 | ["a", "a", "b"]\n3 | ["a, b"]',
        'id | l: list of text\n1 | [null, "b", "a"]\n2 | ["a", "b", "b"]\n3 | ["a", "b"]',
        differs("2.l", "3.l", same=1),
        compare={"l": Items(Order.BAG)},
    ),
    Trap(
        "lists as sets",
        "id | l: list of int\n1 | [1, 1, 2]\n2 | [1, null]\n3 | [1]",
        "id | l: list of int\n1 | [2, 1]\n2 | [1]\n3 | [1, 1]",
        differs("2.l", same=2),
        compare={"l": Items(Order.SET)},
    ),
    Trap(
        "members of structs in another order",
        'id | s: a and b\n1 | {"a": 1, "b": "2"}\n2 | {"a": 1, "b": "2"}',
        'id | s: b and a\n1 | {"b": "2", "a": 1}\n2 | {"b": "1", "a": 2}',
        differs("2.s", same=1),
        compare={"s": Document()},
    ),
    Trap(
        "documents in another spelling",
        'id | j\n1 | \'{"b": [1.0, 2], "a": "\\u00e9"}\'\n2 | \'{"a": 1}\'\n3 | \'{"a": null}\'',
        'id | j\n1 | \'{"a":"é","b":[1,2e0]}\'\n2 | \'{"a": "1"}\'\n3 | \'{}\'',
        differs("2.j", "3.j", same=1),
        compare={"j": Document()},
    ),
    Trap(
        "numbers of documents beyond doubles",
        "id | j\n1 | '{\"a\": 0.1000000000000000055}'\n2 | '[9007199254740993]'",
        "id | j\n1 | '{\"a\": 0.1}'\n2 | '[9007199254740992]'",
        differs("1.j", "2.j"),
        compare={"j": Document()},
    ),
    Trap(
        "documents without what does not matter",
        'id | j\n1 | \'{"a": 1, "at": 5, "l": [{"id": 1, "x": 1}]}\'\n2 | \'{"a": 1, "at": 5}\'',
        'id | j\n1 | \'{"a": 1, "l": [{"id": 2, "x": 1}]}\'\n2 | \'{"a": 2}\'',
        differs("2.j", same=1),
        compare={"j": Document(ignore=("$.at", "$.l[*].id"))},
    ),
    Trap(
        "documents without two items of one array",
        "id | j\n1 | '[1, 2, 3]'\n2 | '[1, 2, 3]'\n3 | '[1, 2]'",
        "id | j\n1 | '[8, 9, 3]'\n2 | '[8, 2, 9]'\n3 | '[]'",
        differs("2.j", same=2),
        compare={"j": Document(ignore=("$[0]", "$[1]"))},
    ),
    Trap(
        "a comparison of one's own",
        "id | n: int\n1 | 3\n2 | 3",
        "id | n: int\n1 | 13\n2 | 14",
        differs("2.n", same=1),
        compare={"n": Custom("actual = expected + 10")},
    ),
)
