"""The pages of the stand-ins: somebody else's service, played on this machine. They see none of the hub's data."""

import re
import threading
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from moderation.forms import PublishForm
from moderation.platforms import PlatformError, get_platform
from moderation.platforms.client import send
from moderation.platforms.resaved import resaved
from moderation.platforms.sandbox import Account, Message, Post, Sandbox

# Marks that turn the reading direction: a text with them must not look like another text (T-42).
_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_IMAGES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG": "image/png", b"GIF8": "image/gif"}

_sending = threading.Lock()


@login_not_required
@require_safe
def stand_in(request: HttpRequest, alias: str) -> HttpResponse:
    return _page(request, _sandbox(alias), PublishForm())


@login_not_required
@require_POST
def publish(request: HttpRequest, alias: str) -> HttpResponse:
    sandbox = _sandbox(alias)
    form = PublishForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, sandbox, form)
    picture = form.cleaned_data["picture"].read()
    try:
        _publish(
            sandbox, form.cleaned_data["account"], form.cleaned_data["caption"], picture
        )
    except PlatformError as error:
        messages.error(request, _words_for(error.code))
    return redirect("sandbox:stand_in", alias=alias)


@login_not_required
@require_POST
def repost(request: HttpRequest, alias: str, number: int) -> HttpResponse:
    sandbox = _sandbox(alias)
    post = _post(sandbox, number)
    try:
        again = resaved(sandbox.picture(post))
        _publish(sandbox, post.account_id, post.caption, again)
    except PlatformError as error:
        messages.error(request, _words_for(error.code))
    return redirect("sandbox:stand_in", alias=alias)


@login_not_required
@require_POST
def send_again(request: HttpRequest, alias: str, number: int) -> HttpResponse:
    sandbox = _sandbox(alias)
    try:
        _send(sandbox, _post(sandbox, number))
    except PlatformError as error:
        messages.error(request, _words_for(error.code))
    return redirect("sandbox:stand_in", alias=alias)


@login_not_required
@require_POST
def switch(request: HttpRequest, alias: str) -> HttpResponse:
    sandbox = _sandbox(alias)
    sandbox.set_down(not sandbox.is_down)
    return redirect("sandbox:stand_in", alias=alias)


@login_not_required
@require_safe
def picture(request: HttpRequest, alias: str, number: int) -> HttpResponse:
    """The picture of a post that is shown now; of no other."""
    sandbox = _sandbox(alias)
    post = _post(sandbox, number)
    if not post.is_shown:
        raise Http404
    data = sandbox.picture(post)
    kind = _kind(data)
    if kind is None:
        raise Http404
    return HttpResponse(data, content_type=kind)


def _publish(sandbox: Sandbox, account: str, caption: str, picture: bytes) -> None:
    post = sandbox.publish(
        account_id=account, picture=picture, caption=caption, now=timezone.now()
    )
    _send(sandbox, post)


def _send(sandbox: Sandbox, post: Post) -> None:
    # In the all-in-one process this request waits for another one to the same process: if all its threads did so at
    # once, nobody would be left to answer.
    if not _sending.acquire(blocking=False):
        raise PlatformError("sending", retryable=True)
    try:
        send(sandbox, post)
    finally:
        _sending.release()


def _page(request: HttpRequest, sandbox: Sandbox, form: PublishForm) -> HttpResponse:
    context = {
        "alias": sandbox.alias,
        "others": [alias for alias in settings.PLATFORMS if alias != sandbox.alias],
        "is_down": sandbox.is_down,
        "posts": [_shown(sandbox, post) for post in sandbox.posts()],
        "accounts": [_held(sandbox, account) for account in sandbox.accounts()],
        "form": form,
    }
    status = 422 if form.errors else 200
    return render(request, "sandbox/stand_in.html", context, status=status)


def _shown(sandbox: Sandbox, post: Post) -> dict[str, Any]:
    is_picture = post.is_shown and _kind(sandbox.picture(post)) is not None
    return {
        "post": post,
        "caption": plain(post.caption),
        "is_picture": is_picture,
        "has_actions": bool(post.picture) and post.state != "DELETED",
    }


def _held(sandbox: Sandbox, account: Account) -> dict[str, Any]:
    letters = [
        {"subject": plain(one.subject), "at": one.at, "parts": parts(one)}
        for one in sandbox.inbox(account.id)
    ]
    return {"account": account, "letters": letters}


def parts(message: Message) -> list[dict[str, str]]:
    """The body in pieces. Only the way to an appeal becomes a link; any other address stays text."""
    way = re.escape(f"{settings.APPEALS_URL}/again/") + r"[A-Za-z0-9_-]{20,100}/"
    pieces = re.split(f"({way})", message.body)
    return [
        {"text": plain(text), "href": text if index % 2 else ""}
        for index, text in enumerate(pieces)
        if text
    ]


def plain(text: str) -> str:
    return _TURNS.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)


def _kind(data: bytes) -> str | None:
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    return next(
        (kind for start, kind in _IMAGES.items() if data.startswith(start)), None
    )


def _sandbox(alias: str) -> Sandbox:
    try:
        adapter = get_platform(alias)
    except PlatformError:
        raise Http404 from None
    if not isinstance(adapter, Sandbox):
        raise Http404
    return adapter


def _post(sandbox: Sandbox, number: int) -> Post:
    post = sandbox.post(number)
    if post is None or not post.picture:
        raise Http404
    return post


def _words_for(code: str) -> str:
    words = {
        "account_not_active": _("This account is disabled, so it cannot post."),
        "no_key": _("This stand-in has no key yet. Run: manage.py setup_demo"),
        "sending": _(
            "Another post is being sent just now. This one is kept here: send it again."
        ),
        "hub_unreachable": _(
            "The hub did not answer. The post is kept here: send it again."
        ),
    }
    return words.get(code) or _("That did not work: %(code)s") % {"code": code}
