"""System: everything exogenous to a path, as arrays. What a book and the parameters become.

Raw columns of the book keep their names; what is derived from them says so. Loans are ordered with the
collateralised ones first (`collateralised` axis v), lenders with the vehicles first (`vehicles` axis j).
Arrays that depend on the month sit in `Calendar` with the months axis leading; a stage sees one `Month`
of it. Shapes are [axis names]; months run t = 1 ... T.
"""

import dataclasses
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax
from jaxtyping import Array, Float, Int

from engine.book import parameters
from engine.book.links import Links, Shares
from engine.book.membership import Membership
from engine.vocabulary import series_of


def array_twin(group: type) -> type:
    """The pytree with a parameter group's field names and an array behind each of them."""
    names = [field.name for field in dataclasses.fields(group)]
    twin = dataclasses.make_dataclass(
        f"{group.__name__}Numbers", [(name, Array) for name in names], frozen=True
    )
    return jax.tree_util.register_dataclass(twin, data_fields=names, meta_fields=[])


ARRAY_TWINS = {
    group: array_twin(group)
    for group in (
        parameters.Economy, parameters.Chips, parameters.Contracts, parameters.Credit, parameters.Lenders,
        parameters.Mechanisms, parameters.Policy, parameters.Parameters,
    )
}  # fmt: skip
"""What each group of parameters becomes inside a System: `system.numbers.chips.life` is an array."""

if TYPE_CHECKING:
    Numbers = Any  # classes made at run time are unknown to a static checker
else:
    Numbers = ARRAY_TWINS[parameters.Parameters]


class Names(eqx.Module):
    """Row names in System order; static, so that results can be labelled."""

    generations: tuple[str, ...] = eqx.field(static=True)
    firms: tuple[str, ...] = eqx.field(static=True)
    contracts: tuple[str, ...] = eqx.field(static=True)
    loans: tuple[str, ...] = eqx.field(static=True)
    obligors: tuple[str, ...] = eqx.field(static=True)
    obligor_loans: tuple[str, ...] = eqx.field(static=True)
    pools: tuple[str, ...] = eqx.field(static=True)
    tranches: tuple[str, ...] = eqx.field(static=True)
    lenders: tuple[str, ...] = eqx.field(static=True)
    instrument_classes: tuple[str, ...] = eqx.field(static=True)
    lender_classes: tuple[str, ...] = eqx.field(static=True)
    bearers: tuple[str, ...] = eqx.field(static=True)
    benchmarks: tuple[str, ...] = eqx.field(static=True)  # generations; rent of the first, price of each

    @property
    def instruments(self) -> tuple[str, ...]:
        """Loans, then obligor loans, then tranches."""
        return self.loans + self.obligor_loans + self.tranches

    @property
    def series(self) -> tuple[str, ...]:
        """Monthly series of a path."""
        return series_of(self.benchmarks)


class EconomyTable(eqx.Module):
    """Correlation of the factors and the monthly law of the regime."""

    correlation: Float[Array, "factors factors"]
    loading: Float[Array, "factors factors"]  # derived: lower Cholesky factor
    transition: Float[Array, "regimes regimes"]  # derived: cumulative rows of expm(Q dt)
    jump: Float[Array, "regimes regimes"]  # derived: log equity jump from row to column


class ChipTable(eqx.Module):
    """Chip generations in order of release; units in millions, prices in thousand USD."""

    release_month: Int[Array, "gens"]
    slips: Float[Array, "gens"]
    gain: Float[Array, "gens"]
    list_price: Float[Array, "gens"]
    observed_price: Float[Array, "gens"]  # 0 where unreleased
    rental: Float[Array, "gens"]  # USD per hour
    operating_cost: Float[Array, "gens"]  # USD per hour
    installed: Float[Array, "gens"]
    hosting: Float[Array, "gens"]
    accounting_life: Float[Array, "gens"]  # years
    price_scale: Float[Array, "gens"]  # derived: b, so that month 0 reproduces observed prices
    price_start: Float[Array, "gens"]  # derived: b V at month 0
    capacity_start: Float[Array, ""]  # derived: K at month 0, USD bn a year
    age_start: Float[Array, "gens"]  # derived: mean age of the fleet at month 0, years
    ageing: Float[Array, ""]  # derived: continuous obsolescence of rent that `life` leaves, a year
    decline: Float[Array, ""]  # derived: of rent, a year, that lenders and buyers plan on
    documented_decline: Float[Array, ""]  # derived: of rent, a year, that standing loans were written on
    existing: Float[Array, "gens"]  # derived: 1 where released at month 0
    recent: Float[Array, "gens"]  # derived: 1 for the last three of those


