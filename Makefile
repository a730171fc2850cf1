# `make demo` runs the whole pipeline, `make test` every check. Both set up .venv first.
PYTHON ?= python3
BIN = .venv/bin
PAIRS ?= 300

.PHONY: demo test lint clean

demo: .venv/ready
	$(BIN)/syncxr demo --pairs $(PAIRS)

test: .venv/ready lint
	$(BIN)/python -m pytest

lint: .venv/ready
	$(BIN)/ruff check src tests benchmarks scripts
	$(BIN)/ruff format --check src tests benchmarks scripts
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/check_licences.py

.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --progress-bar off --editable '.[dev]'
	touch $@

clean:
	rm -rf .venv runs
