"""Tables may be empty: no array without elements enters `shard_map`, where XLA of JAX 0.11 crashes."""

import pathlib
import shutil

import jax
import numpy as np
import pytest

from engine.book.build import build_system
from engine.book.load import load_book, shipped_book
from engine.book.parameters import Parameters
from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM
from engine.kernel.compiler import NoCompiler, compiler
from engine.paths.history import histories
from engine.paths.simulate import chunk_outcome, layout_of, simulate
from engine.run.blocks import tally_blocks
from engine.run.devices import mesh_of
from engine.run.plan import CHUNK, Plan
from tests.book.conftest import Copy
from tests.borders import empty_at_border

EMPTY = ("pools", "tranches", "tenants", "interlender", "paper", "priors", "history", "market")
GONE = ("FUND", "OBLIGOR", "CREDIT", "RENTS")
"""The one vehicle, the obligors of pools and the pools."""


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """The worked book over one year, without pools, unnamed obligors, vehicles, stakes and funds' paper."""
    folder = tmp_path_factory.mktemp("bare") / "book"
    book = Copy(pathlib.Path(shutil.copytree(shipped_book("worked_small"), folder)))
    for table in EMPTY:
        book.write(table, book.read(table)[:1])
    for row, holding in enumerate(book.read("holdings"), 1):
        if holding[1] == "FUND":
            book.set("holdings", row, "lender", "PENSION")
    for table in ("lenders", "incidence", "firms", "loans", "holdings"):
        book.write(table, [cells for cells in book.read(table) if not cells[0].startswith(GONE)])
    book.set("lenders", 2, "lending_weight", "0.7")
    return build_system(load_book(folder), Parameters(), 12)


def traced(system):
    """The program of a run on two devices, traced."""
    tally = jax.tree.map(lambda leaf: np.stack([leaf, leaf]), layout_of(system).init())
    starts, number = np.zeros(2, np.int64), np.int64(1)
    return tally_blocks.trace(
        tally, system, PSEUDO_RANDOM, seed_words(7), starts, number, number,
        outcome=chunk_outcome, size=CHUNK, mesh=mesh_of(),
    )  # fmt: skip


@pytest.mark.parametrize("name", ["year", "bare"])
def test_no_array_without_elements_enters_the_program_of_a_run(name, request):
    assert not empty_at_border(traced(request.getfixturevalue(name)))


def test_a_book_without_pools_and_stakes_runs_on_two_devices(bare):
    assert len(jax.devices()) == 2 and any(leaf.size == 0 for leaf in jax.tree.leaves(bare))
    tally, _ = simulate(bare, Plan(4 * CHUNK, CHUNK, 7))
    assert int(tally.paths) == 4 * CHUNK and int(tally.flagged) == 0
    assert tally.defaults.sum() > 0


def test_a_book_without_pools_and_stakes_has_a_kernel(bare):
    """Sums of nothing, products with nothing: the same paths as XLA's form."""
    try:
        compiler()
    except NoCompiler as error:
        pytest.skip(str(error))
    plain, _ = simulate(bare, Plan(4 * CHUNK, CHUNK, 7))
    tally, timing = simulate(bare, Plan(4 * CHUNK, CHUNK, 7, "fused"))
    assert timing.kernel == "fused" and int(tally.flagged) == 0
    np.testing.assert_array_equal(tally.defaults, plain.defaults)
    np.testing.assert_allclose(tally.losses.sum(-1), plain.losses.sum(-1), rtol=1e-5)


def test_a_path_of_a_book_without_pools_and_stakes_is_replayed(bare):
    [history] = histories(bare, Plan(4 * CHUNK, CHUNK, 7), [3])
    assert {len(leaf) for leaf in jax.tree.leaves((history.state, history.info))} == {12}
