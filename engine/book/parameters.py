"""Every number of the model that is not a row of the book, with its unit, grade, range and reason.

Grades: A found in a cited source, B public figure of a named publication, C modelling assumption.
`low` and `high` are the range a careful user would defend; sensitivity tables read them.
"""

import dataclasses
from typing import Any


def number(
    value: float | list[float],
    unit: str,
    grade: str,
    why: str,
    low: float | None = None,
    high: float | None = None,
) -> Any:
    """A dataclass field that knows its unit, grade, reason and defensible range."""
    metadata = {"unit": unit, "grade": grade, "why": why, "low": low, "high": high}
    if isinstance(value, list):
        return dataclasses.field(default_factory=lambda: list(value), metadata=metadata)
    return dataclasses.field(default=value, metadata=metadata)


@dataclasses.dataclass
class Economy:
    """AI revenue regimes, rates, credit appetite and equity. Lists by regime: boom, plateau, bust."""

    revenue: float = number(60.0, "USD bn/yr", "A", "direct AI revenue, year to month 0 (Azhar)", 60.0, 95.0)
    growth: list[float] = number(
        [1.17, 0.06, -0.25], "1/yr", "C", "boom 1.17 ± 0.15, nine-fold in two years (calibration)"
    )
    ceiling: float = number(900.0, "USD bn/yr", "C", "where the boom's growth ends", 600.0, 1500.0)
    volatility: float = number(0.20, "1/sqrt(yr)", "C", "of log revenue", 0.10, 0.35)
    share_volatility: float = number(
        0.74, "1/sqrt(yr)", "C", "of a lab's log share of AI revenue, 0.74 ± 0.24 (calibration)", 0.0, 1.4
    )
    leave_boom: list[float] = number([0.30, 0.06], "1/yr", "C", "to plateau, to bust")
    leave_plateau: list[float] = number([0.22, 0.14], "1/yr", "C", "to boom, to bust")
    leave_bust: list[float] = number([0.08, 0.45], "1/yr", "C", "to boom, to plateau")
    start: str = "boom"  # regime of month 0: boom, plateau or bust
    plan: list[float] = number(
        [60.0, 118.0, 190.0, 270.0, 350.0, 430.0],
        "USD bn/yr",
        "C",
        "revenue that contracts were sized on, at month 0 and yearly after",
    )
    correlation_demand_equity: float = number(0.6, "1", "C", "demand and equity shocks", 0.3, 0.8)
    correlation_demand_credit: float = number(-0.4, "1", "C", "demand and spread shocks", -0.8, -0.3)
    correlation_equity_credit: float = number(-0.5, "1", "C", "equity and spread shocks", -0.8, -0.3)
    rate: float = number(0.037, "1/yr", "B", "SOFR at month 0; also the long-run mean")
    rate_reversion: float = number(0.3, "1/yr", "B", "Vasicek speed")
    rate_volatility: float = number(0.009, "1/yr^1.5", "B", "Vasicek volatility")
    spread_reversion: float = number(1.0, "1/yr", "C", "of the log spread index")
    spread_volatility: float = number(0.35, "1/sqrt(yr)", "C", "of the log spread index", 0.25, 0.6)
    spread_feedback: float = number(
        1.0, "1", "C", "spread index rises by this times lost credit supply", 0.5, 2.5
    )
    recession_drag: float = number(
        0.2, "1/yr", "C", "fall of the growth of AI revenue per unit of lost credit supply", 0.0, 0.5
    )
    equity_drift: float = number(0.05, "1/yr", "C", "expected return of the AI complex")
    equity_volatility: float = number(0.25, "1/sqrt(yr)", "C", "own volatility of the AI complex")
    equity_beta: float = number(0.5, "1", "C", "loading on the revenue surprise")
    crash_boom_plateau: float = number(-0.30, "log", "C", "equity jump at regime change")
    crash_boom_bust: float = number(-0.55, "log", "C", "equity jump at regime change", -0.8, -0.3)
    crash_plateau_bust: float = number(-0.35, "log", "C", "equity jump at regime change")
    rally_plateau_boom: float = number(0.20, "log", "C", "equity jump at regime change")
    rally_bust_boom: float = number(0.35, "log", "C", "equity jump at regime change")
    rally_bust_plateau: float = number(0.20, "log", "C", "equity jump at regime change")
    power_reversion: float = number(1.0, "1/yr", "C", "of the log power and hosting cost index")
    power_volatility: float = number(0.15, "1/sqrt(yr)", "C", "of the log power and hosting cost index")


