"""How fast files of old systems are read: rows per second of processor time, and the peak of memory.

`python -m benchmarks.files --rows 300000` writes a file of each kind, reads it in a process of its own, prints a line.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import typer

from pipelines.sources import Binary, Chars, Csv, JsonLines, Mainframe, Packed, Place, Source, Zoned

SCHEMA = pa.schema([
    ("kind", pa.string()), ("policy_no", pa.int64()), ("holder", pa.string()), ("premium", pa.decimal128(9, 2)),
    ("balance", pa.decimal128(9, 2)), ("changes", pa.int32()), ("commission", pa.int64()), ("begin", pa.date32()),
])  # fmt: skip
LAYOUT = (
    Chars("kind", 1, 1), Zoned("policy_no", 2, 8, sign="none"), Chars("holder", 10, 30),
    Packed("premium", 40, 9, scale=2), Zoned("balance", 45, 9, scale=2), Binary("changes", 54, 4),
    Packed("commission", 58, 7), Chars("begin", 62, 10),
)  # fmt: skip
LENGTH = 169
SOURCES: dict[str, Source] = {
    "mainframe": Mainframe("mainframe", LAYOUT, length=LENGTH),
    "json_lines": JsonLines("json_lines"),
    "csv": Csv("csv"),
}


def mainframe(rows: int) -> Iterator[bytes]:
    """Records of `LAYOUT` with as much filler again."""
    for n in range(rows):
        premium, commission = bytes.fromhex(f"{n * 7 % 10**9:09d}d"), bytes.fromhex(f"{n % 10**7:07d}c")
        text = f"L{n:08d}{f'HOLDER {n % 1000}':<30}".encode("cp037")
        zoned, day = f"{n % 10**9:09d}".encode("cp037"), "2026-03-20".encode("cp037")
        yield (text + premium + zoned + n.to_bytes(4, "big") + commission + day).ljust(LENGTH, b"\x40")


def json_lines(rows: int) -> Iterator[bytes]:
    """The same values as JSON."""
    for n in range(rows):
        yield (
            f'{{"kind": "L", "policy_no": {n}, "holder": "HOLDER {n % 1000}", "premium": -{n % 10**7}.07, '
            f'"balance": {n % 10**7}.25, "changes": {n}, "commission": {n}, "begin": "2026-03-20"}}\n'
        ).encode()


def csv(rows: int) -> Iterator[bytes]:
    """The same values as CSV."""
    yield ",".join(SCHEMA.names).encode() + b"\n"
    for n in range(rows):
        yield f"L,{n},HOLDER {n % 1000},-{n % 10**7}.07,{n % 10**7}.25,{n},{n},2026-03-20\n".encode()


WRITERS = {"mainframe": mainframe, "json_lines": json_lines, "csv": csv}


def read(kind: str, folder: str) -> None:
    """Read one file, and print what it took."""
    started = time.process_time()
    with SOURCES[kind].open(Place(Path(folder), ""), SCHEMA) as reading:
        rows = sum(batch.rows.num_rows for batch in reading.batches)
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{kind:<12}{rows:>10,} rows {rows / seconds:>10,.0f} rows/s {peak:>6,.0f} MB")


def main(rows: int = 300_000, only: str = "", folder: str = "") -> None:
    """Write a file of each kind and read it; with `only`, read that one in this process."""
    if only:
        read(only, folder)
        return
    with tempfile.TemporaryDirectory() as made:
        for kind, write in WRITERS.items():
            with Path(made, kind).open("wb") as file:
                file.writelines(write(rows))
            subprocess.run([sys.executable, "-m", "benchmarks.files", "--only", kind, "--folder", made], check=True)


if __name__ == "__main__":
    typer.run(main)
