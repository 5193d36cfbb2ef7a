"""An S3 server on loopback for tests, in a process of its own that can be killed."""

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import boto3

KEY, SECRET = "AKIAEXAMPLE", "geheim-4711-0815"
BUCKET = "deliveries"


def environment(port):
    """Where the storage is and who asks, as every tool of S3 reads it from the environment."""
    return {
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "eu-central-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
    }


@contextmanager
def served(folder, port, **environment):
    """An S3 server (moto) in a process of its own, with the bucket."""
    with (Path(folder) / "moto.log").open("wb") as told:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=told,
            stderr=told,
            env=os.environ | environment,
        )
        try:
            until_it_answers(port)
            yield process
        finally:
            process.kill()
            process.wait()


def until_it_answers(port):
    for _ in range(600):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the S3 server did not start")


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def bucket():
    """A client of another make, for the bucket it has made."""
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return client