class FirmTable(eqx.Module):
    """Named firms. Amounts USD bn (a year where a flow)."""

    lab: Float[Array, "firms"]
    neocloud: Float[Array, "firms"]
    project: Float[Array, "firms"]
    operator: Float[Array, "firms"]  # derived: 1 where inside the model and selling compute
    outside: Float[Array, "firms"]
    cross_default: Membership  # firms by the parent they default with
    moving: Int[Array, "moving"]  # derived: firms whose own value moves
    labs: Int[Array, "labs"]  # derived: firms that raise equity in rounds
    revenue_share: Float[Array, "firms"]
    fixed_cost: Float[Array, "firms"]
    core_ebitda: Float[Array, "firms"]
    core_growth: Float[Array, "firms"]
    core_stress_beta: Float[Array, "firms"]
    ebitda_ttm: Float[Array, "firms"]
    cash: Float[Array, "firms"]
    minimum_cash: Float[Array, "firms"]
    equity_value: Float[Array, "firms"]
    equity_volatility: Float[Array, "firms"]  # of its own value
    chip_sales_share: Float[Array, "firms"]
    support_share: Float[Array, "firms"]
    sponsor_capacity: Float[Array, "firms"]
    debt_multiple: Float[Array, "firms"]
    value_multiple: Float[Array, "firms"]
    asset_multiple: Float[Array, "firms"]
    hazard: Float[Array, "firms"]
    leverage_beta: Float[Array, "firms"]
    equity_capex_share: Float[Array, "firms"]
    capex_contract: Membership  # firms by the contract whose size scales their capex
    growth_loan: Membership  # firms by the loan that takes their new debt
    revolver: Membership  # firms by their revolver
    bridge: Membership  # derived: by what takes new debt in need: the revolver, else the growth loan
    remnant: Float[Array, "firms"]  # derived: debt up to which a firm is as good as free of it


class ContractTable(eqx.Module):
    """Payment contracts. Flow `none` has zero amounts in the calendar."""

    buyer: Int[Array, "contracts"]
    seller: Int[Array, "contracts"]
    bought: Membership  # contracts by buyer
    sold: Membership  # contracts by seller
    senior: Float[Array, "contracts"]  # 1 for rank 1
    operating: Float[Array, "contracts"]  # 1 for flow operating
    compute: Float[Array, "contracts"]  # 1 for those of kind compute
    built: Float[
        Array, "contracts"
    ]  # derived: 1 where paid for what is built: compute, and leases of projects
    equity: Float[Array, "contracts"]  # 1 for flow equity
    warrant: Float[Array, "contracts"]  # 1 for flow warrant
    backstop: Float[Array, "contracts"]  # 1 for flow backstop
    staged: Float[Array, "contracts"]
    vests_with: Int[Array, "contracts"]  # 0 where vests is 0
    vests: Float[Array, "contracts"]  # 1 where a contract vests the warrant
    lease_project: Float[Array, "contracts"]  # derived: 1 for leases of project companies
    flexibility: Float[Array, "contracts"]
    margin: Float[Array, "contracts"]
    relet: Float[Array, "contracts"]
    guarantor: Int[Array, "contracts"]  # 0 where cover is 0
    cover: Float[Array, "contracts"]
    supporter: Int[Array, "contracts"]  # derived: buyer of a backstop, else the guarantor
    supported: Membership  # derived: contracts by supporter
    backstop_share: Float[Array, "contracts"]  # derived: of all that backs the same seller
    annual: Float[Array, "contracts"]
    start_annual: Float[Array, "contracts"]
    start_month: Float[Array, "contracts"]
    ramp_months: Float[Array, "contracts"]
    end_month: Float[Array, "contracts"]


