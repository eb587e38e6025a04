"""A NaN neither spreads nor hides: wherever it enters a path the path is flagged, and it enters no sum."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine.book.build import build_system
from engine.book.load import load_book, shipped_book
from engine.book.parameters import Parameters
from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM
from engine.month import step as months
from engine.paths import path as paths
from engine.paths.draws import month_shocks
from engine.vocabulary import NOT_FINITE

MONTHS, HIT = 12, 5


@pytest.fixture(scope="module")
def system():
    return build_system(load_book(shipped_book("ai_credit_2025")), Parameters(), MONTHS)


@pytest.fixture(scope="module")
def year(system):
    """Flags of paths whose fate, first state, or shocks of month HIT have something added to them."""
    seed, number = seed_words(7), jnp.int64(3)
    fate, start, draws = jax.jit(lambda: paths.begin(system, PSEUDO_RANDOM, seed, number))()

    def flags(added):
        own_fate, own_start, own_shocks = added
        own = jax.tree.map(lambda x, y: x + y if y is not None else x, fate, own_fate)

        def month(state, inputs):
            row, normal, regime = inputs
            shocks = month_shocks(system, seed, number, row.month, normal, regime)
            hit = jax.tree.map(lambda x, y: jnp.where(row.month == HIT, x + y, x), shocks, own_shocks)
            return months.step(system, own, state, row, hit)[0], None

        first = jax.tree.map(lambda x, y: x + y.astype(x.dtype), start, own_start)
        rows = (system.calendar, draws.normals, draws.uniforms)
        return paths.ending(system, own, jax.lax.scan(month, first, rows)[0]).flags

    shocks = month_shocks(system, seed, number, jnp.int32(1), draws.normals[0], draws.uniforms[0])
    nothing = jax.tree.map(jnp.zeros_like, (fate, start, shocks))
    nothing = jax.tree.map(lambda x: x.astype(jnp.float32) if x.dtype == jnp.bool_ else x, nothing)
    return jax.jit(jax.vmap(flags)), nothing


def poisoned(nothing, value):
    """One variant for each array of floats that has elements: its first is `value`; and their names."""
    leaves, tree = jax.tree.flatten(nothing)
    names = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(nothing)]
    # A flag is no number of the path's.
    floats = [jnp.issubdtype(leaf.dtype, jnp.floating) and leaf.size for leaf in leaves]
    hit = [i for i, name in enumerate(names) if floats[i] and "flags" not in name]
    variants = []
    for i in hit:
        spoilt = leaves[i].ravel().at[0].set(value).reshape(leaves[i].shape)
        variants.append([spoilt if j == i else leaf for j, leaf in enumerate(leaves)])
    return jax.tree.unflatten(tree, [jnp.stack(each) for each in zip(*variants, strict=True)]), [
        names[i] for i in hit
    ]


@pytest.mark.parametrize("value", [np.nan, np.inf], ids=str)
def test_whatever_is_not_finite_is_flagged(year, value):
    run, nothing = year
    variants, names = poisoned(nothing, value)
    flags = np.asarray(run(variants))[:, NOT_FINITE]
    assert len(names) > 60
    assert not [name for name, flag in zip(names, flags, strict=True) if not flag]


def test_a_sound_path_is_not_flagged(year):
    run, nothing = year
    assert not np.asarray(run(jax.tree.map(lambda x: x[None], nothing))).any()