@dataclasses.dataclass
class Chips:
    """Obsolescence, utilisation, rent, price and the depth of the second-hand market."""

    life: float = number(
        6.0, "yr", "B", "until a new chip's rent meets its running cost; owners book 5 to 6", 3.0, 8.0
    )
    underwritten_life: float = number(6.0, "yr", "C", "life that lenders and buyers plan on", 3.0, 8.0)
    release_effect: float = number(
        0.22, "per ln gain", "C", "obsolescence a release adds to older chips", 0.12, 0.40
    )
    release_noise: float = number(0.35, "log sd", "C", "of the effect of one release")
    technology_volatility: float = number(0.05, "1/sqrt(yr)", "C", "common noise of obsolescence")
    slip_probability: float = number(0.35, "1", "C", "a release is late")
    slip_months: list[float] = number([2.0, 4.0, 9.0], "months", "C", "triangular: least, mode, most")
    demand_elasticity: float = number(0.8, "1", "C", "of compute demand to AI revenue", 0.6, 1.0)
    utilisation: float = number(0.70, "1", "C", "normal share of capacity in use", 0.6, 0.8)
    hours_elasticity: float = number(0.3, "1", "C", "of the share of hours sold to utilisation", 0.1, 0.6)
    hours_bounds: list[float] = number([0.35, 0.95], "1", "C", "of the share of hours sold")
    rent_elasticity: float = number(1.0, "1", "C", "of rent to utilisation", 0.6, 1.5)
    rent_bounds: list[float] = number([0.25, 1.8], "1", "C", "of the rent multiplier")
    appraisal_months: float = number(
        6.0,
        "months",
        "C",
        "of the lag of resale prices behind what chips earn; they still rose for a year while rents halved",
        3.0,
        12.0,
    )
    stress_bounds: list[float] = number(
        [-0.5, 1.5], "log", "C", "of stress, the shortfall of rents against the underwritten path"
    )
    gap_cap: float = number(1.0, "log", "C", "of the shortfall of chip prices that pools feel", 0.5, 2.0)
    underwritten_price_decline: float = number(
        0.36, "1/yr", "C", "price decline lenders plan on (base resale curve)"
    )
    scrap: float = number(
        0.03, "of list", "C", "metal, memory and parts of a chip that earns nothing", 0.01, 0.08
    )
    chip_spread: float = number(
        0.09, "1/yr", "C", "discount spread of chip income over the short rate", 0.06, 0.12
    )
    impact: float = number(0.8, "log", "C", "price fall when one quarter's depth is sold", 0.3, 1.5)
    impact_cap: float = number(0.8, "log", "C", "seven-day liquidation factor 0.45")
    impact_half_life: float = number(0.75, "yr", "C", "three quarters")
    depth: float = number(0.05, "of quarterly units", "C", "what the second-hand market absorbs", 0.02, 0.12)
    depth_floor: float = number(
        0.1, "million units", "C", "purchases of a quarter that depth is measured by, at least", 0.05, 0.3
    )
    other_buyers: float = number(
        0.5,
        "of demand",
        "C",
        "for second-hand chips from outside neoclouds; the rest falls with them",
        0.25,
        0.75,
    )
    buyer_tightness_cap: float = number(
        1.5, "1", "C", "of utilisation over normal, as far as it draws second-hand buyers", 1.0, 2.0
    )
    quarterly_sales: float = number(0.33, "per quarter", "C", "share of foreclosed chips lenders sell")
    sale_cost: float = number(0.10, "of price", "C", "cost of a forced sale")
    capex: list[float] = number(
        [710.0, 870.0, 950.0, 1000.0, 1040.0],
        "USD bn/yr",
        "C",
        "sector data-centre capex planned, years 1-5",
    )
    capex_chip_share: float = number(0.5, "1", "C", "half of data-centre capex is chips")
    capex_newest_share: float = number(0.7, "1", "C", "of chip purchases; the rest is the generation before")
    capex_speed: float = number(1.5, "1/yr", "C", "at which plans follow the regime", 0.75, 3.0)
    capex_target: list[float] = number([1.0, 0.55, 0.30], "1", "C", "of plan, by regime")
    capex_credit: float = number(
        0.5, "1", "C", "fall of the capex target per unit of lost credit supply", 0.25, 1.0
    )
    capex_bounds: list[float] = number([0.4, 1.25], "1", "C", "of the answer of capex to utilisation")
    idle_margin: float = number(
        1.05, "1", "C", "rent over running cost below which a chip does not earn it; a threshold", 1.0, 1.2
    )
    retire_idle: float = number(0.60, "1/yr", "C", "of chips that do not earn their running cost")
    failure: float = number(
        0.05, "1/yr", "B", "of chips; clusters report 1 to 9% a year (Llama 3: 9%, annualised)", 0.01, 0.09
    )
    installation_months: float = number(
        6.0, "months", "C", "from purchase to service: power, racks, network", 3.0, 12.0
    )
    delivery_tolerance: float = number(0.1, "of contract", "C", "not delivered without consequence", 0.0, 0.2)
    order_months: float = number(6.0, "months", "C", "from order to delivery of chips", 3.0, 12.0)
    order_share: float = number(
        0.5, "of plan", "C", "of a firm's planned capex ordered ahead and owed", 0.2, 0.8
    )
    order_fee: float = number(0.10, "of order", "C", "for an order cancelled", 0.0, 0.3)
    plant_chip_share: float = number(
        0.67, "of capex", "C", "of an operator's capex that is chips; two thirds of a cluster", 0.5, 0.75
    )