class LoanTable(eqx.Module):
    """Loans and bonds of named firms, collateralised ones first."""

    borrower: Int[Array, "loans"]
    borrowed: Membership  # loans by borrower
    committed: Float[Array, "loans"]
    drawn: Float[Array, "loans"]
    draw_months: Float[Array, "loans"]
    maturity_month: Float[Array, "loans"]
    tenant: Int[Array, "loans"]
    has_tenant: Float[Array, "loans"]
    tenor_months: Float[Array, "loans"]
    floating: Float[Array, "loans"]
    coupon: Float[Array, "loans"]
    refinancing_margin: Float[Array, "loans"]
    interest_from_month: Float[Array, "loans"]
    amortisation: Float[Array, "loans"]
    amortisation_from_month: Float[Array, "loans"]
    ladder: Float[Array, "loans"]
    extension_probability: Float[Array, "loans"]
    exchange_probability: Float[Array, "loans"]
    base_recovery: Float[Array, "loans"]
    ebitda_recovery: Float[Array, "loans"]
    guarantor: Int[Array, "loans"]
    guarantee_cover: Float[Array, "loans"]
    guaranteed: Membership  # derived: loans by guarantor, weighted by cover
    project: Float[Array, "loans"]  # derived: 1 where a tenant or a guarantor stands behind the loan
    conversion: Float[Array, "loans"]  # equity value over that of month 0; 0 = not convertible
    pik_share: Float[Array, "loans"]
    new_money: Float[Array, "loans"]
    planned: Float[Array, "loans"]  # derived: committed, and what its year of sector borrowing would bring
    fund_share: Float[Array, "loans"]  # derived: held by vehicles
    remnant: Float[Array, "collateralised"]  # derived: balance up to which a loan is as good as repaid
    ltv_target: Float[Array, "collateralised"]
    uncontracted_share: Float[Array, "collateralised"]
    pledged: Float[Array, "collateralised gens"]  # million units
    security: Links  # [collateralised contracts], share of a contract's cash
    security_weight: Links  # derived: the same by full size; rows sum to 1 or 0
    collateral_scale: Float[Array, "collateralised"]  # derived: k


class PlantTable(eqx.Module):
    """Chips of operators at month 0."""

    owner: Membership  # firm of each operator [firms operators]
    owned: Float[Array, "operators gens"]  # derived: free of pledge, million units
    online: Float[Array, "firms"]  # derived: capacity in service, USD bn a year


class PoolTable(eqx.Module):
    """Pools, their synthetic obligors and tenants, and the tranches on them."""

    credit: Float[Array, "pools"]  # 1 for loans to obligors, 0 for rents of tenants
    hazard: Float[Array, "pools"]
    lgd: Float[Array, "pools"]
    refinancing_link: Float[Array, "pools"]
    chip_link: Float[Array, "pools"]
    frailty: Float[Array, "pools"]
    relet: Float[Array, "pools"]
    dscr: Float[Array, "pools"]
    ltv: Float[Array, "pools"]
    origination_share: Float[Array, "pools"]
    fund_share: Float[Array, "pools"]  # derived: held by vehicles
    repayment_month: Float[Array, "pools"]  # 0 = none
    balance: Float[Array, "pools"]
    obligor_pool: Int[Array, "obligors"]
    obligor_share: Membership  # obligors by pool, weighted by their share of its balance
    direct: Float[Array, "obligors"]  # 1 where the pool has no tranches
    tenants_named: Links  # [pools firms]
    tenants_synthetic: Links  # [pools obligors]
    tranche_pool: Int[Array, "tranches"]
    attachment: Float[Array, "tranches"]
    detachment: Float[Array, "tranches"]


