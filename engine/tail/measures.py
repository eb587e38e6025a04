"""Expected loss, value at risk and expected shortfall, read off one column's histogram on the host.

Losses are positive; a tally's are USD bn, or what `scale` makes of them, and a sample's keep their unit.
With total mass T and level a, VaR_a = inf{x : mass above x <= (1 - a) T} and

    ES_a = [ sum of loss beyond the VaR bin + share of the VaR bin ] / ((1 - a) T).

Bins beyond the VaR bin enter with their exact sums. Inside the VaR bin mass is taken as evenly spread about
the bin's mean. Against the same sample unbinned, VaR is within half a bin, 0.195% of itself, and ES within
half a bin times the share of the tail that lies in the VaR bin. A sample at hand has a bin of no width for
each of its values, and both are exact.
"""

from dataclasses import dataclass, field
from functools import cached_property

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Float64, Int
from numpy.typing import ArrayLike

from engine import arguments
from engine.tail.estimate import Estimate as Estimate
from engine.tail.estimate import probability
from engine.tail.histogram import BINS, LOSS, bin_index
from engine.tail.sample import checked
from engine.tail.tally import FINE_ONE, LOSS_ONE, SQUARE_ONE, SQUARED_LOSS_ONE, WEIGHT_ONE, Tally

ALIKE = 1e-6
"""Variance up to which weights count as equal: a correction would rest on the tally's rounding."""


@dataclass(frozen=True)
class Losses:
    """The losses of one column at one horizon by increasing bins, as float64 on the host.

    Weights that are likelihood ratios average one, so masses are divided by the number of paths, which is
    unbiased and leaves the weights of paths outside the tail out of the tail's error. Weights on any other
    scale are `self_normalised`: divided by their sum. `lower` and `upper` are the ends of the bins, alike
    where a bin is one value; losses beyond the last finite end share a bin without one.
    """

    weight: Float64[np.ndarray, "bins"]
    square: Float64[np.ndarray, "bins"]  # sums of squared weights
    loss: Float64[np.ndarray, "bins"]  # sums of weight x loss
    squared_loss: float  # sum of (weight x loss)^2
    paths: int
    self_normalised: bool = False
    lower: Float64[np.ndarray, "bins"] = field(default_factory=lambda: LOSS.lower, repr=False)
    upper: Float64[np.ndarray, "bins"] = field(default_factory=lambda: LOSS.upper, repr=False)
    resolution: float = 0.5 / SQUARE_ONE  # by which a squared weight may be rounded
    unit: str = "USD bn"  # as messages name it

    @property
    def total(self) -> float:
        """The mass that probabilities are divided by."""
        return float(self.weight.sum()) if self.self_normalised else float(self.paths)

    @cached_property
    def mean(self) -> Float64[np.ndarray, "bins"]:
        """The mean loss of each bin, and its representative where it is empty."""
        full = self.weight > 0
        with np.errstate(invalid="ignore"):
            middle = np.where(np.isfinite(self.upper), (self.lower + self.upper) / 2.0, self.lower)
        empty = np.where(np.isfinite(self.lower), middle, 0.0)
        return np.where(full, self.loss / np.where(full, self.weight, 1.0), empty)

    def points(self) -> tuple[Float64[np.ndarray, "points"], Float64[np.ndarray, "points"]]:
        """Mean loss and probability of every bin that holds any, increasing."""
        filled = self.weight > 0.0
        return self.mean[filled], self.weight[filled] / self.weight.sum()

    def beyond(self, loss: float) -> Estimate:
        """P(L > loss) with its standard error; a bin that holds the loss counts in part, as evenly filled.

        How its losses lie about this one is not known: one part of the bin is as likely as another, which
        adds mass^2 / 12 to the variance. Raises ValueError for a loss that is not a number.

        >>> import numpy as np
        >>> from_losses(np.arange(1.0, 101.0)).beyond(96.0)
        Estimate(value=0.04, standard_error=0.0195959...)
        """
        loss = arguments.number("loss", loss)
        width = self.upper - self.lower
        with np.errstate(invalid="ignore", divide="ignore"):
            part = np.clip(0.5 - (loss - self.mean) / width, 0.0, 1.0)
        inside = (self.lower <= loss) & (loss < self.upper) & np.isfinite(width)
        # A bin of no width is its value: the mean of its sums may be off by a rounding.
        above = np.where(inside, part, np.where(width == 0.0, self.lower, self.mean) > loss)
        mass, squares = float(self.weight @ above), float(self.square @ above)
        own = probability(mass, squares, self.total, float(self.square.sum()), not self.self_normalised)
        unknown = float(self.weight[inside].sum()) / self.total / np.sqrt(12.0)
        return Estimate(own.value, float(np.hypot(own.standard_error, unknown)))

    def value_at_risk(self, level: float) -> float:
        """The loss exceeded with probability 1 - level; see `value_at_risk`."""
        return tail(self, level).value_at_risk

    def expected_shortfall(self, level: float) -> float:
        """The mean of the worst 1 - level of losses; see `expected_shortfall`."""
        return tail(self, level).expected_shortfall


