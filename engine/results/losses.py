"""Tables of losses: measures by column, distributions, the tail's composition, contributions. USD bn."""

import dataclasses
from collections.abc import Mapping

import numpy as np
import pandas as pd

from engine.book.links import dense
from engine.book.load import Book
from engine.book.system import System
from engine.results.estimates import LEVELS, ColumnEstimate, Estimates
from engine.results.horizons import horizon_name
from engine.tail.tally import Layout


@dataclasses.dataclass(frozen=True)
class Labels:
    """Labels from the book, by column or component: "class:ABS", "lender:ATHENE", "instrument:L01"."""

    name: dict[str, str]
    group: dict[str, str]  # class of a lender or instrument
    borrower: dict[str, str]  # name of an instrument's debtor
    grade: dict[str, str]  # of an instrument; of a group of bearers, the worst of the shares that fall on it
    exposure: dict[str, float]  # USD bn at month 0
    capital: dict[str, float]  # of a lender, USD bn
    wealth: dict[str, float]  # of a group of final bearers, USD bn


def labels_of(system: System, book: Book) -> Labels:
    """Names, classes, grades and month-0 exposures from the book and the System made of it."""
    tables = book.tables
    loans, tranches = tables["loans"].set_index("loan"), tables["tranches"].set_index("tranche")
    lenders = tables["lenders"].set_index("lender").add_prefix("lender:", axis=0)
    bearers = tables["bearers"].set_index("bearer").add_prefix("bearer:", axis=0)
    worst_grade = tables["incidence"].groupby("bearer")["grade"].max().add_prefix("bearer:")
    instruments = pd.concat([loans, tranches])
    drawn = instrument_sizes(tables)
    debtor = loans["borrower"].map(tables["firms"].set_index("firm")["name"])
    instruments = instruments.assign(size=pd.Series(drawn), debtor=debtor).add_prefix("instrument:", axis=0)
    return Labels(
        name=lenders["name"].to_dict() | bearers["name"].to_dict() | instruments["name"].to_dict(),
        group=lenders["class"].to_dict() | instruments["class"].to_dict(),
        borrower=instruments["debtor"].dropna().to_dict(),
        grade=instruments["grade"].to_dict() | worst_grade.to_dict(),
        exposure=column_exposures(system, drawn, instruments) | instruments["size"].to_dict(),
        capital=lenders["capital"].to_dict(),
        wealth=bearers["wealth"].to_dict(),
    )


def instrument_sizes(tables: Mapping[str, pd.DataFrame]) -> dict[str, float]:
    """Debt drawn at month 0 by loan and tranche, USD bn; a loan behind tranches counts as them."""
    loans, tranches = tables["loans"], tables["tranches"]
    pool = loans["borrower"].map(tables["firms"].set_index("firm")["pool"])
    drawn = loans["drawn"].where(~pool.isin(tranches["pool"]), 0.0)
    balance = tranches["pool"].map(tables["pools"].set_index("pool")["balance"]).astype("float64")
    sizes = (tranches["detachment"] - tranches["attachment"]) * balance
    return dict(zip(loans["loan"], drawn, strict=True)) | dict(zip(tranches["tranche"], sizes, strict=True))


def column_exposures(system: System, drawn: dict[str, float], instruments: pd.DataFrame) -> dict[str, float]:
    """Debt drawn at month 0 by loss column, where it is known, USD bn."""
    sizes = np.asarray([drawn.get(name, 0.0) for name in system.names.instruments], np.float64)
    holdings = dense(system.lenders.holdings) @ sizes
    total = float(np.asarray(system.exposure_start))
    exposures = {"system": total, "legacy": total, "new_money": 0.0}
    by_class = instruments.groupby("class")["size"].sum()
    exposures |= {f"class:{name}": float(by_class.get(name, 0.0)) for name in system.names.instrument_classes}
    return exposures | {
        f"lender:{name}": float(size) for name, size in zip(system.names.lenders, holdings, strict=True)
    }


def column_kind(column: str) -> tuple[str, str]:
    """(kind, id) of a column: ("system", "system"), ("book", "legacy"), ("lender", "ATHENE")."""
    kind, _, name = column.partition(":")
    return (kind, name) if name else ("system" if column == "system" else "book", column)


def labels_of_column(key: str, labels: Labels) -> dict[str, str]:
    """A column's key, kind, id, name and class."""
    kind, name = column_kind(key)
    return {
        "column": key, "kind": kind, "id": name, "name": labels.name.get(key, name),
        "class": labels.group.get(key, ""),
    }  # fmt: skip


