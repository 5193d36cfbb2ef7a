"""A small shop in two contexts, with a person in it whose name must never be seen, and the bank registry."""

import contextlib
import csv
import tempfile
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import adbc_driver_postgresql.dbapi
import dagster as dg
import polars as pl
import pytest
from pandera.polars import DataFrameModel
from pandera.polars import Field as ColumnField

from assets import definitions
from data.live import postgres as postgres_server
from pipelines.declarations import (
    Classification,
    Context,
    Criticality,
    Csv,
    Daily,
    Entity,
    Exact,
    Field,
    Holder,
    Monthly,
    NaturalKey,
    Owner,
    Reference,
    Same,
    ServiceLevel,
)
from pipelines.lake import Lake
from pipelines.loading import load
from pipelines.portfolio import Portfolio

ROOT = Path(__file__).parents[2]
DAYS = ("2026-01-01", "2026-01-02", "2026-01-03")
PERSON = "Melusine Quandt"  # legacy and service spell her differently, and one of her rows breaks the contract


class LegacyCustomer(DataFrameModel):
    """One row per customer."""

    nr: pl.String = ColumnField(str_matches=r"^\d+$", description="Customer number")
    full_name: pl.String = ColumnField(description="Name")


class ServiceCustomer(DataFrameModel):
    """One row per customer."""

    id: pl.String
    name: pl.String = ColumnField(description="Name of the customer")
    newsletter: pl.String = ColumnField(nullable=True)


class LegacyOrder(DataFrameModel):
    """One row per order."""

    order_no: pl.String
    customer_nr: pl.String


class ServiceOrder(DataFrameModel):
    """One row per order."""

    order_no: pl.String
    customer: pl.String


class Statement(DataFrameModel):
    """One row per statement, on both sides."""

    statement_no: pl.String
    total: pl.String


SALES = Owner("Sales & Service", "sales@shop.example")

customers = Entity(
    "customers",
    description="People who buy",
    owner=SALES,
    legacy=Holder(source=Csv("legacy_customers_{date}.csv"), contract=LegacyCustomer, key=("nr",)),
    service=Holder(source=Csv("service_customers_{date}.csv"), contract=ServiceCustomer, key=("id",)),
    identity=NaturalKey(legacy=(Same("nr"),), service=(Same("id"),)),
    fields=(
        Field(
            "name",
            Same("full_name"),
            Exact(),
            criticality=Criticality.CRITICAL,
            classification=Classification.PERSONAL,
            service_level=ServiceLevel(0.1),
        ),
    ),
    service_only={"newsletter": "legacy never had one"},
)
orders = Entity(
    "orders",
    description="What they bought",
    owner=SALES,
    legacy=Holder(source=Csv("legacy_orders_{date}.csv"), contract=LegacyOrder, key=("order_no",)),
    service=Holder(source=Csv("service_orders_{date}.csv"), contract=ServiceOrder, key=("order_no",)),
    identity=NaturalKey(legacy=(Same("order_no"),), service=(Same("order_no"),)),
    fields=(Field("customer", Reference("people.customers", of=("customer_nr",)), Exact()),),
)
statements = Entity(
    "statements",
    description="What they owe",
    owner=SALES,
    legacy=Holder(source=Csv("legacy_statements_{date}.csv"), contract=Statement, key=("statement_no",)),
    service=Holder(source=Csv("service_statements_{date}.csv"), contract=Statement, key=("statement_no",)),
    identity=NaturalKey(legacy=(Same("statement_no"),), service=(Same("statement_no"),)),
    fields=(Field("total", Same("total"), Exact()),),
    partitioning=Monthly(date(2026, 1, 1), last=date(2026, 2, 1)),
)

_ROWS = {
    "legacy_customers": [
        {"nr": "1", "full_name": "Ada", "nickname": "A"},
        {"nr": "2", "full_name": PERSON, "nickname": "M"},
        {"nr": f"2{PERSON}", "full_name": PERSON, "nickname": "M"},
    ],
    "service_customers": [
        {"id": "1", "name": "Ada", "newsletter": ""},
        {"id": "2", "name": PERSON.upper(), "newsletter": "yes"},
    ],
    "legacy_orders": [{"order_no": "A7", "customer_nr": "2"}],
    "service_orders": [{"order_no": "A7", "customer": "2"}],
}


