"""Mainframe files against a COBOL compiler: what GnuCOBOL wrote is read as the values that it was given."""

import os
import random
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.sources import Binary, Chars, Mainframe, Packed, Zoned
from tests.pipelines.sources.reading import read

PROGRAM = Path(__file__).parent / "cobol" / "policies.cob"
COBC = shutil.which("cobc")
# CI installs GnuCOBOL, and there a test that did not run would prove nothing.
pytestmark = pytest.mark.skipif(
    COBC is None and not os.environ.get("CI_INSTALLS"), reason="no GnuCOBOL (cobc) on this machine"
)

LAYOUT = (
    Chars("KIND", 1, 1),
    Chars("NAME", 2, 8),
    Zoned("ZT", 10, 9, scale=2),
    Zoned("ZL", 19, 9, scale=2, sign="leading"),
    Zoned("ZTS", 28, 9, scale=2, separate=True),
    Zoned("ZLS", 38, 9, scale=2, sign="leading", separate=True),
    Zoned("ZU", 48, 9, sign="none"),
    Packed("P9", 57, 9, scale=2),
    Packed("P18", 62, 18),
    Packed("PU", 72, 4, signed=False),
    Binary("B2", 75, 2),
    Binary("B4", 77, 4, scale=2),
    Binary("B8", 81, 8),
    Binary("BU", 89, 4, signed=False),
    Packed("SUM", 93, 9, scale=2, of=("L",)),
    Chars("PLATE", 93, 8, of=("M",)),
    Zoned("COUNT", 102, 1, sign="none"),
    Chars("CODE", 103, 2, occurs=3, every=5, depends_on="COUNT"),
    Packed("SHARE", 105, 4, occurs=3, every=5, depends_on="COUNT"),
)
MONEY = pa.decimal128(9, 2)
SCHEMA = pa.schema([
    ("KIND", pa.string()), ("NAME", pa.string()), ("ZT", MONEY), ("ZL", MONEY), ("ZTS", MONEY), ("ZLS", MONEY),
    ("ZU", pa.string()), ("P9", MONEY), ("P18", pa.int64()), ("PU", pa.int16()), ("B2", pa.int16()), ("B4", MONEY),
    ("B8", pa.int64()), ("BU", pa.uint32()), ("SUM", MONEY), ("PLATE", pa.string()),
    *((f"CODE_{n}", pa.string()) for n in (1, 2, 3)), *((f"SHARE_{n}", pa.int16()) for n in (1, 2, 3)),
])  # fmt: skip


def given_values():
    """Kind, name, three numbers (two decimals, 18 digits, 4 digits) and a count, extremes first."""
    extremes = [(10**9 - 1, 10**18 - 1, 9995), (-(10**9) + 1, -(10**18) + 1, -9995), (0, 0, 4), (-1, -1, -1)]
    chance = random.Random(7)  # noqa: S311 (values of a test)
    some = [
        (chance.randrange(10**9) * chance.choice((1, -1)), chance.randint(-(10**17), 10**17), chance.randint(-99, 9990))
        for _ in range(500)
    ]
    for at, (a, b, c) in enumerate(extremes + some):
        yield "LM"[at % 2], f"Ab{at:03d}" + "cdi"[at % 3], a, b, c, at % 4


@pytest.fixture(scope="module", params=["ascii", "ebcdic"])
def written(request, tmp_path_factory):
    """The code page, and the folder of a file that the program wrote of the given values."""
    ebcdic = request.param == "ebcdic"
    folder = tmp_path_factory.mktemp(request.param)
    lines = [f"{kind}{name:<8}{a:+010d}{b:+019d}{c:+05d}{n}\n" for kind, name, a, b, c, n in given_values()]
    (folder / "values.txt").write_text("".join(lines))
    sign = ["-fsign=EBCDIC"] if ebcdic else []
    subprocess.run([COBC or "cobc", "-x", *sign, "-o", folder / "policies", PROGRAM], check=True, cwd=folder)
    environment = os.environ | {"TO_EBCDIC": "Y" if ebcdic else "N"}
    subprocess.run([folder / "policies"], check=True, cwd=folder, env=environment)
    return "cp037" if ebcdic else "ascii", folder


def expected(values):
    kind, name, a, b, c, n = values
    money = Decimal(a).scaleb(-2)
    codes = [name[at : at + 2].strip() if at < n else None for at in range(3)]
    shares = [c - at if at <= n else None for at in (1, 2, 3)]
    unsigned = abs(b) % 10**9
    return (
        kind, name, money, money, money, money, f"{unsigned:09d}", money, b, abs(c), c, money, b, unsigned,
        money if kind == "L" else None, name if kind == "M" else None, *codes, *shares,
    )  # fmt: skip


def test_every_value_that_cobol_wrote_is_read(written):
    code_page, folder = written
    source = Mainframe(
        "policies.dat", LAYOUT, length=117, code_page=code_page, record_type="KIND", record_types=("L", "M")
    )

    rows, unreadable, _ = read(source, folder, SCHEMA)

    assert unreadable == []
    assert rows == {number: expected(values) for number, values in enumerate(given_values(), 1)}