def horizon_names(layout: Layout) -> list[str]:
    """Names of the layout's horizons."""
    return [horizon_name(months) for months in layout.horizons]


def measures_of(column: ColumnEstimate) -> dict[str, float | bool]:
    """Expected loss, VaR with 95% interval, ES with standard error, and whether each level is resolved."""
    row: dict[str, float | bool] = {
        "el": column.expected.value,
        "el_se": column.expected.standard_error,
    }
    for suffix, level in LEVELS.items():
        tail = column.tails[level]
        row |= {
            f"var_{suffix}": tail.var.value,
            f"var_{suffix}_lo": tail.var.lower,
            f"var_{suffix}_hi": tail.var.upper,
            f"es_{suffix}": tail.es.value,
            f"es_{suffix}_se": tail.es.standard_error,
            f"resolved_{suffix}": tail.unresolved is None,
        }
    return row


def losses_table(estimates: Estimates, layout: Layout, labels: Labels) -> pd.DataFrame:
    """Measures of every column at every horizon."""
    rows = []
    for place, horizon in enumerate(horizon_names(layout)):
        for column, key in enumerate(layout.columns):
            kind, name = column_kind(key)
            rows.append(
                {
                    "horizon": horizon,
                    "column": key,
                    "kind": kind,
                    "id": name,
                    "name": labels.name.get(key, name),
                }
                | {"class": labels.group.get(key, "")}
                | measures_of(estimates.columns[place][column])
                | {"exposure": labels.exposure.get(key, np.nan)}
                | {"capital": labels.capital.get(key, np.nan), "wealth": labels.wealth.get(key, np.nan)}
                | {"grade": labels.grade.get(key, "")}
            )
    return pd.DataFrame(rows)


def distribution_table(estimates: Estimates, layout: Layout) -> pd.DataFrame:
    """Mean loss and probability of every filled bin of every column."""
    horizons, columns, means, probabilities, filled = [], [], [], [], []
    for place, horizon in enumerate(horizon_names(layout)):
        for column, key in enumerate(layout.columns):
            losses = estimates.columns[place][column].losses
            full = losses.weight > 0
            means.append(losses.mean[full])
            probabilities.append(losses.weight[full] / losses.total)
            horizons.append(horizon)
            columns.append(key)
            filled.append(int(full.sum()))
    return pd.DataFrame({
        "horizon": np.repeat(horizons, filled), "column": np.repeat(columns, filled),
        "loss": np.concatenate(means), "probability": np.concatenate(probabilities),
    })  # fmt: skip


def tail_table(estimates: Estimates, layout: Layout, losses: pd.DataFrame) -> pd.DataFrame:
    """Mean loss of every column in the worst 1% of system paths, and its share of the system's."""
    columns = ["horizon", "column", "kind", "id", "name", "el", "el_se", "exposure"]
    table = losses[columns].reset_index(drop=True)
    means = [parts[: len(layout.columns)] for parts in estimates.contributions]
    system = np.repeat([mean[0] for mean in means], len(layout.columns))
    start = float(losses["exposure"].iloc[0])
    return table.assign(
        tail_mean=np.concatenate(means),
        tail_share=np.divide(np.concatenate(means), system, out=np.zeros_like(system), where=system > 0),
        exposure_share=table["exposure"] / start if start > 0 else np.nan,
    )


def contributions_table(
    estimates: Estimates, layout: Layout, labels: Labels, errors: dict[tuple[str, str], float]
) -> pd.DataFrame:
    """Euler contribution of every instrument to the system's ES 99%, and what the book says of it.

    `errors` holds standard errors by (horizon, component), where replications gave any.
    """
    rows = []
    for place, horizon in enumerate(horizon_names(layout)):
        parts = estimates.contributions[place]
        system, parts = parts[0], parts[len(layout.columns) :]
        for key, part in zip(layout.components, parts, strict=True):
            if key not in labels.name and part == 0.0:
                continue  # a tenant of a securitised pool owes rent, not debt
            name = key.partition(":")[2]
            rows.append({
                "horizon": horizon, "component": name, "name": labels.name.get(key, name),
                "borrower": labels.borrower.get(key, ""), "class": labels.group.get(key, ""),
                "grade": labels.grade.get(key, "C"), "exposure": labels.exposure.get(key, 0.0),
                "es_99": part, "es_99_se": errors.get((horizon, name), np.nan),
                "share": part / system if system > 0 else 0.0,
            })  # fmt: skip
    return pd.DataFrame(rows)