@dataclasses.dataclass
class Contracts:
    """Labs' equity, flexible payment and renegotiation."""

    equity_speed: list[float] = number([0.15, 0.06, 0.02], "of value/yr", "C", "a lab can raise, by regime")
    equity_months: float = number(
        12.0, "months", "C", "of a lab's capacity that one round can take", 6.0, 24.0
    )
    round_trigger: float = number(
        9.0, "months", "C", "of burn in cash below which a lab seeks a round", 6.0, 18.0
    )
    round_gap: float = number(6.0, "months", "C", "least time between two attempts", 3.0, 12.0)
    round_success: list[float] = number(
        [0.95, 0.7, 0.35], "probability", "C", "that a round closes, by regime"
    )
    equity_floor: list[float] = number(
        [1.0, 0.5, 0.25], "1", "C", "of staged commitments honoured, by regime"
    )
    investment: float = number(
        1.0, "of promises", "C", "of the equity promised to labs under contract, put in; 0 = investors stop"
    )
    equity_buffer: float = number(18.0, "months", "C", "of burn that a round pays for", 12.0, 24.0)
    revenue_power: float = number(0.5, "1", "C", "of lab value on its revenue growth")
    variable_cost: float = number(0.45, "of revenue", "C", "of a lab, before contracts", 0.35, 0.60)
    fixed_cost_growth: float = number(0.15, "1/yr", "C", "of a lab's fixed cost")
    subscription_share: float = number(
        0.10, "of revenue", "C", "of a lab, from start-ups that it or its backers fund", 0.0, 0.25
    )
    subscription_regime: list[float] = number([1.0, 0.7, 0.4], "1", "C", "of that kept, by regime")
    renegotiation: float = number(0.5, "of shortfall", "C", "written off in renegotiation", 0.0, 1.0)
    renegotiation_months: float = number(2.0, "months", "C", "over which it is written off", 1.0, 6.0)
    renewal: list[float] = number([0.9, 0.6, 0.3], "of amount", "C", "renewed at contract end, by regime")
    lease_break_month: float = number(
        0.0, "months", "C", "leases of project companies end by then and renew by regime; 0 = as in the book"
    )
    non_delivery_months: float = number(
        6.0, "months", "C", "of short delivery until the customer takes away what is not delivered", 3.0, 12.0
    )
    non_payment_months: float = number(9.0, "months", "C", "of low payment until a lab defaults")
    low_payment: float = number(
        0.5,
        "of obligations",
        "C",
        "of the second rank; a month with less paid is one of low payment",
        0.25,
        0.75,
    )


