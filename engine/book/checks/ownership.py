"""What must hold of pools, tranches, holders and vehicles: every loan has holders, every vehicle owners.

Whether they can carry what they hold is for `claims`.
"""

from collections.abc import Iterator

from engine.book.checks.faults import AMOUNT_ROUNDING, Check, faults, register, sum_tolerance, sums_to_one
from engine.book.checks.problems import Problem
from engine.book.frames import Tables
from engine.book.holdings import instruments, looked_up, obligor_pools, tranched_pools

CHECKS: list[tuple[tuple[str, ...], Check]] = []
"""(columns read, check) of this module, in order of report."""

reads = register(CHECKS)

HOLDING_COLUMNS = (
    "holdings.instrument", "holdings.lender", "holdings.share", "lenders.lender", "lenders.capital",
    "loans.loan", "loans.borrower", "loans.drawn", "loans.committed", "firms.firm", "firms.kind",
    "firms.pool", "tranches.tranche", "tranches.pool", "tranches.attachment", "tranches.detachment",
    "pools.pool", "pools.balance",
)  # fmt: skip


POOL_COLUMNS = (
    "pools.pool", "pools.kind", "pools.balance", "firms.firm", "firms.kind", "firms.pool", "firms.pool_share",
    "loans.borrower", "loans.committed", "loans.collateral",
)  # fmt: skip


@reads(*POOL_COLUMNS)
def obligors_make_the_pool(frames: Tables) -> Iterator[Problem]:
    """Shares of a pool's obligors sum to one; its loans, or those of a group's firms, to its balance."""
    pools, firms = frames["pools"], frames["firms"]
    credit = set(pools["pool"][pools["kind"] == "credit"])
    members = firms[(firms["kind"] == "synthetic") & firms["pool"].isin(credit)]
    yield from sums_to_one("firms", members, "pool", "pool_share")
    owed = frames["loans"]["committed"].groupby(obligor_pools(frames)).sum()
    columns = (pools.index, pools["pool"], pools["kind"], pools["balance"])
    for line, pool, kind, balance in zip(*columns, strict=True):
        total = owed.get(pool, 0.0)
        if kind != "lease" and abs(total - balance) > AMOUNT_ROUNDING * balance:
            expected = f"the {total:g} committed to its borrowers"
            yield Problem("pools", line, "balance", f"{balance:g}", expected)


@reads(*POOL_COLUMNS)
def obligors_borrow_once(frames: Tables) -> Iterator[Problem]:
    """An obligor of a credit pool has one loan, of its share of the balance; a lease tenant has none."""
    pools, firms, loans = frames["pools"], frames["firms"], frames["loans"]
    credit = set(pools["pool"][pools["kind"] == "credit"])
    members = firms[(firms["kind"] == "synthetic") & firms["pool"].isin(credit)]
    borrowed = loans.groupby("borrower")["committed"].agg(["size", "sum"])
    count, size = (members["firm"].map(borrowed[name]).astype("float64") for name in ("size", "sum"))
    yield from faults("firms", members[count != 1], "firm", "one loan of the synthetic obligor {firm}")
    balance = looked_up(frames, "pools", "balance", members["pool"])
    off = (members["pool_share"] * balance - size).abs() > AMOUNT_ROUNDING * balance
    part = members[(count == 1) & off]
    yield from faults("firms", part, "pool_share", "its loan over the balance of {pool}")
    synthetic = looked_up(frames, "firms", "kind", loans["borrower"]) == "synthetic"
    owner = obligor_pools(frames).where(synthetic, "")
    lost = loans[(owner != "") & ~owner.isin(credit)]
    yield from faults("loans", lost, "borrower", "no loan: {borrower} is a tenant of a lease pool")
    chips = loans[(owner != "") & (loans["collateral"] == 1)]
    yield from faults("loans", chips, "collateral", "0: {borrower} is synthetic")


