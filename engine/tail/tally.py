"""The tally: a fixed-size record of millions of paths, in integers, so that the order of adding never shows.

Integer addition is associative and commutative, float addition is not. Weights and losses therefore enter as
fixed-point int64 and a result is the same to the bit for any block size, device count or order of merging.
Every product that is rounded to an integer is exact in float64 beforehand (24-bit times 24-bit significands),
so the compiler's choice of contraction or vectorisation cannot move it either.

Headroom, in paths of weight one, before an int64 could overflow, whatever the losses:

    weights           2^63 / 2^28         = 2^35
    squared weights   2^63 / 2^32         = 2^31        (divide by the mean squared weight)
    losses            2^63 / 2^24 / 2^13  = 2^26        (2^39 / mean loss: 8.6e9 paths at 64 USD bn)
    squared losses    2^63 / 2^8 / 2^26   = 2^29
    fine squares      2^63 / 2^31         = 2^32

so `HEADROOM` = 2^26 = 67 million paths even if every one of them lost the largest loss the bins hold, and a
run of at most `MOST_PATHS` = 2^30 overflows nothing while the mean loss is below 512 USD bn.
"""

from dataclasses import dataclass
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float32, Int32, Int64, Num

from engine.batch.barriers import materialised
from engine.tail.histogram import BINS, DISTRESS, FAN, JOINT, LOSS, WEIGHT, bin_index
from engine.tail.outcome import Outcome
from engine.vocabulary import CAUSES, FLAGS, NOT_FINITE

WEIGHT_ONE = 2**28
"""Fixed-point unit of a weight."""
SQUARE_ONE = 2**32
"""Fixed-point unit of a squared weight: finer, because in a tail under importance sampling it is tiny."""
FINE_ONE = 2.0**64
"""Fixed-point unit of what rounding to SQUARE_ONE leaves of a squared weight: far in a tail, all of it."""
LOSS_ONE = 2**24
"""Fixed-point unit of weight times loss, USD bn."""
SQUARED_LOSS_ONE = (2**8, 2**40)
"""Fixed-point units of the two limbs of a squared weighted loss: multiples of 2^-8, and the remainder."""
QUARTER = 3
"""Months in which defaults count as one cluster."""
LOSS_CAP = 2.0**LOSS.high
"""A loss enters sums as at most this, USD bn; capped losses are counted in the overflow bin."""
WEIGHT_CAP = 2.0**10
"""A weight enters sums as at most this; a maximal weight at the cap says that some were cut."""
HEADROOM = 2**26
MOST_PATHS = 2**30
WORST = 64
"""Number of worst paths recorded for each horizon."""
NO_PATH = int(np.iinfo(np.int64).max)

AnyArray = Array | np.ndarray
"""On a device, or on the host."""


class Tally(eqx.Module):
    """Mergeable sums over paths.

    `parts` are the columns followed by the components, `last` the last columns, those whose joint law with
    the system loss is kept, at the last horizon; `bins` number histogram.BINS, `fan_bins`
    histogram.FAN.count, `distress_bins` and `joint_bins` histogram.DISTRESS.count and JOINT.count,
    `weight_bins` histogram.WEIGHT.count; `K` is WORST; `spans` are the quarters, the quarter of a path with
    the most defaults, and the whole run.
    """

    weights: Int64[AnyArray, "horizons columns bins"]
    squares: Int64[AnyArray, "horizons columns bins"]
    losses: Int64[AnyArray, "horizons columns bins"]
    conditional: Int64[AnyArray, "horizons bins parts"]  # weight x loss given the system-loss bin
    squared_losses: Int64[AnyArray, "2 horizons columns"]
    joint: Int64[AnyArray, "last distress_bins joint_bins"]  # weight by bins of the column and column 0
    group_weights: Int64[AnyArray, "groups bins"]  # by bins of column 0 at the last horizon
    group_squares: Int64[AnyArray, "groups bins"]
    fans: Int64[AnyArray, "months series fan_bins"]
    defaults: Int64[AnyArray, "entities months+1"]  # weight by month of default, 0 = never
    default_squares: Int64[AnyArray, "entities months+1"]
    causes: Int64[AnyArray, "entities causes"]
    failures: Int64[AnyArray, "failing months+1"]  # weight by month of failure, 0 = never
    failure_squares: Int64[AnyArray, "failing months+1"]
    clusters: Int64[AnyArray, "spans entities+1"]  # weight by the number of entities that default in a span
    cluster_squares: Int64[AnyArray, "spans entities+1"]
    worst_path: Int64[AnyArray, "horizons K"]  # NO_PATH where there is none
    worst_loss: Float32[AnyArray, "horizons K"]  # USD bn, decreasing
    paths: Int64[AnyArray, ""]
    weight: Int64[AnyArray, ""]
    max_weight: Int64[AnyArray, ""]
    weight_counts: Int64[AnyArray, "weight_bins"]  # paths by their weight before it is capped
    flags: Int64[AnyArray, "flags"]  # paths with each flag
    flagged: Int64[AnyArray, ""]  # paths with any flag
    fine_squares: Int64[AnyArray, "horizons fine bins"]  # `fine` is all columns, or none in a plain layout


