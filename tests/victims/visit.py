"""What a browser sends to the hub."""

from django.urls import reverse

from tests.victims.factories import PIN, fingerprint

FORM = "application/x-www-form-urlencoded"


def sending(*seeds, **changed):
    return {
        "hash": [f"{fingerprint(seed)}:80:photo" for seed in seeds or (1,)],
        "adult": "on",
        "me": "on",
        "no_consent": "on",
        "kind": "own",
        "pin": PIN,
        "words": "",
    } | changed


def post(client, name, data, **more):
    """As a browser posts a plain form."""
    address = reverse(f"victims:{name}")
    body = "&".join(
        f"{key}={one}"
        for key, value in {"csrfmiddlewaretoken": "x", **data}.items()
        for one in (value if isinstance(value, list) else [value])
    )
    return client.post(address, body.replace(" ", "+"), content_type=FORM, **more)