@reads("tenants.pool", "tenants.firm", "tenants.share", "pools.pool", "pools.kind", "pools.dscr", "pools.ltv",
       "tranches.pool", "firms.firm", "firms.pool", "firms.kind")  # fmt: skip
def tenants_fill_the_pool(frames: Tables) -> Iterator[Problem]:
    """Tenants belong to lease pools, with shares that sum to one; such a pool has tranches and a value."""
    tenants, pools = frames["tenants"], frames["pools"]
    wrong = tenants[looked_up(frames, "pools", "kind", tenants["pool"]).isin(("credit", "group"))]
    yield from faults("tenants", wrong, "pool", "a pool of kind lease")
    yield from sums_to_one("tenants", tenants, "pool")
    synthetic = looked_up(frames, "firms", "kind", tenants["firm"]) == "synthetic"
    home = looked_up(frames, "firms", "pool", tenants["firm"]).fillna("").where(synthetic, "")
    stranger = tenants[(home != "") & (home != tenants["pool"])]
    yield from faults("tenants", stranger, "firm", "a named firm or a synthetic tenant of {pool}")
    lease = pools[pools["kind"] == "lease"]
    yield from faults("pools", lease[~lease["pool"].isin(set(tenants["pool"]))], "pool", "tenants of {pool}")
    sliced = tranched_pools(frames)
    yield from faults("pools", lease[~lease["pool"].isin(sliced)], "pool", "tranches of {pool}")
    for column in ("dscr", "ltv"):
        yield from faults("pools", lease[lease[column] <= 0], column, f"a {column} above 0 (kind lease)")


OF_POOLS = (
    "hazard", "lgd", "refinancing_link", "chip_link", "frailty", "relet", "dscr", "ltv", "origination_share",
    "repayment_month",
)  # fmt: skip
"""Numbers that a pool has and a group has not."""


@reads("pools.pool", "pools.kind", "tranches.pool", *(f"pools.{column}" for column in OF_POOLS))
def groups_only_name(frames: Tables) -> Iterator[Problem]:
    """A group has a balance and nothing else: its firms and their loans say the rest. It is not sliced."""
    groups, tranches = frames["pools"][frames["pools"]["kind"] == "group"], frames["tranches"]
    for column in OF_POOLS:
        extra = groups[groups[column] != 0]
        yield from faults("pools", extra, column, "0: {pool} is a group, its firms and loans say it")
    sliced = tranches[tranches["pool"].isin(set(groups["pool"]))]
    yield from faults("tranches", sliced, "pool", "a pool of kind credit or lease")


@reads("tranches.pool", "tranches.attachment", "tranches.detachment")
def tranches_tile(frames: Tables) -> Iterator[Problem]:
    """From the first loss up, each tranche begins where the one below ends; the last ends at one."""
    tranches = frames["tranches"]
    for pool, part in tranches.groupby("pool", sort=False):
        below = 0.0
        for line, low, high in part.sort_values("attachment")[["attachment", "detachment"]].itertuples():
            if abs(low - below) > 1e-9:
                expected = f"{below:g}, where the tranche below ends (tranches of {pool} tile [0, 1])"
                yield Problem("tranches", line, "attachment", f"{low:g}", expected)
            if high <= low:
                yield Problem("tranches", line, "detachment", f"{high:g}", f"more than attachment = {low:g}")
            below = high
        if abs(below - 1.0) > 1e-9:
            yield Problem("tranches", line, "detachment", f"{below:g}", f"1 (tranches of {pool} tile [0, 1])")


@reads("loans.origination_share", "loans.vintage", "pools.origination_share")
def origination_is_placed(frames: Tables) -> Iterator[Problem]:
    """Shares of new sector borrowing sum to at most one in every year: a book may be a part of the sector."""
    loans, always = frames["loans"], list(frames["pools"]["origination_share"])
    idle = loans[(loans["vintage"] > 0) & (loans["origination_share"] == 0)]
    yield from faults("loans", idle, "vintage", "0, or an origination_share above 0 for that year")
    for year in sorted({0, *loans["vintage"]}):
        shares = [*loans["origination_share"][loans["vintage"].isin((0, year))], *always]
        total = sum(shares)
        if total > 1.0 + sum_tolerance(shares):
            expected = "shares over loans and pools that sum to at most 1"
            when = f" in year {year}" if year else ""
            yield Problem("loans", None, "origination_share", f"sum {total:.6g}{when}", expected)


