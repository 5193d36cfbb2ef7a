"""Files that are read in lockstep: what is linked and told is held as it is, or they are not read so."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pyarrow as pa
import pytest

from pipelines import declarations as say
from pipelines import lockstep
from pipelines.sifting import WAY, Way
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


@pytest.mark.parametrize(("ids", "calls"), [([1, 2, 4], 1), ([2, 1, 4], 0), ([1, 2, 2], 0)])
def test_only_sides_in_order_are_read_so(ids: list[int], calls: int, tmp_path: Path) -> None:
    legacy, service = table(id=ids, name=["a", "b", "c"]), table(id=[1, 2, 3], name=["a", "b", "c"])

    with patch.object(lockstep, "_judged", wraps=lockstep._judged) as judged:  # noqa: SLF001 (is it asked?)
        found(Given(legacy, service), tmp_path)

    assert judged.call_count == calls


@pytest.mark.parametrize(("rule", "calls"), [(say.Same("name"), 1), (say.Clean("name"), 0)])
def test_what_is_told_needs_room(rule: say.Rule, calls: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lockstep, "_TOLD_AT_MOST", 0)
    legacy, service = table(id=[1, 2], name=["a", "b"]), table(id=[1, 2], name=["a", "c"])

    with patch.object(lockstep, "_judged", wraps=lockstep._judged) as judged:  # noqa: SLF001 (is it asked?)
        findings = found(Given(legacy, service, rules=(say.Field("name", rule, say.Exact()),)), tmp_path)

    assert [finding[:3] for finding in findings] == [("2", "2", "name")]
    assert judged.call_count == calls
