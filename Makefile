# make lab: the main job.  make test: everything that must hold.  Both do all the set-up.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# A usable interpreter: the first that runs and has the right version.
PYTHON ?= $(shell for p in python3 python3.12 python3.13 python3.11; do \
  $$p -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
  >/dev/null 2>&1 && echo $$p && break; done)
BIN := .venv/bin
SOURCES := $(shell find labextension/src labextension/style labextension/schema -type f 2>/dev/null)
export PATH := $(CURDIR)/$(BIN):$(PATH)
say = @printf '\033[1m== %s\033[0m\n'

.PHONY: help lab test attack test-more docs pictures format clean

help:
	@echo "make lab        set up and open JupyterLab on the sample region"
	@echo "make test       set up and run every check and test"
	@echo "make test-more  the tests that need a long set-up, and the attacks"
	@echo "make attack     the attacks on logins, services, studies and disks, in one table"
	@echo "make docs       build the documentation into build/docs/html"
	@echo "make format     format Python and TypeScript"
	@echo "make clean      remove what make built (not your workspace)"

# --- environment -----------------------------------------------------------------------------
.make/venv:
	@if [ -z "$(PYTHON)" ]; then \
	  echo "No Python 3.11, 3.12 or 3.13 with venv found. Install one (Debian: python3 python3-venv)" \
	    "or say which: make PYTHON=/path/to/python3.12 ..."; exit 1; fi
	$(say) "Python environment in .venv ($(PYTHON))"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv \
	  || echo "uv is not to be had here: pip will do, a little slower"
	@mkdir -p .make && touch $@

# The libraries, and the tools that build the labextension (our own package follows the build).
.make/packages: pyproject.toml scripts/requirements.py | .make/venv
	$(say) "Libraries (the first time takes a minute or more and 4 GB)"
	@$(BIN)/python scripts/requirements.py all test build > .make/requirements.txt
	@$(BIN)/python scripts/install.py -r .make/requirements.txt
	@touch $@

.make/node: scripts/node.py | .make/venv
	@$(BIN)/python scripts/node.py
	@touch $@

.make/node_modules: package.json yarn.lock .yarnrc.yml .make/packages .make/node
	$(say) "JavaScript libraries"
	@$(BIN)/jlpm install --immutable
	@touch $@

.make/labextension: .make/node_modules tsconfig.json $(SOURCES)
	$(say) "JupyterLab extension"
	@$(BIN)/jlpm build:prod
	@touch $@

.make/eolab: .make/labextension pyproject.toml install.json jupyter-config/server-config/eolab.json
	$(say) "eolab itself"
	@# The link of an earlier run would let the installer write into the build.
	@rm -rf $(BIN)/../share/jupyter/labextensions/eolab eolab/labextension/install.json
	@SKIP_JUPYTER_BUILDER=1 $(BIN)/python scripts/install.py --no-deps --editable .
	@$(BIN)/jupyter-builder develop --overwrite . >/dev/null
	@$(BIN)/python scripts/java.py
	@touch $@

# --- the main job ----------------------------------------------------------------------------
lab: .make/eolab
	@$(BIN)/eolab lab $(ARGS)

# --- checks and tests ------------------------------------------------------------------------
# So many processes share the tests, and so many checks run at a time; 0 runs all tests in one
# process, which one core does best.
WORKERS ?= $(shell [ "$$(nproc 2>/dev/null || echo 1)" -gt 1 ] && echo 2 || echo 0)
pytest = $(BIN)/python -m pytest
# pytest says 5 where PYTEST names tests of which none is of this part.
nothing = [ $$? -eq 5 ]
# Many containers set it, and each of the hundreds of processes that tests start would compile us.
test test-more attack: export PYTHONDONTWRITEBYTECODE :=

# What each check says comes in one piece, where make can do that (4.0 and later).
CHECKS := check-types check-typescript check-style check-panels check-browser
.PHONY: $(CHECKS)
test: .make/eolab
	$(say) "Python: ruff, mypy. TypeScript: eslint, prettier, unit tests. Browser"
	@$(MAKE) --no-print-directory --jobs $(if $(filter 0,$(WORKERS)),1,2) \
	  $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) $(CHECKS)
	$(say) "Python tests, $(WORKERS) at a time"
	@# In the order of tests/conftest.py: what takes long first, what drives a browser last.
	@$(pytest) -n $(WORKERS) --no-loadscope-reorder -m "not slow" $(PYTEST) \
	  || $(nothing)

check-types:
	@$(BIN)/mypy

check-style:
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/jlpm prettier:check

check-typescript:
	@$(BIN)/jlpm lint:check

check-panels:
	@$(BIN)/jlpm test

check-browser:
	@$(BIN)/python scripts/browser.py

# The attacks on the rims in one table: ARGS="secrets disks" for some rows, --short, --soak.
attack: .make/eolab
	$(say) "Attacks on loopback"
	@$(BIN)/python scripts/attack.py $(ARGS)

test-more: .make/eolab .make/torch .make/docs
	$(say) "Tests that need a long set-up"
	@$(BIN)/python -m pytest -m slow $(PYTEST)
	$(say) "Tests that need PyTorch (TensorFlow and PyTorch crash each other in one process)"
	@# These files only: looking into others loads TensorFlow.
	@grep -lrE '(find_spec|importorskip)\("torch"' tests --include=*.py | xargs .make/torch/bin/python \
	  -m pytest -m "slow or not slow" -k "torch or lightning or gaussian or gp" --timeout 1200 $(PYTEST)
	$(say) "Attacks on loopback (within 40 minutes)"
	@$(BIN)/python scripts/attack.py

# An environment of its own on top of ours, so that make test never meets PyTorch.
.make/torch: .make/eolab scripts/environment.py
	$(say) "PyTorch and Lightning, for make test-more only (gigabytes)"
	@$(BIN)/python scripts/requirements.py more | grep -E '^(torch|lightning)' \
	  | xargs $(BIN)/python scripts/environment.py .make/torch --on-top
	@touch $@

# --- documentation ---------------------------------------------------------------------------
# Notebooks come with the outputs of the last `make test`; those that are not there run first.
docs: .make/eolab .make/docs
	$(say) "Documentation"
	@.make/docs/bin/python scripts/docs.py $(ARGS)

# Screenshots of the browser tests become the pictures of pages and README.
pictures: .make/eolab
	@$(BIN)/python scripts/pictures.py

# Sphinx on top of ours: its packages stand in nobody else's way.
.make/docs: .make/eolab scripts/environment.py pyproject.toml
	$(say) "Sphinx"
	@$(BIN)/python scripts/requirements.py docs | grep -E '^(myst|pydata|sphinx)' \
	  | xargs $(BIN)/python scripts/environment.py .make/docs --on-top
	@touch $@

format: .make/eolab
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .
	@$(BIN)/jlpm prettier
	@$(BIN)/jlpm lint

clean:
	rm -rf .venv .make build node_modules eolab/labextension labextension/lib test-results
