# Everything a person or CI does here. `make help` lists the targets; each is one line of what it is for.
SHELL := /bin/sh
PY := .venv/bin/python
RUN_PYTHON := sh scripts/python.sh
# processes for the tests: the machine's cores, at most 4
WORKERS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); [ $$n -gt 4 ] && n=4; echo $$n)
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run setup dev test test-py test-js test-browser check lint format generate lock bench bench-server \
        bench-browser load parity golden snapshots screenshots docker clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## install what is missing, serve on 127.0.0.1:8000, open the browser
	@$(PY) -S scripts/setup.py check 2>/dev/null || $(RUN_PYTHON) scripts/setup.py run
	@exec $(PY) -m app serve --open $(ARGS)

setup: ## make .venv with what running needs (part of run)
	@$(RUN_PYTHON) scripts/setup.py run

dev: ## make .venv and node_modules with what developing needs, Chromium included
	@$(RUN_PYTHON) scripts/setup.py dev
	@$(PY) scripts/chromium.py

test: dev test-js test-py ## every test: JavaScript, Python, browser

test-js: dev ## the JavaScript tests
	@$(PY) scripts/node.py --test "tests/js/**/*.test.js"

test-py: dev ## the Python tests, the browser's included; ARGS="-k name" picks some
	@$(PY) -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

test-browser: dev ## the browser tests alone
	@$(PY) -m pytest tests/browser $(ARGS)

check: lint test ## what CI runs: linters, types, every test

lint: dev ## ruff, mypy --strict, tsc
	@$(PY) -m ruff check .
	@$(PY) -m mypy
	@$(PY) scripts/node.py node_modules/typescript/bin/tsc -p tsconfig.json

format: dev ## fix what ruff can fix by itself: order of imports, old spellings
	@$(PY) -m ruff check --fix .

generate: dev ## rewrite what follows from Python: static/js/types.js, the JSON schema, pages of docs/
	@$(PY) scripts/generate.py

lock: dev ## write the locks of Python and npm; UPGRADE=1 takes newer versions
	@$(PY) scripts/lock.py $(if $(UPGRADE),--upgrade)

bench: ## time the engine beside PyTorch and NumPy by hand, in .venv-parity
	@$(RUN_PYTHON) scripts/setup.py parity
	@.venv-parity/bin/python -m bench.engine $(ARGS)

bench-server: dev ## time the routes on a server of its own
	@$(PY) -m bench.server $(ARGS)

bench-browser: dev ## time the page: drawing, seeking, streaming; ARGS=--keep writes docs/performance.md
	@$(PY) -m bench.browser $(ARGS)

load: dev ## many learners at once against a server of its own
	@$(PY) -m bench.load $(ARGS)

parity: ## compare with PyTorch itself, in an environment of its own (.venv-parity)
	@$(RUN_PYTHON) scripts/setup.py parity
	@.venv-parity/bin/python -m pytest tests/parity $(ARGS)

golden: dev ## rewrite the golden files, those that PyTorch makes included; review the diff like code
	@$(RUN_PYTHON) scripts/setup.py parity
	@for file in tests/parity/freeze_*.py; do \
	  .venv-parity/bin/python -m tests.parity.$$(basename $$file .py) || exit 1; \
	done
	@$(PY) -m tests.trace.freeze_traces

snapshots: dev ## rewrite tests/browser/snapshots, the ten moments as drawn; review the diff like code
	@BACKSTEP_SNAPSHOTS=write $(PY) -m pytest tests/browser/test_workbench_snapshots.py -q

screenshots: dev ## rewrite docs/img from the real app
	@$(PY) scripts/screenshots.py $(ARGS)

docker: ## build the image backstep and say how to start it
	docker build -t backstep .
	@echo 'docker run --rm --read-only --tmpfs /tmp -p 127.0.0.1:8000:8000 backstep'

clean: ## remove what the other targets made
	rm -rf .venv .venv-parity node_modules static/vendor dist build .pytest_cache .mypy_cache .ruff_cache test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
