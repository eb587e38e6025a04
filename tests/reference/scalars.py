"""Constants of docs/model.md and the brackets it uses, restated: nothing is shared with the engine."""

DT = 1.0 / 12.0
HOURS = 8.76

DEMAND, TECHNOLOGY, RATES, CREDIT, EQUITY, POWER = range(6)
BOOM, PLATEAU, BUST = range(3)
REGIMES = ("boom", "plateau", "bust")

ALIVE, FORECLOSURE, LIQUIDITY, NON_PAYMENT, BALANCE_SHEET, HAZARD, EXCHANGE, GROUP = range(8)
CAUSES = ("alive", "foreclosure", "liquidity", "non_payment", "balance_sheet", "hazard", "exchange", "group")

CONTRACT_CLEARING, COLLATERAL_SPIRAL, LENDER_CLEARING, NOT_FINITE = 1, 2, 4, 8


def clip(value: float, least: float, most: float) -> float:
    """`clip(v, a, b)` of the page."""
    return min(max(value, least), most)


def positive(value: float) -> float:
    """`(.)+` of the page."""
    return max(value, 0.0)


def close(left: float, right: float, scale: float = 1.0) -> bool:
    """Equal up to the rounding of some thousand float64 additions."""
    return abs(left - right) <= 1e-9 * max(abs(left), abs(right), scale)
