# Two commands do everything on a fresh machine: `make quickstart` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: install quickstart test test-slow coverage bench cluster-cost store-cost coverage-intervals docs reproduce soak fuzz gpu lint clean

install: $(VENV)/installed

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@

# A real leaderboard on real data, printed.
quickstart: install
	$(BIN)/unlearnbench run quickstart

test: install lint
	$(BIN)/python -m pytest --numprocesses auto -m "not slow"

# The tests that take minutes.
test-slow: install
	$(BIN)/python -m pytest --numprocesses auto -m slow

# How much of the package the tests that take seconds run; fails below the share in pyproject.toml. The profile draws the
# same examples each time, and sets no deadline, which a first compilation under coverage would miss.
coverage: install
	$(BIN)/python -m pytest --numprocesses auto -m "not slow" --hypothesis-profile=ci \
		--cov --cov-report=term --cov-report=xml

# Each fast path beside its reference, on one thread: see benchmarks/perf/README.md.
bench: export OMP_NUM_THREADS = 1
bench: export OPENBLAS_NUM_THREADS = 1
bench: export MKL_NUM_THREADS = 1
bench: export NUMEXPR_NUM_THREADS = 1
bench: install
	$(BIN)/python -m pytest benchmarks/perf $(if $(ONLY),-k "$(ONLY)")

# What a dask cluster costs a pack, and whether the memory of the client grows; an hour, less with MEMORY_PACKS=1000.
cluster-cost: install
	$(BIN)/python benchmarks/cluster/measure.py --memory-packs $(or $(MEMORY_PACKS),100000)

# What plan, status, results and a resumed run cost on a store of CELLS cells.
store-cost: install
	$(BIN)/python benchmarks/store/measure.py --cells $(or $(CELLS),100000)

# How often intervals hold, over SEEDS seeds of four small experiments, from FIRST, written into docs/statistics.md: some
# minutes.
# What was measured before is in .coverage-intervals: remove it after a change of results.
coverage-intervals: export OMP_NUM_THREADS = 1
coverage-intervals: install
	$(BIN)/python benchmarks/coverage/measure.py --first $(or $(FIRST),120) --seeds $(or $(SEEDS),100) --write docs/statistics.md

# This documentation as pages, in docs/_build; warnings are errors.
docs: install
	$(BIN)/python -m sphinx -b html -W --keep-going -q docs docs/_build

# Every experiment of the paper at full size, an hour or more; what is stored already is not run again.
reproduce: install
	$(BIN)/unlearnbench reproduce --page docs/reproduction.md --tables leaderboards/paper

# Random runs under random kills, damage and full disks, MINUTES long, from the round SEED on: they end as undisturbed ones.
soak: export OMP_NUM_THREADS = 1
soak: install
	PYTHONPATH=benchmarks $(BIN)/python -m soak --minutes $(or $(MINUTES),60) --seed $(or $(SEED),0)

# What reads the files of others is fed FUZZ times as many random ones as the tests do; prints how many, and how they ended.
fuzz: export FUZZ ?= 20
fuzz: install
	$(BIN)/python -m pytest -rP --hypothesis-show-statistics tests/suite/test_fuzz.py tests/run/test_entries.py \
		tests/audit/test_fuzz.py tests/submissions/test_hostile_arrays.py tests/submissions/test_mutations.py

# What only a GPU can show, in under ten minutes, as a page in OUT; DEVICE=cpu SIZE=tiny is a dry run.
gpu: install
	PYTHONPATH=benchmarks:plugins/unlearnbench-vision/src $(BIN)/python -m gpu --device $(or $(DEVICE),cuda) \
		--size $(or $(SIZE),full) --minutes $(or $(MINUTES),7) --out $(or $(OUT),gpu-report)

lint: install
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	for package in plugins/unlearnbench-*; do MYPYPATH=$$package/src $(BIN)/mypy $$package || exit 1; done
	$(BIN)/lint-imports
	$(BIN)/unlearnbench leaderboard build --check

clean:
	rm -rf $(VENV) .unlearnbench
