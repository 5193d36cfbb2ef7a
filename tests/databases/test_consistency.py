"""One moment for all tables of a database: what moves between two tables is seen in exactly one of them."""

from contextlib import closing
from threading import Event, Thread

import adbc_driver_postgresql.dbapi
import polars as pl
import pytest
from pandera.polars import DataFrameModel

from pipelines.declarations import Env, Postgres

ACCOUNTS, MONEY, SNAPSHOTS = 50, 100_000, 15
DATABASE = Postgres(Env("COEXIST_TEST_POSTGRES"))


class Account(DataFrameModel):
    """One row per account."""

    id: pl.Int64
    amount: pl.Int64


@pytest.fixture
def accounts(db):
    for table in ("current", "savings"):
        db.run(
            f"CREATE TABLE {table} (id int8, amount int8)",
            f"INSERT INTO {table} SELECT g, {MONEY // ACCOUNTS // 2} FROM generate_series(1, {ACCOUNTS}) g",
        )
    return db


@pytest.fixture
def total(accounts, taking):
    """The sum over both tables, as two snapshots have it; something may happen between them."""

    def summed(run, moments=None, between=lambda: None):
        amounts = 0
        for table in ("current", "savings"):
            taking.take(accounts.table(table), Account, name=table, run_id=run, moments=moments)
            amounts += sum(row["amount"] for row in taking.rows(table))
            between()
        return amounts

    return summed


def transfer(accounts):
    accounts.run(
        "BEGIN",
        "UPDATE current SET amount = amount - 7 WHERE id = 1",
        "UPDATE savings SET amount = amount + 7 WHERE id = 1",
        "COMMIT",
    )


@pytest.fixture
def writer(accounts):
    """Rows move between the tables, without a pause, in transactions; how many have."""
    stop, moved = Event(), []

    connect = adbc_driver_postgresql.dbapi.connect

    def move():
        with closing(connect(accounts.server.url(), autocommit=True)) as open_, closing(open_.cursor()) as cursor:
            cursor.execute(f"SET search_path = {accounts.name}")
            while not stop.is_set():
                number = len(moved) % ACCOUNTS + 1
                cursor.execute("BEGIN")
                cursor.execute(f"UPDATE current SET amount = amount - {number} WHERE id = {number}")
                cursor.execute(f"UPDATE savings SET amount = amount + {number} WHERE id = {number}")
                cursor.execute("COMMIT")
                moved.append(number)

    thread = Thread(target=move)
    thread.start()
    yield moved
    stop.set()
    thread.join()


def test_what_moves_between_two_readings_is_seen_twice_without_a_moment_and_once_with_it(accounts, total):
    assert total("apart", between=lambda: transfer(accounts)) == MONEY + 7
    with DATABASE.hold() as moment:
        assert total("together", {DATABASE: moment}, between=lambda: transfer(accounts)) == MONEY


def test_the_sum_over_two_tables_is_constant_in_every_snapshot_while_rows_move(total, writer):
    sums, moves = [], set()
    for number in range(SNAPSHOTS):
        with DATABASE.hold() as moment:
            sums.append(total(f"run {number}", {DATABASE: moment}))
        moves.add(len(writer))

    assert sums == [MONEY] * SNAPSHOTS
    assert len(moves) == SNAPSHOTS  # rows did move between any two of them


def test_ranges_of_one_table_are_of_one_moment(accounts, taking, writer):
    taken = taking.take(accounts.table("current", split_by="id", ranges=4), Account, name="current")

    assert taken.manifest.rows == ACCOUNTS
    assert writer
