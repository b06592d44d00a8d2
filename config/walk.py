"""The whole walk through the doors that people use: hub, API, console, appeals. For ``manage.py demo``."""

import io
import json
import re
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from PIL import Image

from config import demo
from config.stack import Stack
from config.visitor import Page, Visitor
from moderation import hashing
from moderation.media import decode
from moderation.platforms import client
from moderation.platforms.sandbox import Post, Sandbox

PIN = "quiet harbour 77"
PICTURE = "chelsea.png"
APPEAL_WORDS = "It is a picture of a cat."
_WAIT_SECONDS = 90


class WalkBroken(Exception):  # noqa: N818
    """A step did not end as it must."""


class Walk:
    """One play of the walk on a running installation. ``say`` gets each step's text and its seconds.

    How the doors are reached is in ``visitor``, ``send``, ``read`` and ``sign_in``.
    """

    def __init__(self, stack: Stack, say: Callable[[str, float], None]) -> None:
        self._stack = stack
        self._say = say
        self._stand_in = Sandbox(alias="facebook", folder=str(stack.logs / "sandbox"))
        self._original = demo.picture(PICTURE).read_bytes()
        self._person = self.visitor("hub")
        self.number = ""

    def visitor(self, face: str) -> Visitor:
        """Somebody new at one face; here all of them have one address."""
        return Visitor(self._stack.url)

    def send(self, post: Post) -> None:
        client.send(self._stand_in, post, self._stack.url)

    def read(self, post: Post) -> dict[str, Any]:
        """What the API says became of a post."""
        request = urllib.request.Request(  # noqa: S310 (our own address)
            f"{self._stack.url}/api/v1/content/{post.id}/",
            headers={"Authorization": f"Bearer {self._stand_in.key}"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            found: dict[str, Any] = json.load(answer)
        return found

    def sign_in(self, name: str) -> Visitor:
        """A member of staff at their desk."""
        logins = self._stack.logs / "demo-logins.json"
        login = json.loads(logins.read_text(encoding="utf-8"))[name]
        visitor = self.visitor("staff")
        page = visitor.get("/staff/login/")
        page = visitor.submit(
            page, "/staff/login/", login=name, password=login["passphrase"]
        )
        page = self.give_code(visitor, page, "/staff/code/", login["secret"])
        self._expect(page.url.endswith("/staff/"), f"the desk of {name}", page)
        return visitor

    def give_code(self, visitor: Visitor, page: Page, form: str, secret: str) -> Page:
        """Twice if need be: the code may change between reading and sending it."""
        for _ in range(2):
            code = demo.code_for(secret, datetime.now(UTC))
            page = visitor.submit(page, form, code=code)
            if form not in page.url:
                break
        return page

    def play(self) -> None:
        """
        :raises WalkBroken: at the first step that did not end as it must.
        """
        self.protect()
        post = self.post("alex", 0.6, 70)
        self.hold(post)
        self._review("rowan")
        self._await(
            post, "REMOVED", "The removal reaches the platform and is confirmed"
        )
        self._approve("noor")
        self._await_account("alex", "DISABLED")
        self._appeal("alex")
        self._decide_appeal("sage")
        self._await(post, "VISIBLE", "The post is back")
        self._await_account("alex", "ACTIVE")
        again = self.post("alex", 0.6, 70)
        self._settled(
            again, "VISIBLE", "The same post again stays visible: it is excepted"
        )
        other = self.post("sam", 0.5, 40)
        self._await(
            other,
            "HELD",
            "Another copy by somebody else is still found: the fingerprint stays",
        )
        self._withdraw()
        free = self.post("kim", 0.8, 60)
        self._settled(
            free, "VISIBLE", "After the withdrawal a new copy is no longer looked for"
        )
        with self._step("The record of every deed is whole"):
            self._stack.manage("verify_audit")

    # c. A person and their case

    def protect(self) -> None:
        with self._step(
            "A person makes a fingerprint and opens a case (only the fingerprint is sent)"
        ):
            made = hashing.pdq(decode(self._original).pixels)
            page = self._person.get("/question/?way=not_yet")
            page = self._person.submit(page, "/question/", answer="no")
            page = self._person.submit(
                page,
                "/make/",
                hash=f"{made.hash.hex()}:{made.quality}:photo",
                adult="on",
                me="on",
                no_consent="on",
                kind="own",
                pin=PIN,
            )
            groups = re.findall(r"<span>([0-9A-Z]{4,6})</span>", page.text)
            self._expect(bool(groups), "the case number", page)
            self.number = "".join(groups)

    def _withdraw(self) -> None:
        with self._step(
            "The person opens the case with number and PIN, and stops and deletes it"
        ):
            visitor = self.visitor("hub")
            page = visitor.get("/open/")
            page = visitor.submit(page, "/open/", number=self.number, pin=PIN)
            page = visitor.submit(page, "/ready/")
            self._expect("/now/" in page.url, "the status page", page)
            page = visitor.submit(visitor.get("/stop/"), "/stop/", pin=PIN)
            self._expect("/stopped/" in page.url, "the end of the case", page)

    # a, b. The stand-in posts, and the hub finds

    def post(self, account: str, scale: float, quality: int) -> Post:
        data = resaved(self._original, scale, quality)
        post = self._stand_in.publish(
            account_id=account,
            picture=data,
            caption="look at this",
            now=datetime.now(UTC),
        )
        self.send(post)
        return post

    def hold(self, post: Post) -> None:
        text = "A copy, re-saved and smaller, is posted; found and hidden"
        self._await(post, "HELD", text)

    def _state(self, post: Post) -> str:
        return next(row.state for row in self._stand_in.posts() if row.id == post.id)

    def _await(self, post: Post, state: str, text: str) -> None:
        with self._step(text):
            until(lambda: self._state(post) == state, text)

    def _settled(self, post: Post, state: str, text: str) -> None:
        """Wait until the check is done, then look: nothing may have happened."""
        with self._step(text):
            until(lambda: self.read(post)["state"] == "checked", text)
            if self._state(post) != state:
                raise WalkBroken(text)

    def _await_account(self, account: str, state: str) -> None:
        text = f"The account is {state.lower()} on the platform"
        with self._step(text):
            until(lambda: _account_state(self._stand_in, account) == state, text)

    # d. Reviewers

    def _review(self, name: str) -> None:
        with self._step(
            "A reviewer signs in with a second factor, takes the flag, looks, decides"
        ):
            visitor = self.sign_in(name)
            page = visitor.submit(visitor.get("/staff/"), "/staff/next/")
            policies = re.findall(r'name="policy" value="(\d+)"', page.text)
            self._expect(bool(policies), "the flag", page)
            self._see(visitor, page)
            page = visitor.submit(
                page,
                "/answer/",
                policy=policies[0],
                account="PROPOSED",
                facts="The picture that the statement is about, smaller.",
                reasoning="There is a statement that there was no consent to this post.",
            )
            self._expect(page.url.endswith("/staff/"), "the decision", page)

    def _see(self, visitor: Visitor, page: Page) -> None:
        """The blurred, grey copy that the item page shows."""
        source = re.search(r'src="([^"]*/picture/)"', page.text)
        self._expect(source is not None, "the blurred picture", page)
        if source:
            shown = visitor.fetch(source[1])
            if shown[:4] != b"RIFF" or self._original in shown:
                raise WalkBroken("The reviewer was not shown a derivative.")

    def _approve(self, name: str) -> None:
        with self._step("A second reviewer agrees that the account is disabled"):
            visitor = self.sign_in(name)
            page = visitor.submit(visitor.get("/staff/approvals/"), "/approve/")
            self._expect(page.status == 200, "the approval", page)

    # e. The appeal

    def _appeal(self, account: str) -> None:
        with self._step(
            "The account reads its statement of reasons and asks for a second look"
        ):
            link = until(
                lambda: appeal_link(self._stand_in, account), "the statement of reasons"
            )
            visitor = self.visitor("appeals")
            page = visitor.submit(visitor.get(str(link)), "/again/")
            self._expect("The decision of" in page.text, "the decision", page)
            page = visitor.get("/again/why/")
            page = visitor.submit(
                page,
                "/again/why/",
                ground="NOT_INTIMATE",
                words=APPEAL_WORDS,
            )
            self._expect("We have your appeal" in page.text, "the receipt", page)

    def _decide_appeal(self, name: str) -> None:
        with self._step("A third reviewer, who took no part, changes the decision"):
            visitor = self.sign_in(name)
            page = visitor.submit(
                visitor.get("/staff/appeals/"), "/staff/appeals/next/"
            )
            page = visitor.submit(
                page,
                "/answer/",
                outcome="OVERTURNED",
                reasoning="It shows a cat and nobody else.",
            )
            self._expect(
                page.status == 200 and "/answer/" not in page.url, "the outcome", page
            )

    # What steps are made of

    @contextmanager
    def _step(self, text: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self._say(text, time.perf_counter() - began)

    def _expect(self, is_so: bool, what: str, page: Page) -> None:
        if not is_so:
            raise WalkBroken(f"No {what} at {page.url} (status {page.status}).")


def until(look: Callable[[], object], what: str) -> object:
    """What ``look`` gives once it is true.

    :raises WalkBroken: if it is not within the time that anything here may take.
    """
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise WalkBroken(f"It never came: {what}.")


def appeal_link(stand_in: Sandbox, account: str) -> str:
    """The way to an appeal from the account's newest statement of reasons; empty if there is none yet."""
    for message in stand_in.inbox(account):
        found = re.search(r"https?://[^\s]+/again/[^\s,]+", message.body)
        if found:
            return found[0]
    return ""


def _account_state(stand_in: Sandbox, account_id: str) -> str:
    account = stand_in.account(account_id)
    return account.state if account else ""


def resaved(picture: bytes, scale: float, quality: int) -> bytes:
    """What a messenger makes of a picture: smaller, JPEG, other bytes."""
    with Image.open(io.BytesIO(picture)) as image:
        size = (int(image.width * scale), int(image.height * scale))
        out = io.BytesIO()
        image.convert("RGB").resize(size).save(out, "JPEG", quality=quality)
        return out.getvalue()


def scratch(folder: Path) -> Path:
    """A folder for one play, beside the demonstration's own data."""
    return folder / f"walk-{datetime.now(UTC):%Y%m%d-%H%M%S}"
