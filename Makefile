# The front door: `make` lists what there is. Longer things live in bin/.
# Every path here is relative and every tool is run by .venv/bin/python, so that a checkout may lie anywhere.

.DEFAULT_GOAL := help
.PHONY: help run test test-tools check format bench clean

PYTHON := .venv/bin/python
# More arguments for the tool behind a target: make test ARGS='-k multipart'
ARGS ?=
# Processes of tests beside each other; each starts servers of its own, and takes whole files.
TEST_PROCESSES ?= 4

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

run: .venv/.installed ## Run the whole system; its data lives in ./var
	@$(PYTHON) manage.py up $(ARGS)

test: ## Run all tests
	@$(MAKE) --no-print-directory --jobs 2 .venv/.installed-dev test-tools
	@env -u PYTHONDONTWRITEBYTECODE $(PYTHON) -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder $(ARGS)

check: .venv/.installed-dev ## Lint, format, types, imports, Django's checks, missing migrations, advisories
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy .
	$(PYTHON) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'
	$(PYTHON) manage.py check --settings objstore_project.settings.testing --fail-level WARNING
	$(PYTHON) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run --settings objstore_project.settings.testing
	$(PYTHON) bin/audit-dependencies

format: .venv/.installed-dev ## Format the code and fix what the linter can
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

bench: .venv/.installed-dev ## Measure throughput and latency
	@$(PYTHON) -m benchmarks $(ARGS)

clean: ## Remove the virtual environment and the tools' caches; data stays
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

test-tools: .venv/.made
	@bin/install-test-tools

.venv/.made:
	@bin/make-venv
	@touch $@

.venv/.installed: requirements.txt bin/install | .venv/.made
	@bin/install requirements.txt
	@touch $@

.venv/.installed-dev: requirements.txt requirements-dev.txt bin/install | .venv/.made
	@bin/install requirements-dev.txt
	@touch .venv/.installed $@
