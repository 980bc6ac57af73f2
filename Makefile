.DEFAULT_GOAL := help
.PHONY: help setup demo up down tick webhook status replay sql test test-fast check format bench lock dbt schema clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
LOCAL := PYTHONPATH=. $(BIN)/python -m local

help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Install everything into .venv (the other targets do it by themselves)

$(STAMP): requirements/dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	@echo "Installing the pinned dependencies into $(VENV) (once; a minute or two) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/dev.txt
	@touch $@

demo: $(STAMP) ## Run the pipeline on an embedded warehouse and print the result (DATA=<archive.jsonl>)
	@$(LOCAL) demo $(if $(DATA),--data "$(DATA)")

up: $(STAMP) ## Start the local stack and keep it running (Ctrl-C or make down stops it)
	@$(LOCAL) up

down: $(STAMP) ## Stop the running stack
	@$(LOCAL) down

tick: $(STAMP) ## Fire a pipeline's next window (PIPELINE=ops_incidents, WINDOW=start/end)
	@$(LOCAL) tick "$(or $(PIPELINE),ops_incidents)" $(if $(WINDOW),--window "$(WINDOW)")

webhook: $(STAMP) ## Send a signed event to the running stack and show what becomes of it (WORKSPACE=companya)
	@$(LOCAL) webhook $(if $(WORKSPACE),"$(WORKSPACE)")

status: $(STAMP) ## Show windows, sources, watermarks, dbt requests and quarantine (ARGS=--json)
	@$(LOCAL) operate status $(ARGS)

replay: $(STAMP) ## Extract a window again as the next revision (SOURCE=… WINDOW=…)
	@$(LOCAL) operate replay "$(SOURCE)" "$(WINDOW)"

sql: $(STAMP) ## Ask the running stack's warehouse (Q="select …")
	@$(LOCAL) sql "$(Q)"

test: $(STAMP) check ## Check the code and run every test
	@$(BIN)/python -m pytest tests/unit tests/properties tests/architecture -n 2
	@$(BIN)/python -m pytest tests/sources tests/contract tests/functions tests/local tests/infra tests/dbt -n 2 --dist loadfile
	@$(BIN)/python -m pytest tests/end_to_end tests/bench

test-fast: $(STAMP) ## Run the tests that need no process: seconds
	@$(BIN)/python -m pytest tests/unit tests/properties tests/architecture

check: $(STAMP) ## Lint, format check and types
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary shared local tests
	@for entry in functions/*/main.py dbt/job.py dbt/run_dbt.py; do $(BIN)/mypy --no-error-summary $$entry || exit 1; done

format: $(STAMP) ## Format the code and mend what lint can
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format --quiet .

bench: $(STAMP) ## Measure speed and memory, and write docs/benchmarks.md
	@PYTHONPATH=. $(BIN)/python -m tests.bench all

dbt: $(STAMP) ## Run dbt against the running stack (ARGS="build --select …")
	@$(LOCAL) dbt $(ARGS)

schema: $(STAMP) ## Write the registry's JSON Schema
	@PYTHONPATH=. $(BIN)/python -m shared.registry.schema

lock: $(STAMP) ## Compile requirements/*.in anew: pinned, with hashes, without index addresses
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/python requirements/compile.py

clean: ## Remove what was made locally
	rm -rf .local .mypy_cache .ruff_cache .pytest_cache .hypothesis dbt/target dbt/logs
