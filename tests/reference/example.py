"""A hand-made System-like object, small enough to read, and draws for it.

Firms: a lab, a neocloud, a host, a software house that builds data centres, an outside hyperscaler that also
sells chips, and a project company. Every mechanism of docs/model.md has something to act on.
"""

from types import SimpleNamespace as Table

import numpy as np

from tests.reference.audit_lenders import drawn_amounts
from tests.reference.example_numbers import small_numbers

LAB, CLOUD, HOST, SOFTWARE, GIANT, PROJECT = range(6)
FIRMS = ("LAB", "CLOUD", "HOST", "SOFTWARE", "GIANT", "PROJECT")
CONTRACTS = (
    "LAB_CLOUD",
    "LAB_SOFTWARE",
    "GIANT_CLOUD",
    "RENT",
    "COLOCATION",
    "STAGED",
    "LETTER",
    "PLAN",
    "BACKSTOP",
    "WARRANT",
)
LOANS = (
    "CHIPS_A",
    "CHIPS_B",
    "REVOLVER",
    "HOST_NOTES",
    "PROJECT_LOAN",
    "SOFTWARE_BONDS",
    "GIANT_BONDS",
    "LAB_NOTE",
)
FUND_A, FUND_B, BANK, INSURER, PENSION, VENDOR = range(6)
LENDERS = ("FUND_A", "FUND_B", "BANK", "INSURER", "PENSION", "VENDOR")
PAPER = ("BONDS", "NOTES", "ABS")
BEARERS = ("SHAREHOLDERS", "SAVERS", "STATE")


def one_hot(rows: int, indices) -> np.ndarray:
    """[rows, len(indices)], one where the row is the index; an index of None gives a zero column."""
    table = np.zeros((rows, len(indices)))
    for column, row in enumerate(indices):
        if row is not None:
            table[row, column] = 1.0
    return table


def small_economy() -> Table:
    """Unit diagonal and the three correlations between demand, credit and equity."""
    correlation = np.eye(6)
    for first, second, value in ((0, 4, 0.6), (0, 3, -0.4), (3, 4, -0.5)):
        correlation[first, second] = correlation[second, first] = value
    return Table(correlation=correlation)


def small_chips() -> Table:
    """Three generations on the market and one to come, which may slip."""
    return Table(
        release_month=np.array([-40, -20, -8, 10]),
        slips=np.array([0.0, 0.0, 0.0, 1.0]),
        gain=np.array([1.0, 1.0, 1.0, 2.2]),
        list_price=np.array([25.0, 36.0, 55.0, 75.0]),
        observed_price=np.array([9.0, 25.0, 46.0, 0.0]),
        rental=np.array([1.7, 3.6, 5.9, 8.9]),
        operating_cost=np.array([0.50, 0.65, 0.90, 1.20]),
        installed=np.array([3.0, 2.6, 2.0, 0.0]),
        hosting=np.array([0.9, 0.8, 0.6, 0.4]),
        accounting_life=np.array([6.0, 6.0, 5.0, 6.0]),
    )


def small_firms() -> Table:
    """Cash flows and capacities of the six firms."""
    return Table(
        lab=np.array([1.0, 0, 0, 0, 0, 0]),
        neocloud=np.array([0, 1.0, 0, 0, 0, 0]),
        project=np.array([0, 0, 0, 0, 0, 1.0]),
        outside=np.array([0, 0, 0, 0, 1.0, 0]),
        cross_default=one_hot(6, [None] * 6).T,
        revenue_share=np.array([0.30, 0, 0, 0, 0, 0]),
        fixed_cost=np.array([6.0, 0.9, 0.12, 0, 0, 0]),
        core_ebitda=np.array([0, 0.2, 0.5, 26.0, 300.0, 0]),
        core_growth=np.array([0, 0.02, 0.0, 0.03, 0.08, 0]),
        core_stress_beta=np.array([0, 0.3, 0.5, 0, 0.1, 0]),
        ebitda_ttm=np.array([-4.0, 3.0, 0.9, 26.0, 300.0, 0.5]),
        chip_sales_share=np.array([0, 0, 0, 0, 0.1, 0]),
        support_share=np.array([0, 0, 0, 0, 0.1, 0]),
        cash=np.array([20.0, 2.0, 0.4, 10.0, 80.0, 0.6]),
        minimum_cash=np.array([2.0, 0.5, 0.1, 3.0, 20.0, 0.05]),
        equity_volatility=np.array([0.5, 0.6, 0.4, 0.3, 0.25, 0.0]),
        equity_value=np.array([350.0, 40.0, 4.0, 450.0, 3000.0, 0.0]),
        sponsor_capacity=np.array([0, 0, 0.1, 0, 0, 0.2]),
        debt_multiple=np.array([0, 5.0, 7.0, 6.5, 3.0, 12.0]),
        value_multiple=np.array([0.1, 0, 0, 0, 0.05, 0]),
        asset_multiple=np.array([0, 6.0, 7.5, 0, 0, 10.0]),
        hazard=np.array([0.01, 0.03, 0.02, 0.004, 0.001, 0.01]),
        leverage_beta=np.array([0, 0.5, 0, 1.2, 0, 0]),
        equity_capex_share=np.array([0, 0.3, 0, 0.1, 0, 0]),
        capex_contract=one_hot(len(CONTRACTS), [None, None, None, 1, None, None]).T,
        growth_loan=one_hot(len(LOANS), [None, 1, None, 5, None, None]),
        revolver=one_hot(len(LOANS), [None, 2, None, None, None, None]),
    )


