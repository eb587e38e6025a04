"""One run folder from made-up paths, written once and read by all tests of the report."""

import jax.numpy as jnp
import numpy as np
import pytest

from engine.paths.simulate import break_groups, break_quarter
from engine.report.page import write_page
from engine.results.folder import read_results
from engine.results.write import write_results
from engine.tail import tally as tallies
from engine.tail.outcome import Outcome
from engine.vocabulary import SERIES
from tests.report import synthetic

PROVENANCE = {
    "status": "done",
    "task": "tail_risk",
    "seed": 7,
    "paths": 8192,
    "book": "synthetic",
    "config": {"run": {"paths": 8192}},
    "sampler": "pseudo_random",
    "versions": {"undertow": "0.1.0", "jax": "0.10.2"},
    "machine": {"device": "cpu", "devices": 1, "processor": "made up"},
    "timing": {"compile_s": 14.2, "run_s": 24.9, "paths_per_s": 8043.0, "peak_rss_mb": 1422.0},
}


@pytest.fixture(scope="session")
def world():
    """The made-up book, its system, paths and layout."""
    book = synthetic.make_book()
    system = synthetic.make_system(book)
    paths = synthetic.make_paths(book, system, 8192)
    layout = tallies.Layout(
        horizons=synthetic.HORIZONS,
        columns=paths.column_names,
        components=paths.component_names,
        entities=system.names.firms + system.names.obligors,
        months=synthetic.MONTHS,
        series=SERIES,
        groups=break_groups(synthetic.MONTHS),
        distress=paths.column_names[1:],
    )
    return book, system, paths, layout


def tally_of(paths, layout):
    """The tally of all paths, with three flagged."""
    count = len(paths.columns)
    flags = np.zeros(count, np.uint32)
    flags[:3] = 2
    outcome = Outcome(
        path=jnp.arange(count, dtype=jnp.int64),
        weight=jnp.ones(count, jnp.float32),
        losses=last(paths.columns, jnp.float32),
        components=last(paths.components, jnp.float32),
        default_month=last(paths.default_month, jnp.int32),
        cause=last(paths.cause, jnp.int32),
        trace=last(paths.series, jnp.float32),
        group=break_quarter(last(paths.series, jnp.float32)[:, SERIES.index("regime")]),
        flags=jnp.asarray(flags),
    )
    return tallies.update(layout.init(), outcome)


def last(array, dtype):
    """The array with its paths axis last."""
    return jnp.asarray(np.moveaxis(array, 0, -1), dtype)


@pytest.fixture(scope="session")
def tally(world):
    """Tally of the made-up paths."""
    return tally_of(world[2], world[3])


@pytest.fixture(scope="session")
def folder(world, tally, tmp_path_factory):
    """A written run folder with its page."""
    book, system, _, layout = world
    path = tmp_path_factory.mktemp("run")
    write_results(path, tally, system, book, PROVENANCE, layout=layout)
    write_page(path)
    return path


@pytest.fixture(scope="session")
def results(folder):
    """The folder, read back."""
    return read_results(folder)