@dataclass(frozen=True)
class Tail:
    """The tail beyond a level: the bins above `bin`, and the top `fraction` of `bin` itself."""

    losses: Losses = field(repr=False)
    level: float
    mass: float  # (1 - level) x total
    bin: int
    fraction: float
    value_at_risk: float  # USD bn
    inside: float  # mean loss of the top fraction of `bin`, USD bn
    expected_shortfall: float  # USD bn


def counted_paths(tally: Tally) -> int:
    """The number of paths counted. Raises ValueError where there is none."""
    paths = int(tally.paths)
    if paths < 1:
        raise ValueError(f"a tally must have counted at least one path, got {paths}")
    return paths


def column_losses(
    tally: Tally,
    horizon: int,
    column: int = 0,
    *,
    self_normalised: bool = False,
    scale: float = 1.0,
    unit: str = "USD bn",
) -> Losses:
    """One column's losses at one horizon, both as positions in the tally's Layout.

    A tally whose losses were multiplied by `scale` to fit its bins is read in their own unit again, exactly
    for a power of two; `unit` is what messages call it. Raises ValueError where no path has been counted, for
    a horizon or column that the tally has not, and a scale that is not positive.
    """
    horizons, columns = tally.weights.shape[:2]
    for name, place, size in (("horizon", horizon, horizons), ("column", column, columns)):
        if not -size <= place < size:
            arguments.refuse(name, place, f"a position from 0 to {size - 1}")
    coarse, fine = np.asarray(tally.squared_losses)[:, horizon, column].tolist()
    scale = arguments.positive("scale", scale)
    square, far = np.asarray(tally.squares)[horizon, column] / SQUARE_ONE, tally.fine_squares.shape[1] > 0
    if far:
        square = square + np.asarray(tally.fine_squares)[horizon, column] / FINE_ONE
    return Losses(
        weight=np.asarray(tally.weights)[horizon, column] / WEIGHT_ONE,
        square=square,
        loss=np.asarray(tally.losses)[horizon, column] / LOSS_ONE / scale,
        squared_loss=(coarse / SQUARED_LOSS_ONE[0] + fine / SQUARED_LOSS_ONE[1]) / scale**2,
        paths=counted_paths(tally),
        self_normalised=self_normalised,
        lower=LOSS.lower / scale,
        upper=LOSS.upper / scale,
        resolution=0.5 / (FINE_ONE if far else SQUARE_ONE),
        unit=unit,
    )


def from_losses(
    losses: ArrayLike, weights: ArrayLike | None = None, *, self_normalised: bool = True
) -> Losses:
    """A sample of losses, exactly: a bin of no width for each value, so that its unit is its own.

    Args: losses [paths], in any unit and of any sign; weights [paths], on any scale, or likelihood ratios
    with `self_normalised` False. Returns `Losses`: `value_at_risk`, `expected_shortfall`, and `beyond` a
    loss, with its error; `worst_case` takes it. Raises ValueError where the two
    differ in length, a loss or weight is not finite, a weight is negative, or none is positive.

    >>> import numpy as np
    >>> sample = from_losses(np.arange(1.0, 101.0) * 1e6)
    >>> value_at_risk(sample, 0.95), expected_shortfall(sample, 0.95)
    (95000000.0, 98000000.0)
    """
    x, w = checked(losses, weights, likelihood_ratios=not self_normalised)
    x, w = x[w > 0.0], w[w > 0.0]
    values, index = np.unique(x, return_inverse=True)
    weight, square = (np.bincount(index, sums) for sums in (w, w * w))
    squared = float(np.sum((w * x) ** 2))
    return Losses(weight, square, weight * values, squared, len(x), self_normalised, values, values, 0.0, "")


def binned(
    losses: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    self_normalised: bool = True,
    scale: float = 1.0,
    unit: str = "USD bn",
) -> Losses:
    """A sample of losses in the bins of a run's tally, multiplied by `scale` to fit them.

    Args and ValueErrors as for `from_losses`, and `scale`, positive. What lies outside the bins shares the
    outer ones; `intervals.resolved` says how much.

    >>> import numpy as np
    >>> sample = binned(np.arange(1.0, 101.0))
    >>> round(value_at_risk(sample, 0.95), 1), round(expected_shortfall(sample, 0.95), 2)
    (95.1, 98.0)
    """
    x, w = checked(losses, weights, likelihood_ratios=not self_normalised)
    scale = arguments.positive("scale", scale)
    largest = float(np.finfo(np.float32).max)
    index = np.asarray(bin_index(jnp.asarray(np.clip(x * scale, -largest, largest), jnp.float32)))
    weight, square, loss = (np.bincount(index, sums, minlength=BINS) for sums in (w, w * w, w * x))
    squared, paths = float(np.sum((w * x) ** 2)), int(np.count_nonzero(w))
    ends = LOSS.lower / scale, LOSS.upper / scale
    return Losses(weight, square, loss, squared, paths, self_normalised, *ends, 0.0, unit)


