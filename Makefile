# Everything lives in .venv, made on first use with Python >= 3.11 and a package index alone.
# A GPU user installs the matching torch first; see README, "Installing".

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Compiled once here: the tests start hundreds of processes, some where nothing may be cached.
UV := $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python -c constraints.txt
# A folder of wheels, where pip is told of one, is searched for the CPU build of torch first.
WHEELS ?= $(or $(PIP_FIND_LINKS),$(shell $(PYTHON) -m pip config get global.find-links 2>/dev/null))
OUT ?= demo-out
JOBS ?= 2
COVERAGE ?=

# Worker processes share the cores: one thread each, and none that spins while it waits.
TEST_ENV := OMP_NUM_THREADS=1 OMP_WAIT_POLICY=passive

# Either kind of machine runs both lanes: as one without units for bf16, and as one that has them.
BF16_TESTS := tests/conformance tests/models tests/prediction tests/training tests/evaluation \
	tests/interpret tests/cli tests/end_to_end

.PHONY: help demo test test-bf16 check format bench bench-attention clean

help:
	@echo "make demo    the whole way on simulated data, with a report (minutes)"
	@echo "make test    the test suite; COVERAGE=90 also demands that share of lines"
	@echo "make test-bf16   what computes models, as on a machine with units for bf16"
	@echo "make check   formatting, lint, types and import rules"
	@echo "make bench   speed and memory measurements, as ratios"

demo: $(VENV)/.core
	$(BIN)/attendna demo --out $(OUT) --force

test: $(VENV)/.dev
	ATTENDNA_BF16=off $(TEST_ENV) $(BIN)/python -m pytest -n $(JOBS) \
		$(if $(COVERAGE),--cov --cov-report=term --cov-fail-under=$(COVERAGE))

test-bf16: $(VENV)/.dev
	ATTENDNA_BF16=on $(TEST_ENV) $(BIN)/python -m pytest -n $(JOBS) $(BF16_TESTS)

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/pyright

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

bench-attention: $(VENV)/.dev
	$(BIN)/python -m benchmarks attention

clean:
	rm -rf $(VENV) $(OUT) .pytest_cache .ruff_cache .hypothesis .coverage*

$(VENV)/.torch: constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
		"attendna needs Python 3.11 or newer; name one with make PYTHON=python3.11")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv
	@echo "installing torch (the CPU build, or the one for the GPU that is found)"
	@$(BIN)/python -c 'import torch' 2>/dev/null \
		|| { test -n "$(WHEELS)" && $(UV) --no-index --no-deps --find-links "$(WHEELS)" torch 2>/dev/null; } \
		|| $(UV) --torch-backend=auto torch
	@touch $@

$(VENV)/.core: $(VENV)/.torch pyproject.toml
	@echo "installing attendna"
	@$(UV) -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.core constraints.txt
	@echo "installing the tools for development"
	@$(UV) -e ".[fast,bpe,cluster,dna2vec,huggingface,lora,motifs,twobit,signal,tracks,trees,tune,umap,test,check]"
	@touch $@
