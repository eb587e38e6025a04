"""Tables of one focus: its loans, what makes its tail, a sheet for each loan, what actions would change.

Everything is read off the same paths. With w the weights of paths in ES 99% (`engine.tail.paired`), the part
of a loan, month, chip or tenant in ES is Σ_n w_n X_jn: parts of every kind add up to ES.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float64

from engine.book.actions import Action
from engine.book.links import dense
from engine.book.load import Book
from engine.book.system import System
from engine.paths.attribution import QUARTER, Losses
from engine.paths.focus import Focus
from engine.results.grades import evidence
from engine.results.losses import instrument_sizes
from engine.results.paired import LEVEL, flat, shortfall
from engine.tail.paired import change, influence, mean_of, ratio, tail_weights, value_at_risk
from engine.vocabulary import ALIVE, CAUSES

SALES = "sales of paper"
NO_CHIPS = "no chips in pledge"
SPOT = "no contract"
NO_TENANT = "no off-taker"
LEVELS = {"es_95": 0.95, "es_99": 0.99}

Vector = Float64[np.ndarray, "paths"]
Parts = Float64[np.ndarray, "parts paths"]
Groups = Float64[np.ndarray, "groups paths"]


@dataclasses.dataclass(frozen=True)
class View:
    """A focus with its paths: X by path, the weights of its tail, and the names of its parts."""

    kind: str  # lender, lenders, class, bearer or borrower
    id: str
    focus: Focus
    losses: Losses
    system: System
    book: Book
    total: Vector
    weights: Vector

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts: instruments, then sales of paper."""
        return (*self.system.names.instruments, SALES)

    @property
    def shares(self) -> Float64[np.ndarray, "instruments"]:
        """Of each instrument the share that the focus holds itself; one where it is the instruments' own."""
        instruments = np.asarray(self.focus.instruments, np.float64)
        if self.focus.bearer is not None or instruments.any():
            return instruments
        return np.asarray(self.focus.lenders, np.float64) @ dense(self.system.lenders.holdings)


def view_of(kind: str, name: str, focus: Focus, losses: Losses, system: System, book: Book) -> View:
    """The view of some paths."""
    total = losses.total
    return View(kind, name, focus, losses, system, book, total, tail_weights(total, LEVEL))


def split(view: View, values: Parts) -> pd.DataFrame:
    """Mean and part of ES 99% of every row of values [parts paths], with standard errors.

    The error of a part of ES is that of a mean over the tail's paths, VaR taken as known.
    """
    weights, count = view.weights, max(np.count_nonzero(view.weights), 1)
    values = np.asarray(values, np.float64)
    part = values @ weights
    spread = np.sqrt(np.maximum((values - part[:, None]) ** 2 @ weights, 0.0) / count)
    es = float(view.total @ weights)
    return pd.DataFrame({
        "el": values.mean(axis=1), "el_se": values.std(axis=1) / np.sqrt(values.shape[1]),
        "es_99": part, "es_99_se": spread, "share": part / es if es > 0.0 else np.zeros_like(part),
    })  # fmt: skip


def grouped(values: Parts, names: Iterable[str]) -> tuple[list[str], Groups]:
    """Rows of one name added up, in the order in which names first appear."""
    names = list(names)
    order = list(dict.fromkeys(names))
    place = {name: i for i, name in enumerate(order)}
    sums = np.zeros((len(order), values.shape[1]))
    np.add.at(sums, [place[name] for name in names], values)
    return order, sums


def tail_table(view: View) -> pd.DataFrame:
    """What makes the mean loss and ES 99%, cut in several ways: by, id, name, el, es_99, share, errors."""
    parts = np.asarray(view.losses.parts, np.float64)
    tables = []
    for by, ids, values in (
        ("loan", list(view.parts), parts),
        ("borrower", *grouped(parts, borrowers_of(view))),
        ("class", *grouped(parts, classes_of(view))),
        ("cause", *by_cause(view, parts)),
        ("chip", *by_chip(view)),
        ("tenant", *by_tenant(view, parts)),
        (
            "month",
            [str(month + 1) for month in range(len(view.losses.months))],
            np.asarray(view.losses.months, np.float64),
        ),
    ):
        table = split(view, values)
        names = names_by(view, by)
        tables.append(table.assign(by=by, id=ids, name=[names.get(each) or each for each in ids]))
    columns = ["by", "id", "name", "el", "el_se", "es_99", "es_99_se", "share"]
    whole = pd.concat(tables, ignore_index=True)[columns]
    return whole[(whole["by"] == "month") | (whole["el"].abs() + whole["es_99"].abs() > 0.0)].reset_index(
        drop=True
    )


