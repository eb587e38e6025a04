"""Numbers that follow from the book and the parameters so that month 0 agrees with what is observed."""

import numpy as np
import scipy.linalg

from engine.book.frames import Frame
from engine.book.parameters import Economy, Parameters
from engine.book.system import ChipTable, ContractTable
from engine.contagion.valuation import income_value
from engine.vocabulary import FACTORS, HOURS, MONTH


def correlation_of(table: Frame, economy: Economy) -> np.ndarray:
    """Correlation of the factors: the book's if it has one, else the three of the parameters.

    Raises ValueError when the matrix is not positive semi-definite.
    """
    if len(table):
        matrix = table.set_index("factor").loc[list(FACTORS), list(FACTORS)].to_numpy(np.float64)
    else:
        matrix = np.eye(len(FACTORS))
        pairs = {
            ("demand", "equity"): economy.correlation_demand_equity,
            ("demand", "credit"): economy.correlation_demand_credit,
            ("equity", "credit"): economy.correlation_equity_credit,
        }
        for (one, other), value in pairs.items():
            i, j = FACTORS.index(one), FACTORS.index(other)
            matrix[i, j] = matrix[j, i] = value
    smallest = float(np.linalg.eigvalsh(matrix)[0])
    if smallest < -1e-9:
        raise ValueError(
            f"correlation of the factors: got a matrix with eigenvalue {smallest:.4f}, "
            "expected positive semi-definite"
        )
    return matrix


def generator_of(economy: Economy) -> np.ndarray:
    """Q: annual rates from the row's regime to the column's; rows sum to zero."""
    generator = np.zeros((3, 3))
    generator[0, [1, 2]] = economy.leave_boom
    generator[1, [0, 2]] = economy.leave_plateau
    generator[2, [0, 1]] = economy.leave_bust
    return generator - np.diag(generator.sum(axis=1))


def transition_of(economy: Economy) -> np.ndarray:
    """Cumulative rows of expm(Q / 12), Q the annual generator over boom, plateau, bust."""
    return np.cumsum(scipy.linalg.expm(generator_of(economy) * MONTH), axis=1)


def jumps_of(economy: Economy) -> np.ndarray:
    """Log equity jump from the row's regime to the column's."""
    return np.array(
        [
            [0.0, economy.crash_boom_plateau, economy.crash_boom_bust],
            [economy.rally_plateau_boom, 0.0, economy.crash_plateau_bust],
            [economy.rally_bust_boom, economy.rally_bust_plateau, 0.0],
        ]
    )


def mean_age(table: Frame) -> np.ndarray:
    """Mean age of each generation's fleet at month 0 (years): bought evenly since its release."""
    return np.maximum(-table["release_month"].to_numpy(np.float64), 0.0) * MONTH / 2.0


def decline_of(table: Frame, existing: np.ndarray, life: float, utilisation: float) -> float:
    """Decline of rent a year that ends a new chip's earnings after `life` years: ln(G / O) / life.

    G and O are rent and running cost of the newest generation of month 0, new and at normal utilisation.
    """
    newest = int(np.flatnonzero(existing)[-1])
    rent = utilisation * float(table["rental_usd_per_hour"].iloc[newest])
    return float(np.log(rent / table["operating_cost_usd_per_hour"].iloc[newest])) / life


def gain_pace(table: Frame, existing: np.ndarray) -> float:
    """Mean log performance gain a year of the releases to come; 0 without any."""
    coming = existing == 0.0
    if not coming.any():
        return 0.0
    years = float(table["release_month"].to_numpy(np.float64)[coming].max()) * MONTH
    return float(np.log(table["performance_gain"].to_numpy(np.float64)[coming]).sum()) / years


def starting_prices(
    table: Frame, existing: np.ndarray, recent: np.ndarray, parameters: Parameters
) -> tuple[np.ndarray, np.ndarray, float]:
    """Price scale b (observed less scrap, over income value), prices at month 0, capacity K at month 0."""
    chips, economy = parameters.chips, parameters.economy
    rental = table["rental_usd_per_hour"].to_numpy(np.float64)
    cost = table["operating_cost_usd_per_hour"].to_numpy(np.float64)
    decline = decline_of(table, existing, chips.underwritten_life, chips.utilisation)
    value = np.asarray(
        income_value(
            HOURS * chips.utilisation * rental, HOURS * cost, economy.rate + chips.chip_spread, decline
        ),
        np.float64,
    )
    observed = table["price_kusd"].fillna(0.0).to_numpy(np.float64)
    scrap = chips.scrap * table["list_price_kusd"].to_numpy(np.float64)
    ratio = np.where(observed > 0.0, np.maximum(observed - scrap, 0.0) / np.maximum(value, 1e-9), 0.0)
    scale = np.where(observed > 0.0, ratio, (ratio * recent).sum() / recent.sum())
    capacity = HOURS * float((table["installed_million"].to_numpy(np.float64) * rental * existing).sum())
    return scale, scale * value + scrap, capacity


def collateral_scale(
    loans: Frame,
    pledged: np.ndarray,
    security: np.ndarray,
    weight: np.ndarray,
    contracts: ContractTable,
    chips: ChipTable,
    dates: dict[str, np.ndarray],
    parameters: Parameters,
) -> np.ndarray:
    """k of each collateralised loan: LTV at month 0 is the documented one.

    Zero for a loan not drawn at month 0: each draw brings its own collateral.
    """
    count = len(pledged)
    credit = parameters.credit
    secured = security @ (np.asarray(contracts.margin, np.float64) * dates["present_value"][0])
    residual = np.exp(-float(chips.decline) * (weight @ dates["years_left"][0]))
    value = credit.contract_advance * secured + residual * (
        pledged @ np.asarray(chips.price_start, np.float64)
    )
    drawn = loans["drawn"].to_numpy(np.float64)[:count]
    target = loans["ltv_target"].to_numpy(np.float64)[:count]
    known = (drawn > 0.0) & (target > 0.0) & (value > 0.0)
    return np.where(known, drawn / np.where(known, target * value, 1.0), 0.0)
