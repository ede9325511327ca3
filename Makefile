# Everything starts here: `make demo` and `make test` need Python 3.11 or newer and make, nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.set-up

.PHONY: help demo test test-slow lint format wheel clean

help:
	@echo "make demo        train, evaluate, export and run an embedder on synthetic faces; see demo/report.html"
	@echo "make test        the default tests"
	@echo "make test-slow   the tests that take minutes"
	@echo "make lint        ruff and mypy"
	@echo "make format      let ruff lay out the code"
	@echo "make wheel       build the wheel and the source archive into dist/"
	@echo "make clean       remove what was built, the environment too"

$(SETUP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("kerasface needs Python 3.11 or newer; try make PYTHON=python3.11") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: $(SETUP)
	$(BIN)/kerasface demo --out demo

# The detector's two models are fetched once into the user's cache; photos can't be read without them.
test: $(SETUP)
	$(BIN)/kerasface assets get
	$(BIN)/python -m pytest -m "not slow and not multiworker and not browser"

test-slow: $(SETUP)
	$(BIN)/kerasface assets get
	$(BIN)/python -m pytest -m "slow"

lint: $(SETUP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(SETUP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheel: $(SETUP)
	$(BIN)/python -m build

clean:
	rm -rf $(VENV) build dist demo *.egg-info
