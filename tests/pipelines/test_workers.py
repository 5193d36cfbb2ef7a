import os
import signal
import subprocess
import sys
import time

import pytest

from pipelines import workers
from pipelines.errors import IntegrityError
from pipelines.resources import Resources


def test_one_worker_is_this_process():
    with workers.opened(1) as pool:
        assert pool.submit(os.getpid).result() == os.getpid()


def test_several_are_other_processes_with_their_share(monkeypatch):
    monkeypatch.setenv("COEXIST_MEMORY_LIMIT", "3GB")
    monkeypatch.setenv("COEXIST_THREADS", "4")

    with workers.opened(2) as pool:
        assert pool.submit(os.getpid).result() != os.getpid()
        assert pool.submit(os.getenv, "COEXIST_MEMORY_LIMIT").result() == "1500000000B"
        assert pool.submit(os.getenv, "COEXIST_THREADS").result() == "2"


def test_a_worker_that_dies_is_an_error_that_says_what_to_do():
    with pytest.raises(IntegrityError, match="COEXIST_MEMORY_LIMIT"), workers.opened(2) as pool:
        pool.submit(os._exit, 1).result()


STARTER = """
import os, time
from pipelines import workers

if __name__ == "__main__":
    with workers.opened(2) as pool:
        print(*{pool.submit(os.getpid).result() for _ in range(4)}, flush=True)
        time.sleep(60)
"""


def test_workers_end_with_the_process_that_started_them_even_when_it_is_killed(tmp_path):
    script = tmp_path / "starter.py"
    script.write_text(STARTER, encoding="utf-8")
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True) as starter:
        workers_of_it = [int(pid) for pid in starter.stdout.readline().split()]
        assert workers_of_it
        starter.send_signal(signal.SIGKILL)

    until = time.monotonic() + 20
    while any(map(is_running, workers_of_it)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(map(is_running, workers_of_it))


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_memory_is_shared():
    assert workers.share(Resources(700, 1), 2) == {"COEXIST_MEMORY_LIMIT": "350B", "COEXIST_THREADS": "1"}


def test_few_steps_are_worth_no_workers():
    assert workers.fitting(6) == 1
    assert workers.fitting(1000) >= 1
