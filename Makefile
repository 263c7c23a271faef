# make run    the margin of a sample portfolio, on a machine with only Python 3.11+ and make
# make test   format, lint, strict types, tests and the README's examples
# make venv   .venv with every extra and the development tools
# make bench  the benchmarks, into benchmarks/RESULTS.md
# make prove  the long proofs

PYTHON ?= python3
BIN := .venv/bin
SAMPLE ?= sample_portfolios/btc_short_strangle.yaml
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: run test venv bench prove format clean

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

prove: .venv/dev.stamp
	MARGINCALC_PROVE=1 $(BIN)/python -m pytest -n auto

format: .venv/dev.stamp
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/run.stamp: pyproject.toml requirements-dev.txt | .venv/bin/python
	$(PIP) install --constraint requirements-dev.txt --editable .
	@touch $@

.venv/dev.stamp: pyproject.toml requirements-dev.txt | .venv/bin/python
	$(PIP) install --requirement requirements-dev.txt --editable ".[all]"
	@touch $@ .venv/run.stamp