@dataclasses.dataclass
class Credit:
    """Funding, collateral tests, default and recovery."""

    capacity_scale: float = number(1.15, "1", "C", "debt capacity at today's supply and spread")
    capacity_cap: float = number(1.25, "1", "C", "of debt capacity in the best market")
    growth_limit: float = number(
        0.75, "of capacity", "C", "lent for new capex; the rest is kept for refinancing", 0.6, 1.0
    )
    look_through: list[float] = number(
        [0.0, 0.5, 1.0], "1", "C", "of off-balance-sheet debt that lenders come to count, by regime"
    )
    look_through_spread: float = number(
        1.0, "1", "C", "rise of the refinancing margin with the share of debt that was hidden", 0.0, 2.0
    )
    trailing_weight: float = number(0.7, "1", "C", "of trailing EBITDA in debt capacity")
    equity_speed: list[float] = number([0.12, 0.08, 0.03], "of market cap/yr", "C", "listed firms, by regime")
    equity_months: float = number(6.0, "months", "C", "of equity issuance that can be pulled forward")
    own_spread: float = number(
        1.0, "1", "C", "elasticity of a firm's spread index to its own equity value, sign changed", 0.2, 1.5
    )
    margin_ceiling: float = number(
        0.15,
        "1/yr",
        "C",
        "margin beyond which lenders ration: debt is distressed from 0.10 on (Fridson), the single-B index"
        " stood at 0.208 at its widest (November 2008, FRED)",
        0.10,
        0.21,
    )
    own_access: float = number(
        0.25, "1", "C", "elasticity of debt-market access to own equity value", 0.0, 0.5
    )
    refinance_months: float = number(
        12.0, "months", "C", "before a maturity from which it is refinanced ahead", 6.0, 18.0
    )
    documented_life: float = number(
        6.0, "yr", "C", "of chips, on which standing loan terms were written", 5.0, 7.0
    )
    underwriting_years: float = number(
        2.5,
        "yr",
        "C",
        "over which a lender's view of chip life moves what it advances; half a tenor",
        1.5,
        3.5,
    )
    sponsor_regime: list[float] = number([1.0, 0.6, 0.3], "1", "C", "of an owner's willingness, by regime")
    extension_months: float = number(24.0, "months", "C", "amend and extend; 4y+1+1 project loans")
    standstill_months: float = number(
        12.0, "months", "C", "in which a lender who may extend decides on a loan past its maturity", 3.0, 18.0
    )
    exchange_loss: float = number(0.25, "of balance", "C", "present-value cut of a distressed exchange")
    contract_advance: float = number(0.85, "1", "C", "of contract value that counts as collateral", 0.7, 0.95)
    contract_yield: float = number(0.10, "1/yr", "C", "discount rate of contract cash")
    loosening: float = number(
        0.05, "1/yr", "C", "rise of advance rates while a boom lasts, of what they were", 0.0, 0.10
    )
    ltv_covenant: float = number(0.85, "1", "C", "breach above", 0.75, 0.95)
    ltv_cure: float = number(0.75, "1", "C", "cure level", 0.65, 0.85)
    least_cure: float = number(
        0.1, "of balance", "C", "repaid at least to cure a DSCR below the default level", 0.05, 0.25
    )
    dscr_trap: float = number(1.3, "1", "C", "cash sweep below (project-finance norm)")
    dscr_default: float = number(0.8, "1", "C", "breach below")
    dscr_cap: float = number(
        10.0,
        "1",
        "C",
        "of DSCR, and its value where no debt service is due; covenants lie far below",
        5.0,
        20.0,
    )
    sweep_share: float = number(0.5, "of surplus", "C", "cash swept while trapped")
    waiver: float = number(0.8, "probability", "C", "a breach is waived (December 2024 precedent)", 0.4, 0.95)
    waiver_months: float = number(9.0, "months", "C", "a waiver lasts")
    chips_per_draw: float = number(
        0.84, "USD/USD", "C", "chips bought per dollar drawn: 2/3 of cost at 80% advance"
    )
    hazard_regime: list[float] = number([1.0, 2.0, 4.0], "1", "C", "multiplier of hazards, by regime")
    hazard_stress: float = number(0.6, "1", "C", "loading on stress of rents", 0.0, 1.5)
    hazard_spread: float = number(0.5, "1", "C", "loading on log spread index", 0.0, 1.0)
    hazard_contagion: float = number(1.0, "1", "C", "loading on share of dead neoclouds", 0.0, 4.0)
    hazard_leverage: float = number(
        0.75, "of capacity", "C", "debt at which leverage neither raises nor lowers the hazard", 0.5, 1.0
    )
    hazard_leverage_bounds: list[float] = number(
        [-0.5, 2.0], "1", "C", "of debt over capacity beyond that; the upper one where there is no capacity"
    )
    best_recovery: float = number(0.95, "of balance", "C", "recovered at most", 0.85, 1.0)
    recovery_stress: float = number(0.35, "1", "C", "recoveries fall with stress", 0.1, 0.7)
    recovery_spread: float = number(0.10, "1", "C", "unsecured recoveries fall with spreads")
    step_in: float = number(0.5, "of contract value", "C", "a lender keeps by stepping in")
    insolvency_ratio: float = number(
        0.5, "1", "C", "assets over debt below which a firm without access fails"
    )
    insolvency_supply: float = number(0.7, "1", "C", "debt-market access below which that test applies")
    refinancing_link: float = number(0.25, "1/yr", "C", "pool hazard per unit of missing debt capacity")
    refinancing_start: float = number(0.92, "1", "C", "debt capacity at which the link begins")
    chip_link: float = number(0.25, "1", "C", "pool LGD per log shortfall of chip prices")
    pool_stress: float = number(0.5, "1", "C", "pool LGD rises by this times stress")
    worst_lgd: float = number(0.95, "of balance", "C", "lost at most on an obligor of a pool", 0.85, 1.0)
    origination: float = number(
        0.33,
        "of capex",
        "B",
        "borrowed outside named firms: sector debt 1,500 at end 2028 on the median boom path",
    )
    abs_cap_rate: float = number(-0.3, "1", "C", "elasticity of site value to the spread index")
    abs_trap: float = number(1.35, "1", "A", "DSCR below which an ABS traps cash")
    abs_coupon: float = number(0.057, "1/yr", "C", "of ABS debt")
    abs_reserve_months: float = number(6.0, "months", "A", "interest reserve")
    abs_sale_cost: float = number(0.10, "of value", "C", "of liquidated sites")


