# `make run` serves the dashboard, `make test` proves it. Both make .venv first, once.
# PYTHON is the interpreter that .venv is made with; PORT and ADDRESS are where the app is served.

PYTHON ?= python3
PORT ?= 8501
ADDRESS ?= localhost

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --no-input install --quiet

# TypeScript, of the version in package.json, checks the browser's scripts.
TSC := node_modules/.bin/tsc

# A stamp is written only after an install that ended well, so that an interrupted one is done again.
READY := $(VENV)/.ready
TEST_READY := $(VENV)/.ready-for-tests
DOCS_READY := $(VENV)/.ready-for-docs

# Two tests at a time, each on one core: PyTorch's own threads would only wait for each other.
QUICKLY := OMP_NUM_THREADS=1 $(PY) -m pytest -n 2
# One that fails is tried again, and the summary names it: on a busy machine a question can fall between two drawings of
# a page, which no visitor would notice. Whatever is named there deserves a look: it may be a race that is rare.
IN_THE_BROWSER := $(PY) -m pytest -m browser -rR --reruns 2

# An interpreter that was upgraded or removed leaves a .venv that does not start: it is made anew.
STARTS := $(shell $(PY) -c 'import sys, pip; print(int(sys.version_info >= (3, 11)))' 2>/dev/null)
ifneq ($(STARTS),1)
VENV_IS_MISSING := venv
endif

.PHONY: help run test browser check lint scripts types docs screenshot venv clean

help:
	@echo "make run         the dashboard on http://localhost:$(PORT)"
	@echo "make test        lint, types and all tests, the browser's too"
	@echo "make browser     the tests in the browser alone"
	@echo "make check       lint, types and the quick unit tests, in about a minute"
	@echo "make docs        the documentation as HTML in site/, to be read without a server or a network"
	@echo "make screenshot  take the pictures of the README and of the documentation again"
	@echo "make clean       remove .venv, node_modules and all caches"

run: $(READY)
	@echo "DE-CAM dashboard: http://localhost:$(PORT) (Ctrl-C ends it)"
	@exec $(PY) -m streamlit run app.py --server.port $(PORT) --server.address $(ADDRESS) \
		--server.headless true --browser.serverAddress localhost

test: lint types
	$(PY) -m tests.tools.browser
	$(PY) -m tests.tools.postgresql
	$(QUICKLY) -m "not browser" -rR --reruns 1
	$(IN_THE_BROWSER)

browser: $(TEST_READY)
	$(PY) -m tests.tools.browser
	$(IN_THE_BROWSER)

check: lint types
	$(QUICKLY) -q -m "not browser and not slow" --ignore tests/pages

lint: $(TEST_READY) scripts
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(VENV)/bin/lint-imports --no-logo

# The dashboard needs no npm: without it everything else is checked all the same.
scripts:
	@if ! command -v npm >/dev/null; then \
		echo "npm is not installed, so the scripts in decam/ui/components are not checked."; \
	else \
		{ test -x $(TSC) || npm install --no-package-lock --no-audit --no-fund; } && npm run --silent check; \
	fi

types: $(TEST_READY)
	$(PY) -m mypy --strict decam

docs: $(DOCS_READY)
	$(PY) -m docs.tables
	$(PY) -m mkdocs build --strict

screenshot: $(TEST_READY)
	$(PY) -m tests.tools.browser
	DECAM_WRITE_SCREENSHOT=1 $(PY) -m pytest -q tests/browser/test_picture.py
	$(PY) -m tests.tools.pictures

venv:
	@command -v $(PYTHON) >/dev/null || { \
		echo "Python 3.11 or newer is needed and '$(PYTHON)' was not found: name one, as in 'make run PYTHON=python3.12'."; exit 1; } >&2
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed and '$(PYTHON)' is older: name another, as in 'make run PYTHON=python3.12'."; exit 1; } >&2
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "'$(PYTHON)' lacks the venv module: install it (Debian and Ubuntu: apt install python3-venv) and try again."; exit 1; } >&2
	@rm -f $(READY) $(TEST_READY) $(DOCS_READY)
	@$(PYTHON) -m venv --clear $(VENV)

$(READY): requirements.txt $(VENV_IS_MISSING)
	@echo "Installing what the app needs into $(VENV); PyTorch is large, so the first time takes some minutes."
	@$(PIP) --requirement requirements.txt
	@touch $@

$(DOCS_READY): docs/requirements.txt $(READY)
	@echo "Installing what the documentation needs into $(VENV)."
	@$(PIP) --requirement docs/requirements.txt
	@touch $@

$(TEST_READY): tests/requirements.txt docs/requirements.txt $(READY)
	@echo "Installing what the tests need into $(VENV)."
	@$(PIP) --requirement tests/requirements.txt
	@touch $@

clean:
	rm -rf $(VENV) node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist site *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
