"""A visitor without a browser: cookies, pages, forms. The demo walks with it through the same doors as people."""

import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar


class NoSuchForm(Exception):  # noqa: N818
    """The page has no form that goes there."""


@dataclass
class Form:
    action: str
    method: str = "get"
    fields: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Page:
    status: int
    url: str
    text: str

    @property
    def forms(self) -> list[Form]:
        reader = _FormReader()
        reader.feed(self.text)
        return reader.forms

    def form(self, part: str) -> Form:
        """The first form whose action contains ``part``.

        :raises NoSuchForm: if there is none.
        """
        for form in self.forms:
            action = urllib.parse.urljoin(self.url, form.action)
            if form.method == "post" and part in action:
                return form
        raise NoSuchForm(f"{self.url} has no form to {part}.")


class Visitor:
    """One person's cookies on one site; ``handlers`` are for a site that is not reached by its name."""

    def __init__(self, site: str, *handlers: urllib.request.BaseHandler) -> None:
        self.site = site
        self._open = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(CookieJar()), *handlers
        ).open

    def get(self, path: str) -> Page:
        return self._page(
            urllib.request.Request(urllib.parse.urljoin(self.site, path))  # noqa: S310
        )

    def fetch(self, path: str) -> bytes:
        """What a picture's address answers with."""
        request = urllib.request.Request(  # noqa: S310
            urllib.parse.urljoin(self.site, path),
            headers={"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "image"},
        )
        with self._open(request, timeout=30) as answer:
            data: bytes = answer.read()
        return data

    def submit(self, page: Page, part: str, **answers: str | list[str] | None) -> Page:
        """Send a form of the page with these answers in place of its own; ``None`` leaves a field out."""
        form = page.form(part)
        fields = [pair for pair in form.fields if pair[0] not in answers]
        for name, answer in answers.items():
            values = answer if isinstance(answer, list) else [answer]
            fields += [(name, value) for value in values if value is not None]
        request = urllib.request.Request(  # noqa: S310
            urllib.parse.urljoin(page.url, form.action),
            data=urllib.parse.urlencode(fields).encode(),
            headers={"Origin": self.site, "Referer": page.url},
        )
        return self._page(request)

    def _page(self, request: urllib.request.Request) -> Page:
        try:
            with self._open(request, timeout=30) as answer:
                return Page(answer.status, answer.url, answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Page(error.code, request.full_url, error.read().decode())


class _FormReader(HTMLParser):
    """Collects forms with what their fields hold, as a browser would send them untouched."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(
                Form(found.get("action", ""), found.get("method", "get").lower())
            )
            self._inside = True
        elif tag == "input" and self._inside and found.get("name"):
            kind = found.get("type", "text")
            unticked = kind in ("radio", "checkbox") and "checked" not in found
            if not unticked and kind not in ("submit", "button", "file"):
                default = "on" if kind == "checkbox" else ""
                value = found.get("value", default)
                self.forms[-1].fields.append((found["name"], value))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
