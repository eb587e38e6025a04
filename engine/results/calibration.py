"""Tables of the calibration task: estimates, what they were fitted to, predictions, intercepts, effect."""

import dataclasses
import types
from typing import Any

import numpy as np
import pandas as pd

from engine.book.load import Book
from engine.learn.calibration.calibration import Calibration
from engine.learn.calibration.observations import span
from engine.learn.calibration.rents import RentFit
from engine.learn.calibration.revenue import RevenueFit
from engine.paths.ledger import Ledger
from engine.results.paired import flat, share_worse, shortfall
from engine.tail.paired import change, mean_of


def tables(
    fit: Calibration, book: Book, hazards: pd.DataFrame, effect: list[dict[str, Any]]
) -> dict[str, pd.DataFrame]:
    """Tables of the run folder by name, of a calibration, its hazards and the losses it changes."""
    parts = [series_table(part, book).assign(part=name) for name, part in fit.parts.items()]
    return {
        "calibration": pd.DataFrame([dataclasses.asdict(each) for each in fit.fits]),
        "calibration_series": pd.concat(parts, ignore_index=True),
        "calibration_predictions": fit.predictions,
        "calibration_recovery": fit.recovered,
        "calibration_rebounds": fit.rebounds,
        "calibration_hazards": hazards,
        "calibration_effect": pd.DataFrame(effect),
    }


def series_table(part: RevenueFit | RentFit, book: Book) -> pd.DataFrame:
    """Every row of the history of the series that were fitted, with the fitted trend where it was used."""
    sample, fit, history = part.sample, part.identification, book["history"]
    line = np.asarray(fit.data.design @ fit.estimate.coefficients) if len(sample) else np.zeros(0)
    effects = np.log(sample.value) - np.asarray(fit.data.y) if len(sample) else np.zeros(0)
    rows = [
        (entity, label, middle, value, True, trend)
        for entity, label, middle, value, trend in zip(
            sample.entity, sample.label, sample.middle, sample.value, np.exp(line + effects), strict=True
        )
    ]
    names = {
        label.rpartition(" ")[0]: entity for entity, label in zip(sample.entity, sample.label, strict=True)
    }
    for row in history[history["series"].isin(names)].itertuples():
        label = f"{row.series} {row.date}"
        if label not in sample.label:
            middle = sum(span(book.about, row.date)) / 2.0
            rows.append((names[row.series], label, middle, float(row.value), False, np.nan))
    columns = ["entity", "label", "middle", "value", "used", "trend"]
    return pd.DataFrame(rows, columns=columns).sort_values(["entity", "middle"], kind="stable")


def effect_row(name: str, base: Ledger, variant: Ledger) -> dict[str, Any]:
    """Losses of a variant and their change against the base, from ledgers of the same paths (USD bn)."""
    estimates = {
        "es_99": mean_of(shortfall(variant.loss)),
        "es_99_change": change(base.loss, variant.loss, shortfall),
        "el": mean_of(variant.loss),
        "el_change": change(base.loss, variant.loss),
        "debt_change": change(base.debt, variant.debt),
    }
    return {"variant": name} | flat(estimates) | {"share_worse": share_worse(base, variant)}


def priced(book: Book, hazards: pd.DataFrame) -> Book:
    """The book with the intercepts that were calibrated and accepted; their rows say so."""
    firms = book.tables["firms"].copy()
    for row in hazards[hazards["used"]].itertuples():
        own = firms["firm"] == row.firm
        firms.loc[own, "hazard"] = float(f"{row.hazard:.4g}")
        note = f"; hazard calibrated to {1e4 * row.spread:.0f} bp, risk premium {row.risk_premium:g}"
        firms.loc[own, "source"] = firms.loc[own, "source"] + note
    tables = types.MappingProxyType({**book.tables, "firms": firms})
    return dataclasses.replace(book, tables=tables)


def summary(tables: dict[str, pd.DataFrame], doubts: list[str]) -> dict[str, Any]:
    """The entry `calibration` of summary.json."""
    fits = tables["calibration"]
    rows, parts = tables["calibration_predictions"], {}
    for part, own in rows.groupby("part"):
        parts[part] = {"inside": int(own["inside"].sum()), "predictions": len(own)}
    rises = tables["calibration_rebounds"]
    return {
        "parameters": fits.set_index("parameter").to_dict("index"),
        "not_identified": fits.loc[~fits["identified"].astype(bool), "parameter"].tolist(),
        "predictions": parts,
        "recovery": tables["calibration_recovery"].to_dict("records"),
        "rises": {
            "seen": int(rises["rise"].sum()),
            "expected": float(rises["probability"].sum()),
            "of": len(rises),
        },
        "hazards": tables["calibration_hazards"].set_index(["firm"]).to_dict("index"),
        "effect": tables["calibration_effect"].set_index("variant").to_dict("index"),
        "doubts": list(doubts),
    }
