"""A peer in the trap battery, in its own environment: `python -m benchmarks.trap_peer NAME FOLDER`.

The folder holds what `traps` put there: two Parquet files a trap, and how each is compared. Each peer is given the best
settings it has for that; what it found is printed as JSON, in the words of the battery.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

NAME = sys.argv[1]
if NAME == "datacompy":
    import datacompy
    import polars as pl
elif NAME == "diffly":
    import diffly
    import polars as pl
else:
    import duckdb
    import reladiff
    from reladiff import Algorithm

_REFUSALS = ("not a primary key", "cannot use a column", "incompatible", "duplicate", "datatypes of join keys")


@dataclass(frozen=True)
class Task:
    """A trap as a peer gets it: comparators by column, each with its kind and arguments."""

    folder: Path
    key: list[str]
    columns: list[str]
    compare: dict[str, dict[str, object]]

    def file(self, side: str) -> str:
        """The rows of one side."""
        return str(self.folder / f"{side}.parquet")

    def slack(self, argument: str) -> dict[str, float]:
        """A numeric tolerance by column."""
        return {name: float(str(self.compare[name].get(argument) or 0)) for name in self.columns}

    def any(self, argument: str) -> bool:
        """Whether any column asks for this."""
        return any(self.compare[name].get(argument) for name in self.columns)

    def shown(self, row: dict[str, object]) -> str:
        """A row's key as the battery writes it."""
        return "|".join(str(row[name]) for name in self.key)


def datacompy_finds(task: Task) -> dict[str, object]:
    """By PolarsCompare."""
    legacy, service = (pl.read_parquet(task.file(side)) for side in ("legacy", "service"))
    compare = datacompy.PolarsCompare(
        legacy, service, join_columns=task.key, cast_column_names_lower=False,
        abs_tol=task.slack("absolute"), rel_tol=task.slack("relative"),
        ignore_spaces=task.any("trim"), ignore_case=task.any("ignore_case"),
    )  # fmt: skip
    joined = compare.intersect_rows
    cells = [
        (task.shown(row), name)
        for row in joined.iter_rows(named=True)
        for name in task.columns
        if not row[f"{name}_match"]
    ]
    return {
        "same": int(compare.count_matching_rows()),
        "cells": sorted(set(cells)),
        "legacy_only": compare.df1_unq_rows.height,
        "service_only": compare.df2_unq_rows.height,
    }


def diffly_finds(task: Task) -> dict[str, object]:
    """By compare_frames."""
    seconds = {name: float(str(task.compare[name].get("seconds") or 0)) for name in task.columns}
    compared = diffly.compare_frames(
        pl.read_parquet(task.file("legacy")), pl.read_parquet(task.file("service")), primary_key=task.key,
        abs_tol=task.slack("absolute"), rel_tol=task.slack("relative"),
        abs_tol_temporal={name: timedelta(seconds=slack) for name, slack in seconds.items()},
    )  # fmt: skip
    cells = [
        (task.shown(row), name)
        for name in task.columns
        for row in compared.joined_unequal(name).select(task.key).iter_rows(named=True)
    ]
    return {
        "same": compared.num_rows_joined_equal(),
        "cells": sorted(set(cells)),
        "legacy_only": compared.num_rows_left_only(),
        "service_only": compared.num_rows_right_only(),
    }


def reladiff_finds(task: Task) -> dict[str, object]:
    """By diff_tables over two databases, as it compares across systems."""
    tables = []
    for side in ("legacy", "service"):
        database = str(task.folder / f"{side}.duckdb")
        with duckdb.connect(database) as connection:
            connection.execute(f"CREATE TABLE things AS FROM '{task.file(side)}'")
            count = connection.execute("SELECT COUNT(*) FROM things").fetchone()[0]
        tables.append(
            (reladiff.connect_to_table({"driver": "duckdb", "filepath": database}, "things", task.key), count)
        )
    found = list(
        reladiff.diff_tables(
            *(table for table, _ in tables), extra_columns=tuple(task.columns), algorithm=Algorithm.HASHDIFF,
            allow_empty_tables=True, skip_sort_results=True,
        )
    )  # fmt: skip
    sides = {sign: {row[: len(task.key)]: row for of, row in found if of == sign} for sign in "-+"}
    both = sides["-"].keys() & sides["+"].keys()
    cells = [
        ("|".join(map(str, key)), name)
        for key in both
        for name, one, other in zip(
            task.columns, sides["-"][key][len(key) :], sides["+"][key][len(key) :], strict=False
        )
        if one != other
    ]
    only = [sum(1 for of, row in found if of == sign and row[: len(task.key)] not in both) for sign in "-+"]
    same = tables[0][1] - only[0] - len(both)
    return {"same": same, "cells": sorted(cells), "legacy_only": only[0], "service_only": only[1]}


FINDS: dict[str, Callable[[Task], dict[str, object]]] = {
    "datacompy": datacompy_finds,
    "diffly": diffly_finds,
    "reladiff": reladiff_finds,
}


def asked(folder: Path) -> dict[str, object]:
    """What the peer finds, or why it does not say."""
    try:
        return FINDS[NAME](Task(folder, **json.loads((folder / "task.json").read_text())))
    except BaseException as problem:  # noqa: BLE001 (a peer that fails, or panics, has failed one trap and not all)
        said = " ".join(str(problem).split())[:200]
        refuses = any(word in said.lower() for word in _REFUSALS)
        return {"refuses" if refuses else "error": f"{type(problem).__name__}: {said}"}


if __name__ == "__main__":
    print(json.dumps({folder.name: asked(folder) for folder in sorted(Path(sys.argv[2]).iterdir())}))
