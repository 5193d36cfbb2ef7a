"""How the jobs of a campaign ended, for people."""

import io
from datetime import UTC, datetime
from types import SimpleNamespace

from rich.console import Console

from pipelines.attempt import Attempt
from pipelines.cli import endings
from pipelines.service_level import Verdict


def ended(entity, **verdicts):
    every = dict.fromkeys(("drift", "linkage", "lag"), (Verdict.MET,)) | {"semantic_rules": ()} | verdicts
    job = SimpleNamespace(
        context=SimpleNamespace(name="hr"), entity=SimpleNamespace(name=entity), partition="2026-03-02"
    )
    return job, Attempt(datetime.now(UTC), every)


def test_of_entities_that_no_rule_is_about_nothing_is_said_of_rules():
    """Beside one that has some: "not measured" would say that they could not be evaluated."""
    screen = Console(file=io.StringIO(), width=100)
    for part in endings.report([ended("people", semantic_rules=(Verdict.MET,)), ended("units")]):
        screen.print(part)

    people, units = [line.split() for line in screen.file.getvalue().splitlines() if line.startswith(" hr.")]
    assert people == ["hr.people", "2026-03-02", "met", "met", "met", "met", "0", "of", "1", "field"]
    assert units == ["hr.units", "2026-03-02", "met", "met", "met", "-", "0", "of", "1", "field"]