def small_contracts() -> Table:
    """Compute for the lab, a guaranteed colocation lease, equity, a plan that binds nobody, two supports."""
    buyer = np.array([LAB, LAB, GIANT, SOFTWARE, CLOUD, GIANT, GIANT, SOFTWARE, GIANT, GIANT])
    seller = np.array([CLOUD, SOFTWARE, CLOUD, PROJECT, HOST, LAB, LAB, PROJECT, CLOUD, LAB])
    return Table(
        buyer=buyer,
        seller=seller,
        bought=one_hot(6, buyer),
        sold=one_hot(6, seller),
        senior=np.array([0, 0, 0, 1.0, 1.0, 0, 0, 0, 0, 0]),
        operating=np.array([1.0, 1, 1, 1, 1, 0, 0, 0, 0, 0]),
        compute=np.array([1.0, 1, 1, 0, 0, 0, 0, 0, 0, 0]),
        equity=np.array([0, 0, 0, 0, 0, 1.0, 1.0, 0, 0, 0]),
        staged=np.array([0, 0, 0, 0, 0, 1.0, 0, 0, 0, 0]),
        backstop=np.array([0, 0, 0, 0, 0, 0, 0, 0, 1.0, 0]),
        warrant=np.array([0, 0, 0, 0, 0, 0, 0, 0, 0, 1.0]),
        vests=np.array([0, 0, 0, 0, 0, 0, 0, 0, 0, 1.0]),
        vests_with=np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 0]),
        lease_project=np.array([0, 0, 0, 1.0, 0, 0, 0, 0, 0, 0]),
        flexibility=np.array([0.5, 0.5, 0.0, 0, 0, 0, 0, 0, 0, 0]),
        margin=np.array([0.75, 0.6, 0.7, 0.95, 0.9, 1.0, 1.0, 1.0, 0.8, 1.0]),
        relet=np.array([0.4, 0.2, 0.5, 0.3, 0.5, 0, 0, 0, 0, 0]),
        guarantor=np.array([0, 0, 0, 0, GIANT, 0, 0, 0, 0, 0]),
        cover=np.array([0, 0, 0, 0, 0.9, 0, 0, 0, 0, 0]),
        annual=np.array([6.0, 20.0, 3.0, 1.6, 0.7, 12.0, 8.0, 9.0, 1.5, 0.6]),
        start_annual=np.array([1.2, 1.5, 3.0, 0.0, 0.5, 12.0, 8.0, 9.0, 1.5, 0.6]),
        start_month=np.array([0.0, 0, 0, 12, -6, 0, 3, 0, 6, 6]),
        ramp_months=np.array([24.0, 36, 0, 6, 12, 0, 0, 0, 0, 0]),
        end_month=np.array([60.0, 84, 18, 180, 72, 30, 36, 60, 60, 48]),
    )


