"""One of several processes that spend the same key's tokens at once; prints how many it got.

The arguments: the database's settings as JSON, the key's id, the burst, the tries. It waits for a line on stdin, so
that all start together.
"""

import json
import os
import sys
from datetime import UTC, datetime

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings_test"

import django
from django.conf import settings

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def main() -> None:
    database, key_id, burst, tries = sys.argv[1:]
    settings.DATABASES["default"] |= json.loads(database)
    django.setup()
    from moderation.models import ApiKey, KeyBudget  # noqa: PLC0415 (after setup)

    key = ApiKey.objects.get(pk=int(key_id))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    got = sum(
        KeyBudget.spend(key, cost=1, rate=1, burst=int(burst), now=NOW) == 0
        for _ in range(int(tries))
    )
    sys.stdout.write(f"{got}\n")


if __name__ == "__main__":
    main()
