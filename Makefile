# The two commands of the README are `make demo` and `make test`; each does its whole set-up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEV := $(VENV)/.dev
RUN := $(VENV)/.run
DEBIAN_TEST_PACKAGES := faketime iproute2 iptables systemd nftables chromium prometheus

.PHONY: help demo test check format lock wheels-from-source clean
.DEFAULT_GOAL := help

help: ## say what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

$(RUN): requirements/collector.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/collector.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable '.[collector]'
	@touch $@

$(DEV): requirements/dev.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable '.[collector]'
	@touch $@ $(RUN)

demo: $(RUN) ## run a district, a city and an agent on this machine until Ctrl-C
	$(BIN)/fengsui-collector demo

test: $(DEV) ## install what the tests need and run them all
	@$(BIN)/python tests/requirements.py --install $(DEBIAN_TEST_PACKAGES)
	@# Hundreds of processes start here: where bytecode is not written, each compiles the program anew.
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 2 --dist loadgroup

check: $(DEV) ## formatting, lint, types, floors and shipped files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/fengsui-collector check-config configs/collector.yaml
	$(BIN)/fengsui-agent check-config configs/agent.yaml
	$(BIN)/fengsui-collector plan check playbooks/*.yaml

format: $(DEV) ## put the code in order
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: ## write the locks anew
	for part in "collector:--extra collector --group build" "dev:--extra collector --group dev"; do \
	  uv pip compile pyproject.toml $${part#*:} --universal --python-version 3.11 --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make lock" \
	    --quiet --output-file requirements/$${part%%:*}.txt; done

wheels-from-source: ## build what has no wheel on loongarch64, into wheels/ (docs/loongarch64.md)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python packaging/wheels_from_source.py wheels

clean: ## remove what was made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
