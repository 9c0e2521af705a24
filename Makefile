# `make help` lists the commands. Each installs what it needs into .venv by itself; all that
# must be there is make and a Python 3.10 to 3.13.

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --quiet

# 3.11 first: it is the version that every release is tested with.
PYTHONS := python3.11 python3.12 python3.13 python3.10 python3 python
SUITABLE := import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info < (3, 14))

.PHONY: help venv demo bench-ci test test-long lint format clean
.DEFAULT_GOAL := help

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

venv: $(VENV)/.dev ## install everything for working on the project

demo: $(VENV)/.demo ## build a pruned network and race it against its dense twin
	$(PY) -m models.demo

bench-ci: $(VENV)/.bench ## check that pruned is faster than dense; ARGS=--report asks for less
	@$(PY) -m tvm_patdnn.bench.ci --network models/demosaic_bayer_pruned.onnx \
	  --floors .ci/bench-floors.json --json build/bench-ci.jsonl --plot build/bench-ci.svg $(ARGS)

test: $(VENV)/.test ## run the tests that guard a change; ARGS="-k name" chooses some
	$(PY) -m pytest --numprocesses logical --dist worksteal $(ARGS)

test-long: $(VENV)/.test ## run the rest: fuzzing, sweeps, whole networks
	$(PY) -m pytest --numprocesses logical --dist worksteal -m long $(ARGS)

lint: $(VENV)/.dev ## check style, layers and types
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(VENV)/bin/lint-imports --no-logo --no-cache
	$(PY) -m mypy

format: $(VENV)/.dev ## rewrite the sources in the project's style
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

clean: ## remove the environment and everything generated
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(PY):
	@for python in $(PYTHON) $(PYTHONS); do \
	  if $$python -c '$(SUITABLE)' >/dev/null 2>&1; then \
	    echo "creating $(VENV) with $$($$python --version)"; \
	    exec $$python -m venv $(VENV); \
	  fi; \
	done; \
	echo "found no Python 3.10 to 3.13 with venv (Debian: apt-get install python3-venv);" \
	     "name one with make PYTHON=/path/to/python" >&2; exit 1

# .venv/.NAME says that the extra NAME is installed as pyproject.toml asks for now, in the
# versions of constraints.txt.
$(VENV)/.%: pyproject.toml constraints.txt setup.py | $(PY)
	@echo "installing the '$*' dependencies into $(VENV); the first time takes a minute or two"
	@$(PIP) install --constraint constraints.txt --editable '.[$*]'
	@touch $@
