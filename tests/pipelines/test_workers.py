import os

import pytest

from pipelines import workers
from pipelines.engine import Resources
from pipelines.errors import IntegrityError


def test_one_worker_is_this_process():
    with workers.opened(1) as pool:
        assert pool.submit(os.getpid).result() == os.getpid()


def test_several_are_other_processes_with_their_share(monkeypatch):
    monkeypatch.setenv("COEXIST_MEMORY_LIMIT", "3GB")
    monkeypatch.setenv("COEXIST_THREADS", "4")

    with workers.opened(2) as pool:
        assert pool.submit(os.getpid).result() != os.getpid()
        assert pool.submit(os.getenv, "COEXIST_MEMORY_LIMIT").result() == "1.500GB"
        assert pool.submit(os.getenv, "COEXIST_THREADS").result() == "2"


def test_a_worker_that_dies_is_an_error_that_says_what_to_do():
    with pytest.raises(IntegrityError, match="COEXIST_MEMORY_LIMIT"), workers.opened(2) as pool:
        pool.submit(os._exit, 1).result()


@pytest.mark.parametrize(("limit", "expected"), [("4GB", "2.000GB"), ("700 MiB", "350.000MiB"), ("80%", "80%")])
def test_memory_is_shared_where_it_can_be(limit, expected):
    assert workers.share(Resources(limit, 1), 2) == {"COEXIST_MEMORY_LIMIT": expected, "COEXIST_THREADS": "1"}


def test_few_steps_are_worth_no_workers():
    assert workers.fitting(6) == 1
    assert workers.fitting(1000) >= 1