@dataclass(frozen=True)
class Layout:
    """The names along a tally's axes. Column 0 is the system; `horizons` are months, increasing.

    `distress` names the columns, the last ones, whose joint law with the system loss is recorded, at the
    last horizon. Every path is in one of the `groups`, with the law of the system loss at the last horizon.
    `failing` names what may fail besides the entities: who holds the losses.
    With `far`, squared weights are resolved to 2^-64 instead of 2^-32: for weights below 1e-4.
    """

    horizons: tuple[int, ...]
    columns: tuple[str, ...]
    components: tuple[str, ...]
    entities: tuple[str, ...]
    months: int
    series: tuple[str, ...]
    distress: tuple[str, ...] = ()
    groups: tuple[str, ...] = ("all",)
    failing: tuple[str, ...] = ()
    far: bool = False

    def __post_init__(self) -> None:
        if not self.columns:
            raise ValueError("columns must hold at least the system loss")
        if list(self.horizons) != sorted(set(self.horizons)) or not all(
            1 <= h <= self.months for h in self.horizons
        ):
            raise ValueError(f"horizons must increase within 1..{self.months} months, got {self.horizons}")
        if self.distress != self.columns[len(self.columns) - len(self.distress) :]:
            raise ValueError(f"distress must be the last columns, got {self.distress}")
        for axis in ("columns", "components", "entities", "series", "groups", "failing"):
            names = getattr(self, axis)
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{axis} must be distinct, got {twice} more than once")

    def init(self) -> Tally:
        """An empty tally of this shape, on the host."""
        return init(
            horizons=len(self.horizons),
            columns=len(self.columns),
            components=len(self.components),
            entities=len(self.entities),
            months=self.months,
            series=len(self.series),
            last=len(self.distress),
            groups=len(self.groups),
            failing=len(self.failing),
            far=self.far,
        )


