# Everything a bare machine with Python (3.11 or newer) and make needs: `make run`, `make test`.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
CODE   := dripline workflows activities worker.py tests bench
ARGS   ?=

.DEFAULT_GOAL := help
.PHONY: help run test check test-crash test-year bench bench-campaign format migration clean system

help: ## This list.
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(BIN)/.installed ## Install what is missing and start everything, with 200 leads in a dozen journeys.
	@$(BIN)/dripline up --demo $(ARGS)

test: $(BIN)/.installed system check ## Install what is missing, PostgreSQL too, and run every check. CI runs this.

# The one list of checks. The tests come last, so that their closing line does.
check: $(BIN)/.installed ## Format, lint, types, import contracts, journeys, tests (ARGS="-k welcome", ARGS=-n0 one by one).
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/dripline check
	$(BIN)/dripline test
	$(BIN)/pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

test-crash: $(BIN)/.installed system ## The long crash test: kills processes at random for many minutes.
	DRIPLINE_CRASH_TEST=long $(BIN)/pytest -m crash -s $(ARGS)

test-year: $(BIN)/.installed ## The year of a small shop with 2,000 leads, through every journey: some minutes.
	DRIPLINE_YEAR=2000 $(BIN)/pytest -s $(ARGS) tests/year

bench: $(BIN)/.installed ## Measure speed and cost beside a hand-written workflow (ARGS=--quick: 2 minutes).
	$(BIN)/python -m bench $(ARGS)

format: $(BIN)/.installed ## Format the code and fix what ruff can fix.
	$(BIN)/ruff check --fix-only --quiet $(CODE)
	$(BIN)/ruff format $(CODE)

bench-campaign: $(BIN)/.installed ## A campaign over 100,000 leads while events come in, killed in the middle (ARGS="--leads 3000").
	$(BIN)/python -m bench.campaign $(ARGS)

migration: $(BIN)/.installed ## Write the next migration from the schema: NAME="hold messages for review".
	@test -n "$(NAME)" || { echo 'Say what it does: make migration NAME="hold messages for review"' >&2; exit 2; }
	@$(BIN)/python -m dripline.store.migrations.writing $(NAME)
	@$(BIN)/ruff format --quiet dripline/store/migrations/versions

.NOTPARALLEL:

clean: ## Remove the environment and the caches; the store in .dripline/ stays.
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find $(CODE) -name __pycache__ -prune -exec rm -rf {} +

# Made again whenever pyproject.toml changes. pip older than 25.1 does not know dependency groups.
$(BIN)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Dripline needs Python 3.11 or newer; say which: make PYTHON=python3.12" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "On Debian: apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing Dripline and its tools into $(VENV) (a minute or two) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable . --group dev
	@touch $@

# The tests run a PostgreSQL server of their own, from Debian's package where it can be installed.
system:
	@set -e; \
	if command -v postgres >/dev/null || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ]; then sudo=; \
	elif sudo -n true 2>/dev/null; then sudo="sudo -n"; \
	else sudo=no; fi; \
	if [ "$$sudo" = no ] || ! command -v apt-get >/dev/null; then \
		echo "*** PostgreSQL is not installed, and cannot be by this user: its tests will be skipped. ***" >&2; exit 0; \
	fi; \
	echo "Installing PostgreSQL for the tests ..."; \
	$$sudo apt-get update -qq; \
	DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -qq -y --no-install-recommends postgresql >/dev/null
