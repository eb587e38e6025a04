"""The smallest real run: the shipped book over three years, 8,192 paths, with its paths beside its tally.

Tests of results and of the report read what it left behind; a test of an edge changes a copy.
"""

import atexit
import functools
import pathlib
import shutil
import tempfile
import time
from typing import Any, NamedTuple

import hydra
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine.book.load import Book
from engine.book.system import System
from engine.draws.address import seed_words
from engine.paths.simulate import chunk_outcome, layout_of
from engine.results.folder import Results, read_results
from engine.results.provenance import timing_of
from engine.results.write import write_results
from engine.run.plan import CHUNK
from engine.tail import tally as tallies
from engine.tail.outcome import Outcome
from engine.tail.tally import Layout, Tally
from experiments import tasks
from experiments.config import schema
from experiments.config.read import Experiment, read
from experiments.model import build, load
from experiments.session.provenance import provenance_of

PATHS, MONTHS, SEED = 8192, 36, 7
SMALL = (f"run.paths={PATHS}", f"run.months={MONTHS}", f"run.seed={SEED}")


class SmallRun(NamedTuple):
    """A run before anything is written: what was asked, what it was asked of, and every path."""

    experiment: Experiment
    book: Book
    system: System
    layout: Layout
    outcome: Outcome  # of all paths, on the host, the path axis last
    tally: Tally
    provenance: dict[str, Any]  # with the timing, as the main job hands it on

    @property
    def arguments(self) -> tuple[Tally, System, Book, dict[str, Any]]:
        """What `write_results` takes after the folder."""
        return self.tally, self.system, self.book, self.provenance


def composed(*overrides: str) -> Experiment:
    """The checked experiment of some overrides."""
    schema.register(tasks.groups())
    with hydra.initialize_config_module("conf", version_base="1.3"):
        return read(hydra.compose("config", overrides=list(overrides)), tasks.every())


@functools.cache
def small_run() -> SmallRun:
    """The run, simulated once a process."""
    experiment = composed(*SMALL)
    book = load(experiment)
    system, _, (sampler,) = build(experiment, book)
    layout, seed = layout_of(system), seed_words(SEED)
    begun = time.perf_counter()
    program = jax.jit(chunk_outcome).lower(system, sampler, seed, ids_of(0), PATHS).compile()
    ready = time.perf_counter()
    chunks = [program(system, sampler, seed, ids_of(first), PATHS) for first in range(0, PATHS, CHUNK)]
    tally = tally_of(layout, chunks)
    timing = timing_of(ready - begun, time.perf_counter() - ready, PATHS)
    provenance = provenance_of(experiment, book) | {"run": "small", "status": "done", "timing": timing}
    return SmallRun(experiment, book, system, layout, joined(chunks), tally, provenance)


def ids_of(first: int) -> jax.Array:
    """Path ids of one chunk."""
    return jnp.arange(first, first + CHUNK, dtype=jnp.int64)


def joined(chunks: list[Outcome]) -> Outcome:
    """The chunks' paths side by side, on the host."""
    return jax.tree.map(lambda *leaves: np.concatenate(leaves, axis=-1), *jax.device_get(chunks))


def tally_of(layout: Layout, chunks: list[Outcome]) -> Tally:
    """The tally of some chunks, on the host."""
    tally = layout.init()
    for chunk in chunks:
        tally = tallies.update(tally, chunk)
    return jax.device_get(tally)


def chosen(outcome: Outcome, paths: slice) -> Outcome:
    """Some of an outcome's paths."""
    return jax.tree.map(lambda leaf: jnp.asarray(leaf[..., paths]), outcome)


@pytest.fixture(scope="session")
def run() -> SmallRun:
    """The run."""
    return small_run()


@pytest.fixture(scope="session")
def folder() -> pathlib.Path:
    """Its folder."""
    return written()


@pytest.fixture(scope="session")
def results(folder) -> Results:
    """The folder, read back."""
    return read_results(folder)


@functools.cache
def written() -> pathlib.Path:
    """A folder with the run's summary and tables, written once a process."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="small-run-"))
    atexit.register(shutil.rmtree, path)
    write_results(path, *small_run().arguments)
    return path
