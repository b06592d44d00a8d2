"""The walk on an installation as docs/deploy.md builds it: each process with a role, keys and a host of its own."""

import json
import os
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
from moto.server import ThreadedMotoServer

from config import demo, platforms
from config.visitor import Visitor
from config.walk import PICTURE, Walk, resaved
from moderation.platforms.sandbox import Post
from tests.walk.conftest import multipart, own_redis, wait_until
from tests.walk.production import (
    HOSTS,
    METRICS_TOKEN,
    Installation,
    Proxy,
    installed,
)

pytestmark = [pytest.mark.services, pytest.mark.postgres]
REVIEWERS = ("rowan", "noor", "sage")
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@pytest.fixture
def bucket() -> Iterator[Any]:
    """A bucket at a stand-in for S3."""
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    _host, port = server.get_host_and_port()
    s3 = boto3.resource(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=CREDENTIALS["AWS_DEFAULT_REGION"],
        config=platforms.s3_config(),
    )
    yield s3.create_bucket(Bucket="evidence")
    s3.meta.client.close()
    server.stop()


@pytest.fixture
def installation(bucket: Any, tmp_path: Path) -> Iterator[Installation]:
    endpoint = bucket.meta.client.meta.endpoint_url
    with installed(
        tmp_path,
        server=os.environ["DATABASE_URL"],
        redis=own_redis(),
        bucket={"EVIDENCE_BUCKET": "evidence", "EVIDENCE_ENDPOINT": endpoint},
        credentials=CREDENTIALS,
    ) as it:
        yield it


class ProductionWalk(Walk):
    """The same walk, by four addresses; whoever works here enrols first."""

    def __init__(self, installation: Installation, steps: list[str]) -> None:
        self._installation = installation
        super().__init__(installation, lambda text, seconds: steps.append(text))
        scopes = ["--scope", "content:write", "--scope", "content:read"]
        made = installation.commands(
            ["make_key", "facebook", *scopes, "--name", "Facebook"],
            ["make_key", "nowhere", *scopes, "--name", "Nowhere"],
            *(["make_staff", name, "--pseudonym", name.title()] for name in REVIEWERS),
        )
        self.keys = dict(zip(("facebook", "nowhere"), made[:2], strict=True))
        self._passphrases = dict(zip(REVIEWERS, made[2:], strict=True))

    def visitor(self, face: str) -> Visitor:
        return Visitor(self._installation.site(face), self._installation.proxy)

    def send(self, post: Post) -> None:
        picture = self._stand_in.picture(post)
        self.submit("facebook", post.id, post.account_id, picture)
        self._stand_in.mark_sent(post)

    def submit(self, platform: str, post: str, account: str, picture: bytes) -> None:
        body, kind = multipart(picture, external_id=post, account_id=account)
        answer = self._ask(platform, "", data=body, headers={"Content-Type": kind})
        assert answer["external_id"] == post

    def read(self, post: Post) -> dict[str, Any]:
        return self._ask("facebook", f"{post.id}/")

    def _ask(self, platform: str, path: str, **more: Any) -> dict[str, Any]:
        headers = {
            "Authorization": f"Bearer {self.keys[platform]}",
            **more.pop("headers", {}),
        }
        url = f"{self._installation.site('api')}/api/v1/content/{path}"
        request = urllib.request.Request(url, headers=headers, **more)
        opener = urllib.request.build_opener(self._installation.proxy)
        with opener.open(request, timeout=30) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def sign_in(self, name: str) -> Visitor:
        visitor = self.visitor("staff")
        passphrase = self._passphrases[name]
        page = visitor.get("/staff/login/")
        page = visitor.submit(page, "/staff/login/", login=name, password=passphrase)
        page = visitor.submit(page, "/staff/confirm/", password=passphrase)
        secret = re.search(r'class="code">([A-Z2-7]+)<', page.text)
        assert secret is not None, page.url
        page = self.give_code(visitor, page, "/factors/app/", secret[1])
        page = self.give_code(
            visitor, visitor.get("/staff/"), "/code/confirm/", secret[1]
        )
        self._expect(page.url.endswith("/staff/"), f"the desk of {name}", page)
        return visitor


