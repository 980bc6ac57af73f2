.DEFAULT_GOAL := help
.PHONY: help setup demo up down tick webhook status replay backfill builds quarantine dead-letters doctor sql test test-fast check format bench lock dbt slim dbt-parse evaluate image plan apply schema clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check
LOCKED := --require-hashes --no-deps
LOCAL := PYTHONPATH=. $(BIN)/python -m local
# with OPP_PROJECT and its siblings set, these commands speak to that project; without, to the running local stack
OPERATE := $(if $(OPP_PROJECT),PYTHONPATH=. $(BIN)/python -m shared.operate,$(LOCAL) operate)

help: ## Show this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP) ## Install everything into .venv (the other targets do it by themselves)

$(STAMP): requirements/dev.txt requirements/install.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	@echo "Installing the pinned dependencies into $(VENV) (once; half a minute or two) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --quiet $(LOCKED) -r requirements/install.txt
# pip where uv finds no index: it knows pip.conf, and uv does not
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode $(LOCKED) -r requirements/dev.txt || \
	  $(PIP) install --quiet $(LOCKED) -r requirements/dev.txt
	@touch $@

demo: $(STAMP) ## Run the pipeline on an embedded warehouse and print the result (DATA=<archive.jsonl>)
	@$(LOCAL) demo $(if $(DATA),--data "$(DATA)")

up: $(STAMP) ## Start the local stack and keep it running (Ctrl-C or make down stops it; WEBHOOKS=1: changes are sent)
	@$(LOCAL) up $(if $(WEBHOOKS),--webhooks)

down: $(STAMP) ## Stop the running stack
	@$(LOCAL) down

tick: $(STAMP) ## Fire a pipeline's next window (PIPELINE=ops_incidents, WINDOW=start/end)
	@$(LOCAL) tick "$(or $(PIPELINE),ops_incidents)" $(if $(WINDOW),--window "$(WINDOW)")

webhook: $(STAMP) ## Send a signed event to the running stack and show what becomes of it (WORKSPACE=companya)
	@$(LOCAL) webhook $(if $(WORKSPACE),"$(WORKSPACE)")

status: $(STAMP) ## Show windows, sources, watermarks, dbt requests and quarantine (ARGS=--json)
	@$(OPERATE) status $(ARGS)

replay: $(STAMP) ## Extract a window again as the next revision (SOURCE=… WINDOW=…)
	@$(OPERATE) replay "$(SOURCE)" "$(WINDOW)" $(ARGS)

backfill: $(STAMP) ## Extract a stretch of the past again (NAME=<source or pipeline> FROM=2026-01-01 TO=2026-02-01 ARGS=--dry-run)
	@$(OPERATE) backfill "$(NAME)" "$(FROM)" "$(TO)" $(ARGS)

quarantine: $(STAMP) ## What could not be loaded (ARGS="list", "show <name>", "replay <name>")
	@$(OPERATE) quarantine $(or $(ARGS),list)

builds: $(STAMP) ## Whether dbt is held (ARGS="hold 'why'": RAW goes on, the marts stay; ARGS=release)
	@$(OPERATE) builds $(ARGS)

dead-letters: $(STAMP) ## Messages that every attempt failed on (ARGS="list", "replay --all")
	@$(OPERATE) dead-letters $(or $(ARGS),list)

doctor: $(STAMP) ## What is missing to run, and the command that mends it (with OPP_PROJECT: in that project)
	@PYTHONPATH=. $(BIN)/python -m shared.operate doctor $(ARGS)

sql: $(STAMP) ## Ask the running stack's warehouse (Q="select …")
	@$(LOCAL) sql "$(Q)"

# A file's tests share what they started, and files of few long stories come first: no worker waits for one at the end.
# Three workers for two cores, since many tests wait for processes.
STORIES := tests/bench tests/end_to_end tests/dbt tests/contract tests/local tests/sources tests/functions tests/infra \
  -n 3 --dist loadfile --no-loadscope-reorder

test: $(STAMP) ## Check the code and run every test
	@$(MAKE) --no-print-directory -j 2 check test-fast
	@$(BIN)/python -m pytest $(STORIES)

test-fast: $(STAMP) ## Run the tests that need no process: seconds
	@$(BIN)/python -m pytest tests/unit tests/properties tests/architecture -n 2

