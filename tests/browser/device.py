"""The device page, as a person uses it."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import skimage
from PIL import Image
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.browser.site import Site

SHIPPED = Path(skimage.__file__).parent / "data"
VECTORS = Path(__file__).resolve().parents[1] / "vectors"

ROCKET = SHIPPED / "rocket.jpg"
COFFEE = SHIPPED / "coffee.png"
ASTRONAUT = SHIPPED / "astronaut.png"


def file(data: bytes, name: str = "picture.jpg") -> FilePayload:
    """A chosen file. Its name and type tell nothing true, as often in life."""
    return {"name": name, "mimeType": "image/jpeg", "buffer": data}


def picture(path: Path) -> FilePayload:
    return file(path.read_bytes())


def saved(image: Image.Image, kind: str = "png", **options: object) -> FilePayload:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return file(buffer.getvalue())


@dataclass
class DevicePage:
    page: Page
    site: Site

    def open(self) -> DevicePage:
        self.page.goto(f"{self.site.address}/hasher.html")
        return self

    def ready(self) -> DevicePage:
        self.open()
        expect(self.page.locator("#choose")).to_be_visible()
        return self

    def choose(self, *files: FilePayload) -> None:
        self.page.set_input_files("#files", list(files))

    def choose_and_wait(self, *files: FilePayload) -> list[str]:
        """What the page says of each file once all are answered."""
        self.choose(*files)
        expect(self.title).not_to_have_text("Making fingerprints")
        return self.sentences.all_inner_texts()

    def hashes(self, *files: FilePayload) -> list[str]:
        """What would be sent; nothing is, and the page is as before."""
        self.choose_and_wait(*files)
        values = self.page.evaluate(
            """() => {
                const form = document.getElementById("send");
                form.dispatchEvent(new Event("submit", { cancelable: true }));
                return new FormData(form).getAll("hash");
            }"""
        )
        self.page.click("#forget")
        return list(values)

    def send(self) -> None:
        self.page.click("#continue")
        self.page.wait_for_url("**/send")

    @property
    def title(self) -> Locator:
        return self.page.locator("#title")

    @property
    def status(self) -> Locator:
        return self.page.locator("#status")

    @property
    def trouble(self) -> Locator:
        return self.page.locator("#trouble")

    @property
    def sentences(self) -> Locator:
        return self.page.locator("#file-list p")


def as_sent(vectors: Iterable[dict[str, object]]) -> list[str]:
    return [f"{vector['hash']}:{vector['quality']}:photo" for vector in vectors]
