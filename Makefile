# make demo    a city that lives, and its live board: from nothing to exact figures
# make test    lint, types, all tests on both brokers
# make soak    what breaks when everything breaks, for hours
# make env     only .venv, with .venv/bin/hotline
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3.11
BIN := .venv/bin
STAMP := .venv/installed
# Most tests wait for a broker, an engine or a worker to start or to heal; three at once keep two cores busy. One of the
# three that dies is not replaced: the test in which it died is named, and the others do the rest.
TESTS_AT_ONCE ?= 3

# A stack is five processes, and tests start hundreds: without bytecode each would compile all that it imports again.
unexport PYTHONDONTWRITEBYTECODE
# Nor has any of them a matrix to multiply: numpy's threads for that would turn for a while at each start.
export OPENBLAS_NUM_THREADS := 1
PARTS := chdb.session, cli.load, cli.main, cli.watch.terminal, deploy.stack.supervisor, rich.progress, sinks.engine.__main__, \
	sinks.writer.__main__, streams.__main__, dashboards.web.__main__

.PHONY: help env demo test soak lint format bench docs picture clean
help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

env: $(STAMP)

# Made again only when what is to be installed changed; a half-made one has no stamp. The lock names every package. Of
# its modules only those that the parts import are compiled, by importing them: the rest is a third of the time.
$(STAMP): requirements.lock pyproject.toml
	@echo "making .venv: a minute or so"
	deploy/prepare_machine.sh python $(PYTHON)
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --disable-pip-version-check --no-input --quiet --require-hashes --no-deps --no-compile \
		--requirement requirements.lock
	$(BIN)/pip install --disable-pip-version-check --no-input --quiet --no-index --no-deps --no-build-isolation \
		--config-settings editable_mode=compat --editable .
	$(BIN)/python -c 'import $(PARTS)'
	touch $@

demo: env
	$(BIN)/hotline demo

test: env lint
	deploy/prepare_machine.sh java
	deploy/prepare_machine.sh browser
	deploy/prepare_machine.sh node
	$(BIN)/python -m pytest -n $(TESTS_AT_ONCE) --max-worker-restart 0 --dist loadfile --no-loadscope-reorder

# Delivery's fences broken one by one, each noticed by the tests named with it. A million mutated records, under a seed
# that is printed: SOAK_SEED=7 makes the same ones again. The model of delivery with a fault more. Then hundreds of kills,
# days that pass a hundred times as fast, an engine that stands still for ten minutes: build/soak/report.html, with
# pictures.
SOAK_RECORDS ?= 1000000
SOAK_KILLS ?= 500
soak: env
	deploy/prepare_machine.sh java
	failed=0; \
	$(BIN)/python -m tests.mutants || failed=1; \
	$(BIN)/python -m tests.fuzz --records $(SOAK_RECORDS) $(if $(SOAK_SEED),--seed $(SOAK_SEED)) || failed=1; \
	HOTLINE_MODEL_DEPTH=1 $(BIN)/python -m pytest tests/faults/model || failed=1; \
	$(BIN)/python -m tests.soak --kills $(SOAK_KILLS) $(if $(SOAK_SEED),--seed $(SOAK_SEED)) || failed=1; \
	exit $$failed

lint: env
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m hotline.documents --check
	$(BIN)/python -m dashboards --check

format: env
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# Figures of one run side by side on this machine.
bench: env
	$(BIN)/python -m bench

# Schemas, pages and boards that are made from the code.
docs: env
	$(BIN)/python -m hotline.documents
	$(BIN)/python -m dashboards
	$(BIN)/python -m tests.cli.board_pictures

# The README's picture of the wall, of a simulated day.
picture: env
	deploy/prepare_machine.sh browser
	$(BIN)/python -m tests.dashboards.wall_picture

# What can be made again; data folders stay.
clean:
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .hypothesis .pytest_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
