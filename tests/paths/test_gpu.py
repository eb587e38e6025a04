"""A GPU loses what a CPU loses on the same paths.

The program for a GPU has another form than that for a CPU: chunks of its own size, sums by products of
matrices, nothing behind barriers. Where JAX sees no GPU, a CPU runs that form, of fewer paths, through the
same tests.
"""

import dataclasses
import functools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from engine.book.build import build_system
from engine.book.load import load_book, shipped_book
from engine.book.parameters import Parameters
from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM
from engine.paths.simulate import chunk_outcome, layout_of, simulate
from engine.run.plan import CHUNK, GPU_CHUNK, Plan
from engine.tail.tally import update

MONTHS, SEED = 60, 11
TOLERANCE = 1e-4
"""Of a loss, relative, and USD bn where it is less than one."""
MOST_OTHER = 0.002
"""Share of paths on which rounding may decide a default."""


@dataclasses.dataclass(frozen=True)
class Place:
    """Devices that run a GPU's form, in chunks of a size."""

    devices: list
    size: int


SIZES = {"cpu": 2 * CHUNK, "gpu": GPU_CHUNK}


@pytest.fixture(autouse=True, scope="module")
def own_programs():
    """What is traced here as for a GPU is neither that of the files before nor of those after."""
    jax.clear_caches()
    yield
    jax.clear_caches()


@pytest.fixture(params=["cpu", pytest.param("gpu", marks=pytest.mark.gpu)])
def place(request, monkeypatch):
    """Where a GPU's form is run."""
    try:
        devices = jax.devices(request.param)
    except RuntimeError:
        pytest.skip("JAX sees no GPU")
    size = SIZES[request.param]
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    monkeypatch.setattr("engine.run.plan.GPU_CHUNK", size)
    return Place(devices, size)


@pytest.fixture(scope="module")
def five_years():
    """The shipped book over five years."""
    return build_system(load_book(shipped_book("ai_credit_2025")), Parameters(), MONTHS)


def outcome_of(system, device, paths, size):
    """The outcome of so many paths in chunks of a size, on a device."""
    ids = np.arange(paths, dtype=np.int64).reshape(-1, size)

    def run(system, seed, ids):
        chunks = lax.map(lambda each: chunk_outcome(system, PSEUDO_RANDOM, seed, each, paths), ids)
        return jax.tree.map(lambda leaf: jnp.moveaxis(leaf, 0, -2).reshape(*leaf.shape[1:-1], paths), chunks)

    return jax.device_get(jax.jit(run)(*jax.device_put((system, seed_words(SEED), ids), device)))


@pytest.fixture(scope="module")
def on_cpu(five_years):
    """What a CPU makes of so many paths in its own form, and chunks of CHUNK unless told otherwise."""

    @functools.cache
    def made(paths, size=CHUNK):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(jax, "default_backend", lambda: "cpu")
            return outcome_of(five_years, jax.devices("cpu")[0], paths, size)

    return made


def others(ours, theirs) -> list[int]:
    """Paths on which a firm defaults in another month or for another cause."""
    same = (ours.default_month == theirs.default_month) & (ours.cause == theirs.cause)
    return ours.path[~same.all(axis=0)].tolist()


def assert_alike(ours, theirs):
    """Nearly all paths have the same defaults, and those lose the same up to rounding."""
    strange = others(ours, theirs)
    print(f"other defaults on {len(strange)} of {ours.path.size} paths: {strange}")
    assert len(strange) <= MOST_OTHER * ours.path.size
    same = ~np.isin(ours.path, strange)
    assert (theirs.default_month > 0).any(axis=0)[same].mean() > 0.5
    for name in ("losses", "components"):
        mine, own = (getattr(each, name)[..., same] for each in (ours, theirs))
        np.testing.assert_allclose(mine, own, rtol=TOLERANCE, atol=TOLERANCE)
    np.testing.assert_array_equal(ours.flags[same], theirs.flags[same])


def test_a_gpu_s_form_loses_what_a_cpu_s_does(five_years, on_cpu, place):
    paths = 2 * place.size
    assert_alike(outcome_of(five_years, place.devices[0], paths, place.size), on_cpu(paths))


@pytest.mark.whole
def test_a_larger_chunk_loses_what_a_smaller_does(on_cpu):
    assert_alike(on_cpu(4 * CHUNK, 2 * CHUNK), on_cpu(4 * CHUNK))


def test_another_path_is_seen(on_cpu):
    """One default in another month on one path in 1,024 is found, on three they are too many."""
    ours = on_cpu(4 * CHUNK)
    month = ours.default_month.copy()
    month[0, 5] += 1
    moved = eqx.tree_at(lambda outcome: outcome.default_month, ours, month)
    assert others(moved, ours) == [5]
    assert_alike(moved, ours)
    month[0, 6:8] += 1
    with pytest.raises(AssertionError):
        assert_alike(moved, ours)


def test_another_loss_is_seen(on_cpu):
    ours = on_cpu(4 * CHUNK)
    moved = eqx.tree_at(lambda outcome: outcome.losses, ours, ours.losses * 1.001)
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        assert_alike(moved, ours)


@pytest.mark.whole
def test_a_gpu_s_blocks_and_devices_do_not_show(year, place):
    """To the bit; a block of one chunk of a CPU is rounded up to a chunk."""
    jax.clear_caches()
    paths = 2 * place.size - 100
    runs = (CHUNK, place.devices[:1]), (2 * place.size, place.devices)
    tallies = [simulate(year, Plan(paths, block, SEED), devices=devices)[0] for block, devices in runs]
    assert int(tallies[0].paths) == paths
    for first, second in zip(*map(jax.tree.leaves, tallies), strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(("form", "barriers"), [("cpu", True), ("gpu", False)])
def test_a_gpu_s_form_has_no_barrier_and_products_in_full_precision(year, monkeypatch, form, barriers):
    """Its compiler refuses the ones under the command's flags and by default rounds the others to 11 bits."""
    monkeypatch.setattr(jax, "default_backend", lambda: form)
    jax.clear_caches()

    def added(tally, system, ids):
        return update(tally, chunk_outcome(system, PSEUDO_RANDOM, seed_words(SEED), ids, CHUNK))

    ids = jnp.arange(CHUNK, dtype=jnp.int64)
    text = str(jax.make_jaxpr(added)(layout_of(year).init(), year, ids))
    assert ("optimization_barrier" in text) == barriers
    assert text.count("dot_general[") == text.count("precision=(Precision.HIGHEST, Precision.HIGHEST)") > 0
