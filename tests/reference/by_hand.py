"""What tests against hand calculations share."""

import pytest

from tests.reference import example, path

MONTHS = 24
LEVERS = ("backstop", "bailout", "capital_rule", "disclosure", "savers", "advance_cap")


def near(value):
    """Equal up to float64 rounding, for numbers worked by hand to all their digits."""
    return pytest.approx(value, rel=1e-12, abs=1e-12)


def calm(system, months: int, fate: dict | None = None, **changes) -> dict:
    """Path with all shocks zero; `changes` replace arrays of the shocks."""
    shocks = example.calm_shocks(system, months) | changes
    return path.simulate_path(system, fate or example.calm_fate(system), shocks, months)


def stressed(**switches):
    """The small system in a bust with strict lenders and thin cash, so that every cause of default occurs."""
    system = example.whole_system()
    numbers = system.numbers
    numbers.economy.start = "bust"
    numbers.credit.waiver, numbers.credit.capacity_scale, numbers.chips.depth = 0.3, 0.8, 0.005
    numbers.contracts.non_payment_months, numbers.contracts.renegotiation = 4.0, 0.1
    system.contracts.annual[:2] *= 4.0
    system.firms.cash[example.LAB], system.firms.value_multiple[example.LAB] = 5.0, 0.3
    system.firms.sponsor_capacity[example.HOST] = 0.0
    system.firms.asset_multiple[example.PROJECT] = 5.0
    system.firms.cash[example.GIANT] = 3.0
    system.pools.hazard[:] = (0.25, 0.10)
    system.lenders.withdrawal_start[example.INSURER] = 0.01
    for name, value in switches.items():
        setattr(numbers.mechanisms, name, value)
    return system


def path_of(system, seed: int, months: int = MONTHS):
    """One random path."""
    fate, shocks = example.random_draws(system, months, seed)
    return path.simulate_path(system, fate, shocks, months)


def pull(system, *names: str, month: float = 1.0, **sizes):
    """The system with levers pulled from a month on; `sizes` replace numbers of policy."""
    for name in names:
        setattr(system.numbers.policy, f"{name}_month", month)
    for name, size in sizes.items():
        setattr(system.numbers.policy, name, size)
    return system
