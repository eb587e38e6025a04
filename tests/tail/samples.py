"""Made-up batches of paths, and the tally of one in plain NumPy integers."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np

from engine.tail.histogram import BINS, FAN, Bins, bin_index
from engine.tail.outcome import Outcome
from engine.tail.tally import LOSS_ONE, SQUARE_ONE, WEIGHT_ONE, init, update
from engine.vocabulary import CAUSES, FLAGS, NOT_FINITE

SIZES = dict(horizons=2, columns=3, components=2, entities=4, months=5, series=3, groups=4, failing=2)


def relative_error(bins: Bins) -> float:
    """How far a representative may lie from a member of its bin, relative to the member: half a bin."""
    return 0.5 / bins.per_octave


def outcome(seed: int, paths: int, *, first: int = 0, weighted: bool = True) -> Outcome:
    """Random paths with ties among the losses, zeros, gains, a few flags and, if weighted, padding."""
    random = np.random.default_rng(seed)

    def losses(parts: int) -> np.ndarray:
        x = random.lognormal(2.0, 2.0, (SIZES["horizons"], parts, paths))
        x = np.where(random.random(x.shape) < 0.3, np.round(x), x)
        return np.where(random.random(x.shape) < 0.1, random.choice([0.0, -0.5, 64.0], x.shape), x)

    entities, failing = (SIZES["entities"], paths), (SIZES["failing"], paths)
    weight = random.lognormal(0.0, 1.0, paths) * (random.random(paths) > 0.2) if weighted else np.ones(paths)
    trace = random.normal(0.0, 5.0, (SIZES["months"], SIZES["series"], paths))
    return Outcome(
        path=jnp.asarray(first + random.permutation(paths), jnp.int64),
        weight=jnp.asarray(weight, jnp.float32),
        losses=jnp.asarray(losses(SIZES["columns"]), jnp.float32),
        components=jnp.asarray(losses(SIZES["components"]), jnp.float32),
        default_month=jnp.asarray(random.integers(0, SIZES["months"] + 1, entities), jnp.int32),
        cause=jnp.asarray(random.integers(0, len(CAUSES), entities), jnp.int32),
        failure_month=jnp.asarray(random.integers(0, SIZES["months"] + 1, failing), jnp.int32),
        trace=jnp.asarray(trace, jnp.float32),
        group=jnp.asarray(random.integers(0, SIZES["groups"], paths), jnp.int32),
        flags=jnp.asarray(
            random.integers(0, 2**NOT_FINITE, paths) * (random.random(paths) < 0.3), jnp.uint32
        ),
    )


def of_losses(losses: np.ndarray, weight: np.ndarray | None = None, components: np.ndarray | None = None):
    """Paths with the given losses [columns, n] at a single horizon, and nothing else."""
    n = losses.shape[-1]
    empty = np.zeros((0, n))
    return Outcome(
        path=jnp.arange(n, dtype=jnp.int64),
        weight=jnp.asarray(np.ones(n) if weight is None else weight, jnp.float32),
        losses=jnp.asarray(losses[None], jnp.float32),
        components=jnp.asarray((empty if components is None else components)[None], jnp.float32),
        default_month=jnp.asarray(empty, jnp.int32),
        cause=jnp.asarray(empty, jnp.int32),
        failure_month=jnp.asarray(empty, jnp.int32),
        trace=jnp.asarray(np.zeros((1, 0, n)), jnp.float32),
        group=jnp.zeros(n, jnp.int32),
        flags=jnp.zeros(n, jnp.uint32),
    )


def tally_of(paths: Outcome):
    """A fresh tally of one batch."""
    horizons, columns = paths.losses.shape[:2]
    empty = init(
        horizons, columns, paths.components.shape[1], paths.cause.shape[0], *paths.trace.shape[:2],
        groups=SIZES["groups"], failing=paths.failure_month.shape[0],
    )  # fmt: skip
    return update(empty, paths)


def take(paths: Outcome, which) -> Outcome:
    """Some of the paths, in the given order."""
    return jax.tree.map(lambda x: x[..., which], paths)


def join(*batches: Outcome) -> Outcome:
    """All paths of several batches."""
    return jax.tree.map(lambda *x: jnp.concatenate(x, axis=-1), *batches)


def identical(a, b) -> bool:
    """Whether two tallies agree in every bit of every field."""
    pairs = zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True)
    return all(x.dtype == y.dtype and np.array_equal(np.asarray(x), np.asarray(y)) for x, y in pairs)


def by_hand(paths: Outcome) -> SimpleNamespace:
    """The additive fields of a tally by loops over paths and Python integers."""
    x = jax.tree.map(np.asarray, paths)
    horizons, columns, n = x.losses.shape
    parts = np.concatenate([x.losses, x.components], axis=1)
    out = SimpleNamespace(
        weights=np.zeros((horizons, columns, BINS), np.int64),
        squares=np.zeros((horizons, columns, BINS), np.int64),
        losses=np.zeros((horizons, columns, BINS), np.int64),
        conditional=np.zeros((horizons, BINS, parts.shape[1]), np.int64),
        defaults=np.zeros((x.cause.shape[0], x.trace.shape[0] + 1), np.int64),
        default_squares=np.zeros((x.cause.shape[0], x.trace.shape[0] + 1), np.int64),
        failures=np.zeros((x.failure_month.shape[0], x.trace.shape[0] + 1), np.int64),
        failure_squares=np.zeros((x.failure_month.shape[0], x.trace.shape[0] + 1), np.int64),
        causes=np.zeros((x.cause.shape[0], len(CAUSES)), np.int64),
        clusters=np.zeros((-(-x.trace.shape[0] // 3) + 2, x.cause.shape[0] + 1), np.int64),
        cluster_squares=np.zeros((-(-x.trace.shape[0] // 3) + 2, x.cause.shape[0] + 1), np.int64),
        fans=np.zeros((*x.trace.shape[:2], FAN.count), np.int64),
        group_weights=np.zeros((SIZES["groups"], BINS), np.int64),
        group_squares=np.zeros((SIZES["groups"], BINS), np.int64),
        flags=np.zeros(len(FLAGS), np.int64),
        paths=0, weight=0, max_weight=0, flagged=0,
    )  # fmt: skip
    bins, fan_bins = np.asarray(bin_index(paths.losses)), np.asarray(FAN.index(paths.trace))
    for j in range(n):
        weight = float(x.weight[j])
        if weight == 0.0:
            continue
        for bit in range(len(FLAGS)):
            out.flags[bit] += bool(int(x.flags[j]) >> bit & 1)
        out.flagged += bool(x.flags[j])
        if int(x.flags[j]) >> NOT_FINITE & 1:
            continue
        one, square = round(weight * WEIGHT_ONE), round(weight * weight * SQUARE_ONE)
        for h, c in np.ndindex(horizons, columns):
            out.weights[h, c, bins[h, c, j]] += one
            out.squares[h, c, bins[h, c, j]] += square
            out.losses[h, c, bins[h, c, j]] += round(weight * float(x.losses[h, c, j]) * LOSS_ONE)
        for h, p in np.ndindex(horizons, parts.shape[1]):
            out.conditional[h, bins[h, 0, j], p] += round(weight * float(parts[h, p, j]) * LOSS_ONE)
        for e in range(x.cause.shape[0]):
            out.defaults[e, x.default_month[e, j]] += one
            out.default_squares[e, x.default_month[e, j]] += square
            out.causes[e, x.cause[e, j]] += one
        for e in range(x.failure_month.shape[0]):
            out.failures[e, x.failure_month[e, j]] += one
            out.failure_squares[e, x.failure_month[e, j]] += square
        months = [int(month) for month in x.default_month[:, j] if month > 0]
        quarters = [sum((month + 2) // 3 == q + 1 for month in months) for q in range(len(out.clusters) - 2)]
        for span, count in enumerate((*quarters, max(quarters), len(months))):
            out.clusters[span, count] += one
            out.cluster_squares[span, count] += square
        out.group_weights[x.group[j], bins[-1, 0, j]] += one
        out.group_squares[x.group[j], bins[-1, 0, j]] += square
        for m, s in np.ndindex(*x.trace.shape[:2]):
            out.fans[m, s, fan_bins[m, s, j]] += one
        out.paths += 1
        out.weight += one
        out.max_weight = max(out.max_weight, one)
    return out
