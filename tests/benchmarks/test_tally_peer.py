"""NumPy's tables of a batch are the engine's to the last unit, either way of scattering."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks import tally as benchmark
from benchmarks.peers import numpy_tally
from engine.tail.outcome import Outcome
from engine.tail.tally import Layout, update
from engine.vocabulary import CAUSES

N, MONTHS = 64, 6


@pytest.fixture(scope="module")
def batch() -> Outcome:
    rng = np.random.default_rng(5)
    losses = rng.lognormal(0.0, 3.0, (2, 3, N)) * (rng.random((2, 3, N)) > 0.2)
    return Outcome(
        path=jnp.arange(N),
        weight=jnp.ones(N, jnp.float32),
        losses=jnp.asarray(losses, jnp.float32),
        components=jnp.asarray(losses[:, :2], jnp.float32),
        default_month=jnp.asarray(rng.integers(0, MONTHS + 1, (4, N)), jnp.int32),
        cause=jnp.asarray(rng.integers(0, len(CAUSES), (4, N)), jnp.int32),
        failure_month=jnp.zeros((0, N), jnp.int32),
        trace=jnp.asarray(rng.normal(0.0, 3.0, (MONTHS, 2, N)), jnp.float32),
        group=jnp.asarray(rng.integers(0, 2, N), jnp.int32),
        flags=jnp.zeros(N, jnp.uint32),
    )


@pytest.mark.parametrize("deposit", [numpy_tally.scatter, numpy_tally.count])
def test_tables_are_the_engine_s(batch, deposit):
    layout = Layout(
        horizons=(3, 6), columns=("system", "a", "b"), components=("c", "d"), entities=tuple("wxyz"),
        months=MONTHS, series=("s", "t"), distress=("a", "b"), groups=("boom", "bust"),
    )  # fmt: skip
    want = update(update(layout.init(), batch), batch)
    names = [name for name, leaf in vars(want).items() if name not in benchmark.SKIPPED and leaf.ndim]
    tables = {name: np.zeros_like(np.asarray(getattr(want, name))) for name in names}
    for _ in range(2):
        numpy_tally.update(tables, jax.tree.map(np.asarray, batch), deposit)
    assert len(names) == 16
    for name in names:
        np.testing.assert_array_equal(tables[name], np.asarray(getattr(want, name)), err_msg=name)
