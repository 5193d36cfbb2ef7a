"""What `coexist demo` refuses. That it ends well is told by `tests/docs/test_readme.py`, which runs it once for all."""

import pytest


def test_a_world_too_small(coexist, tmp_path):
    assert coexist("demo", "--size", 5, "--world", tmp_path / "world", "--lake", tmp_path / "lake").code == 2


def test_a_world_that_cannot_be_written(coexist, tmp_path, monkeypatch):
    monkeypatch.setenv("COEXIST_INSURER_WORLD", "")  # as it was afterwards: the command sets it for the contexts
    (tmp_path / "file").write_text("", encoding="utf-8")

    said = coexist("demo", "--size", 600, "--world", tmp_path / "file" / "world", "--lake", tmp_path / "lake", "--json")

    assert said.code == 3
    assert "could not be generated" in said.document["error"]["message"]


@pytest.mark.slow
def test_live_without_a_postgres_says_what_is_missing(coexist, tmp_path, monkeypatch):
    monkeypatch.setenv("COEXIST_INSURER_WORLD", "")
    monkeypatch.setenv("PG_BIN", "/no/such/folder")

    said = coexist(
        "demo", "--live", "--size", 600, "--world", tmp_path / "world", "--lake", tmp_path / "lake", "--json"
    )

    assert said.code == 3
    assert "there is no initdb in PG_BIN=/no/such/folder" in said.document["error"]["message"]
