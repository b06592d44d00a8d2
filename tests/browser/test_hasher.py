"""Fingerprints made in a real browser: the right ones, and kind words where there is none."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser import device
from tests.browser.device import (
    ASTRONAUT,
    COFFEE,
    ROCKET,
    VECTORS,
    DevicePage,
    as_sent,
    file,
    picture,
    saved,
)
from tests.browser.site import Site

pytestmark = pytest.mark.browser

ORACLE = json.loads((VECTORS / "browser.json").read_text())
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100)


@pytest.fixture
def hub(page: Page, site: Site) -> DevicePage:
    return DevicePage(page, site)


def png_header(width: int, height: int) -> bytes:
    return (
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height) + bytes(99)
    )


def jpeg_header(width: int, height: int) -> bytes:
    camera_data = b"\xff\xe1" + struct.pack(">H", 60_000) + bytes(59_998)
    frame = b"\xff\xc2" + struct.pack(">HBHH", 17, 8, height, width)
    return b"\xff\xd8" + camera_data * 3 + b"\xff" + frame + bytes(99)


def webp_header(form: bytes, size: bytes) -> bytes:
    return b"RIFF" + bytes(4) + b"WEBP" + form + bytes(4) + size + bytes(99)


def bmp_header(width: int, height: int) -> bytes:
    return b"BM" + bytes(16) + struct.pack("<ii", width, height) + bytes(99)


class TestFingerprints:
    def test_equal_the_reference_on_shipped_pictures(self, hub: DevicePage) -> None:
        names, vectors = zip(*ORACLE["skimage"].items(), strict=True)

        made = hub.ready().hashes(*(picture(device.SHIPPED / name) for name in names))

        assert made == as_sent(vectors)

    def test_equal_the_reference_on_every_kind_of_file(self, hub: DevicePage) -> None:
        hub.ready()

        made = {
            name: hub.hashes(picture(VECTORS / "browser" / name))
            for name in ORACLE["browser"]
        }

        wanted = ORACLE["browser"].items()
        assert made == {name: as_sent([vector]) for name, vector in wanted}

    def test_do_not_depend_on_how_rows_arrive(self, hub: DevicePage) -> None:
        made = hub.open().page.evaluate(
            """async () => {
                const { Pdq } = await import("/device/pdq.js");
                const rows = Uint8ClampedArray.from({ length: 4 * 70 * 150 }, (_, i) => (i * i) % 251);
                return [1, 7, 150].map((portion) => {
                    const pdq = new Pdq(70, 150);
                    for (let y = 0; y < 150; y += portion)
                        pdq.add(rows.subarray(280 * y, 280 * Math.min(150, y + portion)));
                    return pdq.finish().hash;
                });
            }"""
        )

        assert len(set(made)) == 1

    def test_of_less_than_five_pixels_have_no_quality(self, hub: DevicePage) -> None:
        made = hub.open().page.evaluate(
            """async () => {
                const { Pdq } = await import("/device/pdq.js");
                const pdq = new Pdq(4, 100);
                pdq.add(Uint8ClampedArray.from({ length: 1600 }, (_, i) => (i * i) % 251));
                return pdq.finish();
            }"""
        )

        assert made == {"hash": "0" * 64, "quality": 0}


class TestTheTestPicture:
    """Some browsers change what a page reads from a canvas."""

    @pytest.mark.parametrize("changed", ["(i * 2654435761) >>> 24", "255"])
    def test_keeps_the_picker_away_where_pictures_are_scrambled(
        self, hub: DevicePage, site: Site, changed: str
    ) -> None:
        site.worker_prefix = reading(changed)

        hub.open()

        expect(hub.trouble).to_contain_text("This browser protects you")
        expect(hub.status).to_be_empty()
        expect(hub.page.locator("input[type=file]")).to_have_count(0)

    def test_allows_noise_that_leaves_fingerprints_right(
        self, hub: DevicePage, site: Site
    ) -> None:
        site.worker_prefix = reading("value ^ (i % 3 === 0)")

        made = hub.ready().hashes(picture(ROCKET))

        known = ORACLE["skimage"]["rocket.jpg"]["hash"]
        assert (int(made[0][:64], 16) ^ int(known, 16)).bit_count() <= 10

    @pytest.mark.parametrize(
        "mistake", ["delete self.OffscreenCanvas;", "throw new Error('no');", "%%%"]
    )
    def test_says_so_where_the_browser_cannot(
        self, hub: DevicePage, site: Site, mistake: str
    ) -> None:
        site.worker_prefix = mistake

        hub.open()

        expect(hub.trouble).to_contain_text("could not start the part")
        expect(hub.page.locator("input[type=file]")).to_have_count(0)

    def test_says_so_where_the_worker_does_not_load(
        self, hub: DevicePage, site: Site
    ) -> None:
        site.has_worker = False

        hub.open()

        expect(hub.trouble).to_contain_text("could not start the part")


def reading(changed: str) -> str:
    return f"""
        const context = OffscreenCanvasRenderingContext2D.prototype;
        const read = context.getImageData;
        context.getImageData = function (...place) {{
            const out = read.apply(this, place);
            for (let i = 0; i < out.data.length; i++) {{
                const value = out.data[i];
                out.data[i] = {changed};
            }}
            return out;
        }};
    """


UNUSABLE = [  # in groups: a HEIC photo, videos, what is no picture, damage, sizes
    (HEIC, "Image {} is in the HEIC format, and this browser could not open it."),
    (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "Video {} has a format"),
    (b"\0\0\0\x08wide\0\0\0\0mdat", "Video {} has a format"),
    (b"\x1aE\xdf\xa3" + bytes(60), "Video {} has a format"),
    (b"Hello, this is text.", "File {} is not an image or video"),
    (b"\xff\xd8", "File {} is not an image or video"),
    (b"", "File {} could not be read."),
    (ROCKET.read_bytes()[:60_000], "File {} could not be read."),
    (COFFEE.read_bytes()[:200_000], "File {} could not be read."),
    (b"\xff\xd8\xff\xe1", "File {} could not be read."),
    (png_header(20_000, 20_000), "Image {} is too big for"),
    (jpeg_header(16_000, 12_000), "Image {} is too big for"),
    (b"GIF89a" + b"\xff" * 4 + bytes(99), "Image {} is too big for"),
    (bmp_header(20_000, -20_000), "Image {} is too big for"),
    (webp_header(b"VP8X", bytes(4) + b"\x00\x40\0" * 2), "Image {} is too big for"),
    (webp_header(b"VP8L", b"\x2f\xff\xff\xff\x0f"), "Image {} is too big for"),
    (webp_header(b"VP8 ", bytes(6) + b"\xff\x3f" * 2), "Image {} is too big for"),
]


class TestAFileThatGivesNone:
    def test_is_told_why_and_does_not_stop_the_others(self, hub: DevicePage) -> None:
        files = [file(data) for data, _ in UNUSABLE]

        said = hub.ready().choose_and_wait(*files, picture(ROCKET))

        total = len(said)
        assert said[-1] == f"Image {total}: fingerprint ready"
        for number, (_, sentence) in enumerate(UNUSABLE, start=1):
            assert said[number - 1].startswith(sentence.format(number))
        expect(hub.title).to_have_text("1 fingerprint is ready")
        expect(hub.status).to_contain_text(f"1 of {total} images ready.")

    def test_may_show_too_little(self, hub: DevicePage) -> None:
        said = hub.ready().choose_and_wait(
            saved(Image.new("RGB", (300, 200), "teal")),
            saved(Image.new("RGBA", (300, 200))),
            saved(Image.new("RGB", (4, 4))),
            saved(Image.effect_noise((63, 200), 90)),
        )

        reasons = ("too little detail", "too little detail", "too small", "too small")
        for sentence, reason in zip(said, reasons, strict=True):
            assert reason in sentence
        expect(hub.title).to_have_text("No fingerprint could be made yet")
        expect(hub.page.locator("#continue")).to_be_hidden()
        expect(hub.page.locator("#more")).to_be_visible()

    def test_may_have_gone_since_it_was_chosen(
        self, hub: DevicePage, tmp_path: Path
    ) -> None:
        chosen = tmp_path / "chosen.jpg"
        chosen.write_bytes(ROCKET.read_bytes())
        hub.ready().page.evaluate(
            """() => document.addEventListener(
                "change", ({ target }) => { window.kept = target.files[0]; }, true)"""
        )
        hub.page.set_input_files("#files", chosen)
        chosen.unlink()

        key = hub.page.evaluate(
            """async () => {
                const { fingerprint } = await import("/device/picture.js");
                return fingerprint(window.kept).catch((refused) => refused.key);
            }"""
        )

        assert key == "F-E.damaged"


class TestThePage:
    def test_counts_the_same_picture_once(self, hub: DevicePage) -> None:
        files = (picture(ROCKET), picture(COFFEE), picture(ROCKET))

        said = hub.ready().choose_and_wait(*files)

        assert said[2] == "Image 3 is the same as image 1. It is counted once."
        expect(hub.title).to_have_text("2 fingerprints are ready")
        hub.page.click("text=Leave out image 1")
        assert hub.sentences.all_inner_texts()[1] == "Image 3: fingerprint ready"

    def test_takes_more_and_sends_what_was_not_left_out(
        self, hub: DevicePage, site: Site
    ) -> None:
        hub.ready().choose_and_wait(picture(ROCKET), picture(COFFEE))
        hub.choose_and_wait(picture(ASTRONAUT))
        hub.page.click("text=Leave out image 2")
        expect(hub.page.locator("button", has_text="Leave out image 3")).to_be_focused()

        hub.send()

        hashes = [value for name, value in site.sent[0].fields if name == "hash"]
        wanted = ("rocket.jpg", "astronaut.png")
        assert hashes == as_sent(ORACLE["skimage"][name] for name in wanted)

    def test_refuses_too_many_at_a_time(self, hub: DevicePage) -> None:
        hub.ready().choose(*[picture(ROCKET)] * 21)

        expect(hub.trouble).to_have_text(
            "Choose at most 20 images at a time. You can add more afterwards."
        )
        expect(hub.sentences).to_have_count(0)
        hub.choose_and_wait(picture(ROCKET))
        expect(hub.trouble).to_be_empty()

    def test_tells_how_far_it_is(self, hub: DevicePage) -> None:
        hub.ready().page.evaluate(
            """() => {
                window.said = [];
                const list = document.getElementById("file-list");
                const note = () => window.said.push(list.querySelector("p").textContent);
                new MutationObserver(note).observe(list, { childList: true, subtree: true });
            }"""
        )

        hub.choose_and_wait(picture(VECTORS / "browser" / "many-stripes.png"))

        said = hub.page.evaluate("window.said")
        percents = [0, 21, 43, 64, 85, 100]
        assert set(said) == {
            *(f"Image 1: working, {percent} percent" for percent in percents),
            "Image 1: fingerprint ready",
        }

    def test_can_be_stopped_while_working(self, hub: DevicePage, site: Site) -> None:
        site.worker_prefix = (
            "addEventListener('message', (e) => e.stopImmediatePropagation());"
        )
        hub.ready().choose(picture(ROCKET), picture(COFFEE))
        expect(hub.sentences.first).to_have_text("Image 1: working, 0 percent")
        expect(hub.sentences.last).to_have_text("Image 2")
        expect(hub.page.locator("#continue")).to_be_hidden()

        hub.page.click("#forget")

        expect(hub.sentences).to_have_count(0)
        expect(hub.title).to_have_text("Choose images")
        expect(hub.page.locator("#choose")).to_be_focused()
        expect(hub.page.locator("input[name=hash]")).to_have_count(0)

    def test_keeps_what_is_ready_when_the_worker_breaks(
        self, hub: DevicePage, site: Site
    ) -> None:
        site.worker_prefix = """
            let seen = 0;
            addEventListener("message", (event) => {
                if (++seen < 2) return;
                event.stopImmediatePropagation();
                throw new Error("out of memory");
            });
        """
        hub.ready().choose(picture(ROCKET), picture(COFFEE))

        expect(hub.trouble).to_contain_text("could not start the part")
        expect(hub.page.locator("#more")).to_be_hidden()
        hub.send()
        assert [name for name, _ in site.sent[0].fields] == [
            "csrfmiddlewaretoken",
            "hash",
        ]

    @pytest.mark.parametrize(("place", "count"), [("#hasher", 1), ("#page", 0)])
    def test_takes_dropped_files_in_its_place_only(
        self, hub: DevicePage, place: str, count: int
    ) -> None:
        is_left_to_the_browser = hub.ready().page.evaluate(
            """(place) => {
                const dataTransfer = new DataTransfer();
                dataTransfer.items.add(new File(["text"], "name.txt"));
                const drop = { dataTransfer, bubbles: true, cancelable: true };
                return document.querySelector(place).dispatchEvent(new DragEvent("drop", drop));
            }""",
            place,
        )

        assert not is_left_to_the_browser
        expect(hub.sentences).to_have_count(count)

    def test_can_be_used_by_everybody(self, hub: DevicePage) -> None:
        report = Axe().run(hub.ready().page)
        assert report.violations_count == 0, report.generate_report()

        hub.choose_and_wait(picture(ROCKET), file(b"text"))

        report = Axe().run(hub.page)
        assert report.violations_count == 0, report.generate_report()

    def test_chooses_the_plural_form_of_the_language(self, hub: DevicePage) -> None:
        made = hub.open().page.evaluate(
            """async () => {
                const { Words } = await import("/static/victims/words.js");
                const template = document.createElement("template");
                const sentence = document.createElement("p");
                sentence.dataset.key = "images";
                for (const form of ["one", "few", "other"]) {
                    const span = document.createElement("span");
                    span.dataset[form] = "";
                    span.textContent = `{n} ${form}`;
                    sentence.append(span);
                }
                template.content.append(sentence);
                const words = new Words(template, "ar-u-nu-latn", ["images"]);
                return [1, 2, 3, 100].map((n) => words.text("images", { n }, n));
            }"""
        )

        assert made == ["1 one", "2 other", "3 few", "100 other"]
