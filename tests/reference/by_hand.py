"""What tests against hand calculations share."""

import pytest

from tests.reference import example, path


def near(value):
    """Equal up to float64 rounding, for numbers worked by hand to all their digits."""
    return pytest.approx(value, rel=1e-12, abs=1e-12)


def calm(system, months: int, fate: dict | None = None, **changes) -> dict:
    """Path with all shocks zero; `changes` replace arrays of the shocks."""
    shocks = example.calm_shocks(system, months) | changes
    return path.simulate_path(system, fate or example.calm_fate(system), shocks, months)
