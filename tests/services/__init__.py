"""Real PostgreSQL, Redis and Chromium for `make test`."""
