# Two commands do everything on a machine with Python 3.11 to 3.13 and a package index:
#   make quickstart   environment, packages, and the main job on the demonstrations that ship
#   make test         environment, packages, and the tests (all but the slow ones)

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PACKAGES := packages/nppac-priors packages/nppac-envs packages/nppac-agents
QUICKSTART := runs/quickstart

.PHONY: help quickstart test test-fast test-all lint docs clean

help:
	@echo "make quickstart  install into $(VENV), then learn door opening from the demonstrations that ship (2 to 5 minutes)"
	@echo "make test-fast   install into $(VENV), then run the short tests (about a minute)"
	@echo "make test        install into $(VENV), then run all but the slow tests (3 to 6 minutes on one core)"
	@echo "make test-all    install into $(VENV), then run all tests (half an hour on one core)"
	@echo "make lint        check style and types"
	@echo "make docs        build the documentation site into docs/_build; a warning is an error"
	@echo "make clean       remove $(VENV) and $(QUICKSTART)"

$(VENV)/installed: constraints.txt pyproject.toml $(addsuffix /pyproject.toml,$(PACKAGES))
	@echo "==> installing the three packages into $(VENV), with the versions of constraints.txt"
	$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else "nppac needs Python 3.11 to 3.13, this is " + sys.version.split()[0] + "; name another with PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c constraints.txt $(addprefix -e ,$(PACKAGES)) --group dev
	@touch $@

quickstart: $(VENV)/installed
	@echo "==> learning door opening from the demonstrations that ship; the run goes to $(QUICKSTART)"
	@echo "==> if one is there, it goes on; for a new one: make quickstart QUICKSTART=runs/another"
	$(BIN)/nppac-run examples/quickstart.json --output-dir $(QUICKSTART) --resume

test-fast: $(VENV)/installed
	@echo "==> running the short tests"
	$(BIN)/python -m pytest -m "not slow and not medium" $(PYTEST_ARGS)

test: $(VENV)/installed
	@echo "==> running all but the slow tests"
	$(BIN)/python -m pytest -m "not slow" $(PYTEST_ARGS)

test-all: $(VENV)/installed
	@echo "==> running all tests"
	$(BIN)/python -m pytest $(PYTEST_ARGS)

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python

docs: $(VENV)/installed
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build
	@echo "==> docs/_build/index.html"

clean:
	rm -rf $(VENV) $(QUICKSTART)
