"""From a checked book and parameters to a System: the one place where tables become arrays."""

import dataclasses
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import jax
import numpy as np

from engine.book import calendar, network, plants
from engine.book.arrays import floats, integers
from engine.book.calibration import (
    collateral_scale,
    correlation_of,
    decline_of,
    gain_pace,
    jumps_of,
    mean_age,
    starting_prices,
    transition_of,
)
from engine.book.frames import Frame, Tables
from engine.book.links import links
from engine.book.load import Book
from engine.book.membership import membership
from engine.book.parameters import Parameters
from engine.book.system import (
    ARRAY_TWINS,
    ChipTable,
    ContractTable,
    EconomyTable,
    FirmTable,
    LoanTable,
    Names,
    PoolTable,
    System,
)  # fmt: skip
from engine.numerics import require_double_precision
from engine.vocabulary import REGIMES


def positions(names: Iterable[str], order: Sequence[str], missing: int = 0) -> np.ndarray:
    """Index of each name in `order`; `missing` where the name is blank."""
    place = {name: i for i, name in enumerate(order)}
    return np.array([place.get(name, missing) if name else missing for name in names], np.int64)


def one_hot(names: Collection[str], order: Sequence[str]) -> np.ndarray:
    """Matrix [order, names]: 1 where a column's name is the row's; blank names give zero columns."""
    return np.array([[float(name == row) for name in names] for row in order]).reshape(len(order), len(names))


def arrays_of(group: Any) -> Any:
    """A parameter group with its numbers as float32 arrays; the starting regime becomes its index."""
    values = {}
    for field in dataclasses.fields(group):
        value = getattr(group, field.name)
        if dataclasses.is_dataclass(value):
            values[field.name] = arrays_of(value)
        elif field.name == "start":
            values[field.name] = integers(REGIMES.index(value))
        else:
            values[field.name] = floats(value)
    return ARRAY_TWINS[type(group)](**values)


def without_groups(pools: Frame) -> Frame:
    """Pools whose obligors or tenants are synthetic: a group only names firms of their own."""
    return pools[pools["kind"] != "group"].reset_index(drop=True)


def borrowers(tables: Tables) -> tuple[Frame, Frame, Frame, Frame]:
    """Named firms, synthetic ones, the loans of the former (collateralised first), those of the latter."""
    firms, loans = tables["firms"], tables["loans"]
    synthetic = firms[firms["kind"] == "synthetic"].reset_index(drop=True)
    named = firms[firms["kind"] != "synthetic"].reset_index(drop=True)
    small = loans["borrower"].isin(synthetic["firm"])
    large = loans[~small].sort_values("collateral", ascending=False, kind="stable")
    return named, synthetic, large.reset_index(drop=True), loans[small].set_index("borrower")


def build_system(book: Book, parameters: Parameters, months: int) -> System:
    """The System of a book over `months` months.

    Raises ValueError where the months are not whole years, NotFinite where a number becomes infinite,
    RuntimeError without float64.
    """
    require_double_precision()
    if months < 12 or months > 120 or months % 12:
        raise ValueError(f"months: got {months}, expected a multiple of 12 from 12 to 120")
    tables = {**book.tables, "pools": without_groups(book.tables["pools"])}
    named, synthetic, loans, of_obligor = borrowers(tables)
    lenders = tables["lenders"].sort_values("vehicle", ascending=False, kind="stable").reset_index(drop=True)
    names = Names(
        generations=tuple(tables["chips"]["generation"]),
        firms=tuple(named["firm"]),
        contracts=tuple(tables["contracts"]["contract"]),
        loans=tuple(loans["loan"]),
        obligors=tuple(synthetic["firm"]),
        obligor_loans=tuple(of_obligor["loan"].get(firm, firm) for firm in synthetic["firm"]),
        pools=tuple(tables["pools"]["pool"]),
        tranches=tuple(tables["tranches"]["tranche"]),
        lenders=tuple(lenders["lender"]),
        instrument_classes=tuple(dict.fromkeys([*tables["loans"]["class"], *tables["tranches"]["class"]])),
        lender_classes=tuple(dict.fromkeys(tables["lenders"]["class"])),
        bearers=tuple(tables["bearers"]["bearer"]),
        benchmarks=book.about.benchmarks,
    )
    chips = chip_table(tables["chips"], parameters)
    contracts = contract_table(tables["contracts"], named, names)
    firms = firm_table(named, tables["contracts"], loans, names)
    pledged, security = pledges(tables, names, int(loans["collateral"].sum()))
    dates = calendar.build(loans, named, contracts, parameters, months)
    planned = calendar.planned(loans, parameters)
    weight = security_weight(security, contracts)
    scale = collateral_scale(loans, pledged, security, weight, contracts, chips, dates, parameters)
    borrower = positions(loans["borrower"], names.firms)[: len(pledged)]
    holders = network.build(tables, lenders, names)
    of_funds = network.fund_share(holders)
    pools = pool_table(tables, synthetic, names, of_funds)
    start = float(loans["drawn"].sum()) + float(np.asarray(pools.balance).sum())
    system = System(
        numbers=arrays_of(parameters),
        economy=economy_table(tables["correlation"], parameters),
        chips=chips,
        firms=firms,
        contracts=contracts,
        loans=loan_table(loans, planned, pledged, security, weight, scale, of_funds, names),
        plants=plants.build(
            firms, contracts, dates["term_ahead"][0], pledged, borrower, chips, parameters.chips
        ),
        pools=pools,
        lenders=holders,
        paper=network.paper(tables, names),
        calendar=calendar.window(dates, months),
        exposure_start=floats(start),
        names=names,
    )
    require_finite(system)
    return system


