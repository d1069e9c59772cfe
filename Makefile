# Each target works alone on a fresh clone: it makes .venv and installs the pinned dependencies by itself, once.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
OUT ?= demo
# Real recordings for the demo, where there are any: DATA=FOLDER, or `utd-mhad` in the folder that VSKD_DATA names.
DATA ?= $(if $(VSKD_DATA),$(wildcard $(VSKD_DATA)/utd-mhad))
STAMP := $(VENV)/.installed

.PHONY: demo test check lint types soak install clean help

help:
	@echo "make demo    from few labels to a verified bundle and a report, on a synthetic world or on UTD-MHAD (OUT=demo, DATA=)"
	@echo "make test    the tests"
	@echo "make check   lint, types and tests: what CI runs"
	@echo "make soak    kills, power loss, damaged files, random streams, at length (up to four hours; figures in soak/)"
	@echo "make clean   remove the virtual environment and caches"

install: $(STAMP)

# Made again when the requirements change. The constraints pin every package, among them the CPU build of torch.
# Compiled as pip would, but on all cores; some packages bring files for other Pythons, which no Python 3 compiles.
$(STAMP): setup.cfg constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("error: vskd needs Python 3.11 or 3.12. Run: make PYTHON=python3.11 ...") if not (3, 11) <= sys.version_info < (3, 13) else None'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-compile --editable '.[export,test]' --constraint constraints.txt
	$(BIN)/python -m compileall -q -j 0 $(VENV)/lib >$(VENV)/compiled.log || true
	touch $@

demo: $(STAMP)
	$(BIN)/vskd demo --out $(OUT) $(if $(DATA),--data $(DATA))

# Two workers, the idle one takes over tests of the other. WORKERS=0 runs all in one process, for a debugger.
WORKERS ?= 2
# Many tests begin programs: compiled once, where an environment forbids Python to keep what it compiled.
test: export PYTHONDONTWRITEBYTECODE =
test: $(STAMP)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

check: lint types test

soak: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.reliability.soak --out soak

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache *.egg-info
