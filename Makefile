# What a developer types; `make` alone lists it. Everything is installed into .venv, by scripts/setup.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run setup test check soak bench format lock clean dev

# Taken from make's own command line (`make run PORT=9000`) and not from the environment, where other programs'
# variables of these names live.
HOST = 127.0.0.1
PORT = 8080
DATA_DIR = data
PYTHON =
ARGS =
export PYTHON

# Another environment that is active must not put its packages in front of ours.
unexport VIRTUAL_ENV CONDA_PREFIX PYTHONPATH PYTHONHOME PYTHONSTARTUP

# Every command that a test starts would compile all of the hub anew.
unexport PYTHONDONTWRITEBYTECODE

# At least two, or no test would ever meet another; at most eight, since most workers start a PostgreSQL of their own.
WORKERS = $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); \
	if [ $$n -lt 2 ]; then echo 2; elif [ $$n -gt 8 ]; then echo 8; else echo $$n; fi)

UV = uv==0.13.9
LOCK = .venv/bin/uv --no-config pip compile --system-certs --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-emit-index-url --custom-compile-command "make lock" $(ARGS)

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

run: setup ## start the hub with a demo team on http://127.0.0.1:8080 (HOST=, PORT=, DATA_DIR=)
	@exec .venv/bin/customerhub serve --demo --host "$(HOST)" --port "$(PORT)" --data-dir "$(DATA_DIR)"

setup: ## install what the hub needs into .venv (PYTHON= names the interpreter)
	@scripts/setup run

dev:
	@scripts/setup dev

test: dev ## run every test (ARGS="tests/core -x" for pytest, WORKERS=)
	.venv/bin/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

soak: dev ## run the load and crash tests at their full sizes
	CUSTOMERHUB_SOAK=1 .venv/bin/python -m pytest -m soak $(ARGS)

bench: dev ## measure the hub beside its floor and its peers, and write docs/performance.md (ARGS="--customers 10000")
	.venv/bin/python -m bench --write $(ARGS)

check: dev ## lint, format, strict types, import layers
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo

format: dev ## mend what can be mended by machine
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

lock: ## pin the requirements anew (ARGS=--upgrade for the newest versions)
	@scripts/setup venv
	.venv/bin/python -m pip install --quiet $(UV)
	$(LOCK) pyproject.toml requirements/run.in -o requirements/run.txt
	$(LOCK) requirements/dev.in -o requirements/dev.txt

clean: ## remove everything that was installed or built; data stays
	rm -rf .venv build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
