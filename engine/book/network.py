"""Holdings of instruments, claims on vehicles, limits of lenders and marketable paper, as arrays."""

import jax
import numpy as np

from engine.book.arrays import floats
from engine.book.frames import Frame, Tables
from engine.book.holdings import holding_shares
from engine.book.links import dense, links, shares_of
from engine.book.membership import membership
from engine.book.system import LenderTable, Names, PaperTable


def build(tables: Tables, lenders: Frame, names: Names) -> LenderTable:
    """Holdings [lenders, instruments] and claims on vehicles [lenders, vehicles]."""
    place = {name: i for i, name in enumerate(names.lenders)}
    column = {name: i for i, name in enumerate(names.instruments)}
    holdings = np.zeros((len(place), len(column)))
    shares = holding_shares(tables)
    for row in shares.itertuples():
        holdings[place[row.lender], column[row.instrument]] = row.share

    vehicles = int(lenders["vehicle"].sum())
    claims = {kind: np.zeros((len(names.lenders), vehicles)) for kind in ("debt", "equity")}
    for row in tables["interlender"].itertuples():
        claims[row.kind][place[row.lender], place[row.vehicle]] += row.share

    def numbers(name: str) -> jax.Array:
        return floats(lenders[name].fillna(0.0))

    bearers = {layer: np.zeros((len(names.bearers), len(place))) for layer in ("first", "rest")}
    for row in tables["incidence"].itertuples():
        bearers[row.layer][names.bearers.index(row.bearer), place[row.lender]] += row.share

    classes, weight = instrument_class(tables), lenders["lending_weight"].fillna(0.0).to_numpy(np.float64)
    usual = USUAL_LOSS * lenders["other_assets"].fillna(0.0) / lenders["capital"]
    coverage, start, slope = limits(tables, lenders)
    return LenderTable(
        holdings=shares_of(holdings),
        capital=numbers("capital"),
        debt=numbers("debt"),
        exposure_start=floats(drawn_by(shares, names.lenders)),
        pool_exposure_start=floats(drawn_by(shares[~shares["instrument"].isin(names.loans)], names.lenders)),
        capital_growth=numbers("capital_growth"),
        appetite=numbers("appetite"),
        bust_equity=numbers("bust_equity"),
        bust_spread=numbers("bust_spread"),
        bust_credit=floats(lenders["bust_credit"].fillna(usual)),
        recognition_months=floats(lenders["recognition_months"].fillna(0.0).clip(lower=1.0)),
        lending_weight=floats(weight / weight.sum() if weight.sum() > 0.0 else weight),
        vehicle=numbers("vehicle"),
        debt_share=links(claims["debt"]),
        equity_share=links(claims["equity"]),
        equity=floats(lenders["equity"].fillna(lenders["capital"])),
        line=numbers("line"),
        coverage=floats(coverage),
        limit_start=floats(start),
        limit_slope=floats(slope),
        withdrawal_start=numbers("withdrawal_start"),
        withdrawal_slope=numbers("withdrawal_slope"),
        gate=numbers("gate"),
        mark_weight=numbers("mark_weight"),
        buyer_weight=numbers("buyer_weight"),
        first_bearer=links(bearers["first"]),
        last_bearer=links(bearers["rest"]),
        membership=membership(lenders["class"], names.lender_classes),
        instrument_membership=membership(
            [classes[name] for name in names.instruments], names.instrument_classes
        ),
    )


USUAL_LOSS = 0.01
"""Of a fund's other assets a year; realised losses of direct lending since 2004 (Cliffwater) are 1.05%."""


def drawn_by(shares: Frame, lenders: tuple[str, ...]) -> np.ndarray:
    """Drawn at month 0 by lender, USD bn, float64."""
    return shares.groupby("lender")["drawn"].sum().reindex(list(lenders)).fillna(0.0).to_numpy(np.float64)


def fund_share(table: LenderTable) -> np.ndarray:
    """Share of each instrument that vehicles hold [instruments], float64."""
    return np.asarray(table.vehicle, np.float64) @ dense(table.holdings)


NEVER = 1e3
"""Share of capital lost at which the limit of a lender without one binds."""


def limits(tables: Tables, lenders: Frame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Asset coverage, and where a limit binds and how much paper is sold beyond it, by lender.

    With debt D, capital K, paper H and coverage c, a vehicle that lost the share y of its capital must repay
    ((y - 1) K + (c - 1) D) / (c - 1): the limit starts at y = 1 - (c - 1) D/K and sells 1 / ((c - 1) H/K) of
    the paper per share of capital beyond. All in float64.
    """
    held = paper_held(tables).groupby("lender")["drawn"].sum()
    own = {name: lenders[name].to_numpy(np.float64) for name in ("capital", "debt", "asset_coverage")}
    tested = (lenders["vehicle"].to_numpy() > 0) & np.isfinite(own["asset_coverage"])
    coverage = np.where(tested, own["asset_coverage"], 0.0)
    beyond = np.where(tested, coverage - 1.0, 1.0)
    paper_share = lenders["lender"].map(held).fillna(0.0).to_numpy(np.float64) / own["capital"]
    needed = np.divide(1.0, beyond * paper_share, out=np.zeros_like(paper_share), where=paper_share > 0.0)
    start = np.where(
        tested, 1.0 - beyond * own["debt"] / own["capital"], lenders["limit_start"].fillna(NEVER)
    )
    slope = np.where(tested, needed, lenders["limit_slope"].to_numpy(np.float64))
    return coverage, start, slope


def paper_held(tables: Tables) -> Frame:
    """Holdings of marketable instruments, with their class."""
    shares = holding_shares(tables)
    shares = shares.assign(kind=shares["instrument"].map(instrument_class(tables)))
    return shares[shares["kind"].isin(set(tables["paper"]["class"]))]


def paper(tables: Tables, names: Names) -> PaperTable:
    """Marketable classes, what each lender holds of them at month 0, and which instruments they are."""
    table, classes = tables["paper"], instrument_class(tables)
    order = list(table["class"])
    held = np.zeros((len(names.lenders), len(order)))
    for row in paper_held(tables).itertuples():
        held[names.lenders.index(row.lender), order.index(row.kind)] += row.drawn
    numbers = {name: floats(table[name]) for name in ("spread", "duration", "depth")}
    marketable = [float(classes[name] in order) for name in names.instruments]
    return PaperTable(held=floats(held), marketable=floats(marketable), **numbers)


def instrument_class(tables: Tables) -> dict[str, str]:
    """Class of every loan, obligor (tenants have none) and tranche."""
    classes = dict(zip(tables["loans"]["loan"], tables["loans"]["class"], strict=True))
    classes |= dict(zip(tables["tranches"]["tranche"], tables["tranches"]["class"], strict=True))
    firms = tables["firms"]
    synthetic = firms[firms["kind"] == "synthetic"]["firm"]
    return {name: "" for name in synthetic} | classes
