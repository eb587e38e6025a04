"""A basket of obligors over dates: how many default, what tranches lose, and the spreads that pay for it.

Defaults by date t are those whose latent variable passes the threshold of PD_k(t) (Li 2000), so that each
date is a one-period portfolio of its own, with one set of common normals for all:

    P(N_t = n) = E[P(N_t = n | z)],   P(L_t = x) likewise, by the recursion of `recursion`

Laurent and Gregory (2005), "Basket default swaps, CDOs and factor copulas", Journal of Risk 7(4), sections 2
and 3; Hull and White (2004), Journal of Derivatives 12(2).
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int64
from numpy.typing import ArrayLike

from engine import arguments
from engine.portfolio.copulas import GAUSSIAN, Copula
from engine.portfolio.factor import CELLS, Conditional, integrated
from engine.portfolio.obligors import check_range, vector
from engine.portfolio.recursion import independent, loadings, on_grid
from engine.portfolio.spreads import Legs, discounts, legs

Dates = Float64[np.ndarray, " dates"]
Law = Float64[np.ndarray, "dates counts"]


@dataclass(frozen=True)
class Basket:
    """Obligors over dates; build with `basket`. Shares are of the notional, the sum of exposures.

    Its methods give the number of defaults (`default_count`), the loss of tranches (`tranche_loss_law`) and
    fair spreads (`tranche_spreads`, `nth_to_default`). `accuracy` says how far any distribution function may
    be from the exact one: that of a rule with twice the step is this far from it.
    """

    times: Dates
    exposure: Float64[np.ndarray, " obligors"]
    lgd: Float64[np.ndarray, " obligors"]
    units: Int64[np.ndarray, " obligors"]
    unit: float
    given: Conditional = field(repr=False)

    @property
    def notional(self) -> float:
        """Sum of exposures."""
        return float(self.exposure.sum())

    @property
    def accuracy(self) -> float:
        """Distance of the distribution function of losses to that of the rule with twice the step."""
        return self._losses[1]

    def default_count(self) -> Law:
        """P(n defaults by each date) [dates, obligors + 1], n = 0, 1, ..."""
        return self._counts[0]

    def loss_law(self) -> Law:
        """P(L = k unit by each date) [dates, units], k = 0, 1, ..."""
        return self._losses[0]

    def tranche_loss_law(
        self, attachment: ArrayLike, detachment: ArrayLike
    ) -> tuple[Float64[np.ndarray, "dates tranches"], Float64[np.ndarray, "dates tranches"]]:
        """(expected loss, probability of any loss) of tranches by each date, losses as shares of the tranche.

        E[clip(L_t - attachment, 0, detachment - attachment)] / (detachment - attachment)

        Args: attachment and detachment, [tranches] or one number, shares of the notional. Raises ValueError
        for shares outside [0, 1], other shapes, or a tranche without width.
        """
        low, high = tranches(attachment, detachment)
        pool = self.unit * np.arange(self.loss_law().shape[1]) / self.notional
        share = np.clip(pool[:, None] - low, 0.0, high - low) / (high - low)
        # A pool that stops exactly at the attachment leaves the tranche whole, whatever the last digit says.
        return self.loss_law() @ share, self.loss_law() @ (pool[:, None] > low * (1.0 + 1e-12))

    def tranche_spreads(
        self,
        attachment: ArrayLike,
        detachment: ArrayLike,
        rate: ArrayLike = 0.0,
        running: float | None = None,
    ) -> pd.DataFrame:
        """Fair spreads of tranches that pay premium in arrears at each date on what is left of them.

            spread = sum_i D(m_i) (E_i - E_{i-1}) / sum_i d_i [D(t_i) (1 - E_i) + D(m_i) (E_i - E_{i-1}) / 2]

        with E_i the expected loss by t_i, d_i = t_i - t_{i-1}, D the discount factor and m_i the middle of
        the period, where losses fall (Hull and White 2004, section 4).

        Args: attachment and detachment as for `tranche_loss_law`; rate, one number or [dates], zero rates,
        continuously compounded; running, a fixed spread, for the up-front payment that makes up the rest.
        Returns a row a tranche: attachment, detachment, expected_loss at the last date, protection and
        annuity (present values, shares of the tranche), spread (a year), and up_front where `running` is
        given. Raises ValueError for arguments outside their range and rates of another shape.
        """
        low, high = tranches(attachment, detachment)
        expected, _ = self.tranche_loss_law(low, high)
        each = legs(self.times, expected, expected, discounts(self.times, rate))
        table = {"attachment": low, "detachment": high, "expected_loss": expected[-1]}
        return pd.DataFrame(table | priced(each, running))

    def nth_to_default(self, rate: ArrayLike = 0.0, running: float | None = None) -> pd.DataFrame:
        """Fair spreads for protection against the n-th default, n = 1, 2, ..., on a notional of one obligor.

            spread = LGD sum_i D(m_i) q_i / sum_i d_i [D(t_i) (1 - Q_i) + D(m_i) q_i / 2]

        with Q_i = P(at least n defaults by t_i), q_i = Q_i - Q_{i-1}; the premium ends with the n-th default
        (Hull and White 2004, section 3; Laurent and Gregory 2005, section 3).

        Args: rate and running as for `tranche_spreads`. Returns a row for each n: n, probability of n
        defaults by the last date, protection, annuity, spread, up_front. Raises ValueError unless all
        obligors have one LGD, for arguments outside their range and rates of another shape.
        """
        if np.ptp(self.lgd) > 0.0:
            k = int(np.argmax(self.lgd != self.lgd[0]))
            arguments.refuse(f"lgd[{k}]", self.lgd[k], f"that of all, {self.lgd[0]:g}")
        reached = np.cumsum(self.default_count()[:, ::-1], axis=1)[:, -2::-1]
        each = legs(self.times, self.lgd[0] * reached, reached, discounts(self.times, rate))
        table = {"n": np.arange(1, len(self.lgd) + 1), "probability": reached[-1]}
        return pd.DataFrame(table | priced(each, running))

    @cached_property
    def _losses(self) -> tuple[Law, float]:
        return laws(self.given, self.units, len(self.times))

    @cached_property
    def _counts(self) -> tuple[Law, float]:
        if (self.units == 1).all():
            return self._losses
        return laws(self.given, np.ones_like(self.units), len(self.times))


def basket(
    pd: ArrayLike, times: ArrayLike, exposure: ArrayLike = 1.0, lgd: ArrayLike = 0.6,
    loading: ArrayLike = 0.0, *, copula: Copula = GAUSSIAN, unit: float | None = None,
    nodes: float | None = None,
) -> Basket:  # fmt: skip
    """A basket of obligors with a term structure of default probabilities.

    Args: pd [dates obligors], probability of default by each date, not falling; times [dates], years,
    increasing; exposure, in any money unit, and lgd, a share: [obligors] or one number; loading, copula and
    nodes as for `exact_distribution`; unit, of which every exposure x lgd is a multiple, by default that loss
    itself where all are equal. Raises ValueError for what `exact_distribution` refuses, other shapes, PDs
    that fall, times that do not increase, and losses that differ without a unit.

    Example: the first of ten to default, hazard 1% a year, LGD 60%, correlation 0.3, five years of quarterly
    premiums at 5% interest. Hull and White (2004), Table 2, print 440 basis points.
        >>> times = np.arange(1, 21) / 4
        >>> pds = np.tile(1.0 - np.exp(-0.01 * times), (10, 1)).T
        >>> ten = basket(pds, times, loading=np.sqrt(0.3))
        >>> ten.nth_to_default(rate=0.05).spread[:3].mul(1e4).round().tolist()
        [441.0, 139.0, 53.0]
    """
    arguments.same_names(("times", times, 0), ("rows of pd", pd, 0))
    times = arguments.vector("times", times, arguments.TINY)
    if not (np.diff(times) > 0.0).all():
        at = int(np.argmax(np.diff(times) <= 0.0)) + 1
        arguments.refuse(f"times[{at}]", times[at], f"more than the date before, {times[at - 1]:g}")
    p = term_structure(pd, times)
    arguments.same_names(
        ("columns of pd", pd, 1), ("exposure", exposure, 0), ("lgd", lgd, 0), ("loading", loading, 0)
    )
    n = p.shape[1]
    exposure, lgd = vector("exposure", exposure, n), vector("lgd", lgd, n)
    check_range("exposure", exposure, 0.0)
    check_range("lgd", lgd, 0.0, 1.0)
    if not exposure.any():
        arguments.refuse("exposure", 0.0, "one above 0")
    losses = exposure * lgd
    if unit is None:
        unit = float(losses[0]) or 1.0
        if np.ptp(losses) > 1e-9 * losses.max():
            arguments.refuse("unit", None, "one that divides every exposure x lgd, which differ")
    unit = arguments.positive("unit", unit)
    units = on_grid(exposure, lgd, unit)
    rows = np.tile(loadings(loading, n, copula), (len(times), 1))
    given = integrated(p.ravel(), rows, nodes=nodes, copula=copula)
    return Basket(times, exposure, lgd, units, unit, given)


def term_structure(pd: ArrayLike, times: Dates) -> Float64[np.ndarray, "dates obligors"]:
    """Default probabilities by date and obligor; ValueError for other shapes, ranges, or where they fall."""
    p = arguments.within("pd", arguments.numbers("pd", pd), 0.0, 1.0)
    if p.ndim != 2 or len(p) != len(times) or not p.shape[1]:
        expected = f"({len(times)}, obligors), a row for each date, one obligor or more"
        raise ValueError(f"pd: got shape {p.shape}, expected {expected}")
    falls = np.argwhere(np.diff(p, axis=0) < 0.0)
    if len(falls):
        date, k = falls[0] + [1, 0]
        before = f"at least that of the date before, {p[date - 1, k]:g}"
        arguments.refuse(f"pd[{date}, {k}]", p[date, k], before)
    return p


def tranches(attachment: ArrayLike, detachment: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Both as shares of the notional [tranches], the first below the second; ValueError otherwise."""
    arguments.names_along(0, attachment=attachment, detachment=detachment)
    low, high = (
        np.atleast_1d(arguments.within(name, arguments.numbers(name, value), 0.0, 1.0))
        for name, value in (("attachment", attachment), ("detachment", detachment))
    )
    if low.ndim != 1 or low.shape != high.shape or not len(low):
        raise ValueError(
            f"attachment, detachment: got shapes {low.shape} and {high.shape}, expected vectors of one length"
        )
    for k in np.flatnonzero(~(low < high)):
        arguments.refuse(f"detachment[{k}]", high[k], f"more than the attachment, {low[k]:g}")
    return low, high


def laws(given: Conditional, units: Int64[np.ndarray, " obligors"], dates: int) -> tuple[Law, float]:
    """P(L = x units) by each date, and how far its distribution function is from that of twice the step."""
    p = given.p.reshape(len(given.p), dates, -1)
    size = int(units.sum()) + 1
    both = np.stack([given.weights, given.coarse])
    rows = max(CELLS // (dates * size), 1)

    def part(begin):
        own = slice(begin, begin + rows)
        each = independent(p[own].reshape(-1, p.shape[2]), units).reshape(-1, dates, size)
        return np.tensordot(both[:, own], each, axes=1)

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        fine, coarse = sum(threads.map(part, range(0, len(p), rows)))
    return fine, float(np.abs(np.cumsum(fine - coarse, axis=1)).max())


def priced(each: Legs, running: float | None) -> dict[str, np.ndarray]:
    """Columns of a table of spreads."""
    columns = {"protection": each.protection, "annuity": each.annuity, "spread": each.spread}
    if running is not None:
        columns["up_front"] = each.protection - arguments.number("running", running, 0.0) * each.annuity
    return columns
