# Four verbs. Each sets up what it needs in .venv, which is made by the first one.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check

.PHONY: demo test check docs clean

# The main job, offline, from prompts to a pipeline that spacy.load opens, and report.html.
demo: $(VENV)/.demo
	$(BIN)/python -m spacy project run demo .

test: $(VENV)/.dev
	PYTHON=$(BIN)/python scripts/test

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q tests/test_architecture.py tests/test_registry.py tests/test_docs.py
	PYTHON=$(BIN)/python scripts/audit

docs: $(VENV)/.docs
	$(BIN)/mkdocs build --strict

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "spacy-hitl needs Python 3.11 or later; set PYTHON=...")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(VENV)/bin/python setup.cfg pyproject.toml
	$(PIP) install --quiet --editable ".[llm,report]"
	touch $@

$(VENV)/.dev: $(VENV)/bin/python setup.cfg pyproject.toml
	$(PIP) install --quiet --editable ".[dev]"
	touch $@

$(VENV)/.docs: $(VENV)/.dev
	$(PIP) install --quiet --editable ".[docs]"
	touch $@

clean:
	rm -rf corpus datasets metrics pipelines training versions project.lock report.html found.jsonl