class NotFinite(ValueError):
    """Numbers of a book or of the parameters that become infinite, or none, in the System."""


def require_finite(system: System) -> None:
    """Raises NotFinite with every array of a System that has an entry which is infinite or no number."""
    problems = []
    for path, leaf in jax.tree_util.tree_leaves_with_path(system):
        entries = np.asarray(leaf)
        bad = np.argwhere(~np.isfinite(entries))
        if len(bad):
            place = "".join(f"[{i}]" for i in bad[0])
            name = jax.tree_util.keystr(path).lstrip(".")
            problems.append(f"{name}{place}: got {entries[tuple(bad[0])]:g}, expected a finite number")
    if problems:
        raise NotFinite("; ".join(problems))


def economy_table(correlation: Frame, parameters: Parameters) -> EconomyTable:
    """Correlation, its Cholesky factor, the monthly regime law and the jumps."""
    matrix = correlation_of(correlation, parameters.economy)
    return EconomyTable(
        correlation=floats(matrix),
        loading=floats(np.linalg.cholesky(matrix + 1e-12 * np.eye(len(matrix)))),
        transition=floats(transition_of(parameters.economy)),
        jump=floats(jumps_of(parameters.economy)),
    )


def chip_table(table: Frame, parameters: Parameters) -> ChipTable:
    """Chip generations with the price scale that reproduces month 0."""
    existing = (table["release_month"] <= 0).to_numpy(np.float64)
    recent = existing * (np.cumsum(existing[::-1])[::-1] <= 3)
    scale, start, capacity = starting_prices(table, existing, recent, parameters)
    numbers = parameters.chips

    def decline(life: float) -> float:
        return decline_of(table, existing, life, numbers.utilisation)

    return ChipTable(
        release_month=integers(table["release_month"]),
        slips=floats(table["slips"]),
        gain=floats(table["performance_gain"]),
        list_price=floats(table["list_price_kusd"]),
        observed_price=floats(table["price_kusd"].fillna(0.0)),
        rental=floats(table["rental_usd_per_hour"]),
        operating_cost=floats(table["operating_cost_usd_per_hour"]),
        installed=floats(table["installed_million"]),
        hosting=floats(table["hosting_share"]),
        accounting_life=floats(table["accounting_life_years"]),
        price_scale=floats(scale),
        price_start=floats(start),
        capacity_start=floats(capacity),
        age_start=floats(mean_age(table)),
        ageing=floats(decline(numbers.life) - numbers.release_effect * gain_pace(table, existing)),
        decline=floats(decline(numbers.underwritten_life)),
        documented_decline=floats(decline(parameters.credit.documented_life)),
        existing=floats(existing),
        recent=floats(recent),
    )


FIRM_NUMBERS = (
    "outside", "revenue_share", "fixed_cost", "core_ebitda", "core_growth", "core_stress_beta",
    "ebitda_ttm", "cash", "minimum_cash", "equity_value", "equity_volatility",
    "chip_sales_share", "support_share",
    "sponsor_capacity", "debt_multiple", "value_multiple", "asset_multiple", "hazard", "leverage_beta",
    "equity_capex_share",
)  # fmt: skip


