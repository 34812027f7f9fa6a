# The verbs. Each does what it says and nothing twice; `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help setup up down verify test bench soak check lint format lock clean clean-all uninstall

TOPOLOGY ?= topologies/quickstart.yaml
LAB ?= $(basename $(notdir $(TOPOLOGY)))
BIN := .venv/bin
EPOLAB := $(BIN)/epolab
CHECKED := packages tests toolchain benchmarks __main__.py

help: ## list the verbs
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

setup: ## install what is missing: Docker engine, tools, .venv, Pulumi, images (says what, asks once)
	@sh toolchain/setup.sh

up: setup ## set up, bring TOPOLOGY up as the lab LAB (the file's stem), give its verdict
	@$(EPOLAB) up $(TOPOLOGY) --name $(LAB)
	@$(EPOLAB) verify $(LAB)

verify: ## the verdict on the lab LAB
	@$(EPOLAB) verify $(LAB)

down: ## remove the lab LAB
	@$(EPOLAB) down $(LAB)

test: setup ## every test of the project, with the quickstart lab up
	@sh toolchain/test.sh

bench: setup ## the benchmarks, on an idle machine: ratios against floors measured in the same run
	@$(BIN)/python benchmarks/nodes.py
	@$(BIN)/python benchmarks/agent.py
	@$(BIN)/python -m benchmarks.swarm
	@$(BIN)/python -m benchmarks.ingest
	@$(BIN)/python benchmarks/relay.py
	@$(BIN)/python benchmarks/run_now.py
	@$(BIN)/python benchmarks/life.py topologies/minimal.yaml
	@$(BIN)/python benchmarks/life.py topologies/quickstart.yaml

soak: setup ## what takes long: 4,000 agents up, a round of all of them, their verdict
	@$(BIN)/python benchmarks/tokyo.py

check: lint ## format, lint, types, import contracts, unit and house tests, in under a minute
	@$(BIN)/pytest -q -n 2 tests/house tests/unit tests/cases

lint: ## format, lint, types, import contracts
	@$(BIN)/ruff format --check --quiet $(wildcard $(CHECKED))
	@$(BIN)/ruff check --quiet $(wildcard $(CHECKED))
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

format: ## write the code as `check` wants it
	@$(BIN)/ruff format $(wildcard $(CHECKED))
	@$(BIN)/ruff check --fix $(wildcard $(CHECKED))

lock: ## pin the newest versions that requirements*.in allow
	@sh toolchain/lock.sh

clean: ## remove what tests and tools leave in this folder
	rm -rf reports .pytest_cache .mypy_cache .ruff_cache .hypothesis

clean-all: clean ## remove all labs of this user, and the above
	@$(EPOLAB) sweep --all

uninstall: ## take away all that set-up made: labs, images, our Docker engine, caches, .venv (asks)
	@sh toolchain/uninstall.sh
