"""Logs cannot carry what they must not: arguments, messages of exceptions, fields nobody allowed (T-47)."""

import io
import json
import logging

import pytest
import structlog

from config import logs

MARKER = "planted-7f3a9c"


@pytest.fixture
def lines():
    """What a process would print: the real handler on a stream of ours."""
    logs.configure("DEBUG")
    handler = logging.getLogger().handlers[-1]
    out = io.StringIO()
    handler = next(h for h in logging.getLogger().handlers if h.formatter)
    before, handler.stream = handler.stream, out
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    handler.stream = before


def test_our_own_lines_keep_allowed_fields_only(lines):
    structlog.get_logger("moderation.x").info(
        "checked", content=7, caption=MARKER, ip="192.0.2.1"
    )

    (line,) = lines()
    assert line["event"] == "checked"
    assert line["content"] == 7
    assert MARKER not in json.dumps(line)
    assert "192.0.2.1" not in json.dumps(line)


def test_a_library_keeps_its_template_and_loses_its_arguments(lines):
    logging.getLogger("some.package").warning("Could not store %s", MARKER)

    (line,) = lines()
    assert line["event"] == "Could not store %s"
    assert MARKER not in json.dumps(line)


def test_a_library_that_formats_by_itself_is_not_trusted(lines):
    logging.getLogger("some.package").warning(f"Could not store {MARKER} in the table")  # noqa: G004

    assert MARKER not in json.dumps(lines())


def test_an_exception_keeps_its_type_and_place_and_loses_its_message(lines):
    try:
        raise ValueError(f"Key (value)=({MARKER}) already exists.")
    except ValueError:
        logging.getLogger("django.request").exception("Internal Server Error: %s", "/")

    (line,) = lines()
    assert line["exception"].startswith("ValueError at test_logs.py:")
    assert MARKER not in json.dumps(line)


def test_the_request_line_has_no_path_address_or_agent(lines, client, db):
    client.get(
        f"/livez-{MARKER}",
        headers={"user-agent": MARKER},
        REMOTE_ADDR="203.0.113.9",
        query_params={"q": MARKER},
    )

    printed = json.dumps(lines())
    assert '"event": "request"' in printed
    assert MARKER not in printed
    assert "203.0.113.9" not in printed
