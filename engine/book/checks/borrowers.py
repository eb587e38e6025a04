"""What must hold of chips, firms, loans, their security and contracts, row by row and between tables."""

from collections.abc import Iterator, Mapping

from engine.book.checks.faults import AMOUNT_ROUNDING, Check, faults, register, sums_to_one
from engine.book.checks.problems import Problem
from engine.book.frames import Frame, Tables
from engine.book.holdings import looked_up

CHECKS: list[tuple[tuple[str, ...], Check]] = []
"""(columns read, check) of this module, in order of report."""

reads = register(CHECKS)


@reads("chips.release_month", "chips.price_kusd", "chips.installed_million")
def chips_in_order(frames: Tables) -> Iterator[Problem]:
    """Generations are listed by release; released ones have a price, others no units."""
    chips = frames["chips"]
    late = chips[chips["release_month"] < chips["release_month"].cummax()]
    yield from faults("chips", late, "release_month", "a month not before the row above (order of release)")
    released = chips["release_month"] <= 0
    unpriced = chips[released & chips["price_kusd"].isna()]
    yield from faults("chips", unpriced, "price_kusd", "a price: it is released")
    idle = chips[~released & (chips["installed_million"] > 0)]
    yield from faults("chips", idle, "installed_million", "0: it is not released at month 0")
    if not (released & (chips["installed_million"] > 0)).any():
        yield Problem("chips", None, "installed_million", "none", "units of a generation released at month 0")


@reads(
    "firms.kind",
    "firms.pool",
    "firms.pool_share",
    "firms.revenue_share",
    "firms.firm",
    "firms.parent",
    "pools.pool",
    "pools.kind",
)
def firms_make_sense(frames: Tables) -> Iterator[Problem]:
    """Synthetic firms have a pool, others a group or none; labs share AI revenue; nobody owns itself."""
    firms = frames["firms"]
    kind = looked_up(frames, "pools", "kind", firms["pool"]).fillna("")
    synthetic, grouped = firms["kind"] == "synthetic", kind == "group"
    yield from faults("firms", firms[synthetic & (kind == "")], "pool", "the pool of a synthetic obligor")
    yield from faults("firms", firms[synthetic & grouped], "pool", "a pool of kind credit or lease")
    other = firms[~synthetic & (kind != "") & ~grouped]
    yield from faults("firms", other, "pool", "blank, or a pool of kind group: {firm} is not synthetic")
    other = firms[~synthetic & (firms["pool_share"] > 0)]
    yield from faults("firms", other, "pool_share", "0: {firm} is not synthetic")
    other = firms[(firms["kind"] != "lab") & (firms["revenue_share"] > 0)]
    yield from faults("firms", other, "revenue_share", "0: only labs share AI revenue")
    labs = firms[firms["kind"] == "lab"]
    yield from sums_to_one("firms", labs, "kind", "revenue_share", low=0.0)
    rings = owned_by_itself(dict(zip(firms["firm"], firms["parent"], strict=True)))
    own = firms[firms["firm"].isin(rings)]
    yield from faults("firms", own, "parent", "an owner that {firm} does not own itself")


def owned_by_itself(parents: Mapping[str, str]) -> set[str]:
    """Firms on a ring of owners, in one pass over all."""
    rings: set[str] = set()
    seen: set[str] = set()
    for firm in parents:
        chain: dict[str, int] = {}
        while firm and firm not in seen:
            seen.add(firm)
            chain[firm] = len(chain)
            firm = parents.get(firm, "")
        if firm in chain:
            rings |= set(list(chain)[chain[firm] :])
    return rings


@reads("firms.firm", "firms.growth_loan", "firms.revolver", "loans.loan", "loans.borrower", "loans.new_money",
       "loans.revolver")  # fmt: skip
def own_loans(frames: Tables) -> Iterator[Problem]:
    """A firm's growth loan and revolver are its own, and of that kind."""
    firms = frames["firms"]
    for column, mark in (("growth_loan", "new_money"), ("revolver", "revolver")):
        named = firms[firms[column].isin(set(frames["loans"]["loan"]))]
        borrower = looked_up(frames, "loans", "borrower", named[column])
        right = (borrower == named["firm"]) & (looked_up(frames, "loans", mark, named[column]) == 1)
        yield from faults("firms", named[~right], column, f"a loan of {{firm}} with {mark} = 1")


@reads("loans.committed", "loans.drawn", "loans.new_money", "loans.guarantor", "loans.guarantee_cover",
       "loans.borrower")  # fmt: skip
def loan_amounts(frames: Tables) -> Iterator[Problem]:
    """Drawn within commitment; new money starts at zero; cover and guarantor come together."""
    loans = frames["loans"]
    over = loans["drawn"] > loans["committed"] * (1 + AMOUNT_ROUNDING)
    yield from faults("loans", loans[over], "drawn", "at most committed = {committed:g}")
    early = loans[(loans["new_money"] == 1) & (loans["drawn"] > 0)]
    yield from faults("loans", early, "drawn", "0: new money starts at zero")
    yield from guarantees("loans", loans, "guarantee_cover", "borrower")