def test_each_process_does_its_part_in_its_own_zone(
    installation: Installation, bucket: Any
) -> None:
    """One test, because the installation is dear and several processes would each make one."""
    steps: list[str] = []
    walk = ProductionWalk(installation, steps)

    walk.play()

    assert len(steps) == 15
    pictures_lie_in_the_bucket_encrypted(installation, bucket)
    an_order_waits_for_a_platform_that_is_not_there(installation, walk)
    a_face_has_its_own_pages_and_no_others(installation)
    a_session_of_the_console_opens_nothing_elsewhere(installation)
    no_process_was_refused_a_right_or_failed(installation)
    a_face_answers_to_its_own_name_only(installation)


def pictures_lie_in_the_bucket_encrypted(
    installation: Installation, bucket: Any
) -> None:
    kept = [entry.get()["Body"].read() for entry in bucket.objects.all()]
    assert kept
    assert not any(b"JFIF" in data for data in kept)
    assert not (Path(installation.environment["VAR_DIR"]) / "evidence").exists()


def an_order_waits_for_a_platform_that_is_not_there(
    installation: Installation, walk: ProductionWalk
) -> None:
    walk.protect()
    picture = resaved(demo.picture(PICTURE).read_bytes(), 0.5, 80)
    walk.submit("nowhere", "post-1", "lee", picture)
    query = """SELECT work_state, error_code, attempt_count FROM moderation_enforcement enforcement
        JOIN moderation_platform platform ON platform.id = platform_id
        WHERE alias = 'nowhere' AND error_code <> ''"""
    tried = wait_until(lambda: found(installation, query), "the first try")
    assert tried == ("WAITING", "unresolved", 1)


def a_face_has_its_own_pages_and_no_others(installation: Installation) -> None:
    pages = {"hub": "/open/", "staff": "/staff/login/", "api": "/api/v1/match/"}
    for face in HOSTS:
        for owner, path in pages.items():
            is_there = asked(installation, face, path) != 404
            assert is_there == (face == owner), (face, path)
        # Only the console may read what the figures count.
        figures = 200 if face == "staff" else 404
        assert asked(installation, face, "/metrics") == figures, face


def a_session_of_the_console_opens_nothing_elsewhere(
    installation: Installation,
) -> None:
    query = "SELECT session_key FROM django_session WHERE owner_role ~ '^nwmc_staff'"
    (key,) = found(installation, query) or ("",)
    assert key
    cookie = f"__Host-s={key}"
    assert asked(installation, "hub", "/now/", Cookie=cookie) == 302
    assert asked(installation, "api", "/api/v1/docs/", Cookie=cookie) == 401


def no_process_was_refused_a_right_or_failed(installation: Installation) -> None:
    lines = [
        json.loads(line)
        for log in installation.logs.glob("*.log")
        for line in log.read_text().splitlines()
        if line.startswith("{")
    ]
    assert any(line.get("route") == "reviews:decide" for line in lines)
    assert [line for line in lines if line.get("level") in ("error", "critical")] == []
    assert [line for line in lines if line.get("status", 0) >= 500] == []


def a_face_answers_to_its_own_name_only(installation: Installation) -> None:
    ports = installation.ports
    elsewhere = Proxy({HOSTS["hub"]: ports[HOSTS["staff"]]})
    assert asked(installation, "hub", "/", elsewhere) == 400


def found(installation: Installation, query: str) -> tuple[Any, ...] | None:
    """What the owner of the database finds."""
    url = Path(installation.environment["DATABASE_URL_FILE"]).read_text()
    with psycopg.connect(url) as session:
        return session.execute(query).fetchone()


def asked(
    installation: Installation,
    face: str,
    path: str,
    proxy: Proxy | None = None,
    **headers: str,
) -> int:
    """The status, redirects not followed."""
    opener = urllib.request.build_opener(proxy or installation.proxy, StaysHere())
    headers = {"Authorization": f"Bearer {METRICS_TOKEN}", **headers}
    request = urllib.request.Request(installation.site(face) + path, headers=headers)
    try:
        with opener.open(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code


class StaysHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None
