"""Progress: what a long reading says while it is read, here and in worker processes."""

import logging

import pyarrow as pa
import pytest

from pipelines import progress, workers
from pipelines.sources.source import REJECTED, Batch

NOTHING = pa.RecordBatch.from_pylist([], schema=REJECTED)


def batches(count):
    for _ in range(count):
        yield Batch(pa.record_batch({"v": pa.array([1, 2], pa.int64())}), pa.array([1, 2]), NOTHING)


@pytest.fixture
def hasty(monkeypatch):
    """A line after every batch."""
    monkeypatch.setattr(progress, "EVERY", 0.0)


@pytest.mark.usefixtures("hasty")
def test_rows_rate_and_bytes_are_told():
    lines = []
    with progress.heard(lines.append):
        assert len(list(progress.metered(batches(3), "shop/things/legacy/2026-03-20", 8))) == 3

    assert len(lines) == 4
    assert lines[0].startswith("shop/things/legacy/2026-03-20: 2 of 8 (25%) rows, ")
    assert lines[-1].startswith("shop/things/legacy/2026-03-20: 6 of 8 (75%) rows, ")
    assert all(line.endswith(" rows/s, 0 MB") for line in lines)


def test_short_readings_say_nothing():
    lines = []
    with progress.heard(lines.append):
        list(progress.metered(batches(3), "things"))

    assert lines == []


def test_how_far_it_has_come_as_one_line():
    assert progress.line("x", 1_200_000, 96_000_000, 4.0, 5_000_000) == (
        "x: 1,200,000 of 5,000,000 (24%) rows, 300,000 rows/s, 96 MB"
    )
    assert progress.line("x", 10, 1, 2.0, None) == "x: 10 rows, 5 rows/s, 0 MB"


def test_workers_are_heard():
    lines = []
    with progress.heard(lines.append), workers.opened(2, progress.LOG) as pool:
        pool.submit(say, "from afar").result()

    assert lines == ["from afar"]
    assert not progress.LOG.isEnabledFor(logging.INFO)


def say(line):
    progress.LOG.info(line)