def firm_table(named: Frame, contracts: Frame, loans: Frame, names: Names) -> FirmTable:
    """Named firms. Operators are clouds, and who else sells compute inside the model."""
    owed = np.zeros(len(names.firms))
    np.add.at(owed, positions(loans["borrower"], names.firms), remnants(loans))
    clouds = named.loc[named["kind"] == "neocloud", "firm"]
    sellers = {*contracts.loc[sells_compute(contracts), "seller"], *clouds}
    return FirmTable(
        lab=floats(named["kind"] == "lab"),
        neocloud=floats(named["kind"] == "neocloud"),
        project=floats(named["kind"] == "project"),
        remnant=floats(np.minimum(owed, MOST_REMNANT)),
        moving=integers(np.flatnonzero(named["equity_volatility"] > 0.0)),
        labs=integers(np.flatnonzero(named["kind"] == "lab")),
        operator=floats(named["firm"].isin(sellers) & (named["outside"] == 0)),
        cross_default=membership(named["parent"], names.firms, named["cross_default"]),
        capex_contract=membership(named["capex_contract"], names.contracts),
        growth_loan=membership(named["growth_loan"], names.loans),
        revolver=membership(named["revolver"], names.loans),
        bridge=membership(
            named["revolver"].where(named["revolver"] != "", named["growth_loan"]), names.loans
        ),
        **{name: floats(named[name]) for name in FIRM_NUMBERS},
    )


CONTRACT_NUMBERS = (
    "staged", "flexibility", "margin", "relet", "cover", "annual", "start_annual", "start_month",
    "ramp_months", "end_month",
)  # fmt: skip


def sells_compute(contracts: Frame) -> Frame:
    """True for contracts that are served by chips: of kind compute, and paid for."""
    return (contracts["kind"] == "compute") & (contracts["flow"] == "operating")


def contract_table(table: Frame, named: Frame, names: Names) -> ContractTable:
    """Contracts with their parties, and who supports them."""
    projects = set(named.loc[named["kind"] == "project", "firm"])
    backstop = (table["flow"] == "backstop").to_numpy(np.float64)
    supporter = table["guarantor"].where(backstop == 0.0, table["buyer"])
    backing = table["annual"].to_numpy(np.float64) * backstop
    by_seller = np.array([backing[table["seller"] == seller].sum() for seller in table["seller"]])
    share = np.divide(backing, by_seller, out=np.zeros_like(backing), where=by_seller > 0.0)
    return ContractTable(
        buyer=integers(positions(table["buyer"], names.firms)),
        seller=integers(positions(table["seller"], names.firms)),
        bought=membership(table["buyer"], names.firms),
        sold=membership(table["seller"], names.firms),
        senior=floats(table["rank"] == 1),
        operating=floats(table["flow"] == "operating"),
        compute=floats(sells_compute(table)),
        built=floats(sells_compute(table) | ((table["kind"] == "lease") & table["seller"].isin(projects))),
        equity=floats(table["flow"] == "equity"),
        warrant=floats(table["flow"] == "warrant"),
        backstop=floats(backstop),
        vests_with=integers(positions(table["vests_with"], names.contracts)),
        vests=floats(table["vests_with"] != ""),
        lease_project=floats((table["kind"] == "lease") & table["seller"].isin(projects)),
        supporter=integers(positions(supporter, names.firms)),
        supported=membership(supporter, names.firms),
        backstop_share=floats(share),
        guarantor=integers(positions(table["guarantor"], names.firms)),
        **{name: floats(table[name].fillna(0.0)) for name in CONTRACT_NUMBERS},
    )