def small_loans() -> Table:
    """Two loans on chips, a revolver, convertible notes, a project loan, two bond stocks and a lab's note."""
    borrower = np.array([CLOUD, CLOUD, CLOUD, HOST, PROJECT, SOFTWARE, GIANT, LAB])
    return Table(
        borrower=borrower,
        borrowed=one_hot(6, borrower),
        committed=np.array([7.0, 4.0, 1.5, 3.0, 16.0, 108.0, 60.0, 5.0]),
        drawn=np.array([6.4, 0.0, 0.0, 3.0, 5.0, 108.0, 60.0, 5.0]),
        draw_months=np.array([6.0, 12.0, 0, 0, 18, 0, 0, 0]),
        maturity_month=np.array([48.0, 66, 40, 15, 30, 600, 600, 20]),
        tenant=np.array([0, 0, 0, 0, SOFTWARE, 0, 0, 0]),
        has_tenant=np.array([0, 0, 0, 0, 1.0, 0, 0, 0]),
        tenor_months=np.array([48.0, 48, 36, 48, 60, 84, 84, 36]),
        floating=np.array([1.0, 1, 1, 0, 1, 0, 0, 0]),
        coupon=np.array([0.06, 0.045, 0.03, 0.09, 0.025, 0.05, 0.04, 0.11]),
        refinancing_margin=np.array([0.06, 0.05, 0.03, 0.055, 0.025, 0.015, 0.008, 0.07]),
        interest_from_month=np.array([0.0, 0, 0, 0, 18, 0, 0, 0]),
        amortisation=np.array([0.20, 0.20, 0, 0.0, 0.03, 0, 0, 0]),
        amortisation_from_month=np.array([0.0, 12, 0, 0, 24, 0, 0, 0]),
        ladder=np.array([0.0, 0, 0, 0, 0, 0.08, 0.10, 0]),
        extension_probability=np.array([0.4, 0.4, 0.4, 0.25, 0.5, 0.25, 0.0, 0.25]),
        exchange_probability=np.array([0.2, 0.2, 0.2, 0.4, 0.1, 0.1, 0.0, 0.3]),
        base_recovery=np.array([0.05, 0.05, 0.3, 0.35, 0.6, 0.2, 0.5, 0.3]),
        ebitda_recovery=np.array([0, 0, 0, 0, 0, 2.0, 0, 0]),
        guarantor=np.array([0, 0, 0, GIANT, SOFTWARE, 0, 0, 0]),
        guarantee_cover=np.array([0, 0, 0, 0.6, 0.8, 0, 0, 0]),
        pik_share=np.array([0.5, 0.5, 0, 0, 0, 0, 0, 0]),
        new_money=np.array([0, 0.0, 0, 0, 0, 0, 0, 0]),
        planned=np.array([7.0, 4.0, 1.5, 3.0, 16.0, 108.0, 60.0, 5.0]),
        ltv_target=np.array([0.65, 0.70]),
        uncontracted_share=np.array([0.1, 0.2]),
        pledged=np.array([[0.06, 0.05, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]]),
        security=np.array([[0.6, 0, 0.5, 0, 0, 0, 0, 0, 0, 0], [0.4, 0, 0.3, 0, 0, 0, 0, 0, 0, 0]]),
        conversion=np.array([0, 0, 0, 1.2, 0, 0, 0, 0]),
    )


def small_pools() -> Table:
    """Three loans to nameless obligors, held directly, and a pool of rents with two tranches."""
    share = np.zeros((2, 4))
    share[0, :3] = (0.5, 0.3, 0.2)
    share[1, 3] = 1.0
    synthetic = np.zeros((2, 4))
    synthetic[1, 3] = 0.3
    named = np.zeros((2, 6))
    named[1, [LAB, CLOUD, HOST]] = (0.3, 0.25, 0.15)
    return Table(
        credit=np.array([1.0, 0.0]),
        hazard=np.array([0.04, 0.02]),
        lgd=np.array([0.45, 0.0]),
        refinancing_link=np.array([1.0, 0.5]),
        chip_link=np.array([1.0, 0.0]),
        frailty=np.array([0.3, 0.3]),
        repayment_month=np.array([0, 12]),
        relet=np.array([0.0, 0.5]),
        dscr=np.array([0.0, 1.5]),
        ltv=np.array([0.0, 0.68]),
        origination_share=np.array([0.04, 0.01]),
        balance=np.array([12.0, 6.0]),
        obligor_pool=np.array([0, 0, 0, 1]),
        obligor_share=share,
        direct=np.array([1.0, 1, 1, 0]),
        tenants_named=named,
        tenants_synthetic=synthetic,
        tranche_pool=np.array([1, 1]),
        attachment=np.array([0.0, 0.3]),
        detachment=np.array([0.3, 1.0]),
    )


def drawn_by(holdings, pools_alone: bool = False) -> np.ndarray:
    """Exposure of each lender at month 0, USD bn."""
    loans, pools = small_loans(), small_pools()
    amounts = np.array(drawn_amounts(Table(loans=loans, pools=pools)))
    amounts[: len(loans.drawn) if pools_alone else 0] = 0.0
    return holdings @ amounts