def row_words(view: View, loan: str, pool: str) -> list[str]:
    """Of every part a column of its row, `loan` of a loan and `pool` of a tranche; else its own name."""
    book = view.book
    rows = dict(zip(book["loans"]["loan"], book["loans"][loan], strict=True))
    rows |= dict(zip(book["tranches"]["tranche"], book["tranches"][pool], strict=True))
    return [rows.get(name, name) for name in view.parts]


def borrowers_of(view: View) -> list[str]:
    """Borrower of every part; a pool for what is owed to it."""
    return row_words(view, "borrower", "pool")


def classes_of(view: View) -> list[str]:
    """Instrument class of every part."""
    return row_words(view, "class", "class")


def by_cause(view: View, parts: Parts) -> tuple[list[str], Groups]:
    """X by the cause of the borrower's default; what is no loan to a named borrower by what it is."""
    count = len(view.system.names.loans)
    causes = [cause for code, cause in enumerate(CAUSES) if code != ALIVE]
    own = list(view.focus.loans)
    code = np.asarray(view.losses.cause)
    sums = [np.where(code == CAUSES.index(cause), parts[own], 0.0).sum(axis=0) for cause in causes]
    return [*causes, "pools", SALES], np.stack([*sums, parts[count:-1].sum(axis=0), parts[-1]])


def by_chip(view: View) -> tuple[list[str], Groups]:
    """X by the generation of the chips behind a loan, by value; the rest had none."""
    chips = np.asarray(view.losses.chips, np.float64)
    rest = np.asarray(view.losses.parts, np.float64).sum(axis=0) - chips.sum(axis=0)
    return [*view.system.names.generations, NO_CHIPS], np.vstack([chips, rest])


def by_tenant(view: View, parts: Parts) -> tuple[list[str], Groups]:
    """X by who takes the compute or rents the site behind a loan, as of today's contracts."""
    shares = tenant_shares(view)
    names = list(dict.fromkeys(name for row in shares for name in row))
    matrix = np.array([[row.get(name, 0.0) for row in shares] for name in names])
    return names, matrix @ parts


def tenant_shares(view: View) -> list[dict[str, float]]:
    """Of every part the shares of its off-takers; a site's tenant has all of it."""
    loans, table, names = view.book["loans"].set_index("loan"), view.system.loans, view.system.names
    weight = np.asarray(table.security_weight.matrix, np.float64)
    buyers = [names.firms[place] for place in np.asarray(view.system.contracts.buyer)]
    spot = np.asarray(table.uncontracted_share, np.float64)
    rows = []
    for place, part in enumerate(view.parts):
        tenant = loans["tenant"].get(part, "")
        if tenant:
            rows.append({tenant: 1.0})
        elif place < len(weight):
            row: dict[str, float] = {}
            for contract in np.flatnonzero(weight[place]):
                buyer = buyers[contract]
                row[buyer] = row.get(buyer, 0.0) + (1.0 - spot[place]) * weight[place, contract]
            rows.append(row | {SPOT: 1.0 - sum(row.values())})
        else:
            rows.append({NO_TENANT: 1.0})
    return rows


NAMED = {
    "loan": (("loans", "loan"), ("tranches", "tranche")),
    "borrower": (("firms", "firm"), ("tranches", "tranche"), ("pools", "pool")),
    "tenant": (("firms", "firm"),),
    "chip": (("chips", "generation"),),
}
"""Tables with names of the rows of a cut, and the column of their ids."""


def names_by(view: View, by: str) -> dict[str, str]:
    """Readers' names of the rows of a cut, by id."""
    if by == "class":
        return {key: view.book.about.class_name(key) for key in classes_of(view) if key != SALES}
    names: dict[str, str] = {}
    for table, key in NAMED.get(by, ()):
        names |= dict(zip(view.book[table][key], view.book[table]["name"], strict=True))
    return names


