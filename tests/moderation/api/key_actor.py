"""Another process of the API: for each line on stdin it asks with the key that it was given, and prints the status."""

import os
import sys

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

import django
from django.conf import settings


def main() -> None:
    settings.ALLOWED_HOSTS = ["*"]
    django.setup()
    from django.test import Client  # noqa: PLC0415 (after setup)

    for _ in sys.stdin:
        response = Client().get(
            "/api/v1/content/unknown/",
            headers={"Authorization": f"Bearer {sys.argv[1]}"},
        )
        sys.stdout.write(f"{response.status_code}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