@dataclasses.dataclass
class Lenders:
    """Recognition, clearing and credit supply."""

    rebuilding: float = number(0.5, "1/yr", "C", "of capital that a lender has lost", 0.25, 1.0)
    supply_loss: float = number(
        6.0, "1", "C", "fall of a lender's new lending per unit of capital that it misses", 5, 30
    )
    taper: float = number(
        0.5, "of its limit", "C", "exposure from which a lender lends less than its share", 0.25, 0.8
    )
    bust_severity: float = number(
        0.5, "1", "C", "of a supervisory stress that a bust brings to lenders' other assets", 0.25, 1.0
    )
    bankruptcy_cost: float = number(0.05, "of assets", "C", "lost when a vehicle fails (Rogers-Veraart)")
    full_stop: float = number(
        0.05, "of capital", "C", "lost beyond its limit when a lender has ceased to lend", 0.02, 0.2
    )
    unreplaced: float = number(
        0.5, "of lending", "C", "that nobody replaces when a lender ceases to lend", 0.25, 1.0
    )
    sale_half_life: float = number(
        0.5, "yr", "B", "of the price impact of forced sales (30 weeks, Ellul and others 2011)", 0.25, 1.0
    )


@dataclasses.dataclass
class Mechanisms:
    """Switches between 0 (off) and 1 (on); values, so no retrace."""

    fire_sale: float = 1.0
    circular_contracts: float = 1.0
    funding_loop: float = 1.0
    lender_network: float = 1.0
    step_in: float = 1.0
    build_up: float = 1.0
    pool_links: float = 1.0
    subscription_loop: float = 1.0
    cross_default: float = 1.0
    payment_in_kind: float = 1.0
    look_through: float = 1.0
    vendor_purse: float = 1.0
    paper_sales: float = 1.0
    credit_lines: float = 1.0
    redemptions: float = 1.0
    other_assets: float = 1.0
    screening: float = 1.0
    recession: float = 1.0
    plant: float = 1.0
    own_shocks: float = 1.0
    rounds: float = 1.0
    orders: float = 1.0


