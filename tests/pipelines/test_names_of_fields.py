"""A field may have any name, that of a column which the sieves keep for themselves too."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from pipelines import declarations as say
from pipelines.sifting import WAY, Way
from tests.spec.given import Given, found

NAMES = ["position", "live", "failed", "is_primary", "link", "link_0", "match_1", "value_1", "mask_other", "v"]


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("name", NAMES)
def test_a_field_may_have_any_name(way: Way, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COEXIST_SIEVE_FROM", "0")
    monkeypatch.setenv(WAY, way)
    legacy = pa.table({"id": [1, 2, 3, 3, 4], name: [5, 6, 7, 8, 4]})
    service = pa.table({"id": [1, 2, 3, 3, 4], name: [5, 60, 7, 9, 4]})

    findings = found(Given(legacy, service, rules=(say.Field(name, say.Same(name), say.Exact()),)), tmp_path)

    assert [finding[:4] for finding in findings] == [
        ("2", "2", name, "unexplained"),
        ("3", "3", None, "key_linkage"),
        ("3", "3", None, "key_linkage"),
    ]
