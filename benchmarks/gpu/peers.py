"""Work that others do as well: a classic credit portfolio, and normal random numbers."""

import dataclasses
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.gpu.setting import Setting

FACTORS, MONTHS = 6, 60
TURNS = 3


def portfolio(setting: Setting) -> Iterator[dict[str, Any]]:
    """Million obligor-draws a second of Glasserman and Li's portfolio, and its tail beside the paper's."""
    # Its own imports are by the names of files beside it.
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from benchmarks import classic_portfolio as classic
    from benchmarks.record import Record, spread
    from engine.portfolio.simulate import scale_of
    from engine.tail.histogram import LOSS

    paths, rates, above, spent = setting.sizes.portfolio, [], [], []
    scale = scale_of(classic.portfolio(classic.PD, classic.COST, 1.0, classic.loadings()))
    edge = min(LOSS.lower / scale, key=lambda lower: abs(lower - classic.LOSS_AT))
    for turn in range(TURNS + 1):
        losses, seconds = classic.engine(paths, 100 + turn)
        spent.append(seconds)
        rates.append(paths * classic.OBLIGORS / 1e6 / seconds)
        above.append(classic.tail_of(losses, edge))
        if setting.left < 2.0 * seconds:
            break
    probability, var, es = (sum(each) / len(each) for each in zip(*above, strict=True))
    line = Record(
        "gpu", "classic portfolio", spread(rates[1:] or rates), "million obligor-draws/s", min(spent)
    )
    yield {
        "paths": paths, f"P(loss > {edge:,.0f})": probability, "published": classic.PUBLISHED,
        "VaR 99.9%": var, "ES 99.9%": es, "record": dataclasses.asdict(line),
    }  # fmt: skip


def normals(setting: Setting) -> Iterator[dict[str, Any]]:
    """Million normals a second, summed as they are drawn, and how far their sum is from zero."""
    import jax
    import jax.numpy as jnp

    from benchmarks.record import Record, spread
    from engine.batch.barriers import stored
    from engine.batch.path_last import batch_last
    from engine.draws.address import seed_words
    from engine.draws.samplers import PSEUDO_RANDOM
    from engine.run.plan import chunk_size

    size = chunk_size()
    count = max(setting.sizes.normals // size, 1)

    def one_path(seed, path):
        return PSEUDO_RANDOM(seed, path, MONTHS, FACTORS).normals

    def batch(seed, ids):
        return batch_last(one_path, seed, ids, batched=(False, True))

    @jax.jit
    def run(seed):
        def add(chunk, total):
            ids = chunk * size + jnp.arange(size, dtype=jnp.int64)
            return total + jnp.sum(stored(batch, seed, ids), dtype=jnp.float64)

        return jax.lax.fori_loop(jnp.int64(0), jnp.int64(count), add, jnp.float64(0.0))

    numbers, rates = count * size * MONTHS * FACTORS, []
    total = float(run(seed_words(7)))
    for turn in range(TURNS):
        begun = time.perf_counter()
        float(run(seed_words(100 + turn)))
        rates.append(numbers / (time.perf_counter() - begun) / 1e6)
    rate = spread(rates)
    line = Record("gpu", "normals", rate, "million normals/s", numbers / 1e6 / rate.median)
    yield {
        "numbers": numbers, "sum, standard deviations from 0": total / numbers**0.5,
        "record": dataclasses.asdict(line),
    }  # fmt: skip
