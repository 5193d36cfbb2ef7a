"""Traps in numbers: digits lost in floats, scales, zeros, NaN, infinity, tolerance at its very edge."""

from __future__ import annotations

from decimal import Decimal

from pipelines.declarations import Amount, Floating
from tests.spec.traps.trap import Trap, differs

CENT = Amount(absolute=Decimal("0.01"))
NUMBERS = (
    Trap(
        "integers that one double stands for",
        "id | n: int\n1 | 9007199254740992\n2 | 9007199254740993\n3 | -9007199254740993",
        "id | n: int\n1 | 9007199254740993\n2 | 9007199254740993\n3 | -9007199254740992",
        differs("1.n", "3.n", same=1),
    ),
    Trap(
        "the largest 64-bit integers",
        "id | n: int\n1 | 9223372036854775807\n2 | -9223372036854775808",
        "id | n: int\n1 | 9223372036854775806\n2 | -9223372036854775808",
        differs("1.n", same=1),
    ),
    Trap(
        "unsigned integers beyond the signed ones",
        "id | n: uint\n1 | 18446744073709551615\n2 | 18446744073709551615",
        "id | n: uint\n1 | 18446744073709551614\n2 | 18446744073709551615",
        differs("1.n", same=1),
    ),
    Trap(
        "integers of 128 bits",
        "id | n: int128\n1 | 170141183460469231731687303715884105727\n"
        "2 | -170141183460469231731687303715884105728\n3 | 1",
        "id | n: int128\n1 | 170141183460469231731687303715884105726\n"
        "2 | -170141183460469231731687303715884105728\n3 | 1",
        differs("1.n", same=2),
    ),
    Trap(
        "integers of different widths",
        "id | n: int32\n1 | 7\n2 | 8",
        "id | n: int\n1 | 7\n2 | 9",
        differs("2.n", same=1),
    ),
    Trap(
        "10.10 against 10.1000",
        "id | n: decimal(12,2)\n1 | 10.10\n2 | 10.10\n3 | 0.00",
        "id | n: decimal(12,4)\n1 | 10.1000\n2 | 10.1001\n3 | 0.0000",
        differs("2.n", same=2),
    ),
    Trap(
        "decimals that one double stands for",
        "id | n: decimal(38,10)\n1 | 1234567890123456789.0123456789\n2 | 1234567890123456789.0123456789",
        "id | n: decimal(38,10)\n1 | 1234567890123456789.0123456788\n2 | 1234567890123456789.0123456789",
        differs("1.n", same=1),
    ),
    Trap(
        "tolerance on decimals, kept to the digit",
        "id | n: decimal(12,2)\n1 | 1.00\n2 | 1.00\n3 | 1.00\n4 | 1.00",
        "id | n: decimal(12,2)\n1 | 1.01\n2 | 1.02\n3 | 0.99\n4 | 0.98",
        differs("2.n", "4.n", same=2),
        compare={"n": CENT},
    ),
    Trap(
        "tolerance on decimals of different scales",
        "id | n: decimal(12,2)\n1 | 0.10\n2 | 0.10",
        "id | n: decimal(12,4)\n1 | 0.1100\n2 | 0.1101",
        differs("2.n", same=1),
        compare={"n": CENT},
    ),
    Trap(
        "relative tolerance, of the expected value",
        "id | n: decimal(12,2)\n1 | 100.00\n2 | 100.00\n3 | 0.00",
        "id | n: decimal(12,2)\n1 | 101.00\n2 | 101.01\n3 | 0.01",
        differs("2.n", "3.n", same=1),
        compare={"n": Amount(relative=Decimal("0.01"))},
    ),
    Trap(
        "relative tolerance on all 38 digits",
        "id | n: decimal(38,30)\n1 | 99999999\n2 | 99999999\n3 | 0.000000000000000000000000000001",
        "id | n: decimal(38,30)\n1 | 99999998.999900000001\n2 | 99999998.99990000000099999999999999\n3 | 0",
        differs("2.n", "3.n", same=1),
        compare={"n": Amount(relative=Decimal("0.000000000001"))},
    ),
    Trap(
        "tolerance on integers beyond 2**53",
        "id | n: int\n1 | 9007199254740993\n2 | 9007199254740993",
        "id | n: int\n1 | 9007199254740994\n2 | 9007199254740995",
        differs("2.n", same=1),
        compare={"n": Amount(absolute=Decimal(1))},
    ),
    Trap(
        "a difference that no 64-bit integer holds",
        "id | n: int\n1 | 9223372036854775807\n2 | 1",
        "id | n: int\n1 | -9223372036854775808\n2 | 2",
        differs("1.n", same=1),
        compare={"n": Amount(absolute=Decimal(1))},
    ),
    Trap(
        "-0.0 is 0.0",
        "id | n: float\n1 | -0.0\n2 | 0.0",
        "id | n: float\n1 | 0.0\n2 | 1e-300",
        differs("2.n", same=1),
        compare={"n": Floating()},
    ),
    Trap(
        "NaN is NaN and nothing else",
        "id | n: float\n1 | nan\n2 | nan\n3 | 1.0",
        "id | n: float\n1 | nan\n2 | 1.0\n3 | nan",
        differs("2.n", "3.n", same=1),
        compare={"n": Floating(absolute=1.0)},
    ),
    Trap(
        "NaN is not missing",
        "id | n: float\n1 | nan\n2 |\n3 |",
        "id | n: float\n1 |\n2 | nan\n3 |",
        differs("1.n", "2.n", same=1),
        compare={"n": Floating()},
    ),
    Trap(
        "nothing is near infinity",
        "id | n: float\n1 | inf\n2 | inf\n3 | 1.0\n4 | inf",
        "id | n: float\n1 | inf\n2 | -inf\n3 | inf\n4 | 1.0",
        differs("2.n", "3.n", "4.n", same=1),
        compare={"n": Floating(absolute=1.0, relative=1.0)},
    ),
    Trap(
        "one step of a double, which printing hides",
        "id | n: float\n1 | 0.1\n2 | 0.30000000000000004",
        "id | n: float\n1 | 0.1\n2 | 0.3",
        differs("2.n", same=1),
        compare={"n": Floating()},
    ),
    Trap(
        "steps of a double as tolerance",
        "id | n: float\n1 | 0.30000000000000004\n2 | 1.0\n3 | 5e-324",
        "id | n: float\n1 | 0.3\n2 | 1.0000000000000009\n3 | -5e-324",
        differs("2.n", same=2),
        compare={"n": Floating(ulps=2)},
    ),
    Trap(
        "single against double precision",
        "id | n: float32\n1 | 0.1\n2 | 0.5",
        "id | n: float\n1 | 0.1\n2 | 0.5",
        differs("1.n", same=1),
        compare={"n": Floating()},
    ),
    Trap(
        "single against double precision, compared in single",
        "id | n: float32\n1 | 0.1\n2 | 0.1",
        "id | n: float\n1 | 0.1\n2 | 0.11",
        differs("2.n", same=1),
        compare={"n": Floating(single=True)},
    ),
)
