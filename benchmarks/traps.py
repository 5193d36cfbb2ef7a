"""The trap battery, asked of us and of the peers: `python -m benchmarks.traps`.

Prints who is right about which trap and writes `results/traps.json`. The traps and the truth about them are those of
the tests, `tests/spec/traps`; how a peer is asked is `trap_peer`'s.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from benchmarks.peers import HERE, PINNED, python
from pipelines.declarations import Day, Elapsed, Exact, Floating, Instant
from tests.spec.tables import table
from tests.spec.traps.asked import found
from tests.spec.traps.battery import BATTERY
from tests.spec.traps.trap import Trap, Truth

RESULTS = HERE / "results" / "traps.json"
_US = "coexist"
_COLOURS = {"right": "green", "wrong": "red", "refuses": "yellow", "error": "magenta"}


def main() -> None:
    """Ask everybody."""
    verdicts = {_US: ours(), **{peer: theirs(peer) for peer in PINNED}}
    shown = Table("trap", *verdicts)
    for trap in BATTERY:
        shown.add_row(trap.name, *(_coloured(said[trap.name]["verdict"]) for said in verdicts.values()))
    Console().print(shown)
    for name, said in verdicts.items():
        print(f"{name}: {_totals(said, BATTERY)} of {len(BATTERY)}")
        plain = [trap for trap in BATTERY if is_plain(trap)]
        print(f"  without the traps that need a setting: {_totals(said, plain)} of {len(plain)}")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(verdicts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def is_plain(trap: Trap) -> bool:
    """Whether values are compared as they are and keys as they stand: what every tool claims to do."""
    defaults = (Exact(), Floating(), Instant(), Day(), Elapsed())
    return trap.identity is None and not trap.missing.sentinels and set(trap.compare.values()) <= set(defaults)


def _totals(said: Mapping[str, Mapping[str, str]], traps: Sequence[Trap]) -> str:
    counts = Counter(said[trap.name]["verdict"] for trap in traps)
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in _COLOURS)


def _coloured(verdict: str) -> str:
    return f"[{_COLOURS[verdict]}]{verdict}[/]"


def ours() -> dict[str, dict[str, str]]:
    """What we say, each trap in a folder and lake of its own."""
    said = {}
    for trap in BATTERY:
        with tempfile.TemporaryDirectory(prefix="coexist-trap-") as folder:
            said[trap.name] = judged(trap, found(trap, Path(folder)))
    return said


def theirs(peer: str) -> dict[str, dict[str, str]]:
    """What a peer says, all traps in one process."""
    with tempfile.TemporaryDirectory(prefix="coexist-traps-") as root:
        for number, trap in enumerate(BATTERY):
            lay(trap, Path(root) / f"{number:03}")
        command = [python(peer), "-m", "benchmarks.trap_peer", peer, root]
        answer = subprocess.run(command, check=True, capture_output=True, text=True, cwd=HERE.parent, timeout=600)
    found_by_peer = json.loads(answer.stdout.splitlines()[-1])
    return {trap.name: told(trap, found_by_peer[f"{number:03}"]) for number, trap in enumerate(BATTERY)}


def lay(trap: Trap, folder: Path) -> None:
    """Put a trap down for a peer: the rows of both sides, and how they are compared."""
    folder.mkdir()
    for side in ("legacy", "service"):
        pq.write_table(table(getattr(trap, side)), folder / f"{side}.parquet")
    columns = [name for name in table(trap.service).schema.names if name not in trap.key]
    task = {"key": list(trap.key), "columns": columns, "compare": {name: settings(trap, name) for name in columns}}
    (folder / "task.json").write_text(json.dumps(task, default=str), encoding="utf-8")


def settings(trap: Trap, column: str) -> dict[str, object]:
    """A comparator as plain values; slack in time as `seconds`."""
    comparator = trap.comparator(column)
    said = {"kind": type(comparator).__name__}
    said |= {field.name: getattr(comparator, field.name) for field in dataclasses.fields(comparator)}  # type: ignore[arg-type]
    days, tolerance = said.get("tolerance_days", 0), said.get("tolerance", timedelta(0))
    return said | {"seconds": timedelta(days=days).total_seconds() + tolerance.total_seconds()}


def told(trap: Trap, answer: dict[str, object]) -> dict[str, str]:
    """A peer's answer, judged."""
    for verdict in ("refuses", "error"):
        if verdict in answer:
            return {"verdict": verdict, "said": str(answer[verdict])}
    cells = frozenset((key, column) for key, column in answer["cells"])
    return judged(trap, Truth(answer["same"], cells, answer["legacy_only"], answer["service_only"]))


def judged(trap: Trap, said: Truth) -> dict[str, str]:
    """Right, or wrong with what was said instead of the truth."""
    if said == trap.truth:
        return {"verdict": "right"}
    return {"verdict": "wrong", "said": words(said), "truth": words(trap.truth)}


def words(said: Truth) -> str:
    """An answer in a line."""
    cells = ", ".join(sorted(f"{key}.{column}" for key, column in said.cells)) or "none"
    return f"{said.same} same, differing: {cells}, only in legacy {said.legacy_only}, in service {said.service_only}"


if __name__ == "__main__":
    main()