def small_lenders() -> Table:
    """Two concentrated funds with lines from the bank, owned by insurer, pension fund and each other.

    Bank and insurer have limits, investors of funds and insurer leave, pension fund and vendor buy.
    """
    # Columns: eight loans, four obligors, two tranches; rows: the lenders.
    holdings = np.array(
        [
            [0.50, 0.00, 0.00, 0.30, 0.00, 0.00, 0.00, 0.40, 0.60, 0.00, 0.20, 0.00, 0.70, 0.00],
            [0.00, 0.60, 0.00, 0.00, 0.20, 0.00, 0.00, 0.00, 0.00, 0.70, 0.30, 0.00, 0.00, 0.10],
            [0.20, 0.20, 1.00, 0.00, 0.50, 0.05, 0.05, 0.20, 0.10, 0.10, 0.00, 0.00, 0.00, 0.20],
            [0.20, 0.10, 0.00, 0.50, 0.20, 0.55, 0.45, 0.00, 0.20, 0.10, 0.30, 1.00, 0.10, 0.60],
            [0.10, 0.00, 0.00, 0.20, 0.10, 0.40, 0.50, 0.10, 0.10, 0.10, 0.20, 0.00, 0.20, 0.10],
            [0.00, 0.10, 0.00, 0.00, 0.00, 0.00, 0.00, 0.30, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00],
        ]
    )
    debt_share, equity_share = np.zeros((6, 2)), np.zeros((6, 2))
    debt_share[:, 0], debt_share[:, 1] = (0, 0.1, 0.9, 0, 0, 0), (0, 0, 0.7, 0.3, 0, 0)
    equity_share[:, 0], equity_share[:, 1] = (0, 0, 0, 0.5, 0.5, 0), (0.1, 0, 0, 0.4, 0.5, 0)
    return Table(
        holdings=holdings,
        capital=np.array([5.0, 4.0, 30.0, 40.0, 200.0, 100.0]),
        debt=np.array([6.0, 4.0, 0, 0, 0, 0]),
        exposure_start=drawn_by(holdings),
        pool_exposure_start=drawn_by(holdings, pools_alone=True),
        capital_growth=np.array([0.1, 0.1, 0.05, 0.05, 0.04, 0.05]),
        appetite=np.full(6, 30.0),
        bust_equity=np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.2]),
        bust_spread=np.array([0.0, 0.0, 0.0, 0.2, 0.0, 0.1]),
        bust_credit=np.array([0.02, 0.04, 0.3, 0.0, 0.0, 0.0]),
        recognition_months=np.array([6.0, 6, 3, 12, 12, 1]),
        lending_weight=np.array([0.2, 0.2, 0.3, 0.2, 0.1, 0.0]),
        vehicle=np.array([1.0, 1, 0, 0, 0, 0]),
        debt_share=debt_share,
        equity_share=equity_share,
        equity=np.array([5.0, 4.0, 90.0, 60.0, 200.0, 100.0]),
        line=np.array([2.0, 1.2, 0, 0, 0, 0]),
        coverage=np.array([1.5, 1.6, 0, 0, 0, 0]),
        limit_start=np.array([0, 0, 0.5, 0.3, 1000.0, 1000.0]),
        limit_slope=np.array([0, 0, 0.5, 1.0, 0, 0]),
        withdrawal_start=np.array([0, 0.05, 0, 0.5, 0, 0]),
        withdrawal_slope=np.array([1.0, 1.0, 0, 1.0, 0, 0]),
        gate=np.array([0.02, 0.08, 1.0, 0.02, 1.0, 1.0]),
        mark_weight=np.array([0, 1.0, 0.2, 0.35, 0, 0]),
        buyer_weight=np.array([0, 0, 0, 0, 0.8, 0.2]),
        first_bearer=np.array([[0, 0, 1.0, 1.0, 0, 1.0], [1.0, 1.0, 0, 0, 1.0, 0], [0.0] * 6]),
        last_bearer=np.array([[0, 0, 0, 0, 0, 1.0], [1.0, 1.0, 0, 0.8, 0.9, 0], [0, 0, 1.0, 0.2, 0.1, 0]]),
    )


