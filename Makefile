# Two commands: `make run` and `make test`. Both set everything up first; `make setup` does
# only that. PYTHON names another Python: make run PYTHON=python3.12
PYTHON ?= python3
VENV = .venv/bin/python
MODEL = build/model.tar.gz

.PHONY: setup run test check package lock python

run: setup
	@$(VENV) -m bot run

test: setup
	@$(VENV) -m pytest --cov --cov-report=term $(ARGS)

setup: python .venv/installed $(MODEL)

# Each in one sentence: no Python, too old a Python, no venv, a folder that cannot be written.
python:
	@command -v "$(PYTHON)" >/dev/null || { echo "$(PYTHON) is not here: install Python 3.11 or newer, or name one with PYTHON=…"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is $$("$(PYTHON)" -c 'import platform; print(platform.python_version())'), and Tweet Escalator needs Python 3.11 or newer: name one with PYTHON=…"; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) has no venv: install it (Debian and Ubuntu: apt-get install python3-venv)."; exit 1; }
	@( mkdir -p build .venv && : >build/writable ) 2>/dev/null || { echo "This folder cannot be written: clone the project where you may write."; exit 1; }

.venv/installed: requirements-local.txt
	@echo "Installing the dependencies into .venv (once, about a minute)."
	@"$(PYTHON)" -m venv .venv
	@$(VENV) -m pip install --quiet --disable-pip-version-check -r requirements-local.txt || { echo "The dependencies could not be installed: what pip says stands above."; exit 1; }
	@touch $@

$(MODEL): bot/classifier/corpus.csv bot/classifier/training.py bot/normalize.py .venv/installed
	@$(VENV) -m bot train bot/classifier/corpus.csv --output $@ --name starter

check: setup
	@$(VENV) -m ruff check .
	@$(VENV) -m ruff format --check .
	@$(VENV) -m mypy

package: setup
	@test -d node_modules || npm ci --silent
	@PYTHON=$(VENV) sh aws/dependencies.sh
	@npx osls package

# Writes both lock files anew from pyproject.toml; needs uv.
lock:
	uv pip compile -q --universal --no-header --no-annotate --no-emit-index-url --no-emit-find-links --python-version 3.11 pyproject.toml --extra function -o requirements.txt
	uv pip compile -q --universal --no-header --no-annotate --no-emit-index-url --no-emit-find-links --python-version 3.11 pyproject.toml --extra local --extra dev -c requirements.txt -o requirements-local.txt
