"""Every combination of optional tables is a book: it loads, becomes a System and passes a month.

A kernel is written of each.
"""

import dataclasses
import itertools
import pathlib
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine.book.build import build_system
from engine.book.load import load_book, shipped_book
from engine.book.parameters import Parameters
from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM
from engine.kernel.cpu import Cpu
from engine.kernel.kernel import kernel_of
from engine.numerics import for_a_kernel
from engine.paths.fused import whole_path
from engine.paths.path import advance, begin, by_year
from engine.paths.simulate import layout_of
from tests.book.combinations import DISPLAY, STRUCTURE, combinations, without
from tests.book.conftest import Copy

EVERY = combinations(STRUCTURE)
DEFAULT = [each for each in EVERY if len(each) < 2 or len(each) == len(STRUCTURE)]


def book_without(folder, tables, absent):
    """The small book without some tables."""
    copy = Copy(pathlib.Path(shutil.copytree(shipped_book("worked_small"), folder / "book")))
    without(copy, tables, absent)
    return load_book(copy.folder)


def month(system):
    """A month of a path of a system, traced and not run; the shapes of State and Info."""

    def first(system):
        seed, path = seed_words(7), jnp.zeros((), jnp.int64)
        fate, state, draws = begin(system, PSEUDO_RANDOM, seed, path)
        row = jax.tree.map(lambda rows: rows[0, 0], by_year(system, draws))
        return advance(system, seed, path, fate, state, *row)

    return jax.eval_shape(first, system)


@dataclasses.dataclass(frozen=True)
class Paper(Cpu):
    """A machine for which kernels are written and not compiled."""

    def call(self, source):
        """The number of lines."""
        return lambda *arguments: source.text.count("\n")


def lines(system):
    """Lines of the kernel that is written of a System's paths."""
    moving = (jax.ShapeDtypeStruct((), jnp.int64),)
    with for_a_kernel():
        kernel = kernel_of(whole_path, (system, PSEUDO_RANDOM, seed_words(7)), moving, Paper(pathlib.Path()))
    return kernel.call()


def check(folder, tables, absent):
    """Load, build, trace; every number is finite, every axis as long as its table. The System."""
    book = book_without(folder, tables, absent)
    system = build_system(book, Parameters(), 12)
    assert all(np.isfinite(np.asarray(leaf)).all() for leaf in jax.tree.leaves(system))
    state, info = month(system)
    assert info.loss.shape == (len(system.names.instruments),)
    assert state.flags.shape and layout_of(system).entities == system.names.firms
    assert len(system.names.pools) == ("pools" not in tables) * (1 + ("tranches" not in tables))
    assert len(system.names.contracts) == (0 if "contracts" in tables else 5)
    assert len(system.paper.depth) == (0 if "paper" in tables else len(book["paper"]))
    return system


@pytest.mark.parametrize("tables", DEFAULT, ids="-".join)
def test_a_book_without(tables, tmp_path):
    check(tmp_path, tables, absent=len(tables) < 2)


@pytest.mark.parametrize("tables", [(), STRUCTURE], ids=["nothing", "all"])
def test_a_kernel_is_written_of_a_book_without(tables, tmp_path):
    assert lines(build_system(book_without(tmp_path, tables, absent=False), Parameters(), 12)) > 500


@pytest.mark.whole
@pytest.mark.parametrize("tables", [each for each in EVERY if each not in DEFAULT], ids="-".join)
def test_a_book_without_any_of_these(tables, tmp_path):
    assert lines(check(tmp_path, tables, absent=len(tables) % 2 == 0)) > 500


def check_shown(folder, tables, absent):
    """The book still loads without some of the tables that no other refers to."""
    assert len(book_without(folder, tables, absent)["about"]) == 1


SHOWN = combinations(DISPLAY)
FIRST = [each for each in SHOWN if len(each) < 2 or len(each) == len(DISPLAY)]


@pytest.mark.parametrize("absent", [True, False], ids=["absent", "empty"])
def test_tables_that_no_other_refers_to(tmp_path, absent):
    """None, each and all of them."""
    for number, tables in enumerate(FIRST):
        check_shown(tmp_path / str(number), tables, absent)


@pytest.mark.whole
def test_tables_that_no_other_refers_to_together(tmp_path):
    """Every other set of them, absent and empty."""
    rest = [each for each in SHOWN if each not in FIRST]
    for number, (tables, absent) in enumerate(itertools.product(rest, (True, False))):
        check_shown(tmp_path / str(number), tables, absent)
