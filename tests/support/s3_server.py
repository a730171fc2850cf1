"""A real S3-compatible server in a process of its own: moto's."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import urlopen

BUCKET = "films"


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        port: int = opened.getsockname()[1]
        return port


@contextmanager
def s3_server(port: int | None = None) -> Iterator[dict[str, str]]:
    """A server with an empty bucket; gives what the environment must say to reach it."""
    port = port or free_port()
    url = f"http://127.0.0.1:{port}"
    program = "from moto.server import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await(url, process)
        environment = {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "a-key-that-is-shown-nowhere",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        make_bucket(environment)
        yield environment
    finally:
        process.kill()
        process.wait()


def make_bucket(environment: dict[str, str]) -> None:
    """Make the bucket, as its owner would."""
    import boto3

    boto3.client(
        "s3",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_DEFAULT_REGION"],
    ).create_bucket(Bucket=BUCKET)


def _await(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert process.poll() is None, "the server ended"
        try:
            urlopen(f"{url}/moto-api/", timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the server did not start")
