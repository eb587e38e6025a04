"""The tranche cliff: how the correlation of a few tenants reaches the senior tranche of their securitisation.

A pool of n equal tenants with a one-factor Gaussian copula loses k / n x LGD when k of them fail; a tranche
takes what lies between its attachment and its detachment. With few tenants or high correlation the pool
behaves like one name, and a tranche that never lost before loses a lot at once.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from engine import arguments
from engine.portfolio.vasicek import MOST_OBLIGORS, default_count


def tranche_loss_law(
    tenants: int,
    default_probability: float,
    lgd: float,
    correlation: float,
    attachment: float,
    detachment: float,
) -> tuple[float, float]:
    """(expected loss, probability of any loss) of a tranche, the loss as a share of the tranche; exact.

        E = sum_k P(k) clip(k LGD / n - attachment, 0, detachment - attachment) / (detachment - attachment)

    with P(k) the distribution of the number of defaults (Vasicek). Args: tenants, their number;
    default_probability and lgd of each, shares; correlation of assets in [0, 1], at 1 all tenants are one
    name; attachment and detachment, shares of the pool. Raises ValueError for shares outside [0, 1], fewer
    than one tenant or more than 100,000, or a tranche without width.

    Example: one name in default half the time at a loss of 40%, and the tranche from 15% up.
        >>> loss, chance = tranche_loss_law(1, 0.5, 0.4, 0.3, 0.15, 1.0)
        >>> round(loss, 4), round(chance, 4)
        (0.1471, 0.5)
    """
    tenants = arguments.count("tenants", tenants, 1, MOST_OBLIGORS)
    default_probability = arguments.share("default_probability", default_probability)
    lgd, correlation = arguments.share("lgd", lgd), arguments.share("correlation", correlation)
    attachment, detachment = tranche(attachment, detachment)
    if correlation == 1.0:
        counts, law = np.array([0, tenants]), np.array([1.0 - default_probability, default_probability])
    else:
        counts, law = np.arange(tenants + 1), default_count(tenants, default_probability, correlation)
    pool = lgd * counts / tenants
    losses = np.clip(pool - attachment, 0.0, detachment - attachment) / (detachment - attachment)
    # A pool that stops exactly at the attachment leaves the tranche whole, whatever the last digit says.
    return float(law @ losses), float(law[pool > attachment * (1.0 + 1e-12)].sum())


def tranche_cliff(
    tenants: Iterable[int],
    default_probability: float,
    lgd: float,
    correlations: Iterable[float],
    tranches: Mapping[str, tuple[float, float]],
) -> pd.DataFrame:
    """Loss of every tranche for every number of tenants and every correlation.

    Args as for `tranche_loss_law`; tranches maps a name to (attachment, detachment). Returns a row for each
    case: tenants, correlation, tranche, attachment, detachment, expected_loss (share of the tranche),
    probability_of_loss. Raises ValueError as `tranche_loss_law`.

    Example: from thirty tenants to one, the senior tranche's loss grows more than tenfold.
        >>> table = tranche_cliff([30, 1], 0.1, 0.5, [0.1], {"A": (0.15, 1.0)})
        >>> bool(table.expected_loss[1] > 10 * table.expected_loss[0] > 0.0)
        True
    """
    sizes = [arguments.count("tenants", n) for n in arguments.vector("tenants", listed(tenants))]
    correlations = arguments.vector("correlations", listed(correlations)).tolist()
    if not isinstance(tranches, Mapping) or not tranches:
        arguments.refuse("tranches", tranches, "names with (attachment, detachment)")
    for name, limits in tranches.items():
        if np.shape(limits) != (2,):
            arguments.refuse(f"tranches[{name!r}]", limits, "(attachment, detachment)")
    rows = [
        (count, correlation, name, attachment, detachment,
         *tranche_loss_law(count, default_probability, lgd, correlation, attachment, detachment))
        for count in sizes
        for correlation in correlations
        for name, (attachment, detachment) in tranches.items()
    ]  # fmt: skip
    columns = "tenants correlation tranche attachment detachment expected_loss probability_of_loss"
    return pd.DataFrame(rows, columns=columns.split())


def tranche(attachment: float, detachment: float) -> tuple[float, float]:
    """Both as shares of the pool, the first below the second; ValueError otherwise."""
    low, high = arguments.share("attachment", attachment), arguments.share("detachment", detachment)
    if not low < high:
        raise ValueError(f"detachment: got {detachment}, expected more than the attachment, {attachment}")
    return low, high


def listed(values: Iterable[float]) -> Any:
    """What can be gone through once as a list; anything else as it is."""
    return list(values) if isinstance(values, Iterator | range) else values