@reads(*HOLDING_COLUMNS)
def every_instrument_is_held(frames: Tables) -> Iterator[Problem]:
    """Shares of each instrument sum to one after blanks are filled, and each instrument has holders."""
    rows = frames["holdings"]
    blank = rows["share"].isna()
    closed = rows[~rows["instrument"].isin(set(rows["instrument"][blank]))]
    yield from sums_to_one("holdings", closed, "instrument")
    for instrument, part in rows.drop(closed.index).groupby("instrument", sort=False):
        total = part["share"].sum()
        if total > 1.0 - 1e-9:
            line = int(part.index[part["share"].isna()][0])
            expected = f"less than 1, to leave something for the blank share of {instrument}"
            yield Problem("holdings", line, "share", f"sum {total:.6g}", expected)
    every = instruments(frames)
    held = set(rows["instrument"])
    bare = every[~every["instrument"].isin(held) & ~every["pool"].isin(held)]
    for table, line, instrument in bare[["table", "line", "instrument"]].to_numpy(object).tolist():
        yield Problem(
            table, line, "loan" if table == "loans" else "tranche", instrument, "holders in holdings"
        )


@reads(*HOLDING_COLUMNS, "pools.kind")
def pools_are_held_once(frames: Tables) -> Iterator[Problem]:
    """Nobody holds a loan of a tranched pool, or such a pool, beside its tranches."""
    rows, loans = frames["holdings"], frames["loans"]
    sliced = tranched_pools(frames)
    inside = set(loans["loan"][obligor_pools(frames).isin(sliced)])
    lease = set(frames["pools"]["pool"][frames["pools"]["kind"] == "lease"])
    twice = rows[rows["instrument"].isin(inside | sliced | lease)]
    yield from faults("holdings", twice, "instrument", "a tranche: {instrument} is held through tranches")


@reads("lenders.lending_weight")
def lending_weights(frames: Tables) -> Iterator[Problem]:
    """Weights in new lending sum to one."""
    yield from sums_to_one("lenders", frames["lenders"].assign(all="all lenders"), "all", "lending_weight")


@reads("lenders.lender", "lenders.vehicle", "lenders.debt", "lenders.other_assets", "interlender.lender",
      "interlender.vehicle", "interlender.kind", "interlender.share")  # fmt: skip
def vehicles_are_owned(frames: Tables) -> Iterator[Problem]:
    """A vehicle's equity, and its debt if any, are held in full by others; only vehicles owe or are owned."""
    lenders, claims = frames["lenders"], frames["interlender"]
    plain = lenders["vehicle"] == 0
    for column in ("debt", "other_assets"):
        yield from faults("lenders", lenders[plain & (lenders[column] > 0)], column, "0: vehicle = 0")
    wrong = claims[looked_up(frames, "lenders", "vehicle", claims["vehicle"]) == 0]
    yield from faults("interlender", wrong, "vehicle", "a lender with vehicle = 1")
    yield from faults(
        "interlender", claims[claims["lender"] == claims["vehicle"]], "lender", "another lender"
    )
    yield from sums_to_one("interlender", claims, ["vehicle", "kind"])
    held = set(zip(claims["vehicle"], claims["kind"], strict=True))
    for kind, owes in (("equity", ~plain), ("debt", ~plain & (lenders["debt"] > 0))):
        bare = lenders[owes & ~lenders["lender"].map(lambda each, kind=kind: (each, kind) in held)]
        yield from faults("lenders", bare, "vehicle", f"holders of the {kind} of {{lender}} in interlender")
