# Everything starts here: `make demo` and `make test` need Python 3.11 or newer and make, nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.set-up
# Heads and losses run on every backend of Keras: JAX and torch have an environment of their own.
BACKENDS := .venv-backends
# Apache Beam holds back Pillow, protobuf and PyArrow.
BEAM := .venv-beam
# Most tests wait for TensorFlow to trace on one core; a file's tests share its fixtures, so they stay together.
PARALLEL := -n 2 --dist loadfile
WEB := export/web
ANDROID := export/android

.PHONY: help demo test test-slow test-multiworker test-backends test-torch test-jax test-beam test-web test-kotlin test-swift web benchmark docs docs-check lint format wheel clean

help:
	@echo "make demo             train, evaluate, export and run an embedder on synthetic faces; see demo/report.html"
	@echo "make test             the default tests"
	@echo "make test-slow        the tests that take minutes"
	@echo "make test-multiworker training in two processes over loopback, and what happens when one is killed"
	@echo "make test-backends    heads and losses on Keras' JAX and torch backends"
	@echo "make test-beam        alignment as an Apache Beam transform, on the local runner"
	@echo "make benchmark        heads, evaluation and a training step beside their floors and peers; half an hour of a quiet machine"
	@echo "make docs             serve the documentation on this machine, anew at each change"
	@echo "make docs-check       build it into build/site; a broken link is an error"
	@echo "make web              build the page of export/web and serve it; MODEL=face.tflite puts an embedder beside it"
	@echo "make test-web         that page in headless Chromium; needs Node.js 20.19 or newer and chromium"
	@echo "make test-kotlin      export/android's alignment and gallery on a JVM; needs npm and java"
	@echo "make test-swift       export/ios' alignment and gallery; needs swift"
	@echo "make lint             ruff and mypy"
	@echo "make format           let ruff lay out the code"
	@echo "make wheel            build the wheel and the source archive into dist/"
	@echo "make clean            remove what was built, the environment too"

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
	$(BIN)/python -m pytest $(PARALLEL) -m "not slow and not multiworker and not browser and not kotlin and not beam"

test-slow: $(SETUP)
	$(BIN)/kerasface assets get
	$(BIN)/python -m pytest $(PARALLEL) -m "slow"

test-multiworker: $(SETUP)
	$(BIN)/python -m pytest -m "multiworker"

$(BACKENDS)/.set-up: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(BACKENDS)
	$(BACKENDS)/bin/python -m pip install --quiet --upgrade pip
	$(BACKENDS)/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[backends]'
	touch $@

test-backends: test-torch test-jax

# JAX compiles every operation anew for every shape; without most optimisations that takes a third less.
test-torch test-jax: test-%: $(BACKENDS)/.set-up
	KERAS_BACKEND=$* JAX_DISABLE_MOST_OPTIMIZATIONS=1 $(BACKENDS)/bin/python -m pytest tests/heads tests/losses

$(BEAM)/.set-up: pyproject.toml constraints-beam.txt
	$(PYTHON) -m venv $(BEAM)
	$(BEAM)/bin/python -m pip install --quiet --upgrade pip
	$(BEAM)/bin/python -m pip install --quiet --constraint constraints-beam.txt --editable '.[beam]' pytest hypothesis matplotlib
	touch $@

test-beam: $(BEAM)/.set-up
	$(BEAM)/bin/kerasface assets get
	$(BEAM)/bin/python -m pytest -m beam tests/alignment/test_alignment_beam.py

$(WEB)/node_modules/.package-lock.json: $(WEB)/package-lock.json
	npm ci --prefix $(WEB) --no-audit --no-fund

web: $(SETUP) $(WEB)/node_modules/.package-lock.json
	$(BIN)/kerasface assets get
	$(BIN)/python $(WEB)/prepare.py $(MODEL)
	npm run --prefix $(WEB) build
	npm run --prefix $(WEB) serve

test-web: $(SETUP) $(WEB)/node_modules/.package-lock.json
	$(BIN)/kerasface assets get
	npm run --prefix $(WEB) check
	npm test --prefix $(WEB)
	$(BIN)/python -m pytest -m browser

$(ANDROID)/node_modules/.package-lock.json: $(ANDROID)/package-lock.json
	npm ci --prefix $(ANDROID) --no-audit --no-fund

test-kotlin: $(SETUP) $(ANDROID)/node_modules/.package-lock.json
	$(BIN)/python -m pytest -m kotlin tests/devices/test_kotlin.py

test-swift:
	swift test --package-path export/ios

benchmark: $(SETUP)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[benchmark]'
	$(BIN)/python benchmarks/heads.py
	$(BIN)/python docs/heads_speed.py
	$(BIN)/python benchmarks/train_step.py
	$(BIN)/python docs/train_step.py
	$(BIN)/python benchmarks/evaluation.py
	$(BIN)/python docs/evaluation_speed.py

# The theme's notice about its successor would be an error to --strict.
docs docs-check: export NO_MKDOCS_2_WARNING = 1

docs: $(SETUP)
	$(BIN)/mkdocs serve

docs-check: $(SETUP)
	$(BIN)/mkdocs build --strict

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
	rm -rf $(VENV) $(BACKENDS) $(BEAM) build dist demo *.egg-info $(ANDROID)/node_modules export/ios/.build $(WEB)/node_modules $(WEB)/dist $(WEB)/public/models