def init(
    horizons: int,
    columns: int,
    components: int,
    entities: int,
    months: int,
    series: int,
    last: int = 0,
    groups: int = 1,
    failing: int = 0,
    far: bool = False,
) -> Tally:
    """An empty tally, on the host.

    >>> tally = init(horizons=3, columns=2, components=0, entities=1, months=60, series=4)
    >>> tally.weights.shape, int(tally.paths)
    ((3, 2, 5890), 0)
    """
    int32_max = int(np.iinfo(np.int32).max)
    largest = max(horizons * columns * BINS, months * series * FAN.count, last * DISTRESS.count * JOINT.count)
    if largest > int32_max:
        raise ValueError(f"a histogram table must have at most {int32_max} cells, got {largest}")

    def zeros(*shape: int) -> Int64[np.ndarray, "..."]:
        return np.zeros(shape, np.int64)

    return Tally(
        weights=zeros(horizons, columns, BINS),
        squares=zeros(horizons, columns, BINS),
        losses=zeros(horizons, columns, BINS),
        conditional=zeros(horizons, BINS, columns + components),
        squared_losses=zeros(2, horizons, columns),
        joint=zeros(last, DISTRESS.count, JOINT.count),
        group_weights=zeros(groups, BINS),
        group_squares=zeros(groups, BINS),
        defaults=zeros(entities, months + 1),
        default_squares=zeros(entities, months + 1),
        causes=zeros(entities, len(CAUSES)),
        failures=zeros(failing, months + 1),
        failure_squares=zeros(failing, months + 1),
        clusters=zeros(-(-months // QUARTER) + 2, entities + 1),
        cluster_squares=zeros(-(-months // QUARTER) + 2, entities + 1),
        fans=zeros(months, series, FAN.count),
        worst_path=np.full((horizons, WORST), NO_PATH, np.int64),
        worst_loss=np.full((horizons, WORST), -np.inf, np.float32),
        paths=zeros(),
        weight=zeros(),
        max_weight=zeros(),
        weight_counts=zeros(WEIGHT.count),
        flags=zeros(len(FLAGS)),
        flagged=zeros(),
        fine_squares=zeros(horizons, columns if far else 0, BINS),
    )


@partial(jax.jit, donate_argnums=0)
def update(tally: Tally, outcome: Outcome) -> Tally:
    """Add a batch of paths. `tally` is consumed: its memory becomes the result's.

    A path that is not finite counts in `flags` and `flagged`, and in nothing else.

    Weights beyond WEIGHT_CAP, losses beyond LOSS_CAP and NaN of either count as the cap. A month of default
    or failure outside the run counts as its last month.
    """
    drawn = outcome.weight > 0
    real = drawn & ((outcome.flags >> jnp.uint32(NOT_FINITE)) & jnp.uint32(1) == 0)
    weight = jnp.where(real, _capped(outcome.weight, 0.0, WEIGHT_CAP), jnp.float32(0.0))
    losses, components = (_capped(x, -LOSS_CAP, LOSS_CAP) for x in (outcome.losses, outcome.components))
    # Else XLA's CPU fusion converts a path's weight anew for every row it is broadcast to.
    one, square = materialised((_fixed(weight, WEIGHT_ONE), _squared(weight)))
    amounts = _amounts(weight, jnp.concatenate([losses, components], axis=1))
    bins = bin_index(outcome.losses)
    months = tally.defaults.shape[1]
    cell = _group_cell(tally, outcome.group, bins[-1, 0])
    default_month = jnp.clip(outcome.default_month, jnp.int32(0), jnp.int32(months - 1))
    failure_month = jnp.clip(outcome.failure_month, jnp.int32(0), jnp.int32(months - 1))
    counts = _default_counts(default_month, months - 1)
    cause = jnp.clip(outcome.cause, jnp.int32(0), jnp.int32(len(CAUSES) - 1))
    worst_path, worst_loss = _with_new_worst(tally, outcome.path, losses[:, 0], real)
    raised = (outcome.flags[None, :] >> jnp.arange(len(FLAGS), dtype=jnp.uint32)[:, None]) & jnp.uint32(1)
    return Tally(
        weights=_deposit(tally.weights, bins, one),
        squares=_deposit(tally.squares, bins, square),
        losses=_deposit(tally.losses, bins, amounts[:, : losses.shape[1]]),
        conditional=_deposit_rows(tally.conditional, bins[:, 0], amounts),
        squared_losses=tally.squared_losses + _squared_losses(weight, losses),
        group_weights=_deposit_flat(tally.group_weights, cell, one),
        group_squares=_deposit_flat(tally.group_squares, cell, square),
        joint=_deposit_pairs(tally.joint, outcome.losses[-1], one),
        defaults=_deposit(tally.defaults, default_month, one),
        default_squares=_deposit(tally.default_squares, default_month, square),
        causes=_deposit(tally.causes, cause, one),
        failures=_deposit(tally.failures, failure_month, one),
        failure_squares=_deposit(tally.failure_squares, failure_month, square),
        clusters=_deposit(tally.clusters, counts, one),
        cluster_squares=_deposit(tally.cluster_squares, counts, square),
        fans=_deposit(tally.fans, FAN.index(outcome.trace), one),
        worst_path=worst_path,
        worst_loss=worst_loss,
        paths=tally.paths + jnp.sum(real, dtype=jnp.int64),
        weight=tally.weight + jnp.sum(one, dtype=jnp.int64),
        max_weight=jnp.maximum(tally.max_weight, jnp.max(one, initial=0)),
        weight_counts=_deposit(tally.weight_counts, WEIGHT.index(outcome.weight), real.astype(jnp.int64)),
        flags=tally.flags + jnp.sum((raised > 0) & drawn[None, :], axis=1, dtype=jnp.int64),
        flagged=tally.flagged + jnp.sum((outcome.flags > 0) & drawn, dtype=jnp.int64),
        fine_squares=_deposit_fine(tally.fine_squares, bins, weight, square),
    )


def merge(a: Tally, b: Tally) -> Tally:
    """The tally of both sets of paths, on the host; associative and commutative to the bit.

    It reads and writes whole tallies, tens of megabytes each: merge devices and processes, not blocks.
    """
    added = jax.tree.map(np.add, a, b)
    path = np.concatenate([a.worst_path, b.worst_path], axis=1)
    loss = np.concatenate([a.worst_loss, b.worst_loss], axis=1)
    order = np.lexsort((path, -loss), axis=1)[:, :WORST]
    worst = (np.take_along_axis(each, order, axis=1) for each in (path, loss))
    heaviest = np.maximum(a.max_weight, b.max_weight)
    return eqx.tree_at(lambda t: (t.worst_path, t.worst_loss, t.max_weight), added, (*worst, heaviest))


def _capped(x: Float32[Array, "*shape"], low: float, high: float) -> Float32[Array, "*shape"]:
    """Clip to [low, high]; NaN fails the comparison and becomes `high`, the loud end."""
    return jnp.where(x <= jnp.float32(high), jnp.maximum(x, jnp.float32(low)), jnp.float32(high))


def _fixed(x: Num[Array, "*shape"], unit: float) -> Int64[Array, "*shape"]:
    return jnp.rint(x.astype(jnp.float64) * unit).astype(jnp.int64)


def _squared(weight: Float32[Array, "n"]) -> Int64[Array, "n"]:
    return _fixed(jnp.square(weight.astype(jnp.float64)), SQUARE_ONE)


def _deposit_fine(
    table: Int64[AnyArray, "h fine bins"],
    bins: Int32[Array, "h c n"],
    weight: Float32[Array, "n"],
    square: Int64[Array, "n"],
) -> Int64[Array, "h fine bins"]:
    """What rounding left of every squared weight: exact in float64, at most 2^31 units of either sign."""
    if not table.shape[1]:
        return jnp.asarray(table)
    rest = jnp.square(weight.astype(jnp.float64)) - square.astype(jnp.float64) / SQUARE_ONE
    return _deposit(table, bins, _fixed(rest, FINE_ONE))


def _amounts(weight: Float32[Array, "n"], losses: Float32[Array, "h c n"]) -> Int64[Array, "h c n"]:
    return _fixed(weight.astype(jnp.float64)[None, None, :] * losses.astype(jnp.float64), LOSS_ONE)


def _squared_losses(weight: Float32[Array, "n"], losses: Float32[Array, "h c n"]) -> Int64[Array, "2 h c"]:
    """Sums of (weight x loss)^2 as two limbs: no single int64 spans both a small lender and the cap."""
    coarse, fine = SQUARED_LOSS_ONE
    # The weighted loss is rounded to float32 first, so that its square and both limbs are exact in float64.
    square = jnp.square((weight[None, None, :] * losses).astype(jnp.float64))
    high = (square * coarse).astype(jnp.int64)
    low = ((square - high.astype(jnp.float64) / coarse) * fine).astype(jnp.int64)
    return jnp.stack([jnp.sum(limb, axis=-1, dtype=jnp.int64) for limb in (high, low)])


def _deposit(
    table: Int64[AnyArray, "*rows bins"], index: Int32[Array, "*rows n"], value: Int64[Array, "*#rows n"]
) -> Int64[Array, "*rows bins"]:
    """table[row, index[row, j]] += value[row, j]. Indices must lie within the bins."""
    bins, n = table.shape[-1], index.shape[-1]
    index = index.reshape(-1, n)
    value = jnp.broadcast_to(value.reshape(-1, n), index.shape)
    cell = index + jnp.arange(index.shape[0], dtype=jnp.int32)[:, None] * jnp.int32(bins)
    flat = jnp.asarray(table).reshape(-1).at[cell]
    return flat.add(value, mode="promise_in_bounds", wrap_negative_indices=False).reshape(table.shape)


def _deposit_rows(
    table: Int64[AnyArray, "h bins c"], index: Int32[Array, "h n"], value: Int64[Array, "h c n"]
) -> Int64[Array, "h bins c"]:
    """table[h, index[h, j], :] += value[h, :, j]."""
    horizons, bins, columns = table.shape
    row = index + jnp.arange(horizons, dtype=jnp.int32)[:, None] * jnp.int32(bins)
    value = jnp.swapaxes(value, 1, 2).reshape(-1, columns)
    flat = jnp.asarray(table).reshape(-1, columns).at[row.reshape(-1)]
    return flat.add(value, mode="promise_in_bounds", wrap_negative_indices=False).reshape(table.shape)


def _deposit_pairs(
    table: Int64[AnyArray, "last d b"], losses: Float32[Array, "c n"], one: Int64[Array, "n"]
) -> Int64[Array, "last d b"]:
    """table[i, bin of the i-th of the last columns, bin of column 0] += one, path by path."""
    last, _, bins = table.shape
    if not last:
        return jnp.asarray(table)
    system, own = JOINT.index(losses[:1]), DISTRESS.index(losses[losses.shape[0] - last :])
    return _deposit(table.reshape(last, -1), own * jnp.int32(bins) + system, one).reshape(table.shape)


def _group_cell(tally: Tally, group: Int32[Array, "n"], system: Int32[Array, "n"]) -> Int32[Array, "n"]:
    """Where a path's group and system-loss bin meet in a flat table; a group beyond the last is the last."""
    groups, bins = tally.group_weights.shape
    return jnp.clip(group, jnp.int32(0), jnp.int32(groups - 1)) * jnp.int32(bins) + system


def _deposit_flat(
    table: Int64[AnyArray, "groups bins"], cell: Int32[Array, "n"], value: Int64[Array, "n"]
) -> Int64[Array, "groups bins"]:
    """The table with value[j] added at the flat position cell[j]."""
    return _deposit(table.reshape(-1), cell, value).reshape(table.shape)


def _default_counts(month: Int32[Array, "entities n"], months: int) -> Int32[Array, "spans n"]:
    """How many entities default in each quarter, in a path's worst quarter, and in all its months."""
    quarter = (month - jnp.int32(1)) // jnp.int32(QUARTER)  # -1 where there is no default
    each = jnp.arange(-(-months // QUARTER), dtype=jnp.int32)[:, None, None]
    counts = jnp.sum(quarter[None] == each, axis=1, dtype=jnp.int32)
    worst, all_months = jnp.max(counts, axis=0), jnp.sum(counts, axis=0, dtype=jnp.int32)
    return jnp.concatenate([counts, worst[None], all_months[None]])


def _worst(
    path: Int64[Array, "h m"], loss: Float32[Array, "h m"]
) -> tuple[Int64[Array, "h K"], Float32[Array, "h K"]]:
    """The first WORST by loss, largest first, then by path id, smallest first."""
    negated, path = jax.lax.sort((-loss, path), dimension=1, num_keys=2)
    return path[:, :WORST], -negated[:, :WORST]


def _with_new_worst(
    tally: Tally, path: Int64[Array, "n"], loss: Float32[Array, "h n"], real: Bool[Array, "n"]
) -> tuple[Int64[Array, "h K"], Float32[Array, "h K"]]:
    """The worst list after a batch; the sort is skipped where no path enters, which soon is nearly always."""
    loss = jnp.where(real[None, :], loss, -jnp.inf)
    path = jnp.broadcast_to(jnp.where(real, path, NO_PATH)[None, :], loss.shape)
    last_loss, last_path = tally.worst_loss[:, -1:], tally.worst_path[:, -1:]
    enters = (loss > last_loss) | ((loss == last_loss) & (path < last_path))
    old = (tally.worst_path, tally.worst_loss)
    joined = (jnp.concatenate([old[0], path], axis=1), jnp.concatenate([old[1], loss], axis=1))
    return jax.lax.cond(jnp.any(enters), lambda: _worst(*joined), lambda: old)
