# Dispatches only: the work is done by the tools themselves and by `python -m sandbox`.
STACK ?= dev
PYTHON ?= python3
VENV := .venv
IN_VENV := $(VENV)/bin
DOCS_VENV := .venv-docs
DOCS_READY := $(DOCS_VENV)/.installed-$(shell cat requirements-docs.txt | sha256sum | cut -c1-16)
READY := $(VENV)/.installed-$(shell cat requirements-dev.txt | sha256sum | cut -c1-16)

.DEFAULT_GOAL := help
.PHONY: help up preview rollback down test e2e e2e-long bench lint docs

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: $(READY) ## bring a stack up on a cluster in .sandbox/ [STACK=dev|prod]
	@$(IN_VENV)/python -m sandbox up --stack $(STACK)

preview: $(READY) ## show what `make up` would change [STACK=dev|prod]
	@$(IN_VENV)/python -m sandbox preview --stack $(STACK)

rollback: $(READY) ## bring back the version of a model that ran before SERVICE=... [STACK=dev|prod] [TO=version]
	@$(IN_VENV)/python -m sandbox rollback --service "$(SERVICE)" --stack $(STACK) --to "$(TO)"

down: $(READY) ## destroy the stack, stop the cluster, free its ports
	@$(IN_VENV)/python -m sandbox down

test: lint ## unit, manifest and configuration tests; needs nothing but PyPI
	@$(IN_VENV)/python -m pytest tests --ignore tests/e2e --numprocesses auto

e2e: $(READY) ## the real engine against a cluster of its own
	@$(IN_VENV)/python -m pytest tests/e2e -m "not long" --numprocesses 7 --dist loadfile --no-loadscope-reorder

e2e-long: $(READY) ## those that go further: killed servers, fifty broken stacks, eighty reviewed changes
	@$(IN_VENV)/python -m pytest tests/e2e -m long --numprocesses 7 --dist loadfile --no-loadscope-reorder

bench: $(READY) ## figures of the program's own cost
	@$(IN_VENV)/python -m benchmarks.training_jobs

lint: $(READY) ## style and strict types
	@$(IN_VENV)/ruff check .
	@$(IN_VENV)/ruff format --check .
	@$(IN_VENV)/mypy

docs: $(DOCS_READY) ## the pages of docs/ as a site in .site/, every link checked
	@$(DOCS_VENV)/bin/mkdocs build --strict

# Named by the lock's hash: a new lock makes a new environment, an interrupted install starts again.
$(READY): requirements-dev.txt
	@echo "  python environment: install from the lock"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(IN_VENV)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

$(DOCS_READY): requirements-docs.txt
	@echo "  environment of the pages: install from the lock"
	@$(PYTHON) -m venv --clear $(DOCS_VENV)
	@$(DOCS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-docs.txt
	@touch $@
