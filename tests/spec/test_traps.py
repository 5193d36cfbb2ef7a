"""The trap battery, through the public path: known truths that comparisons are known to miss."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.sifting import WAY, Way
from tests.spec.traps.asked import found
from tests.spec.traps.battery import BATTERY
from tests.spec.traps.trap import Trap


@pytest.mark.parametrize("trap", BATTERY, ids=lambda trap: trap.name)
def test_trap(trap: Trap, tmp_path: Path) -> None:
    assert found(trap, tmp_path) == trap.truth


@pytest.mark.slow  # all in all; what is sifted by one join is held against the oracle and against other ways elsewhere
@pytest.mark.parametrize("trap", BATTERY, ids=lambda trap: trap.name)
def test_trap_when_sifted_by_one_join(trap: Trap, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COEXIST_SIEVE_FROM", "0")
    monkeypatch.setenv(WAY, Way.JOIN)
    assert found(trap, tmp_path) == trap.truth


def test_the_battery_is_what_it_claims_to_be() -> None:
    names = [trap.name for trap in BATTERY]
    assert len(set(names)) == len(names) >= 40
