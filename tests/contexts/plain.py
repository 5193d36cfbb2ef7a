"""Rows of an insurer world counted in plain Python, from the files as data/insurer/README.md describes them."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from pipelines.declarations import Side

Row = dict[str, object]
POLICY_COLUMNS = {"BRANCH": (0, 1), "POLICY_NO": (1, 8), "SUFFIX": (8, 10), "MANDANT": (10, 12)}


def _nothing(_: Row) -> bool:
    return False


@dataclass(frozen=True)
class Files:
    """Where one side of an entity is written down, what identifies a row, and what is said of it."""

    path: str
    key: tuple[str, ...]
    delimiter: str = ","
    is_deleted: Callable[[Row], bool] = _nothing
    is_foreign: Callable[[Row], bool] = _nothing

    def rows(self, world: Path, day: str) -> list[Row]:
        """The rows of a day; an empty text is missing."""
        path = world / self.path.format(day=day)
        if path.suffix == ".parquet":
            return pq.read_table(path).to_pylist()
        if path.suffix == ".txt":
            lines = path.read_text(encoding="iso-8859-1").split("\n")
            return [
                {name: line[a:b].strip() or None for name, (a, b) in POLICY_COLUMNS.items()} for line in lines if line
            ]
        with path.open(encoding="utf-8", newline="") as file:
            return [
                {name: value or None for name, value in row.items()}
                for row in csv.DictReader(file, delimiter=self.delimiter)
            ]


FILES = {
    ("parties", Side.LEGACY): Files(
        "legacy/parties/{day}.csv", ("PARTY_NO",), ";", is_deleted=lambda row: row["DEL_FLAG"] == "X"
    ),
    ("parties", Side.SERVICE): Files("service/parties/{day}.parquet", ("party_id",)),
    ("brokers", Side.LEGACY): Files("legacy/brokers/{day}.csv", ("REGION", "BROKER_NO")),
    ("brokers", Side.SERVICE): Files("service/brokers/{day}.csv", ("broker_id",)),
    ("policies", Side.LEGACY): Files(
        "legacy/policies/{day}.txt", ("BRANCH", "POLICY_NO", "SUFFIX"), is_foreign=lambda row: row["MANDANT"] != "01"
    ),
    ("policies", Side.SERVICE): Files("service/policies/{day}.parquet", ("policy_id",)),
    ("endorsements", Side.LEGACY): Files("legacy/endorsements/{day}.csv", ("BRANCH", "POLICY_NO", "SUFFIX", "ENDT_NO")),
    ("endorsements", Side.SERVICE): Files("service/endorsements/{day}.parquet", ("endorsement_id",)),
    ("invoices", Side.LEGACY): Files("legacy/invoices/{day}.csv", ("INV_NO",)),
    ("invoices", Side.SERVICE): Files(
        "service/invoices/{day}.parquet", ("invoice_number",), is_deleted=lambda row: bool(row["is_deleted"])
    ),
    ("claims", Side.LEGACY): Files("legacy/claims/{day}.csv", ("CLAIM_NO",)),
    ("claims", Side.SERVICE): Files("service/claims/{day}.parquet", ("claim_number",)),
}


def counts(world: Path, entity: str, day: str, side: Side, rejected: Counter[str]) -> dict[str, int]:
    """How many rows there are, and of how many everything is known without looking at the other side.

    `rejected` are the keys of rows that break the contract; `linkable` are the others that take part. Of those that
    share their key, `crowded`, some are paired with a row that says the same, which only the other side can tell.
    """
    files = FILES[entity, side]
    rows, kept, refused = files.rows(world, day), list[Row](), rejected.copy()
    for row in rows:
        key = "|".join(str(row[name]) for name in files.key)
        if refused[key] > 0:
            refused[key] -= 1
        else:
            kept.append(row)
    states = Counter(_state(files, row) for row in kept)
    keys = Counter(tuple(row[name] for name in files.key) for row in kept if _state(files, row) == "live")
    crowded = sum(count for count in keys.values() if count > 1)
    return {
        "rows": len(rows),
        "rejected": len(rows) - len(kept),
        "out_of_scope": states["out_of_scope"],
        "deleted": states["deleted"],
        "null_key": states["null_key"],
        "linkable": states["live"],
        "crowded": crowded,
    }


def _state(files: Files, row: Row) -> str:
    if files.is_foreign(row):
        return "out_of_scope"
    if files.is_deleted(row):
        return "deleted"
    return "null_key" if any(row[name] is None for name in files.key) else "live"
