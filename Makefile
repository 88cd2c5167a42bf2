# Two commands: `make run` serves the ledger, `make test` checks everything. `make help` lists the rest.
# PYTHON chooses an interpreter; PORT, WORKERS, DEMO, DONPOSITIF_HOME and the other settings pass through the environment.

.POSIX:
.SUFFIXES:
.PHONY: help install install-test install-node install-localstripe run test bench lock format clean
.DEFAULT_GOAL := help

PYTHON ?= python3.14 python3.13 python3.12 python3.11 python3 python
PYTEST_ARGS ?=
# A file's tests stay in one process, which has a PostgreSQL of its own. Tests wait for servers to
# start and stop: one process more than there are cores keeps all of them busy.
PYTEST_WORKERS ?= $$(( $$(getconf _NPROCESSORS_ONLN) + 1 ))
UV ?= uv
BIN = .venv/bin
LOCALSTRIPE = tests/stripe/.localstripe
PIP = PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip --quiet
LOCK = $(UV) pip compile pyproject.toml --group build --universal --python-version 3.11 \
	--generate-hashes --no-header --quiet

help:
	@echo 'make run      install what is missing, then serve on http://127.0.0.1:8000'
	@echo '              (PORT=, WORKERS=, DEMO=0, DONPOSITIF_HOME=, DATABASE_URL=)'
	@echo 'make install  create .venv and install the pinned dependencies (PYTHON=python3.12)'
	@echo 'make test     lint, types and every test (PYTEST_ARGS="-k name", PYTEST_WORKERS=0)'
	@echo 'make install-node  judges of badges and cards by others, for the tests (where Node.js is)'
	@echo 'make install-localstripe  another double of Stripe by others, for the tests'
	@echo 'make bench    measure, print a table, write benchmarks/latest.json'
	@echo 'make format   rewrite the code in its one layout'
	@echo 'make lock     resolve the dependencies again (needs uv: UV=path)'
	@echo 'make clean    remove .venv and caches; the data of DONPOSITIF_HOME stay'

install: .venv/installed

install-test: .venv/installed-test

# Other people's programs: a verifier of badges, and Stripe's command line. Without one of them the
# tests say loudly what nobody else judged. Both come whole from the registry: no script of theirs runs.
install-node:
	@if ! command -v npm >/dev/null; then echo 'No Node.js: our own code alone will judge our work' >&2; \
	else for at in tests/badge tests/stripe; do \
		cmp -s $$at/package-lock.json $$at/node_modules/.installed || { \
		echo "Installing another judge into $$at"; \
		(cd $$at && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && \
			cp package-lock.json node_modules/.installed) || \
		echo "npm could not install it: our own code alone will judge $$at" >&2; }; \
	done; fi

# Another double of Stripe, by other people, in an environment of its own: nothing here imports it.
install-localstripe: .venv/bin/python
	@cmp -s .requirements/localstripe.txt $(LOCALSTRIPE)/installed || { \
		echo 'Installing a second opinion on cards'; \
		.venv/bin/python -m venv --clear $(LOCALSTRIPE) && \
		$(LOCALSTRIPE)/bin/python -m pip --quiet install --require-hashes -r .requirements/build.txt && \
		$(LOCALSTRIPE)/bin/python -m pip --quiet install --require-hashes --no-build-isolation \
			-r .requirements/localstripe.txt && \
		cp .requirements/localstripe.txt $(LOCALSTRIPE)/installed || \
		echo 'It could not be installed: our own double alone will judge cards' >&2; }

run: install
	@exec $(BIN)/donpositif serve

test: install-test install-node install-localstripe
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@# Commands are started by the hundred: each would compile the whole house anew.
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(PYTEST_WORKERS) --maxprocesses 4 --dist loadfile $(PYTEST_ARGS)

bench: install-test
	@exec $(BIN)/python -m benchmarks

format: install-test
	$(BIN)/ruff check --fix --exit-zero --quiet .
	$(BIN)/ruff format .

lock:
	$(LOCK) --upgrade --output-file .requirements/run.txt
	$(LOCK) --upgrade --extra test --constraints .requirements/run.txt --output-file .requirements/test.txt

clean:
	rm -rf tests/badge/node_modules tests/stripe/node_modules $(LOCALSTRIPE) .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis build donpositif.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@found=; \
	for python in $(PYTHON); do \
		if "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
			2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo 'Python 3.11 or newer, with its venv module, is needed and was not found.' >&2; \
		echo 'On Debian or Ubuntu: apt install python3-venv. Or say which: make PYTHON=/path/to/python3' >&2; \
		exit 1; \
	fi; \
	echo "Creating .venv with $$("$$found" --version)"; \
	"$$found" -m venv --clear .venv || { rm -rf .venv; exit 1; }

.venv/installed: .venv/bin/python .requirements/run.txt pyproject.toml
	@echo 'Installing the pinned dependencies'
	@$(PIP) install --require-hashes -r .requirements/run.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/installed-test: .venv/installed .requirements/test.txt .requirements/stripe-spec.txt
	@echo 'Installing what the tests need'
	@$(PIP) install --require-hashes -r .requirements/test.txt
	@$(PIP) install --no-deps --require-hashes -r .requirements/stripe-spec.txt
	@touch $@
