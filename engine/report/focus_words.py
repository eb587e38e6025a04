"""Sentences of the page of one lender, class, group of bearers or borrower."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import pandas as pd

from engine.report import words
from engine.report.findings import CAUSES
from engine.report.words import share
from engine.results.folder import BILLION, MILLION, Results
from engine.results.horizons import count_words, horizon_words
from engine.tail.intervals import RESOLVED_PATHS

LEADS = {"borrower": "Loans to ", "lender": "", "lenders": "", "class": "", "bearer": ""}
"""What stands before the name."""

ACTIONS = {
    "advance_rate": "Lend a tenth less against the same chips",
    "amortisation": "Have a further tenth of the loan repaid a year",
    "sale": "Sell the largest parts of the tail",
    "guarantee": "A full guarantee of the largest off-taker or tenant",
}

SHORT_CAUSES = {
    "foreclosure": "Foreclosure", "liquidity": "Out of cash", "non_payment": "Unpaid contracts",
    "balance_sheet": "Debt above assets", "hazard": "Residual hazard", "exchange": "Exchange",
    "group": "Parent's default", "pools": "Pools", "sales of paper": "Sales of paper",
}  # fmt: skip
"""Causes in a cell."""

OTHERS = {"pools": "pools of borrowers without names", "sales of paper": "sales of paper below par"}


WORTH_SAYING = 0.05
"""Share of the tail from which on the chips behind it are named."""


@dataclasses.dataclass(frozen=True)
class Scale:
    """The unit in which a focus is told: the report's, or millions of what is smaller than a billion."""

    unit: str
    word: str
    factor: float

    def amount(self, value: float | None) -> str:
        """An amount given in the unit of the results."""
        return words.amount(None if value is None else self.factor * value)

    def error(self, row: Mapping[str, Any], key: str) -> str:
        """The standard error of an amount given in the unit of the results."""
        return words.error(self.factor * row[f"{key}_se"], self.factor * row[key])

    def measured(self, row: Mapping[str, Any], key: str) -> str:
        """An amount with its error."""
        return f"{self.amount(row[key])} ± {self.error(row, key)}"


def scale_of(results: Results) -> Scale:
    """The unit of the run's focus."""
    if results.unit == BILLION and results.summary["focus"]["es_99"] < 1.0:
        return Scale(MILLION, "million", 1000.0)
    return Scale(results.unit, results.unit_word, 1.0)


def title_of(results: Results) -> str:
    """Whose losses they are."""
    entry = results.summary["focus"]
    name = words.class_name(entry["id"]) if entry["kind"] == "lenders" else entry["name"]
    return LEADS[entry["kind"]] + name


def headline(results: Results) -> str:
    """The focus in a sentence."""
    entry, scale = results.summary["focus"], scale_of(results)
    return (
        f"{title_of(results)}: {scale.measured(entry, 'es_99')} {scale.word} dollars lost within "
        f"{horizon_words(results.last)}, on average over the worst 1% of simulated futures."
    )


def lead(results: Results) -> str:
    """What the number is, what makes it and when, and on what it rests."""
    entry, scale = results.summary["focus"], scale_of(results)
    every, paths = results.summary["paths"], entry["paths"]
    sample = f"{paths:,} simulated paths" if paths == every else f"the first {paths:,} of {every:,} paths"
    sentences = [
        f"This is its expected shortfall at 99% over its own worst paths, from {sample}, with its standard "
        f"error. At 95% it is {scale.measured(entry, 'es_95')}, and the mean loss "
        f"{scale.measured(entry, 'el')} {scale.word}{of_drawn(entry)}."
    ]
    if entry["es_99"] <= 0.0:
        return " ".join([*sentences, "Nothing is lost on any of these paths."])
    sentences += [few(entry), largest(results), when(entry), evidence(entry)]
    return " ".join(sentence for sentence in sentences if sentence)


def of_drawn(entry: Mapping[str, Any]) -> str:
    """The mean loss as a share of what is drawn."""
    ratio = words.ratio(entry["el"], entry["exposure"])
    return "" if ratio is None or ratio > 1.0 else f", {share(ratio)} of what is drawn today"


def cut(results: Results, by: str) -> pd.DataFrame:
    """Parts of ES 99% cut in one way, the largest first."""
    table = results.tables["focus_tail"]
    return table[table["by"] == by].sort_values("es_99", ascending=False, kind="stable")


def cause_name(cause: str) -> str:
    """A cause of loss in a sentence."""
    return CAUSES.get(cause, OTHERS.get(cause, cause))