@dataclasses.dataclass
class Policy:
    """Six levers, each with the month from which it is pulled (0 = never) and a size."""

    backstop_month: float = number(0.0, "months", "C", "liquidity backstop from then; 0 = never")
    backstop_months: float = number(24.0, "months", "C", "that it lasts", 12, 60)
    backstop: float = number(0.85, "of supply", "C", "least credit supply as felt", 0.6, 1.0)
    bailout_month: float = number(0.0, "months", "C", "support of AI labs from then; 0 = never")
    bailout_months: float = number(24.0, "months", "C", "that it lasts", 12, 60)
    bailout: float = number(50.0, "USD bn/yr", "C", "paid in to labs that cannot pay, at most", 10, 200)
    capital_rule_month: float = number(0.0, "months", "C", "bank-to-nonbank rule from then; 0 = never")
    capital_rule: float = number(0.5, "of lines", "C", "that banks withdraw from funds", 0.2, 1.0)
    capital_rule_passed: float = number(
        0.5, "of the cut", "C", "by which funds lend less; they owe about half of what they hold", 0.0, 1.0
    )
    disclosure_month: float = number(0.0, "months", "C", "disclosure rule from then; 0 = never")
    disclosure: float = number(1.0, "1", "C", "share of hidden debt and of the recognition lag it uncovers")
    savers_month: float = number(0.0, "months", "C", "401(k) plans barred from then; 0 = never")
    savers: float = number(
        0.10,
        "of lending",
        "C",
        "of sector origination that retail savers fund, 30 bn a year",
        0.03,
        0.3,
    )
    advance_cap_month: float = number(0.0, "months", "C", "advance rates capped from then; 0 = never")
    advance_cap: float = number(0.45, "LTV", "C", "of new GPU debt, at most; 0.55 is documented", 0.3, 0.6)


@dataclasses.dataclass
class Parameters:
    """All groups of numbers; what the config hands to `build_system`."""

    economy: Economy = dataclasses.field(default_factory=Economy)
    chips: Chips = dataclasses.field(default_factory=Chips)
    contracts: Contracts = dataclasses.field(default_factory=Contracts)
    credit: Credit = dataclasses.field(default_factory=Credit)
    lenders: Lenders = dataclasses.field(default_factory=Lenders)
    mechanisms: Mechanisms = dataclasses.field(default_factory=Mechanisms)
    policy: Policy = dataclasses.field(default_factory=Policy)
