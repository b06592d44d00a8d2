# Two commands: `make run` to try it, `make test` to check it.
# Everything they make lies in .venv/ and var/; both may be deleted at any time.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run demo test check quick bench lock words translations clean

PORT ?= 8000
SITE_URL ?= http://localhost:$(PORT)
LOG_LEVEL ?= WARNING
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)

BIN := .venv/bin
# Locked by hash, wheels only: nothing that is installed runs a set-up script (T-50). The lock is the whole answer: what
# a package asks for is in it, or not needed here.
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	--require-hashes --only-binary :all: --no-deps
STAGE = $(BIN)/python -m tests.services.run
PYTEST = $(BIN)/python -m pytest -q -n 2 -p tests.services.spread -p tests.services.nothing_skipped

# Configuration that the caller's shell holds for something else stays out of here.
unexport DATABASE_URL REDIS_URL DEBUG FACE VAR_DIR EVIDENCE_BUCKET REAL_CASES
unexport SECRET_KEY DJANGO_SETTINGS_MODULE PYTHONPATH
run demo bench: export EMBEDDED := 1
run demo bench: export SITE_URL := $(SITE_URL)
run demo bench: export LOG_LEVEL := $(LOG_LEVEL)
run: export PATH := $(CURDIR)/$(BIN):$(PATH)

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

run: .venv/demo.stamp translations ## start the demo on http://localhost:8000 (PORT=…)
	@$(BIN)/python -c 'import socket; socket.create_server(("127.0.0.1", $(PORT)))' \
		2>/dev/null || { echo "Port $(PORT) is taken. Try: make run PORT=8001" >&2; exit 1; }
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py collectstatic --no-input --verbosity 0
	@$(BIN)/python manage.py setup_demo
	@$(BIN)/honcho -e /dev/null start -p $(PORT)

demo: .venv/demo.stamp translations ## play the whole walk once and print each step
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py demo

test: .venv/dev.stamp translations ## run every test, on SQLite and on PostgreSQL with Redis
	@$(BIN)/python -m tests.services.provide
	@$(STAGE) -- $(PYTEST) -m "not postgres and not services"
	@$(STAGE) --production -- $(PYTEST) -p tests.services.on_database

check: .venv/dev.stamp translations ## format, lint, imports, types, migrations, quick tests
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/mypy .
	@$(BIN)/python manage.py makemigrations --check --dry-run --settings config.settings_test
	@# In `make check test` the second goal runs these too.
	@$(if $(filter test,$(MAKECMDGOALS)),true,$(MAKE) --no-print-directory quick)

quick: .venv/dev.stamp translations ## the tests that need no server and no browser, on SQLite
	@$(STAGE) -- $(PYTEST) -m "not postgres and not services and not browser and not milvus" tests

bench: .venv/dev.stamp ## measure; the figures in docs/ come from here
	@$(BIN)/python -m benchmarks

lock: ## resolve requirements*.in anew (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv: https://docs.astral.sh/uv/" >&2; exit 1; }
	@# A week of quarantine: most poisoned releases are found and pulled within days.
	@for name in requirements requirements-demo requirements-dev requirements-milvus requirements-exchange; do \
		uv pip compile --quiet --universal --generate-hashes --exclude-newer "7 days" \
		--no-header --no-annotate --no-emit-index-url --python-version 3.11 \
		$$(test $$name != requirements-exchange || echo --no-deps) \
		$$name.in --output-file $$name.txt || exit 1; done

words: .venv/dev.stamp ## gather new sentences into locale/, to be translated (needs gettext)
	@command -v xgettext >/dev/null || { echo "make words needs gettext: apt-get install gettext" >&2; exit 1; }
	@$(BIN)/python manage.py makemessages --settings config.settings_test --locale es --locale ur \
		--ignore .venv --ignore var --ignore tests --no-wrap --no-obsolete --add-location file

clean: ## delete what runs and tools left: the demo's data, keys and caches
	@rm -rf var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

translations:
	@if find locale -name '*.po' 2>/dev/null | grep -q .; then \
		$(BIN)/pybabel --quiet compile --domain django --directory locale; fi

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "This project needs Python 3.11 or newer, and found none." \
		"Install one, or name it: make run PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "$(PYTHON) cannot make a virtual" \
		"environment. On Debian or Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; }

# The clients of exchanges ask for packages that have no wheels and that they do not use here.
EXCHANGE = $(PIP_INSTALL) -r requirements-exchange.txt

.venv/demo.stamp: requirements-demo.txt requirements-exchange.txt | .venv/bin/python
	@echo "Installing the locked packages for the demo; the first time takes a minute."
	@$(PIP_INSTALL) -r $<
	@$(EXCHANGE)
	@touch $@

.venv/dev.stamp: requirements-dev.txt requirements-exchange.txt | .venv/bin/python
	@echo "Installing the locked packages for the tests; the first time takes two minutes."
	@$(PIP_INSTALL) -r $<
	@$(EXCHANGE)
	@touch $@ .venv/demo.stamp
