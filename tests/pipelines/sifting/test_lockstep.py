"""Files that are read in lockstep or column by column: what is linked and told is held as it is, or they are not."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pyarrow as pa
import pytest

from pipelines import declarations as say
from pipelines import engine
from pipelines.resources import Resources
from pipelines.sifting import WAY, Way, abreast, columnwise, lockstep
from pipelines.types import INT128
from tests.pipelines.test_places import as_column
from tests.spec.given import Given, found

LARGE = 2**100


@pytest.fixture(autouse=True)
def joined(monkeypatch: pytest.MonkeyPatch) -> None:
    """No digests."""
    monkeypatch.setenv("COEXIST_SIEVE_FROM", "0")
    monkeypatch.setenv(WAY, Way.JOIN)


def table(**columns: object) -> pa.Table:
    return pa.table(columns)


def test_keys_that_one_double_stands_for_are_not_linked(tmp_path: Path) -> None:
    legacy = table(id=as_column(INT128, [1, LARGE]), name=["a", "b"])
    service = table(id=as_column(INT128, [1, LARGE + 1]), name=["a", "b"])

    findings = found(Given(legacy, service), tmp_path)

    assert [finding[:3] for finding in findings] == [(str(LARGE), None, None), (None, str(LARGE + 1), None)]


@pytest.mark.parametrize(
    ("number", "rule", "actual"),
    [
        (["1", str(2**60 + 1)], say.Number("number"), pa.array([1, 2**60], pa.int64())),
        (
            ["1.5", "2.25"],
            say.Number("number", precision=9, scale=2),
            pa.array(["1.5", "2.5"]).cast(pa.decimal128(9, 2)),
        ),
        (["1", "x"], say.Number("number"), pa.array([1, 2], pa.int64())),
        (["1", None], say.Number("number"), pa.array([1, 2], pa.int64())),
    ],
)
def test_what_is_translated_is_told(number: list[str], rule: say.Rule, actual: pa.Array, tmp_path: Path) -> None:
    legacy, service = table(id=[1, 2], number=number), table(id=[1, 2], number=actual)

    with patch.object(lockstep, "_judged", wraps=lockstep._judged) as judged:  # noqa: SLF001 (is it asked?)
        findings = found(Given(legacy, service, rules=(say.Field("number", rule, say.Exact()),)), tmp_path)

    assert [finding[:3] for finding in findings] == [("2", "2", "number")]
    assert judged.call_count == 1


def looked_at(legacy: pa.Table, service: pa.Table, lake: Path) -> tuple[list[tuple[object, ...]], int, int]:
    """What is found, how many stretches are read in lockstep, and how many columns are read one after the other."""
    with (
        patch.object(lockstep, "_judged", wraps=lockstep._judged) as judged,  # noqa: SLF001 (is it asked?)
        patch.object(columnwise, "_are_alike", wraps=columnwise._are_alike) as columns,  # noqa: SLF001 (the same)
    ):
        findings = found(Given(legacy, service), lake)
    return [finding[:3] for finding in findings], judged.call_count, columns.call_count


@pytest.mark.parametrize(
    ("ids", "of_service", "columns"),
    [
        ([1, 2, 4], [1, 2, 4], 0),
        ([1, 2, 4], [1, 3, 4], 0),
        ([4, 1, 2], [4, 1, 2], 0),
        ([4, 1, 3, 2], [4, 1, 2], 0),
        ([1, 2, 4], [1, 4, 2], 1),
        ([2, 1, 4], [1, 2, 4], 1),
        ([2, 1, 4], [4, 1, 3], 1),
    ],
)
@pytest.mark.parametrize("kind", [int, str])
def test_only_sides_in_several_orders_are_read_column_by_column(
    ids: list[int], of_service: list[int], columns: int, kind: type, tmp_path: Path
) -> None:
    legacy, service = ({key: f"of {key}" for key in of} for of in (ids, of_service))
    service[4] = "changed"

    findings, stretches, read = looked_at(
        *(table(id=[kind(key) for key in of], name=list(of.values())) for of in (legacy, service)), tmp_path
    )

    alone = [(str(key), None, None) for key in {*ids} - {*of_service}]
    alone += [(None, str(key), None) for key in {*of_service} - {*ids}]
    assert {*findings} == {("4", "4", "name"), *alone}
    assert (stretches, read) == (1 - columns, columns)


def test_rows_that_share_their_link_are_not_paired(tmp_path: Path) -> None:
    legacy, service = table(id=[1, 2, 2], name=["a", "b", "b"]), table(id=[2, 1], name=["b", "a"])

    findings, stretches, _ = looked_at(legacy, service, tmp_path)

    assert [finding[0] for finding in findings] == ["2"]
    assert stretches == 1


@pytest.mark.parametrize(("ids", "stretches"), [([1, 2], 1), ([2, 1], 0)])
def test_columns_need_room(ids: list[int], stretches: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columnwise, "_HELD_AT_MOST", 0)
    legacy, service = table(id=ids, name=[f"of {key}" for key in ids]), table(id=[1, 2], name=["of 1", "changed"])

    assert looked_at(legacy, service, tmp_path) == ([("2", "2", "name")], stretches, 0)


def ordered(rows: pa.Table, order: str) -> pa.Table:
    return rows.sort_by([("id", order)])


@pytest.mark.parametrize("changed", [1, 12])
@pytest.mark.parametrize("orders", [("ascending", "descending"), ("descending", "ascending")])
@pytest.mark.parametrize(
    ("rule", "other"),
    [
        (say.Same("number"), pa.array([7], pa.int8())),  # what is expected need not fit
        (say.Same("number"), pa.array([None], pa.int8())),
        (say.Number("text"), pa.array([7], pa.int64())),
    ],
)
def test_rows_in_other_orders_that_differ(
    orders: tuple[str, str], changed: int, rule: say.Rule, other: pa.Array, tmp_path: Path
) -> None:
    """Whether few differ or all."""
    numbers = pa.array([1000] * changed + [*range(changed, 12)], pa.int64())
    legacy = table(id=[*range(12)], number=numbers, text=numbers.cast(pa.string()))
    actual = pa.array(other.to_pylist() * changed + [*range(changed, 12)], other.type)
    service = table(id=[*range(12)], number=actual, more=[f"more of {key}" for key in range(12)])
    given = Given(
        ordered(legacy, orders[0]), ordered(service, orders[1]), rules=(say.Field("number", rule, say.Exact()),)
    )

    findings = found(given, tmp_path)

    assert {finding[:3] for finding in findings} == {(str(key), str(key), "number") for key in range(changed)}


def test_what_is_held_the_engine_does_without() -> None:
    def limit() -> str:
        (row,) = session._connection.sql("SELECT current_setting('memory_limit')").fetchall()  # noqa: SLF001
        return str(row[0])

    with engine.opened(Resources(4 * 10**9)) as session:
        whole, unit = limit().split()
        with session.lending(0.5):
            half, unit_of_half = limit().split()
        assert limit() == f"{whole} {unit}"
    assert (unit, unit_of_half) == ("GiB", "GiB")
    assert float(half) == pytest.approx(float(whole) / 2, abs=0.1)


def test_links_shared_by_many_are_not_listed(tmp_path: Path) -> None:
    legacy, service = table(id=[1, 1, 1, 2], name=[*"aaab"]), table(id=[1, 1, 2], name=[*"aac"])

    findings, stretches, _ = looked_at(legacy, service, tmp_path)

    assert ("2", "2", "name") in findings
    assert stretches == 0


@pytest.mark.parametrize(
    ("rule", "calls"), [(say.Same("name"), 1), (say.Clean("name"), 1), (say.Combine(("name", "of")), 0)]
)
def test_what_is_held_needs_room(rule: say.Rule, calls: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abreast, "_TOLD_AT_MOST", 0)
    legacy, service = table(id=[1, 2], name=["a", "b"], of=pa.nulls(2, pa.string())), table(id=[1, 2], name=["a", "c"])

    with patch.object(lockstep, "_judged", wraps=lockstep._judged) as judged:  # noqa: SLF001 (is it asked?)
        findings = found(Given(legacy, service, rules=(say.Field("name", rule, say.Exact()),)), tmp_path)

    assert [finding[:3] for finding in findings] == [("2", "2", "name")]
    assert judged.call_count == calls