def pledges(tables: Tables, names: Names, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Pledged chips (million units) and shares of contract cash, by collateralised loan."""
    pledged = np.zeros((count, len(names.generations)))
    for row in tables["pledges"].itertuples():
        pledged[names.loans.index(row.loan), names.generations.index(row.generation)] += (
            row.thousand_units / 1000.0
        )
    security = np.zeros((count, len(names.contracts)))
    for row in tables["security"].itertuples():
        security[names.loans.index(row.loan), names.contracts.index(row.contract)] += row.share
    return pledged, security


def security_weight(security: np.ndarray, contracts: ContractTable) -> np.ndarray:
    """Weight of each contract in what secures a loan, by full size; rows sum to one, or zero without any."""
    size = security * np.asarray(contracts.annual, np.float64)
    total = size.sum(axis=1, keepdims=True)
    return np.divide(size, total, out=np.zeros_like(size), where=total > 0.0)


REMNANT = 0.05
"""Share of its commitment up to which a loan is as good as repaid."""
MOST_REMNANT = 0.01
"""USD bn up to which any loan is as good as repaid."""


def remnants(loans: Frame) -> np.ndarray:
    """Balance up to which a loan is as good as repaid [loans]; one without a commitment is of any size."""
    committed = loans["committed"].to_numpy(np.float64)
    return np.where(committed > 0.0, np.minimum(REMNANT * committed, MOST_REMNANT), MOST_REMNANT)


LOAN_NUMBERS = (
    "committed", "drawn", "draw_months", "maturity_month", "tenor_months", "floating", "coupon",
    "refinancing_margin", "interest_from_month", "amortisation", "amortisation_from_month", "ladder",
    "extension_probability", "exchange_probability", "base_recovery", "ebitda_recovery",
    "guarantee_cover", "conversion", "pik_share", "new_money",
)  # fmt: skip


def loan_table(
    loans: Frame,
    planned: np.ndarray,
    pledged: np.ndarray,
    security: np.ndarray,
    weight: np.ndarray,
    scale: np.ndarray,
    of_funds: np.ndarray,
    names: Names,
) -> LoanTable:
    """Loans of named firms, collateralised ones first."""
    count = len(pledged)
    return LoanTable(
        borrower=integers(positions(loans["borrower"], names.firms)),
        borrowed=membership(loans["borrower"], names.firms),
        tenant=integers(positions(loans["tenant"], names.firms)),
        has_tenant=floats(loans["tenant"] != ""),
        guarantor=integers(positions(loans["guarantor"], names.firms)),
        guaranteed=membership(loans["guarantor"], names.firms, loans["guarantee_cover"]),
        project=floats((loans["tenant"] != "") | (loans["guarantee_cover"] > 0.0)),
        planned=floats(planned),
        fund_share=floats(of_funds[: len(names.loans)]),
        remnant=floats(remnants(loans)[:count]),
        ltv_target=floats(loans["ltv_target"][:count]),
        uncontracted_share=floats(loans["uncontracted_share"][:count]),
        pledged=floats(pledged),
        security=links(security),
        security_weight=links(weight),
        collateral_scale=floats(scale),
        **{name: floats(loans[name].fillna(0.0)) for name in LOAN_NUMBERS},
    )


POOL_NUMBERS = (
    "hazard", "lgd", "refinancing_link", "chip_link", "frailty", "relet", "dscr", "ltv",
    "origination_share", "repayment_month", "balance",
)  # fmt: skip


def pool_fund_share(
    of_funds: np.ndarray, obligor_share: np.ndarray, tranches: Frame, tranched: np.ndarray, names: Names
) -> np.ndarray:
    """Share of each pool that funds hold: of its tranches by thickness, else of its obligors' loans."""
    first = len(names.loans)
    after = first + len(names.obligors)
    thickness = (tranches["detachment"] - tranches["attachment"]).to_numpy(np.float64)
    by_tranche = one_hot(tranches["pool"], names.pools) @ (thickness * of_funds[after:])
    return np.where(tranched > 0.0, by_tranche, obligor_share @ of_funds[first:after])


def pool_table(tables: Tables, synthetic: Frame, names: Names, of_funds: np.ndarray) -> PoolTable:
    """Pools, obligors, tenants and tranches."""
    table, tranches, tenants = tables["pools"], tables["tranches"], tables["tenants"]
    member = one_hot(synthetic["pool"], names.pools)
    tranched = np.isin(names.pools, tranches["pool"]).astype(np.float64)
    tenant_share = {(row.pool, row.firm): row.share for row in tenants.itertuples()}

    def tenancy(firms: Sequence[str]) -> np.ndarray:
        shares = [[tenant_share.get((pool, firm), 0.0) for firm in firms] for pool in names.pools]
        return np.array(shares, np.float64).reshape(len(names.pools), len(firms))

    numbers = {name: table[name].fillna(0.0).to_numpy(np.float64) for name in POOL_NUMBERS}
    numbers["ltv"] = np.where(numbers["ltv"] > 0.0, numbers["ltv"], 1.0)
    credit = (table["kind"] == "credit").to_numpy(np.float64)
    obligor_share = member * synthetic["pool_share"].to_numpy(np.float64) * credit[:, None]
    return PoolTable(
        credit=floats(credit),
        fund_share=floats(pool_fund_share(of_funds, obligor_share, tranches, tranched, names)),
        obligor_pool=integers(positions(synthetic["pool"], names.pools)),
        obligor_share=membership(synthetic["pool"], names.pools, obligor_share.sum(axis=0)),
        direct=floats((1.0 - tranched) @ member),
        tenants_named=links(tenancy(names.firms)),
        tenants_synthetic=links(tenancy(names.obligors)),
        tranche_pool=integers(positions(tranches["pool"], names.pools)),
        attachment=floats(tranches["attachment"]),
        detachment=floats(tranches["detachment"]),
        **{name: floats(values) for name, values in numbers.items()},
    )