class LenderTable(eqx.Module):
    """Holders of instruments, vehicles first."""

    holdings: Shares  # [lenders instruments]; columns sum to one
    capital: Float[Array, "lenders"]
    debt: Float[Array, "lenders"]  # zero unless a vehicle
    exposure_start: Float[Array, "lenders"]  # derived: drawn at month 0, USD bn
    pool_exposure_start: Float[Array, "lenders"]  # derived: of it, on pools and tranches
    capital_growth: Float[Array, "lenders"]  # a year
    appetite: Float[Array, "lenders"]  # most exposure over that of month 0, before capital grows or is lost
    bust_equity: Float[Array, "lenders"]  # share of capital per log fall of sector equity
    bust_spread: Float[Array, "lenders"]  # share of capital per rise of the spread index
    bust_credit: Float[Array, "lenders"]  # share of capital a year of bust
    recognition_months: Float[Array, "lenders"]
    lending_weight: Float[Array, "lenders"]  # sums to one, or nobody lends
    vehicle: Float[Array, "lenders"]
    debt_share: Links  # [lenders vehicles]
    equity_share: Links  # [lenders vehicles]
    equity: Float[Array, "lenders"]
    line: Float[Array, "lenders"]  # of a vehicle
    coverage: Float[Array, "lenders"]  # asset coverage of a vehicle that has one, else 0
    limit_start: Float[Array, "lenders"]  # derived: share of capital lost when the limit binds
    limit_slope: Float[Array, "lenders"]  # derived: share of paper sold per share of capital beyond
    withdrawal_start: Float[Array, "lenders"]
    withdrawal_slope: Float[Array, "lenders"]
    gate: Float[Array, "lenders"]
    mark_weight: Float[Array, "lenders"]
    buyer_weight: Float[Array, "lenders"]
    first_bearer: Links  # [bearers lenders], columns sum to one
    last_bearer: Links  # [bearers lenders]
    membership: Membership  # lenders by class
    instrument_membership: Membership  # instruments by class


class PaperTable(eqx.Module):
    """Marketable classes."""

    spread: Float[Array, "papers"]
    duration: Float[Array, "papers"]
    depth: Float[Array, "papers"]
    held: Float[Array, "lenders papers"]  # derived: drawn at month 0, USD bn
    marketable: Float[Array, "instruments"]  # derived: 1 for instruments of these classes


class Calendar(eqx.Module):
    """What depends on the month; `Month` is one row of it, with the months axis gone."""

    month: Int[Array, "*months"]
    plan: Float[Array, "*months"]  # revenue contracts were sized on
    capex: Float[Array, "*months"]  # sector capex planned, USD bn a year
    firm_capex: Float[Array, "*months firms"]  # USD bn a year
    term: Float[Array, "*months contracts"]  # USD bn a year
    after: Float[Array, "*months contracts"]
    term_ahead: Float[Array, "*months contracts"]  # twelve months later
    after_ahead: Float[Array, "*months contracts"]
    present_value: Float[Array, "*months contracts"]  # of what the term still pays
    years_left: Float[Array, "*months contracts"]  # of the term
    draw: Float[Array, "*months loans"]  # scheduled draws, USD bn
    origination: Float[Array, "*months loans"]  # share of new sector borrowing
    supply_floor: Float[Array, "*months"]  # by public credit; 0 without
    bailout: Float[Array, "*months"]  # for labs, USD bn this month
    line_cut: Float[Array, "*months"]  # share of banks' lines to funds
    fund_cut: Float[Array, "*months"]  # share of funds' new lending
    disclosed: Float[Array, "*months"]  # share of what was hidden
    barred: Float[Array, "*months"]  # share of sector origination
    advance_cap: Float[Array, "*months"]  # LTV of new GPU debt; calendar.UNCAPPED without


Month = Calendar


class Ranges(eqx.Module):
    """Parameters that each path draws for itself, with their ranges."""

    names: tuple[tuple[str, str, int], ...] = eqx.field(static=True)  # group, field, entry of a list or -1
    low: Float[Array, "drawn"]
    high: Float[Array, "drawn"]
    gain_pace: Float[Array, ""]  # derived: ln performance gain a year of the releases to come


class System(eqx.Module):
    """A book and its parameters as arrays; the only thing besides draws that a path reads."""

    numbers: Numbers
    economy: EconomyTable
    chips: ChipTable
    firms: FirmTable
    contracts: ContractTable
    loans: LoanTable
    plants: PlantTable
    pools: PoolTable
    lenders: LenderTable
    paper: PaperTable
    calendar: Calendar
    exposure_start: Float[Array, ""]  # derived: drawn balances and pool notional at month 0
    names: Names
    ranges: Ranges | None = None  # None: every path has the same parameters