def largest(results: Results) -> str:
    """The borrower and the cause behind the largest parts of the tail."""
    borrower, cause = cut(results, "borrower").iloc[0], cut(results, "cause").iloc[0]
    if results.summary["focus"]["kind"] == "borrower":
        loan = cut(results, "loan").iloc[0]
        first = f"{share(loan['share'])} of it is on {loan['name']}"
    else:
        first = f"{share(borrower['share'])} of it comes from {borrower['name']}"
    return f"{first}; the largest cause is {cause_name(cause['id'])} ({share(cause['share'])})."


def few(entry: Mapping[str, Any]) -> str:
    """A warning where the tail has few paths."""
    if entry["tail_paths"] >= RESOLVED_PATHS:
        return ""
    return (
        f"Only {entry['tail_paths']} paths lie in that tail: take more (run.paths, report.focus_paths) "
        "before acting on its parts."
    )


def when(entry: Mapping[str, Any]) -> str:
    """By when half of it has fallen."""
    month = entry.get("half_month")
    return "" if month is None else f"On those paths half of the loss has fallen by month {month:.0f}."


def evidence(entry: Mapping[str, Any]) -> str:
    """How much rests on assumptions: by the loans' own rows, and by every row behind them."""
    own, every = entry["assumed_terms"], entry["assumed_any"]
    return (
        f"{share(own)} of it is on loans whose own terms are assumptions (grade C); counting borrowers, "
        f"chips, contracts and pools as well, {share(every)} rests on at least one."
    )


def loan_name(results: Results, part: pd.Series) -> str:
    """A loan's name, with its borrower's where that is not in it."""
    borrower = results.tables["focus_loans"].set_index("id")["borrower"].get(part["id"])
    return part["name"] if not borrower or borrower in part["name"] else f"{borrower} · {part['name']}"


def composition(results: Results) -> str:
    """How concentrated the tail is."""
    loans, chips = cut(results, "loan"), cut(results, "chip")
    if loans.empty or results.summary["focus"]["es_99"] <= 0.0:
        return "Nothing is lost in the tail."
    count = min(len(loans), 3)
    sentence = f"{loan_name(results, loans.iloc[0])} makes {share(loans.iloc[0]['share'])} of ES 99%"
    if count > 1:
        together = share(loans["share"].head(count).sum())
        sentence += f", the largest {count_words(count)} of {len(loans)} parts {together}"
    behind = chips[chips["id"] != "no chips in pledge"]
    if len(behind) and behind.iloc[0]["share"] >= WORTH_SAYING:
        sentence += f"; {share(behind.iloc[0]['share'])} stands against {behind.iloc[0]['name']}"
    return sentence + "."


def actions(results: Results) -> str:
    """Which action takes most off the tail."""
    table, scale = results.tables["focus_actions"], scale_of(results)
    if table.empty:
        return "None of the four actions changes a loan of this page."
    terms, sold = table[table["action"] != "sale"], table[table["action"] == "sale"]
    sentences = [best_terms(terms, scale, results.summary["focus"]["es_99"])] if len(terms) else []
    sentences.append(costly_terms(terms, scale))
    if len(sold):
        line = sold.iloc[0].to_dict()
        gone = results.summary["focus"]["exposure"] - line["exposure"]
        sentences.append(
            f"Selling the largest parts takes {scale.amount(gone)} {scale.word} off what is drawn and "
            f"{scale.measured(negative(line), 'es_99_change')} {scale.word} off ES 99%."
        )
    return " ".join(filter(None, sentences))


def best_terms(table: pd.DataFrame, scale: Scale, es: float) -> str:
    """The change of terms that lowers ES 99% most."""
    best = table.loc[table["es_99_change"].idxmin()].to_dict()
    if best["es_99_change"] + words.CLEAR * best["es_99_change_se"] >= 0.0:
        return "No change of terms lowers ES 99% by more than two standard errors."
    fall = negative(best)
    return (
        f"Of the changes of terms most comes of this one: {words.lower_first(ACTIONS[best['action']])}, "
        f"ES 99% {scale.measured(fall, 'es_99_change')} {scale.word} lower "
        f"({share(fall['es_99_change'] / es)} of it)."
    )


def costly_terms(table: pd.DataFrame, scale: Scale) -> str:
    """The change of terms that raises the expected loss most; empty where none does."""
    if table.empty:
        return ""
    worst = table.loc[table["el_change"].idxmax()].to_dict()
    if worst["el_change"] <= words.CLEAR * worst["el_change_se"]:
        return ""
    return (
        f"One raises losses: {words.lower_first(ACTIONS[worst['action']])}, expected loss "
        f"{scale.measured(worst, 'el_change')} {scale.word} higher."
    )


def negative(line: Mapping[str, Any]) -> dict[str, Any]:
    """An action with its fall of ES 99% as a positive number."""
    return {**line, "es_99_change": -line["es_99_change"]}


def signed(scale: Scale, value: float) -> str:
    """A change with its sign; none where it rounds to nothing."""
    return words.signed(value, scale.amount(abs(value)))
