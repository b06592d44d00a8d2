"""A real S3 server (moto) for the evidence tests."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from config import platforms


@pytest.fixture(scope="session")
def s3_config():
    return platforms.s3_config()


@pytest.fixture(scope="session")
def s3_endpoint(s3_config) -> Iterator[str]:
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    _host, port = server.get_host_and_port()
    endpoint = f"http://127.0.0.1:{port}"
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        region_name="us-east-1",
        config=s3_config,
    )
    client.create_bucket(Bucket="evidence")
    yield endpoint
    client.close()
    server.stop()


@pytest.fixture
def chelsea(pictures: Path) -> bytes:
    return (pictures / "chelsea.png").read_bytes()
