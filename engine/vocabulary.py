"""The words every floor shares: time step, axis names, regimes, causes of default, flags.

Axis names in annotations: `gens` g, `firms` i, `obligors` o, `loans` m, `pools` p, `tranches` k,
`instruments` (loans, then obligors, then tranches), `lenders` l, `contracts` c, `months` t, `factors` f.
Units: USD billions, years, decimals; chip units in millions, chip prices in thousand USD, so that
units x price is USD billions. Losses are positive.
"""

from collections.abc import Sequence

MONTH = 1.0 / 12.0
"""One time step in years."""

HOURS = 8.76
"""USD per hour times HOURS is thousand USD per year."""

FACTORS = ("demand", "technology", "rates", "credit", "equity", "power")
REGIMES = ("boom", "plateau", "bust")

UNBROKEN = "unbroken"
"""Name of the group of paths on which the boom lasts."""

CAUSES = ("alive", "foreclosure", "liquidity", "non_payment", "balance_sheet", "hazard", "exchange", "group")
"""Why a firm defaulted; the position is the code a path carries."""
ALIVE, FORECLOSURE, LIQUIDITY, NON_PAYMENT, BALANCE_SHEET, HAZARD, EXCHANGE, GROUP = range(len(CAUSES))

FLAGS = ("contract_clearing", "collateral_spiral", "lender_clearing", "not_finite")
"""Bits of a path's flag word: which fixed point had not settled, or a number was not finite."""
NOT_FINITE = FLAGS.index("not_finite")
"""The bit of a path that enters no sum: its numbers mean nothing."""

LEVERS = ("backstop", "bailout", "capital_rule", "disclosure", "savers", "advance_cap")
"""Levers of policy; each is a month and a size in `Policy` (engine/book/parameters.py)."""
PUBLIC = ("backstop", "bailout")
"""Those that cost public money; rules cost lending that is forgone."""

METHODS = ("maximum_entropy", "minimum_density", "fitness", "gibbs")
"""Reconstructions of a network of holdings from its totals (engine/book/ensemble.py)."""

KERNELS = ("xla", "fused", "auto")
"""How the paths of a tally are evaluated: by the program that XLA writes, by the one that `engine.kernel`
writes, or by that one where it can be had."""


def rent_of(chip: str) -> str:
    """Name of the monthly series of a chip's rent."""
    return f"rent_{chip.lower()}"


def price_of(chip: str) -> str:
    """Name of the monthly series of a chip's resale price."""
    return f"price_{chip.lower()}"


def series_of(benchmarks: Sequence[str]) -> tuple[str, ...]:
    """What a path reports every month, for fans and replay: the first benchmark's rent, every one's price."""
    return (
        "revenue", "regime", rent_of(benchmarks[0]), *map(price_of, benchmarks), "utilisation", "supply",
        "spread", "rate", "equity", "exposure", "accounting_gap", "loss",
    )  # fmt: skip
