# What a person does with this project. `make` alone prints the list.
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
UV_VERSION := 0.13.9
# Without compiled modules each process of the tests compiles them all again: 2.5 s of CPU a start.
unexport PYTHONDONTWRITEBYTECODE
STACK ?= real
SEEDS ?= 1-40
FAULTS ?= 5
KILLS ?=
SECONDS ?= 30
SEED ?= 20180205
MESSAGES ?= 1000000
MINUTES ?= 15

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

setup: .venv/.ready ## environment in .venv, the command at .venv/bin/dispersion

.venv/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with: make PYTHON=python3.11 setup")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv==$(UV_VERSION)
	$(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## the main job on the embedded stack: real closes, then an unwind scenario (Python only)
	$(BIN)/dispersion demo

test: setup ## all tests, on the embedded and on a real Kafka and Redis; prints what it skipped
	$(BIN)/python -m tests.support.provision
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal --durations=10 --ignore tests/preview --ignore tests/integration --ignore tests/chaos --ignore tests/benchmarks
	$(BIN)/python -m pytest --numprocesses 4 --dist loadfile --no-loadscope-reorder --durations=10 tests/chaos tests/integration
	$(BIN)/python -m pytest --durations=10 tests/benchmarks

chaos: setup ## seeded faults, noted in build/chaos.jsonl: STACK=real, embedded or monitor, SEEDS=1-40, FAULTS=5 each; KILLS=50 the alerts' chaos instead
	$(BIN)/python -m tests.support.provision
ifeq ($(KILLS),)
	$(BIN)/python -m tests.chaos.run --stack $(STACK) --seeds $(SEEDS) --faults-per-seed $(FAULTS)
else
	DISPERSION_CHAOS_KILLS=$(KILLS) DISPERSION_CHAOS_SECONDS=$(SECONDS) DISPERSION_CHAOS_SEED=$(SEED) $(BIN)/python -m pytest tests/chaos/test_alerts_survive.py
endif

drill: setup ## faults under a real Prometheus and Alertmanager: what the wall says, who is paged; to build/drill.json: FAULTED="redis hung,…"
	$(BIN)/python -m tests.support.provision
	$(BIN)/python -m tests.drill.run $(if $(FAULTED),--faults "$(FAULTED)")

hostile: setup ## a million hostile messages, each accounted for, to build/hostile.json: MESSAGES=1000000, SEED=…
	$(BIN)/python -m tests.chaos.hostile --seed $(SEED) --count $(MESSAGES)

check: setup ## style, types and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/python -m tests.support.style
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup ## CPU per quote beside other libraries, growth, latency; to build/bench.json and docs/design/performance.md
	$(BIN)/python -m tests.support.provision kafka
	-$(MAKE) --no-print-directory peers # without them their rows say so
	$(BIN)/python -m tests.benchmarks.run

soak: setup ## memory of a worker that carries 500 names, three minutes of warm-up and MINUTES=15, to build/soak.json
	$(BIN)/python -m tests.support.provision kafka
	$(BIN)/python -m tests.benchmarks.soak --minutes $(MINUTES)

peers: build/peers/.ready ## what `make bench` measures beside, in an environment of its own

build/peers/.ready: requirements-peers.lock .venv/.ready
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python build/peers
	$(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes --python build/peers/bin/python requirements-peers.lock
	@touch $@

schemas: setup ## JSON Schemas that follow from the code
	$(BIN)/python -m config.schemas.build

tables: setup ## tables of the pages anew from the catalogue of measures and counters
	$(BIN)/python -m config.pages_build

alerting: setup ## rules and scrape configuration of Prometheus anew: PARAMETERS=site.toml OUT=/etc/prometheus for those of your own site
	$(BIN)/python -m config.service_alerts.build $(PARAMETERS) $(OUT)

calendar: setup ## sessions of the exchange anew from exchange_calendars, after an upgrade of it
	$(BIN)/python -m config.exchange_days_build

dashboards: setup ## Grafana JSON anew from its code; RUNBOOK=… is the address that panels link to
	$(BIN)/python -m grafana.build $(RUNBOOK)

wall: setup dashboards ## pictures of the wall by Grafana's components and Chromium, to build/wall and docs/use/pictures, and a test of what they show
	$(BIN)/python -m tests.support.provision preview
	$(BIN)/python -m tests.support.wall_pictures
	$(BIN)/python -m pytest tests/preview

lock: ## requirements.lock and requirements-peers.lock anew from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --all-extras --group dev --generate-hashes --universal --quiet --output-file requirements.lock
	$(BIN)/uv pip compile --group peers --generate-hashes --universal --quiet --output-file requirements-peers.lock

up: ## the whole stack in Docker
	docker compose up --build --detach

down: ## stop it
	docker compose down

clean: ## remove the environment and all that was built
	rm -rf .venv build

.PHONY: help setup demo test chaos drill hostile check bench soak peers schemas tables alerting calendar dashboards wall lock up down clean
