# Two commands: `make run` and `make test`. Both set everything up first; `make setup` does
# only that. PYTHON names another Python: make run PYTHON=python3.12
PYTHON ?= python3
VENV = .venv/bin/python
MODEL = build/model.tar.gz

.PHONY: setup install run test bench backup check audit package deploy rollback remove lock python node

run: install
	@$(VENV) -m bot run

# What `make run` needs and no more; `setup` adds what tests need.
install: python .venv/installed $(MODEL)

# As many at once as there are cores; ARGS=--cov adds what they cover.
test: setup
	@$(VENV) -m pytest --numprocesses auto --dist worksteal $(ARGS)

bench: package build/function-venv/installed
	@$(VENV) -m bench

# A function's own packages for this machine: its fastText cannot stand beside the laptop's.
build/function-venv/installed: requirements.txt
	@"$(PYTHON)" -m venv build/function-venv
	@build/function-venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

setup: install .venv/tested

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

# What only tests and checks need; `make run` does without.
.venv/tested: requirements-dev.txt .venv/installed
	@echo "Installing what the tests need."
	@$(VENV) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt || { echo "The test dependencies could not be installed: what pip says stands above."; exit 1; }
	@touch $@

$(MODEL): bot/learning/corpus.csv $(wildcard bot/learning/training/*.py) bot/normalize.py .venv/installed
	@$(VENV) -m bot train bot/learning/corpus.csv --output $@ --name starter

# A copy of everything stored, into .data/backups; the bot may run meanwhile.
backup: python .venv/installed
	@$(VENV) -m bot backup

check: setup
	@$(VENV) -m ruff check .
	@$(VENV) -m ruff format --check .
	@$(VENV) -m mypy

# Known weaknesses of what the lock files pin; asks the advisories of PyPI and npm.
audit: python node_modules
	@test -x build/audit/bin/pip-audit || { "$(PYTHON)" -m venv build/audit && build/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit==2.10.1; }
	@"$(PYTHON)" .ci/audit

node_modules: package-lock.json
	@npm ci --silent --no-audit --no-fund
	@touch $@

package: setup node_modules
	@PYTHON=$(VENV) sh aws/dependencies.sh
	@npx osls package

# One stage on AWS (docs/aws.md): make deploy STAGE=prod; YES=1 asks nothing, TO=… names a release.
# Only deploying packs anything; the others ask that something was, and are not to fail over it.
STAGE ?= dev
deploy rollback remove: node install node_modules
	@$(if $(filter deploy,$@),,test -f build/dependencies.stamp ||) STAGE="$(if $(filter deploy,$@),$(STAGE))" PYTHON=$(VENV) sh aws/dependencies.sh
	@$(VENV) -m bot $@ --stage "$(STAGE)" $(if $(filter deploy rollback,$@),$(if $(YES),--yes)) $(if $(filter rollback,$@),$(if $(TO),--to "$(TO)"))

node:
	@command -v npm >/dev/null || { echo "npm is not here: install Node 20.19 or newer (nodejs.org)."; exit 1; }

# Writes the lock files anew from pyproject.toml; needs uv.
LOCK = uv pip compile -q --universal --no-header --no-annotate --no-emit-index-url --no-emit-find-links --python-version 3.11 pyproject.toml
lock:
	$(LOCK) --extra function -o requirements.txt
	$(LOCK) --extra local -c requirements.txt -o requirements-local.txt
	$(LOCK) --extra local --extra dev -c requirements-local.txt -o requirements-dev.txt