check: $(STAMP) ## Lint, format check and types
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary shared local tests functions dbt/job.py dbt/run_dbt.py dbt/preparse.py dbt/slim_ci.py dbt/evaluate.py

format: $(STAMP) ## Format the code and mend what lint can
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format --quiet .

bench: $(STAMP) ## Measure speed and memory, and write docs/benchmarks.md
	@PYTHONPATH=. $(BIN)/python -m tests.bench all

dbt: $(STAMP) ## Run dbt against the running stack (ARGS="build --select …")
	@$(LOCAL) dbt $(ARGS)

slim: $(STAMP) ## Build what a change of the dbt project touches, beside the running stack (TARGET=ci: beside production)
	@$(if $(TARGET),PYTHONPATH=. $(BIN)/python dbt/slim_ci.py --target "$(TARGET)",$(LOCAL) slim)

dbt-parse: $(STAMP) ## Parse the dbt project with the sources of the registry; no warehouse, warnings are errors
	@PYTHONPATH=. $(BIN)/python -m shared.transform.dbt_inputs --write dbt
	@$(BIN)/dbt --warn-error --no-partial-parse parse --project-dir dbt --profiles-dir dbt --target local \
	  --vars "$$(PYTHONPATH=. $(BIN)/python -m shared.transform.dbt_inputs --vars)"

evaluate: $(STAMP) ## Hold the dbt project against dbt_project_evaluator's rules (TARGET=ci; needs the package hub)
	@PYTHONPATH=. $(BIN)/python dbt/evaluate.py $(if $(TARGET),--target "$(TARGET)")

IMAGE ?= operational-performance-dbt
IMAGE_TAG ?=
image: ## Build the dbt job's image, byte-compiled, tagged with the commit (IMAGE=name)
	@docker build --file dbt/Dockerfile --tag "$(IMAGE):$(or $(IMAGE_TAG),$(shell git rev-parse --short=12 HEAD))" .

ENV ?= dev
TERRAFORM := terraform -chdir=infra/terraform
# made and applied in one checkout: the code's archives, made with the plan, are beside it
PLAN := .plans/$(ENV).tfplan
BACKEND := infra/terraform/backend.tf

plan: ## Plan an environment into a file (ENV=dev STATE_BUCKET=<bucket>, or a backend.tf of your own)
	@test -f "infra/terraform/environments/$(ENV).tfvars" || { echo "There is no infra/terraform/environments/$(ENV).tfvars."; exit 1; }
	@test -f $(BACKEND) || test -n "$(STATE_BUCKET)" || \
	  { echo "Whose state? Say STATE_BUCKET=<bucket>, or add $(BACKEND): a plan without it would create everything anew."; exit 1; }
	@test -f $(BACKEND) || printf 'terraform {\n  backend "gcs" {}\n}\n' > $(BACKEND)
	@mkdir -p infra/terraform/.plans
	@$(TERRAFORM) init -input=false -reconfigure $(if $(STATE_BUCKET),-backend-config="bucket=$(STATE_BUCKET)" -backend-config="prefix=operational-performance")
	@$(TERRAFORM) plan -input=false -lock-timeout=5m -var-file="environments/$(ENV).tfvars" -out="$(PLAN)"

BRANCH_NAME ?= $(shell git rev-parse --abbrev-ref HEAD)
apply: ## Apply the plan that make plan wrote, on the main branch only (ENV=dev)
	@test "$(BRANCH_NAME)" = main || { echo "Only main is applied, and this is '$(BRANCH_NAME)'."; exit 1; }
	@test -f "infra/terraform/$(PLAN)" || { echo "There is no plan: make plan ENV=$(ENV) first."; exit 1; }
	@$(TERRAFORM) apply -input=false -lock-timeout=5m "$(PLAN)"
	@rm "infra/terraform/$(PLAN)"

schema: $(STAMP) ## Write the registry's JSON Schema
	@PYTHONPATH=. $(BIN)/python -m shared.registry.schema

lock: $(STAMP) ## Compile requirements/*.in anew: pinned, with hashes, without index addresses
	@$(BIN)/python requirements/compile.py

clean: ## Remove what was made locally
	rm -rf .local .mypy_cache .ruff_cache .pytest_cache .hypothesis dbt/target dbt/logs dbt/parsed
