# One command each. Needs make and Python 3.11 or newer with pip; uv is put into .tools/ when the machine has none.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
UV := $(or $(shell command -v uv 2>/dev/null),.tools/bin/uv)
PORT ?= 3000
SEEDS ?= 10
ROWS ?= 1000000
# What `make test` leaves out. CI leaves out only what explores for many minutes (`make unit MARKERS=long`).
MARKERS ?= not slow and not long and not live and not browser and not spark
# Of a hundred examples that Hypothesis is to try, so many: one waits for `make test`. CI tries all (tests/examples.py).
EXAMPLES ?= 25
# In the order of tests/conftest.py, not by how many tests a file has.
PYTEST_ARGS ?= -n auto --dist loadfile --no-loadscope-reorder
# What CI reports. Measuring takes a quarter of the time.
COVERAGE ?=

# Images of containers often forbid Python to keep what it compiled; then every process compiles all of Dagster again.
export PYTHONDONTWRITEBYTECODE =

.DEFAULT_GOAL := help
.PHONY: help setup demo ui test unit lint types causes bench clean
.NOTPARALLEL:

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(UV) ## install everything into .venv, exactly as locked
	$(UV) sync --locked

demo: $(UV) ## generate two worlds that disagree, reconcile every partition, print the result
	$(UV) run --locked --no-dev coexist demo

# DAGSTER_HOME makes `dg` read dagster.yaml for all it does: storage that stays, and no telemetry.
ui: export DAGSTER_HOME := $(CURDIR)
ui: $(UV) ## Dagster on http://127.0.0.1:3000 (PORT=...); it has no log-in, so it listens on this machine only
	$(UV) run --locked --no-dev dg dev --host 127.0.0.1 --port $(PORT)

test: lint types unit ## lint, types, import contracts, tests (MARKERS= for all of them, EXAMPLES=100 for all examples)

unit: export EXAMPLES := $(EXAMPLES)
unit: setup ## tests only (PYTEST_ARGS=... to choose)
	$(UV) run --locked pytest -m "$(MARKERS)" $(PYTEST_ARGS) $(COVERAGE)

lint: setup ## ruff, formatting, import contracts
	$(UV) run --locked ruff check
	$(UV) run --locked ruff format --check
	$(UV) run --locked lint-imports --no-cache

types: setup ## mypy, strict
	$(UV) run --locked mypy

causes: $(UV) ## type and reason of everything planted in SEEDS insurer worlds, as a confusion matrix
	$(UV) run --locked python -m benchmarks.causes --seeds $(SEEDS)

bench: $(UV) ## compare with the peers (ROWS=...)
	$(UV) run --locked python -m benchmarks.compare --rows $(ROWS)

clean: ## remove what running left behind (not the environment)
	rm -rf data/lake .dagster .tmp_dagster_home_* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf .coverage .coverage.* htmlcov
	find . -name __pycache__ -type d -not -path './.venv/*' -not -path './.tools/*' -prune -exec rm -rf {} +

# Without ensurepip (Debian's python3 alone) a venv cannot be made; pip can still fill a folder.
.tools/bin/uv:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed" >&2; exit 1; }
	$(PYTHON) -m venv .tools && .tools/bin/python -m pip install --quiet uv \
		|| { rm -rf .tools && $(PYTHON) -m pip install --quiet --target .tools uv; }
