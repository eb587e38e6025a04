"""The system loss by group of paths: how likely a group is, and the law of the loss within it."""

import numpy as np
from jaxtyping import Float64

from engine import arguments
from engine.tail.measures import Losses, column_losses, locate
from engine.tail.tally import SQUARE_ONE, WEIGHT_ONE, Tally


def probability(tally: Tally, group: int) -> float:
    """Share of the paths' weight that lies in a group."""
    weights = np.asarray(tally.group_weights)
    return float(weights[group].sum() / weights.sum())


def tail_shares(tally: Tally, level: float) -> Float64[np.ndarray, "groups"]:
    """Shares of the groups in the worst 1 - level of all paths; the VaR bin counts in part."""
    weights, level = np.asarray(tally.group_weights) / WEIGHT_ONE, arguments.level("level", level)
    whole = weights.sum(axis=0)
    index, fraction = locate(whole, (1.0 - level) * float(whole.sum()))
    beyond = weights[:, index + 1 :].sum(axis=1) + fraction * weights[:, index]
    return beyond / beyond.sum()


def group_losses(tally: Tally, group: int) -> Losses:
    """The system loss at the last horizon on the paths of one group, self-normalised.

    A bin's mean is that of all paths in it, so that means are exact to half a bin. Raises ValueError where
    the group has no paths.
    """
    weight = np.asarray(tally.group_weights)[group] / WEIGHT_ONE
    square = np.asarray(tally.group_squares)[group] / SQUARE_ONE
    if not weight.sum() > 0:
        raise ValueError(f"group {group} has no paths")
    mean = column_losses(tally, -1).mean
    paths = max(int(weight.sum() ** 2 / square.sum()), 1)
    return Losses(weight, square, weight * mean, float(np.sum(square * mean**2)), paths, True)