def small_paper() -> Table:
    """Bonds of software house and giant, notes of host and lab, and both tranches are marketable."""
    marketable = np.zeros(14)
    marketable[[3, 5, 6, 7, 12, 13]] = 1.0
    # 108 and 60 of bonds, 3 and 5 of notes, 1.8 and 4.2 of tranches, by the holdings above.
    held = np.array(
        [
            [0.0, 2.9, 1.26],
            [0.0, 0.0, 0.42],
            [8.4, 1.0, 0.84],
            [86.4, 1.5, 2.70],
            [73.2, 1.1, 0.78],
            [0.0, 1.5, 0.0],
        ]
    )
    return Table(
        spread=np.array([0.01, 0.05, 0.02]),
        duration=np.array([8.0, 4.0, 5.0]),
        depth=np.array([168.0, 8.0, 6.0]),
        held=held,
        marketable=marketable,
    )


def small_calendar() -> Table:
    """Capex that firms fund themselves, USD bn a year, and shares of new sector borrowing by loan.

    The rest of a Calendar is recomputed.
    """
    by_year = np.array(
        [
            [0, 2.0, 0, 20.0, 0, 0],
            [0, 1.5, 0, 24.0, 0, 0],
            [0, 0.5, 0, 24.0, 0, 0],
            [0, 0.5, 0, 20.0, 0, 0],
            [0, 0.5, 0, 15.0, 0, 0],
        ]
    )
    shares = np.array([0, 0.004, 0, 0, 0, 0.05, 0.1, 0])
    return Table(firm_capex=np.repeat(by_year, 12, axis=0), origination=np.tile(shares, (60, 1)))


OWN_LIVES = ("plant", "own_shocks", "rounds", "orders")
"""Mechanisms by which each firm has a plant, luck, rounds and orders of its own."""


def small_system() -> Table:
    """The fields of a System that are not derived, without plants, own shocks, rounds and orders.

    Compute is delivered, labs raise when they want and maturities are not refinanced ahead, so that other
    equations can be worked by hand.
    """
    system = whole_system()
    for name in OWN_LIVES:
        setattr(system.numbers.mechanisms, name, 0.0)
    system.numbers.credit.refinance_months = 0.0
    return system


def whole_system() -> Table:
    """The same with all mechanisms on."""
    return Table(
        numbers=small_numbers(),
        economy=small_economy(),
        chips=small_chips(),
        firms=small_firms(),
        contracts=small_contracts(),
        loans=small_loans(),
        pools=small_pools(),
        lenders=small_lenders(),
        paper=small_paper(),
        calendar=small_calendar(),
        names=Table(firms=FIRMS, contracts=CONTRACTS, loans=LOANS, lenders=LENDERS),
    )


def calm_fate(system) -> dict:
    """No release slips, no residual default, median effects."""
    return {
        "threshold_firms": np.full(len(system.firms.cash), 1e9),
        "threshold_obligors": np.full(len(system.pools.obligor_pool), 1e9),
        "slip": np.ones(len(system.chips.release_month)),
        "slip_length": np.full(len(system.chips.gain), 0.5),
        "release_effect": np.zeros(len(system.chips.gain)),
        "frailty": np.zeros(len(system.pools.balance)),
        "leadership": np.zeros(len(system.firms.cash)),
    }


def calm_shocks(system, months: int) -> dict:
    """All normals zero, no change of regime from boom, waivers, extensions and rounds at even odds."""
    loans = len(system.loans.borrower)
    return {
        "normals": np.zeros((months, 6)),
        "regime": np.zeros(months),
        "waiver": np.full((months, loans), 0.5),
        "extension": np.full((months, loans), 0.5),
        "own": np.zeros((months, len(system.firms.cash))),
        "round": np.full((months, len(system.firms.cash)), 0.5),
    }


def random_draws(system, months: int, seed: int) -> tuple[dict, dict]:
    """Fate and shocks of one path."""
    draw = np.random.default_rng(seed)
    firms, obligors = len(system.firms.cash), len(system.pools.obligor_pool)
    generations, loans = len(system.chips.gain), len(system.loans.borrower)
    fate = {
        "threshold_firms": draw.exponential(size=firms),
        "threshold_obligors": draw.exponential(size=obligors),
        "slip": draw.random(generations),
        "slip_length": draw.random(generations),
        "release_effect": draw.standard_normal(generations),
        "frailty": draw.standard_normal(len(system.pools.balance)),
        "leadership": draw.standard_normal(firms),
    }
    shocks = {
        "normals": draw.standard_normal((months, 6)),
        "regime": draw.random(months),
        "waiver": draw.random((months, loans)),
        "extension": draw.random((months, loans)),
        "own": draw.standard_normal((months, firms)),
        "round": draw.random((months, firms)),
    }
    return fate, shocks
