"""A field may have any name, that of a column which the sieves keep for themselves too."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from pipelines import declarations as say
from pipelines.sifting import WAY, Way
from tests.spec.given import Given, found

NAMES = ["position", "live", "failed", "is_primary", "link", "link_0", "match_1", "value_1", "mask_other", "v"]
HUNDREDS = [(100 * number, name) for number, name in enumerate(NAMES, 1)]


@pytest.mark.parametrize("way", Way)
def test_a_field_may_have_any_name(way: Way, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them at once, so that none may take another's place either; no two hold the same."""
    monkeypatch.setenv("COEXIST_SIEVE_FROM", "0")
    monkeypatch.setenv(WAY, way)
    ids = {"id": [1, 2, 3, 3, 4]}
    legacy = pa.table(ids | {name: [n + 5, n + 6, n + 7, n + 8, n + 4] for n, name in HUNDREDS})
    service = pa.table(ids | {name: [n + 5, n * n, n + 7, n + 9, n + 4] for n, name in HUNDREDS})

    fields = tuple(say.Field(name, say.Same(name), say.Exact()) for name in NAMES)
    findings = found(Given(legacy, service, rules=fields), tmp_path)

    assert [finding[:4] for finding in findings] == [
        *(("2", "2", name, "unexplained") for name in sorted(NAMES)),
        ("3", "3", None, "key_linkage"),
        ("3", "3", None, "key_linkage"),
    ]
