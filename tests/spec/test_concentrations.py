"""concentrations: where the discrepancies of a case are, told by columns that may be shown."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

from pipelines import concentrations
from pipelines.declarations import Classification, Exact, Field, Missing, MissingMeans, NullIf, Same, Side, Slice
from tests.spec.given import Given, reconciled, rows

LINES, REGIONS = ("motor", "home", "legal"), ("north", "south", "east", "west")
PEOPLE = ("Ada", "Ida", "Eva")
FIELDS = (
    Field("name", Same("name"), Exact()),
    Field("line", Same("line"), Exact()),
    Field("region", Same("region"), Exact()),
    Field("person", Same("person"), Exact(), classification=Classification.PERSONAL),
)


def world(wrong) -> Given:
    """Two hundred and forty things; the service has another name of those that are `wrong`."""
    head = "id | name | line | region | person | desk\n"
    legacy, service = head, head
    for n in range(240):
        line, region, person = LINES[n % 3], REGIONS[n // 3 % 4], PEOPLE[n // 12 % 3]
        rest = f"{line} | {region} | {person} | {'upstairs' if n % 5 else 'cellar'}\n"
        legacy += f"{n} | right{n} | {rest}"
        service += f"{n} | {f'other{n}' if wrong(n, line, region, person) else f'right{n}'} | {rest}"
    listed = {"dropped": {"desk": "not needed"}, "service_only": {"desk": "not needed"}}
    return Given(legacy=legacy, service=service, rules=FIELDS, entity=listed)


def told(given: Given, folder: Path) -> list[dict[str, object]]:
    job = reconciled(given, folder)
    concentrations.find(job)
    return rows(job, "concentrations")


def test_where_they_are(tmp_path: Path) -> None:
    (row,) = told(world(lambda n, line, region, _: (line, region) == ("motor", "south") or n == 1), tmp_path)

    assert row["segment"] == "service.line = motor and service.region = south"
    assert json.loads(str(row["conditions"])) == [
        {"side": "service", "column": "line", "operator": "=", "value": "motor"},
        {"side": "service", "column": "region", "operator": "=", "value": "south"},
    ]
    counts = ("field", "reason", "findings", "inside", "pairs", "pairs_inside")
    assert tuple(row[name] for name in counts) == ("name", "no_evidence", 21, 20, 240, 20)
    assert row["lift"] == (20 / 21) / (20 / 240)
    assert float(str(row["p_value"])) < 1e-9


def test_scattered_ones_are_nowhere(tmp_path: Path) -> None:
    assert told(world(lambda n, *_: n * 7919 % 11 == 0), tmp_path) == []


def test_few_are_no_case(tmp_path: Path) -> None:
    assert told(world(lambda n, line, *_: line == "motor" and n < 27), tmp_path) == []


def test_personal_values_are_not_told(tmp_path: Path) -> None:
    """All of them are Ada's, and nobody says so."""
    assert told(world(lambda _n, _line, _region, person: person == "Ada"), tmp_path) == []


def test_what_is_not_classified_is_told_only_when_it_is_declared_so(tmp_path: Path) -> None:
    given = world(lambda n, *_: n % 5 == 0)
    (tmp_path / "closed").mkdir()
    (tmp_path / "open").mkdir()

    assert told(given, tmp_path / "closed") == []
    (row,) = told(Given(**{**vars(given), "entity": {**given.entity, "segments": ("desk",)}}), tmp_path / "open")
    assert (row["segment"], row["share"]) == ("service.desk = cellar", 1.0)


def test_pairs_that_are_left_out_are_no_pairs_to_be_dense_among(tmp_path: Path) -> None:
    """The name is compared of motor things only, and wrong in every second of them: nowhere in particular there."""
    given = world(lambda n, line, *_: line != "motor" or n % 2 == 0)
    only_motor = replace(FIELDS[0], compared_when="line = 'motor'")

    assert told(replace(given, rules=(only_motor, *FIELDS[1:])), tmp_path) == []


def test_those_that_a_side_knows_nothing_of_are_none_either(tmp_path: Path) -> None:
    """As before, where legacy knows the names of motor things only; of these, those in the south are wrong."""
    given = world(lambda _n, line, region, _: line != "motor" or region == "south")
    legacy = "\n".join(
        text if "motor" in text or "id" in text.split(" ") else text.replace("right", "unknown right")
        for text in str(given.legacy).splitlines()
    )
    unknown = tuple(f"unknown right{n}" for n in range(240))
    rule = Field("name", NullIf("name", unknown), Exact(), missing=Missing(legacy=MissingMeans.UNKNOWN))
    (row,) = told(replace(given, legacy=legacy, rules=(rule, *FIELDS[1:])), tmp_path)

    assert row["segment"] == "service.region = south"
    assert [row[name] for name in ("findings", "inside", "pairs", "pairs_inside", "lift")] == [20, 20, 80, 20, 4.0]


def test_what_the_replica_of_a_slice_shows_is_not_told(tmp_path: Path) -> None:
    """Of motor things the service is right: that legacy shows the same wrong name in all of them is known."""
    given = world(lambda *_: False)
    service = re.sub(r"right\d+", "right", str(given.service))
    legacy = re.sub(r"right( \| motor )", r"wrong\1", service)
    sliced = given.entity | {"slices": (Slice("motor", "line = 'motor'", Side.SERVICE),)}
    personal = tuple(replace(field, classification=Classification.PERSONAL) for field in FIELDS[1:])
    name = Field("name", Same("name"), Exact())

    assert told(replace(given, legacy=legacy, service=service, entity=sliced, rules=(name, *personal)), tmp_path) == []
