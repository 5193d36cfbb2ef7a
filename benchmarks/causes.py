"""Whether the product says why as the ledger does: type and reason of every planted discrepancy, over several worlds.

`make causes SEEDS=10` prints the confusion matrix and writes results/causes.json: a list of {type, reason, planted,
found, correct, precision, recall}. A finding counts once for each day on which it shows.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.contexts import ledger
from tests.contexts.world import SMALL, reconciled

RESULTS = Path(__file__).parent / "results" / "causes.json"
TYPE_LIMIT, REASON_LIMIT, UNEXPLAINED_LIMIT = 0.99, 0.97, 0.01
NOTHING = ("-", "-")

Matrix = Counter[tuple[ledger.Cause, ledger.Cause]]  # planted, found
Row = dict[str, object]


def main() -> int:
    """Run the worlds; 1 when the causes found fall short of the limits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--size", type=int, default=SMALL)
    asked = parser.parse_args()
    console, matrix = Console(width=120), Counter()
    for seed in range(1, asked.seeds + 1):
        with tempfile.TemporaryDirectory(prefix="coexist-causes-") as folder:
            found = confusion(Path(folder), seed, asked.size)
        matrix += found
        right = sum(n for (planted, given), n in found.items() if planted == given)
        console.print(f"seed {seed}: {right:,} of {found.total():,} as planted")
    _print(console, matrix)
    rows = figures(matrix)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    problems = shortfalls(matrix)
    console.print("\n".join(problems) or "every limit is kept", style="red" if problems else "green")
    return 1 if problems else 0


def confusion(folder: Path, seed: int, size: int) -> Matrix:
    """What was planted in one world against what was found in it."""
    world = reconciled(folder, seed=seed, size=size, workers=os.cpu_count() or 1)
    planted, found = ledger.causes_planted(world), ledger.causes_found(world)
    return Counter((planted.get(cell, NOTHING), found.get(cell, NOTHING)) for cell in planted.keys() | found.keys())


def figures(matrix: Matrix) -> list[Row]:
    """Planted, found and correct, for every type and reason that occurs."""
    causes = sorted({cause for pair in matrix for cause in pair} - {NOTHING})
    return [_figures(matrix, kind, reason) for kind, reason in causes]


def _figures(matrix: Matrix, kind: str, reason: str) -> Row:
    cause = (kind, reason)
    planted = sum(n for (one, _), n in matrix.items() if one == cause)
    found = sum(n for (_, one), n in matrix.items() if one == cause)
    correct = matrix[cause, cause]
    return {
        "type": kind, "reason": reason, "planted": planted, "found": found, "correct": correct,
        "precision": correct / found if found else None, "recall": correct / planted if planted else None,
    }  # fmt: skip


def shortfalls(matrix: Matrix) -> list[str]:
    """Which of the limits are not kept."""
    found = [f"{kind}: {name} {rate:.2%}" for kind, name, rate in _rates(matrix) if rate < TYPE_LIMIT]
    planted = sum(n for (one, _), n in matrix.items() if one != NOTHING)
    right = sum(n for (one, other), n in matrix.items() if one == other)
    unexplained = sum(n for (one, other), n in matrix.items() if one != NOTHING and other[0] == "unexplained")
    missing = sum(n for (_, other), n in matrix.items() if other == NOTHING)
    found += [f"reason right for {right / planted:.2%} only"] if right < REASON_LIMIT * planted else []
    found += [f"{unexplained:,} of {planted:,} unexplained"] if unexplained >= UNEXPLAINED_LIMIT * planted else []
    return found + ([f"{missing:,} planted and not found"] if missing else [])


def _rates(matrix: Matrix) -> list[tuple[str, str, float]]:
    """Precision and recall of each type."""
    by_type = Counter[tuple[str, str]]()
    for (planted, found), n in matrix.items():
        by_type[planted[0], found[0]] += n
    rates = []
    # Nothing is planted as unexplained: how much of it there may be is a limit of its own.
    for kind in sorted({kind for pair in by_type for kind in pair} - {NOTHING[0], "unexplained"}):
        planted = sum(n for (one, _), n in by_type.items() if one == kind)
        found = sum(n for (_, one), n in by_type.items() if one == kind)
        rates += [(kind, "recall", by_type[kind, kind] / planted)] if planted else []
        rates += [(kind, "precision", by_type[kind, kind] / found)] if found else []
    return rates


def _print(console: Console, matrix: Matrix) -> None:
    table = Table("planted", "found", "days", title="Causes: planted against found")
    for (planted, found), n in sorted(matrix.items()):
        table.add_row(": ".join(planted), ": ".join(found), f"{n:,}", style="" if planted == found else "red")
    console.print(table)


if __name__ == "__main__":
    raise SystemExit(main())
