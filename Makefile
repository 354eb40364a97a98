# Marquee's commands; `make` alone lists them. Works with GNU make 3.81 (macOS) and later.
# The environment lives in .venv and follows the two lock files; data lives in DATA_DIR (var/).

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
SUPERVISOR := $(BIN)/python -m config.supervisor
RUN_STAMP := $(VENV)/.installed-run
DEV_STAMP := $(VENV)/.installed-dev
TEST_WORKERS ?= 2
DB ?=
PYTEST_ARGS ?=

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
unexport PYTHONHOME
unexport PYTHONSAFEPATH

# The first interpreter that is new enough, known to the lock, and able to make an environment.
FIND_PYTHON = for candidate in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	if "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' \
		>/dev/null 2>&1; then echo "$$candidate"; exit 0; fi; done; \
	echo "Marquee needs Python 3.11 to 3.14 with its venv module (Debian: apt install python3-venv)." >&2; \
	echo "None was found on PATH; name one with: make PYTHON=/path/to/python3.12" >&2; exit 1

MAKE_VENV = if ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
	python=$$($(FIND_PYTHON)) || exit 1; \
	echo "Making $(VENV) with $$("$$python" --version)"; \
	"$$python" -m venv --clear $(VENV); fi

##@ Run

.PHONY: run
run: install  ## Everything on this machine: web, worker, beat, Valkey, and a demo (PORT=8000)
	@exec $(SUPERVISOR)

.PHONY: dev
dev: $(DEV_STAMP)  ## The same, started again whenever code changes
	@exec $(SUPERVISOR) --reload

.PHONY: serve
serve: install  ## The web server alone, in the foreground
	@exec $(SUPERVISOR) web

.PHONY: worker
worker: install  ## One worker alone
	@exec $(SUPERVISOR) worker

.PHONY: worker-dev
worker-dev: $(DEV_STAMP)  ## One worker, started again whenever code changes
	@exec $(SUPERVISOR) --reload worker

.PHONY: beat
beat: install  ## The scheduler alone
	@exec $(SUPERVISOR) beat

.PHONY: ingest-once
ingest-once: install  ## Discover and match once, in the foreground (ARGS=--dry-run)
	@exec $(SUPERVISOR) ingest-once $(ARGS)

.PHONY: shell
shell: install  ## Django's shell, with the addresses of a running `make run`
	@exec $(SUPERVISOR) shell

##@ Check

.PHONY: test
test: $(DEV_STAMP)  ## All tests, and on PostgreSQL and MongoDB what touches rows (DB=postgres, PYTEST_ARGS="-k policy")
	@$(BIN)/python -m tests "$(DB)" -n $(TEST_WORKERS) --dist loadfile $(PYTEST_ARGS)

.PHONY: mutants
mutants: $(DEV_STAMP)  ## Take each rule and guard away, one at a time, and see a named test fail (ARGS="-k pin")
	@$(BIN)/python -m tests.mutants $(ARGS)

.PHONY: coverage
coverage: $(DEV_STAMP)  ## Branches of streaming/ that no test takes; fails below 95 %
	@$(BIN)/python -m tests sqlite -n $(TEST_WORKERS) --dist loadfile --cov --cov-report=term tests/streaming tests/ingestion

.PHONY: day
day: $(DEV_STAMP)  ## A simulated day on 1,000 movies, a fifth of all calls failing (DB=mongodb SEED=2 ARGS="--movies 100")
	@$(BIN)/python -m tests.databases $(or $(DB),sqlite) -- $(BIN)/python -m tests.simulation --seed $(or $(SEED),1) $(ARGS)

.PHONY: soak
soak: $(DEV_STAMP)  ## 5,000 matches while workers and the broker are killed (DB=sqlite SEED=2 ARGS="--movies 500 --hurry")
	@$(BIN)/python -m tests.databases $(or $(DB),postgres) -- $(BIN)/python -m tests.soak --seed $(or $(SEED),1) $(ARGS)

.PHONY: check
check: lint types imports migrations-check  ## Everything that can be told without running the product

.PHONY: lint
lint: $(DEV_STAMP)  ## Style and common mistakes (ruff)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

.PHONY: types
types: $(DEV_STAMP)  ## Types (mypy, strict)
	@$(BIN)/mypy

.PHONY: imports
imports: $(DEV_STAMP)  ## Which room may import which (import-linter)
	@$(BIN)/lint-imports

.PHONY: migrations-check
migrations-check: $(DEV_STAMP)  ## Models and migrations agree
	@data=$$(mktemp -d) && trap 'rm -rf "$$data"' EXIT && \
		DATA_DIR="$$data" $(BIN)/python manage.py makemigrations --check --dry-run

##@ Maintain

.PHONY: install
install: $(RUN_STAMP)  ## What `make run` needs, into .venv, checked by hash

$(RUN_STAMP): requirements.lock
	@$(MAKE_VENV)
	@echo "Installing what Marquee needs into $(VENV); the first time takes about a minute"
	@$(PIP) -r requirements.lock
	@touch $@

$(DEV_STAMP): requirements-dev.lock
	@$(MAKE_VENV)
	@echo "Installing what tests and checks need into $(VENV); the first time takes a minute or two"
	@$(PIP) -r requirements-dev.lock
	@touch $@ $(RUN_STAMP)

# Two runs, one resolution: the second keeps the versions of the first.
COMPILE = uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-strip-extras --no-emit-index-url --no-emit-find-links --no-header --no-annotate

.PHONY: lock
lock:  ## Make the lock files again, within the bounds of pyproject.toml (UPGRADE=--upgrade; needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv: https://docs.astral.sh/uv/" >&2; exit 1; }
	@$(COMPILE) $(UPGRADE) --extra dev --output-file requirements-dev.lock
	@$(COMPILE) $(UPGRADE) --constraint requirements-dev.lock --output-file requirements.lock
	@! grep -n '://' requirements.lock requirements-dev.lock || { echo "A lock names a host." >&2; exit 1; }

.PHONY: openapi
openapi: $(DEV_STAMP)  ## Write docs/openapi.json from the code, and the TypeScript client's types from it (needs npm)
	@data=$$(mktemp -d) && trap 'rm -rf "$$data"' EXIT && DATA_DIR="$$data" $(BIN)/python manage.py spectacular \
		--format openapi-json --validate --fail-on-warn --file docs/openapi.json
	@if command -v npm >/dev/null; then cd clients/typescript && npm ci --silent && npm run --silent generate; \
		else echo "The types in clients/typescript stay as they are: they need npm." >&2; fi

.PHONY: demo-media
demo-media: install  ## Make the demo's clips and posters again (needs ffmpeg)
	@$(BIN)/python -m demo.make_media

.PHONY: screenshots
screenshots: $(DEV_STAMP)  ## Take the pictures of docs/ from a running `make run` (needs Chromium)
	@$(BIN)/python -m docs.screenshots

.PHONY: clean
clean:  ## Remove .venv and caches; the data in DATA_DIR stays
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis test-results
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "Removed the environment and the caches. Your data is still in $${DATA_DIR:-var}."

.PHONY: help
help:  ## This list
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' Makefile
