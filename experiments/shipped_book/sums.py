"""Sums that every Python makes alike: from 3.12 on its own `sum` makes up for what floats round."""

import functools
import operator
from collections.abc import Iterable


def plain_sum(numbers: Iterable[float]) -> float:
    """Sum from the first number to the last."""
    return functools.reduce(operator.add, numbers, 0)