def expected_loss(losses: Losses) -> Estimate:
    """The mean loss and its standard error.

    Self-normalised: sum(w L) / sum(w) with variance sum w^2 (L - mean)^2 / (sum w)^2. Likelihood ratios have
    mean one exactly, so that their own mean is a control variate (Glasserman 2003, section 4.1):

        EL = mean(w L) - b (mean(w) - 1)          b = cov(w L, w) / var w
        variance = [var(w L) - b cov(w L, w)] / n

    with sum(w^2 L) by bins. Where weights are all alike there is nothing to correct, and b = 0.
    """
    mean, weight = float(losses.loss.sum()) / losses.total, float(losses.weight.sum()) / losses.total
    if losses.self_normalised:
        variance = float(np.sum(losses.square * (losses.mean - mean) ** 2)) / losses.total**2
        return Estimate(mean, float(np.sqrt(max(variance, 0.0))))
    variance = losses.squared_loss / losses.paths - mean**2
    weight_variance = float(losses.square.sum()) / losses.paths - weight**2
    if weight_variance > ALIKE:
        together = float(losses.square @ losses.mean) / losses.paths - mean * weight
        mean -= together / weight_variance * (weight - 1.0)
        variance -= together**2 / weight_variance
    return Estimate(mean, float(np.sqrt(max(variance / losses.paths, 0.0))))


def locate(weight: Float64[np.ndarray, "bins"], mass: float) -> tuple[int, float]:
    """The bin in which the upper `mass` begins, and the fraction of that bin it takes from its top.

    >>> import numpy as np
    >>> locate(np.asarray([90.0, 8.0, 2.0]), 4.0)
    (1, 0.25)
    """
    above = np.concatenate([np.cumsum(weight[::-1])[::-1][1:], [0.0]])
    # (1 - level) x total carries rounding of a few units in the last place: 10 paths must not become 9.99.
    index = int(np.argmax(above <= mass * (1.0 + 1e-12)))
    if weight[index] <= 0:
        return index, 0.0
    return index, float(np.clip((mass - above[index]) / weight[index], 0.0, 1.0))


def tail(losses: Losses, level: float) -> Tail:
    """VaR and ES at a level, with the bins they rest on. Raises ValueError unless 0 < level < 1."""
    level = arguments.level("level", level)
    mass = (1.0 - level) * losses.total
    index, fraction = locate(losses.weight, mass)
    var, inside = in_bin(losses, index, fraction)
    beyond = float(losses.loss[index + 1 :].sum()) + fraction * float(losses.weight[index]) * inside
    return Tail(losses, level, mass, index, fraction, var, inside, beyond / mass)


def tail_at(losses: Losses, level: float | Tail) -> Tail:
    """The tail at a level; one that has been read already is handed on."""
    return level if isinstance(level, Tail) else tail(losses, level)


def in_bin(losses: Losses, index: int, fraction: float) -> tuple[float, float]:
    """The loss at the top `fraction` of a bin, and the mean loss of that fraction.

    mean + (1/2 - fraction) width and mean + (1 - fraction) width / 2: exact where the bin is evenly filled,
    and within half a width however it is filled, since a distribution on the bin whose top `fraction` begins
    at q has fraction (q - lower) <= mean - lower <= fraction width + (1 - fraction) (q - lower). The outer
    bins have no width: both are the bin's mean.
    """
    lower, upper, mean = losses.lower[index], losses.upper[index], float(losses.mean[index])
    width = upper - lower
    if not np.isfinite(width):
        return mean, mean
    quantile = np.clip(mean + (0.5 - fraction) * width, lower, upper)
    inside = np.clip(mean + 0.5 * (1.0 - fraction) * width, quantile, upper)
    return float(quantile), float(inside)


def value_at_risk(losses: Losses, level: float) -> float:
    """The loss exceeded with probability 1 - level; of a tally within 0.2% of the sample's own quantile.

    A tally's losses below 2^-10 USD bn share one bin: VaR there is their mean, and `intervals.resolved` says
    so.
    """
    return tail(losses, level).value_at_risk


def expected_shortfall(losses: Losses, level: float) -> float:
    """The mean of the worst 1 - level of losses (Acerbi and Tasche 2002)."""
    return tail(losses, level).expected_shortfall


def worst_paths(tally: Tally, horizon: int) -> tuple[Int[np.ndarray, "worst"], Float[np.ndarray, "worst"]]:
    """Ids and system losses (USD bn) of the worst paths at a horizon, worst first."""
    loss = np.asarray(tally.worst_loss)[horizon]
    filled = np.isfinite(loss)
    return np.asarray(tally.worst_path)[horizon, filled], loss[filled]
