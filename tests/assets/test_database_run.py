"""Runs of Dagster on a database: one moment for all tables of a run, and no secret in anything that is written."""

from dataclasses import replace
from datetime import date

import dagster as dg
import polars as pl
import pyarrow.parquet as pq
import pytest
import stamina
from pandera.polars import DataFrameModel

from assets import recording
from pipelines import progress
from pipelines.declarations import (
    Context,
    Daily,
    Entity,
    Env,
    Exact,
    Field,
    Holder,
    NaturalKey,
    Owner,
    Postgres,
    Same,
    Table,
)
from pipelines.lake import Address
from pipelines.portfolio import Portfolio
from tests.assets.conftest import located

DAY = "2026-01-01"


class Thing(DataFrameModel):
    """One row per thing."""

    id: pl.Int64


@pytest.fixture
def shop(tmp_path, postgres, monkeypatch):
    monkeypatch.setenv("SHOP_URL", postgres.url())
    postgres.run("DROP TABLE IF EXISTS things", "CREATE TABLE things AS SELECT generate_series(1, 2)::int8 AS id")
    holder = Holder(source=Table("things", Postgres(Env("SHOP_URL"))), contract=Thing, key=("id",))
    things = Entity(
        "things", description="Things", owner=Owner("x"), legacy=holder, service=holder,
        identity=NaturalKey((Same("id"),), (Same("id"),)), fields=(Field("id", Same("id"), Exact()),),
    )  # fmt: skip
    context = Context(
        "shop", description="Shop", owner=Owner("x"), partitioning=Daily(date(2026, 1, 1)),
        entities=(things, replace(things, name="others")), root=tmp_path,
    )  # fmt: skip
    (tmp_path / "home").mkdir()
    instance = dg.DagsterInstance.local_temp(str(tmp_path / "home"))
    yield located(Portfolio((context,), {"shop": "shop.py"}), tmp_path, instance)
    instance.dispose()


def moments(shop):
    """The moments that the four snapshots are of."""
    places = [(entity, side) for entity in ("things", "others") for side in ("legacy", "service")]
    return {str(shop.lake.manifest(Address("shop", *place, DAY)).notes["source"]) for place in places}


def test_a_run_shares_one_moment_and_tells_its_progress(shop, monkeypatch):
    monkeypatch.setattr(progress, "EVERY", 0.0)

    ran = shop.run("shop", DAY)
    assert ran.success
    first = moments(shop)
    assert len(first) == 1
    logged = [entry.user_message for entry in shop.instance.all_logs(ran.run_id)]
    assert any("shop/things/legacy/2026-01-01: 2 of 2 (100%) rows" in line for line in logged)

    assert shop.run("shop", DAY).success
    assert len(moments(shop)) == 1
    assert moments(shop) != first


@pytest.fixture
def hurried(monkeypatch):
    """No waiting before a step is tried again."""
    monkeypatch.setattr(recording, "PATIENCE", 0)
    with stamina.set_testing(testing=True, attempts=2):
        yield


def written(folder):
    """Everything in the files below a folder, by file, with what Parquet compresses laid open."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield path, path.read_bytes()
        if path.suffix == ".parquet":
            with pq.ParquetFile(path) as file:
                yield path, f"{file.metadata.metadata} {file.read().to_pylist()}".encode()


@pytest.fixture
def everything(tmp_path, caplog, capfd):
    """All that was written to files, to the log and to the screen, by place."""

    def told():
        out, err = capfd.readouterr()
        return [*written(tmp_path), ("log", caplog.text.encode()), ("screen", (out + err).encode())]

    return told


@pytest.fixture
def entered(shop, postgres, monkeypatch):
    """The shop, its database reached by another URL; and the password of the server."""

    def by(url):
        monkeypatch.setenv("SHOP_URL", url.format(password=postgres.server.password, port=postgres.server.port))
        return shop, postgres.server.password

    return by


URLS = (
    ("postgresql://postgres:{password}@127.0.0.1:{port}/postgres", True),
    ("postgresql://postgres:planted%2Fsecret@127.0.0.1:{port}/postgres", False),
    ("postgresql://postgres:planted%2Fsecret@127.0.0.1:1/postgres", False),
    ("postgresql://postgres:planted/secret@127.0.0.1:{port}/postgres", False),
    ("postgresql://postgres:{password}@127.0.0.1:{port}/nosuch?options=planted-secret", False),
)


@pytest.mark.parametrize(("url", "ends_well"), URLS)
@pytest.mark.usefixtures("hurried")
def test_no_secret_is_in_anything_that_is_written(entered, everything, url, ends_well):
    shop, password = entered(url)

    assert shop.run("shop", DAY, raise_on_error=False).success is ends_well

    found = everything()
    # What went wrong is told by the reference, in several places.
    assert any(b"$SHOP_URL" in content for _, content in found) is not ends_well
    for secret in (password, "planted"):
        assert [place for place, content in found if secret.encode() in content] == []
