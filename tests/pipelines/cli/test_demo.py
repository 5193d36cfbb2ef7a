import duckdb
import pytest


@pytest.mark.slow
def test_the_demo_ends_well_says_its_breaches_and_what_to_try_next(coexist, tmp_path, monkeypatch):
    monkeypatch.setenv("COEXIST_INSURER_WORLD", str(tmp_path / "world"))

    said = coexist("demo", "--size", 600, "--lake", tmp_path / "lake")

    assert said.code == 0
    for entity in (
        "banks.banks",
        "party.parties",
        "broker.brokers",
        "policy.policies",
        "billing.invoices",
        "claims.claims",
    ):
        assert f"{entity}  2026-" in said.out
    assert "over all 87 partitions: by design" in said.out
    assert "coexist explain" in said.out
    with duckdb.connect(tmp_path / "lake" / "catalog.duckdb", read_only=True) as catalog:
        assert catalog.execute("SELECT COUNT(*) FROM linkage").fetchall() == [(87,)]


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
