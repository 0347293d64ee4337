# Dispatches only. The work is done by the tools and by `python -m operations`.
STACK ?= dev
PYTHON ?= python3
VENV := .venv
IN_VENV := $(VENV)/bin
DOCS_VENV := .venv-docs
DOCS_READY := $(DOCS_VENV)/.installed-$(shell cat requirements-docs.txt | sha256sum | cut -c1-16)
READY := $(VENV)/.installed-$(shell cat requirements-dev.txt | sha256sum | cut -c1-16)

.DEFAULT_GOAL := help
.PHONY: help up preview rollback down test e2e e2e-long e2e-nightly bench lint golden docs

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: $(READY) ## deploy a stack to a cluster in .sandbox/, which is started if necessary [STACK=dev|prod]
	@$(IN_VENV)/python -m operations up --stack $(STACK)

preview: $(READY) ## show what `make up` would change [STACK=dev|prod]
	@$(IN_VENV)/python -m operations preview --stack $(STACK)

rollback: $(READY) ## restore the previous version of a model service: SERVICE=... [STACK=dev|prod] [TO=version]
	@$(IN_VENV)/python -m operations rollback --service "$(SERVICE)" --stack $(STACK) --to "$(TO)"

down: $(READY) ## destroy the stack, stop and delete the cluster
	@$(IN_VENV)/python -m operations down

test: lint ## run the unit tests with branch coverage; needs no cluster, and no network once installed
	@$(IN_VENV)/python -m pytest tests --ignore tests/e2e --numprocesses auto --cov

e2e: $(READY) ## run the end-to-end tests: the real engine on disposable clusters
	@$(IN_VENV)/python -m pytest tests/e2e -m "not long and not nightly" --numprocesses 7 --dist loadfile --no-loadscope-reorder

e2e-long: $(READY) ## run the long end-to-end tests: killed servers, fifty invalid stacks, eighty reviewed changes
	@$(IN_VENV)/python -m pytest tests/e2e -m long --numprocesses 7 --dist loadfile --no-loadscope-reorder

e2e-nightly: $(READY) ## review changes that others have written, on twins
	@$(IN_VENV)/python -m pytest tests/e2e -m nightly --numprocesses 2 --no-loadscope-reorder

bench: $(READY) ## measure the CPU time and memory of the program
	@$(IN_VENV)/python -m benchmarks.training_jobs

lint: $(READY) ## check style, types and spelling
	@$(IN_VENV)/ruff check .
	@$(IN_VENV)/ruff format --check .
	@$(IN_VENV)/mypy
	@$(IN_VENV)/codespell --dictionary=- --dictionary=.codespell/dictionary.txt

golden: $(READY) ## write all generated files again: the schema, the reference
	@$(IN_VENV)/python -m tests.golden

docs: $(DOCS_READY) ## build the site of docs/ in .site/, and check every link
	@$(DOCS_VENV)/bin/mkdocs build --strict

# Named after the hash of the lock file: a changed lock, or an interrupted install, starts over.
$(READY): requirements-dev.txt
	@echo "  python environment: install from requirements-dev.txt"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(IN_VENV)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

$(DOCS_READY): requirements-docs.txt
	@echo "  documentation environment: install from requirements-docs.txt"
	@$(PYTHON) -m venv --clear $(DOCS_VENV)
	@$(DOCS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-docs.txt
	@touch $@
