# Two commands do everything: `make demo` and `make test`. Both set up .venv from requirements.lock first.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

# Random mail, faults and kills on real servers; make chaos ROUNDS=1000 SEED=7, or PLAN=FILE,
# DATABASE=postgresql. See tests/chaos/README.md.
ROUNDS ?= 30
SEED   ?= 1
DATABASE ?= sqlite

.PHONY: chaos demo test lint types layers unit setup lock wheel clean

demo: setup
	$(BIN)/assistant demo

test: lint types layers unit

chaos: setup
	$(BIN)/python -m tests.chaos --rounds $(ROUNDS) --seed $(SEED) --database $(DATABASE) $(if $(PLAN),--plan $(PLAN))

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

layers: setup
	$(BIN)/lint-imports

unit: setup
	$(BIN)/pytest

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "cc-assistant needs Python 3.11 or newer; set PYTHON=python3.x")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Needs uv; writes the pinned, hashed set of every runtime, extra and development dependency.
lock:
	uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 pyproject.toml --all-extras --group dev --output-file requirements.lock

wheel: setup
	$(BIN)/python -m build --no-isolation --wheel --outdir dist

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache
