"""Who holds what, and who owns the vehicles, as matrices."""

import jax.numpy as jnp
import numpy as np

from engine.book.holdings import holding_shares
from engine.book.system import LenderTable, Names


def build(tables, lenders, names: Names) -> LenderTable:
    """Holdings [lenders, instruments] and claims on vehicles [lenders, vehicles]."""
    place = {name: i for i, name in enumerate(names.lenders)}
    column = {name: i for i, name in enumerate(names.instruments)}
    holdings = np.zeros((len(place), len(column)))
    for row in holding_shares(tables).itertuples():
        holdings[place[row.lender], column[row.instrument]] = row.share

    vehicles = int(lenders["vehicle"].sum())
    claims = {kind: np.zeros((len(names.lenders), vehicles)) for kind in ("debt", "equity")}
    for row in tables["interlender"].itertuples():
        claims[row.kind][place[row.lender], place[row.vehicle]] += row.share

    def numbers(name):
        return jnp.asarray(lenders[name].fillna(0.0).to_numpy(np.float64), jnp.float32)

    classes = instrument_class(tables)
    return LenderTable(
        holdings=jnp.asarray(holdings, jnp.float32),
        capital=numbers("capital"),
        debt=numbers("debt"),
        other_assets=numbers("other_assets"),
        recognition_months=jnp.maximum(numbers("recognition_months"), 1.0),
        lending_weight=numbers("lending_weight"),
        vehicle=numbers("vehicle"),
        debt_share=jnp.asarray(claims["debt"], jnp.float32),
        equity_share=jnp.asarray(claims["equity"], jnp.float32),
        membership=jnp.asarray([lenders["class"] == kind for kind in names.lender_classes], jnp.float32),
        instrument_membership=jnp.asarray(
            [[classes[name] == kind for name in names.instruments] for kind in names.instrument_classes],
            jnp.float32,
        ),
    )


def instrument_class(tables) -> dict[str, str]:
    """Class of every loan, obligor (tenants have none) and tranche."""
    classes = dict(zip(tables["loans"]["loan"], tables["loans"]["class"], strict=True))
    classes |= dict(zip(tables["tranches"]["tranche"], tables["tranches"]["class"], strict=True))
    firms = tables["firms"]
    synthetic = firms[firms["kind"] == "synthetic"]["firm"]
    return {name: "" for name in synthetic} | classes