@dataclass(frozen=True)
class Location:
    """A code location on a lake of its own, with an instance of its own."""

    portfolio: Portfolio
    definitions: dg.Definitions
    instance: dg.DagsterInstance
    lake: Lake

    def run(self, job, partition, **options):
        return self.definitions.resolve_job_def(job).execute_in_process(
            instance=self.instance, partition_key=partition, **options
        )

    def materialisations(self, key):
        """The latest materialisation of each partition of an asset."""
        records = self.instance.fetch_materializations(dg.AssetKey(key), limit=100).records
        return {record.partition_key: record.asset_materialization for record in reversed(records)}


def located(portfolio, folder, instance=None):
    lake = Lake(folder / "lake")
    built = definitions.build(portfolio, lake=str(lake.root))
    return Location(portfolio, built, instance or dg.DagsterInstance.ephemeral(), lake)


def shop_portfolio(folder, *, customers=customers):
    daily = Daily(date(2026, 1, 1), last=date(2026, 1, 3))
    people = Context(
        "people", description="People", owner=SALES, partitioning=daily, entities=(customers,), root=folder
    )
    sales = Context(
        "sales", description="Sales", owner=SALES, partitioning=daily, entities=(orders, statements), root=folder
    )
    return Portfolio((people, sales), {"people": "people.py", "sales": "sales.py"})


def write_csv(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def _files_of_a_test_that_passed_are_removed():
    """Not here: Dagster asks the databases of instances that earlier tests have made."""


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture
def person():
    """The name that must not be seen."""
    return PERSON


@pytest.fixture
def shop_files(tmp_path):
    for name, rows in _ROWS.items():
        for day in DAYS:
            write_csv(tmp_path / f"{name}_{day}.csv", rows)
    return tmp_path


@pytest.fixture
def shop(shop_files):
    location = located(shop_portfolio(shop_files), shop_files)
    yield location
    location.instance.dispose()


@pytest.fixture
def shop_with(shop_files):
    """Makes the shop with another legacy source of its customers."""
    made = []

    def make(source):
        declared = replace(customers, legacy=replace(customers.legacy, source=source))
        made.append(located(shop_portfolio(shop_files, customers=declared), shop_files))
        return made[-1]

    yield make
    for location in made:
        location.instance.dispose()


@pytest.fixture
def kept_shop(shop_files):
    """The shop on an instance that is kept on disk, as a schedule wants it."""
    home = shop_files / "home"
    home.mkdir()
    location = located(shop_portfolio(shop_files), shop_files, dg.DagsterInstance.local_temp(str(home)))
    yield location
    location.instance.dispose()


@dataclass(frozen=True)
class Database:
    """A Postgres of our own."""

    server: postgres_server.Server

    def url(self):
        return self.server.url()

    def run(self, *statements):
        with (
            contextlib.closing(adbc_driver_postgresql.dbapi.connect(self.url(), autocommit=True)) as connection,
            contextlib.closing(connection.cursor()) as cursor,
        ):
            for statement in statements:
                cursor.execute(statement)


@pytest.fixture(scope="module")
def postgres():
    with tempfile.TemporaryDirectory(prefix="coexist-servers-") as made:
        Path(made).chmod(0o755)
        with postgres_server.running(Path(made)) as server:
            yield Database(server)


@pytest.fixture(scope="session")
def banks_portfolio():
    everything = load("assets.contexts")
    context, _ = everything.entity("banks.banks")
    return Portfolio((context,), {"banks": everything.file_of(context)})


@pytest.fixture(scope="session")
def banks(banks_portfolio, tmp_path_factory):
    """The bank registry, its three partitions materialised in order."""
    location = located(banks_portfolio, tmp_path_factory.mktemp("banks"))
    with contextlib.chdir(ROOT):
        for partition in ("2026-03-09", "2026-06-08", "2026-09-07"):
            assert location.run("banks", partition).success
    yield location
    location.instance.dispose()
