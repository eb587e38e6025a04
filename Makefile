# `make report` and `make test` work on a fresh machine with Python 3.11 or newer; both build .venv first.

PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$name && break; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# SLURM and Ray, for the tests that need them: packages beside the pinned ones, in an environment of their own.
CLUSTER := .venv-cluster
SLURM := slurmctld slurmd slurm-client munge
WORKERS ?= auto
SUITE := pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --max-worker-restart 0
# Numbers whose licence keeps them out of the repository; without them their rows are skipped.
UNSHIPPED ?= $(or $(wildcard ../shared/oracles),null)
RANDOM_OUT ?= out/random
JOBS ?= 1
# Mutants of each module that make mutants tries, drawn at random; all of them with SAMPLE=
SAMPLE ?= 25
KILLS ?= 100
BENCH_OUT ?= out/bench
# Pairs of Python and JAX for make matrix: the oldest and the newest JAX of constraints.txt for each Python.
PAIRS ?= 3.11:0.10.2 3.12:0.10.2 3.12:0.12.0.1 3.13:0.10.2 3.13:0.12.0.1
TESTS ?=
# The newer JAX that gpu-check compiles with, and a Python that it supports.
GPU_JAX ?= 0.11.2
RUN ?= out/report
PYTHON_NEW ?= $(shell for name in $(PYTHON) python3.12 python3.13; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1 && echo $$name && break; done)
COMPILE := uv pip compile pyproject.toml --universal --python-version 3.11 --fork-strategy requires-python \
	--generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup develop report test test-whole coverage matrix test-cluster validate random kills mutants bench pictures gpu-check gpu-try lint format lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' Makefile

setup: $(STAMP) ## build .venv from the pinned constraints.txt

# Without compiling: half of the time goes into modules that are never imported.
$(STAMP): pyproject.toml constraints.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "undertow needs Python 3.11 or newer as python3: install it, or name one with" \
		"'make PYTHON=/path/to/python3.11 $(or $(MAKECMDGOALS),setup)'" >&2; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) has no venv module: install" \
		"your system's python3-venv package" >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-compile --require-hashes -r constraints.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

develop: $(VENV)/.develop ## setup, and beside it what tests and lint need

$(VENV)/.develop: $(STAMP) tests/constraints.txt
	$(BIN)/python -m pip install --quiet --no-compile --require-hashes -r constraints.txt -r tests/constraints.txt
	@touch $@

report: setup ## the main job on the shipped book; prints where the report is
	$(BIN)/undertow run.dir=out/report

test: develop ## the test-suite
	$(BIN)/python -m $(SUITE)

matrix: ## set-up, a small report and the test-suite for each of PAIRS of Python and JAX (hours), or TESTS of it
	@$(PYTHON) tests/matrix.py $(PAIRS) --tests "$(TESTS)" --workers $(WORKERS)

test-whole: develop ## every damaged book and configuration, every combination, and the dearest tests (an hour or more)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m whole

coverage: develop ## lines and branches of engine that the test-suite reaches, and those it does not (an hour)
	@mkdir -p out/coverage; $(BIN)/coverage erase
	$(BIN)/coverage run -m $(SUITE) $(TESTS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report > out/coverage/report.txt; code=$$?; tail -n 2 out/coverage/report.txt; exit $$code

test-cluster: $(CLUSTER)/.installed ## sweeps and runs on a real SLURM and a real Ray on this machine; SLURM by apt, as root
	@for tool in munged slurmctld slurmd sbatch; do command -v $$tool >/dev/null || exit 1; done || { \
		test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(SLURM); } || \
		echo "without SLURM its tests are skipped: install $(SLURM) (Debian's names) as root" >&2
	$(CLUSTER)/bin/python -m pytest tests/cluster -m cluster -v -rs

$(CLUSTER)/.installed: pyproject.toml constraints.txt tests/constraints.txt
	test -x $(CLUSTER)/bin/python || $(PYTHON) -m venv $(CLUSTER)
	$(CLUSTER)/bin/python -m pip install --quiet --require-hashes -r constraints.txt -r tests/constraints.txt
	$(CLUSTER)/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .
	$(CLUSTER)/bin/python -m pip install --quiet --no-build-isolation -e '.[sweeps]' || \
		echo "the launchers of the extra 'sweeps' could not be installed: their tests are skipped" >&2
	@touch $@

random: develop ## dieharder over the random words (half an hour on one core); JOBS tests at a time, into RANDOM_OUT
	@command -v dieharder >/dev/null || { echo "make random needs dieharder on the path: install your system's" \
		"dieharder package (Debian, Ubuntu: apt-get install dieharder)" >&2; exit 2; }
	$(BIN)/python tests/draws/assess.py $(RANDOM_OUT) --jobs $(JOBS)

kills: develop ## kill a run KILLS times and see that it ends as the undisturbed one; into out/kills
	$(BIN)/python tests/experiments/kills.py $(KILLS) --folder out/kills

mutants: develop ## break the code on purpose, SAMPLE mutants a module, and list those that no test notices
	$(BIN)/python -m tests.mutants $(if $(SAMPLE),--sample $(SAMPLE))

validate: setup ## published numbers beside the engine's: docs/validation.md
	$(BIN)/undertow task=validate validate.unshipped=$(UNSHIPPED)

bench: setup ## all benchmarks on this machine (an hour), results as lines of JSON and one table in BENCH_OUT
	@rm -f $(BENCH_OUT)/results.jsonl
	@for file in $(filter-out $(addprefix %/,command.py gpu_check.py gpu_kernel.py gpu_month.py gpu_run.py record.py table.py),$(wildcard benchmarks/*.py)); do \
		echo "== $$file"; BENCH_OUT=$(BENCH_OUT) $(BIN)/python $$file || exit 1; done
	@$(BIN)/python benchmarks/table.py $(BENCH_OUT) | tee $(BENCH_OUT)/table.md

pictures: develop ## docs/figures again from the report of RUN, a run of the shipped book (Chromium)
	$(BIN)/python -m pip install --quiet 'pillow>=11'
	$(BIN)/python -m tests.report.pictures $(RUN)

gpu-check: setup ## compile a run for an H100 without one, count kernels: pinned JAX and CUDA 12, GPU_JAX and CUDA 13; the fused kernel
	test -x .venv-gpu/bin/python || $(PYTHON) -m venv .venv-gpu
	.venv-gpu/bin/python -m pip install --quiet --no-deps nvidia-cuda-nvcc-cu12 nvidia-cuda-cupti-cu12 \
		$$($(BIN)/python -c 'import jax; print(*(f"{name}=={jax.__version__}" for name in ("jax-cuda12-plugin", "jax-cuda12-pjrt")))')
	PYTHONPATH=$$(echo .venv-gpu/lib/python*/site-packages):. $(BIN)/python benchmarks/gpu_check.py
	@test -n "$(PYTHON_NEW)" || { echo "JAX $(GPU_JAX) needs Python 3.12 or newer: name one with" \
		"'make PYTHON_NEW=/path/to/python3.12 gpu-check'" >&2; exit 2; }
	test -x .venv-gpu13/bin/python || $(PYTHON_NEW) -m venv .venv-gpu13
	.venv-gpu13/bin/python -m pip install --quiet jax==$(GPU_JAX) equinox jaxtyping optax pandas pyarrow scipy
	.venv-gpu13/bin/python -m pip install --quiet --no-deps nvidia-cuda-nvcc nvidia-cuda-cupti nvidia-nvvm \
		nvidia-cuda-crt nvidia-cuda-runtime nvidia-cuda-nvdisasm jax-cuda13-plugin==$(GPU_JAX) jax-cuda13-pjrt==$(GPU_JAX)
	JAX_SKIP_CUDA_CONSTRAINTS_CHECK=1 PYTHONPATH=. .venv-gpu13/bin/python benchmarks/gpu_check.py
	JAX_SKIP_CUDA_CONSTRAINTS_CHECK=1 PYTHONPATH=. .venv-gpu13/bin/python benchmarks/gpu_kernel.py

gpu-try: setup ## the script for a GPU on this CPU, all phases at tiny size, into out/gpu-try
	$(BIN)/python benchmarks/gpu_run.py --tiny --prepare --out out/gpu-try
	$(BIN)/python benchmarks/gpu_run.py --tiny --cpu --minutes 30 --out out/gpu-try
	@$(BIN)/python benchmarks/table.py out/gpu-try

lint: develop ## ruff, mypy and advice on length, without changing a file
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	@$(BIN)/python tests/lengths.py

format: develop ## ruff, mending what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: setup ## pin constraints.txt and tests/constraints.txt again from pyproject.toml (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv on the path" >&2; exit 2; }
	$(COMPILE) --extra build --upgrade --output-file constraints.txt
	$(COMPILE) --extra build --extra test --upgrade --constraint constraints.txt --output-file tests/constraints.txt \
		$$(sed -n 's/==.*//p' constraints.txt | sort -u | sed 's/^/--no-emit-package /')

clean: ## remove the environment, caches and results
	rm -rf $(VENV) $(CLUSTER) .venv-gpu .venv-gpu13 .venv-matrix out .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
