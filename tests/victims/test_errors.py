"""Error pages: on every face they say what to do, lead to help, and need nothing that may be broken."""

import pytest
from django.db import OperationalError, connection
from django.template.loader import render_to_string
from django.test import Client, RequestFactory

FACES = ["urls", "urls_hub", "urls_appeals", "urls_staff", "urls_api"]
ERRORS = ["400", "403", "404", "413", "415", "500"]


@pytest.mark.parametrize("face", FACES)
def test_a_wrong_address_leads_to_help_and_out(db, client, settings, face):
    settings.ROOT_URLCONF = f"config.{face}"

    response = client.get("/no-such-page/")

    text = response.content.decode()
    assert response.status_code == 404
    assert "<title>Help and support</title>" in text
    has_hub = face in ("urls", "urls_hub")
    out = "/leave/" if has_hub else settings.EXIT_URL
    assert f'id="exit" href="{out}"' in text
    assert ('href="/help/"' if has_hub else f'href="{settings.HUB_URL}/help/"') in text


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_has_a_heading_and_one_way_on(settings, name):
    text = render_to_string(f"errors/{name}.html", {}, RequestFactory().get("/"))

    assert text.count("<h1") == 1
    assert text.count('class="button" ') == 1


def test_an_error_of_ours_is_said_while_the_database_is_down(db, settings):
    def down(*_):
        raise OperationalError

    client = Client(raise_request_exception=False)
    client.cookies[settings.SESSION_COOKIE_NAME] = "a" * 32
    with connection.execute_wrapper(down):
        response = client.get("/about/")

    assert response.status_code == 500
    assert b"Something went wrong on our side." in response.content