def guarantees(table: str, rows: Frame, cover: str, debtor: str) -> Iterator[Problem]:
    """A cover has a guarantor, who is not the debtor; `cover` and `debtor` are names of columns."""
    bare = rows[(rows[cover] > 0) & (rows["guarantor"] == "")]
    yield from faults(table, bare, "guarantor", f"a guarantor for {cover} = {{{cover}:g}}")
    own = rows[(rows["guarantor"] != "") & (rows["guarantor"] == rows[debtor])]
    yield from faults(table, own, "guarantor", f"somebody other than the {debtor}")


@reads(
    "loans.loan",
    "loans.collateral",
    "loans.ltv_target",
    "loans.new_money",
    "loans.uncontracted_share",
    "pledges.loan",
    "security.loan",
)
def covenants_have_collateral(frames: Tables) -> Iterator[Problem]:
    """A loan tested on chips has an LTV and chips or a contract behind it."""
    loans = frames["loans"]
    tested = loans["collateral"] == 1
    loose = loans[tested & (loans["ltv_target"] <= 0)]
    yield from faults("loans", loose, "ltv_target", "an LTV above 0 (collateral = 1)")
    pledged = loans["loan"].isin(set(frames["pledges"]["loan"]))
    young = loans["new_money"] == 1
    bare = loans[tested & ~pledged & ~young]
    yield from faults("loans", bare, "collateral", "chips in pledges for {loan}, or collateral = 0")
    secured = loans["loan"].isin(set(frames["security"]["loan"]))
    spot = loans["uncontracted_share"] > 0
    bare = loans[tested & ~pledged & ~secured & young & ~spot]
    expected = "a contract in security for {loan}, an uncontracted_share, or collateral = 0"
    yield from faults("loans", bare, "collateral", expected)


@reads("loans.conversion", "loans.borrower", "loans.ladder", "firms.firm", "firms.equity_value")
def converts_have_shares(frames: Tables) -> Iterator[Problem]:
    """A loan that may be paid in shares is a bullet of a firm that has an equity value."""
    loans = frames["loans"]
    convertible = loans["conversion"] > 0
    worth = looked_up(frames, "firms", "equity_value", loans["borrower"])
    unlisted = loans[convertible & (worth == 0)]
    yield from faults("loans", unlisted, "conversion", "0: {borrower} has no equity_value")
    stock = loans[convertible & (loans["ladder"] > 0)]
    yield from faults("loans", stock, "conversion", "0: a stock of bonds with a ladder")


@reads("pledges.loan", "pledges.generation", "pledges.thousand_units", "loans.loan", "loans.collateral",
       "chips.generation", "chips.release_month", "chips.installed_million", "security.loan")  # fmt: skip
def pledged_chips_exist(frames: Tables) -> Iterator[Problem]:
    """Chips are pledged to tested loans, released, and no more than are installed."""
    pledges = frames["pledges"]
    for table in ("pledges", "security"):
        untested = frames[table][looked_up(frames, "loans", "collateral", frames[table]["loan"]) == 0]
        yield from faults(table, untested, "loan", "a loan with collateral = 1")
    future = pledges[looked_up(frames, "chips", "release_month", pledges["generation"]) > 0]
    yield from faults("pledges", future, "generation", "a generation released at month 0")
    for generation, part in pledges.groupby("generation", sort=False):
        installed = 1000.0 * looked_up(frames, "chips", "installed_million", part["generation"]).iloc[0]
        if part["thousand_units"].sum() > installed * (1 + AMOUNT_ROUNDING):
            total = f"sum {part['thousand_units'].sum():g}"
            expected = f"at most the {installed:g} thousand {generation} installed"
            yield Problem("pledges", int(part.index[0]), "thousand_units", total, expected)


@reads("security.loan", "security.contract", "security.share", "loans.loan", "loans.borrower",
       "contracts.contract", "contracts.seller", "contracts.flow", "firms.firm", "firms.parent")  # fmt: skip
def security_is_the_borrowers(frames: Tables) -> Iterator[Problem]:
    """A contract's cash is pledged at most once over, by the group that receives it."""
    security = frames["security"]
    yield from sums_to_one("security", security, "contract", low=0.0)
    heads = group_heads(dict(zip(frames["firms"]["firm"], frames["firms"]["parent"], strict=True)))
    borrower = looked_up(frames, "loans", "borrower", security["loan"])
    seller = looked_up(frames, "contracts", "seller", security["contract"])
    known = borrower.notna() & seller.notna()
    flow = looked_up(frames, "contracts", "flow", security["contract"])
    moves = security[flow.notna() & (flow != "operating")]
    yield from faults("security", moves, "contract", "a contract with flow operating")
    strange = security[known & (borrower.map(heads).fillna("") != seller.map(heads).fillna(""))]
    yield from faults(
        "security", strange, "contract", "a contract sold by the borrower of {loan} or its group"
    )