def loans_table(view: View) -> pd.DataFrame:
    """Every part: exposure, PD, LGD, expected loss, part of ES 99%, cause, half-way month, grades.

    PD, LGD and cause are those of the loan, whoever holds it; NaN and blank for what is no loan to a named
    borrower. LGD is Σ loss / Σ balance at default over all paths.
    """
    table = split(view, np.asarray(view.losses.parts, np.float64))
    book, sizes = view.book, instrument_sizes(view.book.tables)
    terms = pd.concat([book["loans"].set_index("loan"), book["tranches"].set_index("tranche")])
    weakest, shares = evidence(book), [*view.shares, 0.0]
    names, debtors, classes = (names_by(view, by) for by in ("loan", "borrower", "class"))
    if view.focus.bearer is not None:
        shares = [np.nan] * len(shares)  # they hold lenders, not loans
    borrowers = borrowers_of(view)
    table = table.assign(
        id=list(view.parts),
        name=[names.get(part) or part for part in view.parts],
        borrower=[
            (debtors.get(firm) or firm) if firm != part else ""
            for part, firm in zip(view.parts, borrowers, strict=True)
        ],
        exposure=[sizes.get(part, 0.0) * share for part, share in zip(view.parts, shares, strict=True)],
        grade=[str(terms["grade"].get(part, "")) for part in view.parts],
        weakest=[weakest.get(part, "") for part in view.parts],
    )
    table["class"] = [classes.get(kind) or kind for kind in classes_of(view)]
    risks = pd.DataFrame([risk_of(view, place) for place in range(len(view.focus.loans))])
    if len(risks):
        risks.index = pd.Index(view.focus.loans)
        table = table.join(risks)
    else:
        table = table.assign(**dict.fromkeys(RISKS, np.nan), cause="")
    table["cause"] = table["cause"].fillna("")
    exists = (table["exposure"] > 0.0) | (table["el"].abs() > 0.0)
    return table[exists].sort_values("es_99", ascending=False, kind="stable").reset_index(drop=True)


RISKS = ("pd", "pd_se", "lgd", "lgd_se", "month")


def risk_of(view: View, place: int) -> dict[str, Any]:
    """PD, LGD, most frequent cause and median month of default of a loan of the focus."""
    losses = view.losses
    month, cause = np.asarray(losses.default_month[place]), np.asarray(losses.cause[place])
    fallen = month > 0
    default = mean_of(fallen.astype(np.float64))
    lost = ratio(losses.loss[place], losses.at_default[place])
    known = np.isfinite(lost.value)
    return {
        "pd": default.value, "pd_se": default.standard_error,
        "lgd": lost.value if known else np.nan, "lgd_se": lost.standard_error if known else np.nan,
        "month": float(np.median(month[fallen])) if fallen.any() else np.nan,
        "cause": CAUSES[np.bincount(cause[fallen]).argmax()] if fallen.any() else "",
    }  # fmt: skip


def sheets_table(view: View) -> pd.DataFrame:
    """Balance, LTV, DSCR and share of breaches of the loans with a sheet at every quarter's end.

    `_tail` is over the paths of the focus's ES 99%. LTV and DSCR are means where the loan is tested, NaN
    where it is on none of the paths; `tested` is the share of paths on which it is.
    """
    credit, losses = view.system.numbers.credit, view.losses
    covenant, least = float(credit.ltv_covenant), float(credit.dscr_default)
    every = np.full(len(view.total), 1.0 / len(view.total))
    rows = []
    for place, loan in enumerate(view.focus.sheets):
        for quarter in range(losses.sheet.balance.shape[0]):
            balance, ltv, dscr = (
                np.asarray(series[quarter, place], np.float64)
                for series in (losses.sheet.balance, losses.sheet.ltv, losses.sheet.dscr)
            )
            row = {"loan": view.system.names.loans[loan], "month": QUARTER * (quarter + 1)}
            for suffix, weights in (("", every), ("_tail", view.weights)):
                tested = (ltv > 0.0) * weights
                share = float(tested.sum())
                breach = (ltv > covenant) | (dscr < least)
                row |= {
                    f"balance{suffix}": float(balance @ weights),
                    f"ltv{suffix}": float(ltv @ tested) / share if share > 0.0 else np.nan,
                    f"dscr{suffix}": float(dscr @ tested) / share if share > 0.0 else np.nan,
                    f"tested{suffix}": share,
                    f"breach{suffix}": float(breach @ tested),
                }
            rows.append(row)
    columns = ["loan", "month"] + [
        f"{name}{suffix}"
        for suffix in ("", "_tail")
        for name in ("balance", "ltv", "dscr", "tested", "breach")
    ]
    return pd.DataFrame(rows, columns=columns)


