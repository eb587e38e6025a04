"""A statistic of an ensemble's members on the parameters that they drew, by least squares.

    y_k = c + sum_p b_p (x_kp - mean_p) / sd_p + rest_k,      b_p: change of y for one sd of parameter p

Errors of b come from the residual mean square on K - P - 1 degrees of freedom. Parameters that are drawn
independently bring the variance b_p^2 each, as far as y is linear (Saltelli et al. 2008, Global Sensitivity
Analysis, 1.2.5).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

PER_PARAMETER = 3
"""Members that a regression needs for each parameter."""


@dataclass(frozen=True)
class Effects:
    """Effects of one sd of each parameter, in the unit of the statistic, and how much of it is explained."""

    effect: Float64[np.ndarray, "parameters"]
    error: Float64[np.ndarray, "parameters"]  # standard error
    explained: float  # R^2, adjusted for the number of parameters


def enough(members: int, parameters: int) -> bool:
    """Whether there are members enough to tell so many parameters apart."""
    return members >= PER_PARAMETER * parameters


def effects_of(
    draws: Float64[np.ndarray, "members parameters"], values: Float64[np.ndarray, "members"]
) -> Effects:
    """The regression of the values on the draws.

    Raises ValueError where members are too few.

    Example: y = 3 x without a rest, and x has an sd of 2.
        >>> x = 2.0 * np.array([-1.0, 1.0, -1.0, 1.0]) * np.sqrt(0.75)
        >>> effects_of(x[:, None], 3.0 * x).effect.round(6).tolist()
        [6.0]
    """
    members, parameters = draws.shape
    if not enough(members, parameters):
        raise ValueError(f"members: got {members}, expected at least {PER_PARAMETER} for each parameter")
    rows = np.column_stack([np.ones(members), (draws - draws.mean(axis=0)) / draws.std(axis=0, ddof=1)])
    coefficients = np.linalg.lstsq(rows, values, rcond=None)[0]
    freedom = members - parameters - 1
    residual = float(np.sum((values - rows @ coefficients) ** 2)) / freedom
    errors = np.sqrt(residual * np.diag(np.linalg.inv(rows.T @ rows)))
    total = float(values.var(ddof=1))
    return Effects(coefficients[1:], errors[1:], 1.0 - residual / total if total > 0.0 else 0.0)
