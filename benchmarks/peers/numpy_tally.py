"""The tally in NumPy: the same tables of the same batch of paths, scattered by np.add.at or np.bincount.

`deposit(table, cell, value)` adds value[j] at the flat position cell[j]; the two variants differ only in it.
np.bincount adds in float64, exact here because no cell of a batch reaches 2^53 units.
"""

import numpy as np

from engine.tail.histogram import DISTRESS, FAN, JOINT, LOSS, Bins
from engine.tail.tally import LOSS_CAP, LOSS_ONE, QUARTER, SQUARE_ONE, SQUARED_LOSS_ONE, WEIGHT_ONE


def scatter(table, cell, value) -> None:
    """By np.add.at."""
    np.add.at(table.reshape(-1), cell.reshape(-1), np.broadcast_to(value, cell.shape).reshape(-1))


def count(table, cell, value) -> None:
    """By np.bincount over the whole table."""
    weight = np.broadcast_to(value, cell.shape).reshape(-1).astype(np.float64)
    sums = np.bincount(cell.reshape(-1), weight, table.size)
    table += sums.reshape(table.shape).astype(np.int64)


def bin_of(bins: Bins, x) -> np.ndarray:
    """The bin of each float32, by the same bits that the engine reads."""
    bits = np.ascontiguousarray(x, np.float32).view(np.int32)
    magnitude = bits & np.int32(0x7FFFFFFF) if bins.signed else bits
    power = bins.per_octave.bit_length() - 1
    step = (magnitude >> np.int32(23 - power)) - np.int32(((127 + bins.low) << power) - 1)
    step = np.clip(step, 0, bins.steps + 1)
    return np.where(bits < 0, bins.steps + 1 - step, bins.steps + 1 + step) if bins.signed else step


def cells(table, index) -> np.ndarray:
    """Flat positions in a table [..., bins] of a bin in each of its rows [..., n]."""
    rows = np.arange(int(np.prod(table.shape[:-1], dtype=np.int64))).reshape(*table.shape[:-1], 1)
    return rows * table.shape[-1] + index


def to_units(x, unit: int) -> np.ndarray:
    """Whole units of x."""
    return np.rint(x.astype(np.float64) * unit).astype(np.int64)


def update(tables: dict[str, np.ndarray], batch, deposit) -> None:
    """Add a batch of plain paths, an Outcome of NumPy arrays, to the tables, which a Tally names alike."""
    weight = batch.weight
    one, square = to_units(weight, WEIGHT_ONE), to_units(weight.astype(np.float64) ** 2, SQUARE_ONE)
    losses, parts = (np.clip(x, -LOSS_CAP, LOSS_CAP) for x in (batch.losses, batch.components))
    amounts = to_units(weight.astype(np.float64) * np.concatenate([losses, parts], axis=1), LOSS_ONE)
    index = bin_of(LOSS, batch.losses)
    cell = cells(tables["weights"], index)
    deposit(tables["weights"], cell, one)
    deposit(tables["squares"], cell, square)
    deposit(tables["losses"], cell, amounts[:, : losses.shape[1]])
    columns = tables["conditional"].shape[-1]
    row = cells(tables["conditional"][..., 0], index[:, 0])
    deposit(tables["conditional"], row[:, None, :] * columns + np.arange(columns)[:, None], amounts)
    squares = (weight * losses).astype(np.float64) ** 2
    coarse, fine = SQUARED_LOSS_ONE
    high = (squares * coarse).astype(np.int64)
    tables["squared_losses"] += [high.sum(-1), ((squares - high / coarse) * fine).astype(np.int64).sum(-1)]
    pairs(tables["joint"], batch.losses[-1], one, deposit)
    group = batch.group * tables["group_weights"].shape[-1] + index[-1, 0]
    deposit(tables["group_weights"], group, one)
    deposit(tables["group_squares"], group, square)
    deposit(tables["defaults"], cells(tables["defaults"], batch.default_month), one)
    deposit(tables["default_squares"], cells(tables["default_squares"], batch.default_month), square)
    deposit(tables["failures"], cells(tables["failures"], batch.failure_month), one)
    deposit(tables["failure_squares"], cells(tables["failure_squares"], batch.failure_month), square)
    deposit(tables["causes"], cells(tables["causes"], batch.cause), one)
    counts = default_counts(batch.default_month, len(tables["clusters"]) - 2)
    deposit(tables["clusters"], cells(tables["clusters"], counts), one)
    deposit(tables["cluster_squares"], cells(tables["cluster_squares"], counts), square)
    deposit(tables["fans"], cells(tables["fans"], bin_of(FAN, batch.trace)), one)


def pairs(table, losses, one, deposit) -> None:
    """Cells of the joint histogram of the last columns' losses with the system's."""
    own, system = bin_of(DISTRESS, losses[len(losses) - len(table) :]), bin_of(JOINT, losses[0])
    deposit(table, cells(table.reshape(len(table), -1), own * table.shape[-1] + system), one)


def default_counts(month, quarters: int) -> np.ndarray:
    """Defaults in each quarter, in a path's worst quarter and in all, [spans paths]."""
    quarter = (month - 1) // QUARTER
    counts = np.stack([(quarter == q).sum(axis=0) for q in range(quarters)])
    return np.concatenate([counts, counts.max(axis=0)[None], counts.sum(axis=0)[None]])
