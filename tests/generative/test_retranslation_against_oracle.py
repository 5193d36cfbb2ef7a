"""Values that an earlier version of their rule explains, against an oracle that looks each code up in plain dicts."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from pipelines import declarations as say
from tests.examples import examples
from tests.spec.given import Given, reconciled, rows

CODES, COLOURS = "RGBY", ("red", "green", "blue", "grey", "pink")
OLDER = ("invalid_transformation", "older_translation")
TABLES = st.dictionaries(st.sampled_from(CODES), st.sampled_from(COLOURS), min_size=1)
ROWS = st.lists(st.tuples(st.sampled_from(CODES), st.sampled_from(COLOURS)), min_size=5, max_size=30)


def explained(now, earlier, held):
    """Key -> the latest earlier version that makes what is shown, of values that today's table makes otherwise."""
    found = {}
    for key, (code, shown) in held.items():
        versions = [version for version, table in earlier.items() if table.get(code) == shown]
        if code in now and now[code] != shown and versions:
            found[key] = max(versions)
    return found


def check(now, earlier, drawn, record):
    """Where the service is right, no translation explains what it says."""
    held = {f"k{number:02}": row for number, row in enumerate(drawn)}
    rules = {version: say.Decode("code", table) for version, table in earlier.items()}
    field = say.Field("colour", say.Decode("code", now), say.Exact(), earlier=rules, system_of_record=record)
    world = Given(
        "\n".join(["id | code", *(f"{key} | {code}" for key, (code, _) in held.items())]),
        "\n".join(["id | colour", *(f"{key} | {shown}" for key, (_, shown) in held.items())]),
        rules=(field,),
    )
    with tempfile.TemporaryDirectory() as folder:
        findings = rows(reconciled(world, Path(folder)), "discrepancies")
    found = {
        row["legacy_key"]: json.loads(row["evidence"])["version"]
        for row in findings
        if (row["type"], row["reason"]) == OLDER
    }
    assert found == (explained(now, earlier, held) if record is say.Side.LEGACY else {})
    assert {row["legacy_key"] for row in findings} == {k for k, (code, shown) in held.items() if now.get(code) != shown}


WORLD = (TABLES, st.fixed_dictionaries({}, optional={"1": TABLES, "2": TABLES, "3": TABLES}), ROWS)
RECORD = st.sampled_from((say.Side.LEGACY, say.Side.LEGACY, say.Side.SERVICE))


@given(*WORLD, RECORD)
@settings(max_examples=examples(8), phases=(Phase.generate,))
def test_older_translations(now, earlier, drawn, record):
    check(now, earlier, drawn, record)


@pytest.mark.long
@given(*WORLD, RECORD)
@settings(max_examples=300)
def test_older_translations_at_length(now, earlier, drawn, record):
    check(now, earlier, drawn, record)
