# make run    the margin of a sample portfolio, on a machine with only Python 3.11+ and make
# make test   format, lint, strict types, tests and the README's examples
# make venv   .venv with every extra and the development tools
# make bench  the benchmarks, into benchmarks/RESULTS.md
# make docs   the pages of docs/ into site/; a broken link is an error
# make prove  the long proofs
# make oldest the tests that a user depends on, with the oldest versions that are allowed

PYTHON ?= python3
BIN := .venv/bin
SAMPLE ?= sample_portfolios/btc_short_strangle.yaml
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
DEPENDED_ON := tests/cli tests/conformance tests/errors tests/feed tests/files tests/test_laws.py \
	tests/test_machine_code.py tests/test_pricers.py tests/test_screen.py

.PHONY: run test venv bench docs prove oldest format clean

run: .venv/run.stamp
	@$(BIN)/margincalc margin $(SAMPLE)

test: .venv/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n auto

venv: .venv/dev.stamp

bench: .venv/dev.stamp
	$(BIN)/python -m compileall -q margincalc
	$(BIN)/python -m benchmarks

docs: .venv/dev.stamp
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -W ignore -m mkdocs build --strict

prove: .venv/dev.stamp
	MARGINCALC_PROVE=1 $(BIN)/python -m pytest -n auto

oldest: .venv-oldest/stamp
	@# machine code of another numba is no good to this one, and would be written over beside it
	NUMBA_CACHE_DIR=$(CURDIR)/.venv-oldest/numba .venv-oldest/bin/python -m pytest -n auto -o filterwarnings=default $(DEPENDED_ON)

format: .venv/dev.stamp
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv .venv-oldest build dist site *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/run.stamp: pyproject.toml requirements-dev.txt | .venv/bin/python
	$(PIP) install --constraint requirements-dev.txt --editable .
	@touch $@

.venv/dev.stamp: pyproject.toml requirements-dev.txt | .venv/bin/python
	$(PIP) install --requirement requirements-dev.txt --editable ".[all]"
	@touch $@ .venv/run.stamp

.venv-oldest/stamp: pyproject.toml requirements-oldest.txt
	$(PYTHON) -m venv .venv-oldest
	.venv-oldest/bin/python -m pip --disable-pip-version-check --quiet install \
		--requirement requirements-oldest.txt --editable ".[all]"
	@touch $@