def exposure_of(view: View) -> float:
    """Drawn at month 0 on what the focus holds itself, USD bn; NaN for bearers, who hold lenders."""
    if view.focus.bearer is not None:
        return np.nan
    sizes = instrument_sizes(view.book.tables)
    drawn = [sizes.get(name, 0.0) for name in view.system.names.instruments]
    return float(np.asarray(drawn, np.float64) @ view.shares)


def action_row(view: View, action: Action, system: System, total: Vector) -> dict[str, Any]:
    """Expected loss and ES of a focus after an action, and changes on the same paths (USD bn).

    `system` is that of the action's book, `total` X on its paths.
    """
    after = dataclasses.replace(view, system=system, book=action.book)
    estimates = {
        "el": mean_of(total), "el_change": change(view.total, total),
        "es_99": mean_of(shortfall(total)), "es_99_change": change(view.total, total, shortfall),
        "es_95_change": change(view.total, total, lambda losses: influence(losses, LEVELS["es_95"])),
    }  # fmt: skip
    named = {
        "action": action.key, "loans": ", ".join(action.loans), "count": len(action.loans),
        "exposure": exposure_of(after),
    }  # fmt: skip
    return named | flat(estimates)


def largest_held(view: View) -> list[str]:
    """Instruments that the focus holds itself, the largest parts of its ES 99% first."""
    part = np.asarray(view.losses.parts, np.float64)[:-1] @ view.weights
    names = view.system.names.instruments
    return [names[place] for place in np.argsort(-part, kind="stable") if view.shares[place] > 0.0]


def tables_of(view: View, actions: list[dict[str, Any]]) -> dict[str, pd.DataFrame]:
    """Tables of the run folder by name."""
    return {
        "focus_loans": loans_table(view),
        "focus_tail": tail_table(view),
        "focus_sheets": sheets_table(view),
        "focus_actions": pd.DataFrame(actions, columns=[*ACTION_COLUMNS]),
    }


ACTION_COLUMNS = (
    "action", "loans", "count", "exposure", "el", "el_se", "el_change", "el_change_se", "es_99", "es_99_se",
    "es_99_change", "es_99_change_se", "es_95_change", "es_95_change_se",
)  # fmt: skip


def summary_of(view: View, tables: Mapping[str, pd.DataFrame], name: str) -> dict[str, Any]:
    """The entry `focus` of summary.json; amounts USD bn."""
    loans = tables["focus_loans"]
    tail = loans["es_99"].sum()
    estimates = {key: mean_of(influence(view.total, level)) for key, level in LEVELS.items()}
    share = {
        grade: float(loans.loc[loans[grade] == "C", "es_99"].sum() / tail) if tail > 0.0 else 0.0
        for grade in ("grade", "weakest")
    }
    return {
        "kind": view.kind, "id": view.id, "name": name, "paths": len(view.total),
        "exposure": exposure_of(view),
        "var_99": float(value_at_risk(view.total, LEVEL)[0]),
        "tail_paths": int(np.count_nonzero(view.weights)),
        "assumed_terms": share["grade"], "assumed_any": share["weakest"],
        "half_month": half_month(np.asarray(view.losses.months, np.float64) @ view.weights),
    } | flat({"el": mean_of(view.total), **estimates})  # fmt: skip


def half_month(by_month: Float64[np.ndarray, "months"]) -> int | None:
    """The month by which half of a loss has fallen; None where there is no loss."""
    sums = np.cumsum(by_month)
    return int(np.argmax(sums >= 0.5 * sums[-1])) + 1 if sums[-1] > 0.0 else None