def group_heads(parents: Mapping[str, str]) -> dict[str, str]:
    """The firm at the top of every firm's group, or any one of a ring, in one pass over all."""
    heads: dict[str, str] = {}
    for firm in parents:
        chain: dict[str, None] = {}
        while firm not in heads and firm not in chain:
            chain[firm] = None
            firm = parents.get(firm, "") or firm
        heads |= dict.fromkeys(chain, heads.get(firm, firm))
    return heads


@reads("contracts.buyer", "contracts.seller", "contracts.start_month", "contracts.end_month",
       "contracts.guarantor", "contracts.cover", "contracts.kind", "contracts.flow", "contracts.staged",
       "contracts.start_annual", "contracts.vests_with")  # fmt: skip
def contracts_make_sense(frames: Tables) -> Iterator[Problem]:
    """Two parties, a positive term, equity that flows as equity, cover with a guarantor."""
    contracts = frames["contracts"]
    own = contracts[(contracts["buyer"] == contracts["seller"]) & (contracts["buyer"] != "")]
    yield from faults("contracts", own, "seller", "somebody other than the buyer")
    short = contracts[contracts["end_month"] <= contracts["start_month"]]
    yield from faults("contracts", short, "end_month", "a month after start_month = {start_month}")
    equity = contracts["kind"] == "equity"
    wrong = contracts[equity & (contracts["flow"] == "operating")]
    yield from faults("contracts", wrong, "flow", "equity or none for kind equity")
    for kind in ("equity", "warrant", "backstop"):
        wrong = contracts[(contracts["kind"] != kind) & (contracts["flow"] == kind)]
        yield from faults("contracts", wrong, "flow", "operating or none for kind {kind}")
    for kind in ("warrant", "backstop"):
        wrong = contracts[(contracts["kind"] == kind) & ~contracts["flow"].isin([kind, "none"])]
        yield from faults("contracts", wrong, "flow", f"{kind} or none for kind {kind}")
    loose = contracts[(contracts["vests_with"] != "") & (contracts["kind"] != "warrant")]
    yield from faults("contracts", loose, "vests_with", "blank: only a warrant vests")
    letter = contracts[(contracts["staged"] == 0) & ~equity]
    yield from faults("contracts", letter, "staged", "1: only equity may be a letter")
    waiting = contracts[(contracts["start_annual"] > 0) & (contracts["start_month"] > 0)]
    yield from faults("contracts", waiting, "start_month", "0 or before: start_annual is today's spend")
    yield from guarantees("contracts", contracts, "cover", "buyer")


@reads("contracts.buyer", "contracts.guarantor", "contracts.flow", "contracts.cover", "firms.firm",
       "firms.outside", "firms.chip_sales_share", "firms.kind")  # fmt: skip
def supporters_are_outside(frames: Tables) -> Iterator[Problem]:
    """Equity, warrants, backstops and guarantees come from firms whose own cash equation is not modelled."""
    contracts, firms = frames["contracts"], frames["firms"]
    inside = set(firms["firm"][firms["outside"] == 0])
    gives = contracts["flow"].isin(["equity", "warrant", "backstop"])
    wrong = contracts[gives & contracts["buyer"].isin(inside)]
    yield from faults("contracts", wrong, "buyer", "a firm with outside = 1 (flow {flow})")
    wrong = contracts[(contracts["cover"] > 0) & contracts["guarantor"].isin(inside)]
    yield from faults("contracts", wrong, "guarantor", "a firm with outside = 1")
    sells = firms[(firms["chip_sales_share"] > 0) & (firms["outside"] == 0)]
    yield from faults("firms", sells, "chip_sales_share", "0: only firms with outside = 1 sell chips")
    yield from sums_to_one("firms", firms[firms["kind"] == "vendor"], "kind", "chip_sales_share", low=0.0)


@reads("contracts.buyer", "contracts.seller", "contracts.guarantor", "loans.tenant", "loans.guarantor",
       "firms.firm", "firms.kind")  # fmt: skip
def parties_have_names(frames: Tables) -> Iterator[Problem]:
    """Synthetic obligors borrow and rent; they are no party to contracts and guarantees."""
    firms = frames["firms"]
    synthetic = set(firms["firm"][firms["kind"] == "synthetic"])
    for table, columns in (
        ("contracts", ("buyer", "seller", "guarantor")),
        ("loans", ("tenant", "guarantor")),
    ):
        for column in columns:
            wrong = frames[table][frames[table][column].isin(synthetic)]
            yield from faults(table, wrong, column, "a firm that is not synthetic")
