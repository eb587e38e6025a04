"""The section on timing: losses and defaults month by month, and the borrowers behind them."""

import pandas as pd

from engine.report import findings, timelines, words
from engine.report.section import Chart, Pair, Part, Section, finding, note
from engine.report.table import Table, probability, row
from engine.results.folder import Results
from engine.results.horizons import horizon_years

COUNT = 12
"""Borrowers in the table."""


def timing(results: Results) -> Section:
    """Timing of losses and defaults, and the borrowers behind them."""
    pair = Pair((
        Chart("timing", timelines.loss_timing(results), "Loss by month",
              "bands: 25–75%, 5–95% and 1–99% of paths; line: median; red: mean."),
        Chart("defaults", timelines.default_timing(results), "Expected defaults by month"),
    ))  # fmt: skip
    causes = Chart("causes", timelines.default_causes(results), "Causes of default", "by kind of borrower.")
    breaks = Chart(
        "boom-breaks", timelines.boom_breaks(results), "Loss by the quarter in which the boom breaks",
        f"expected loss over {horizon_years(results.last)}; bars: two standard errors.",
    )  # fmt: skip
    parts: tuple[Part, ...] = (
        finding(findings.timing(results)), pair, causes, breaks, note(findings.boom_breaks(results)),
        borrowers_table(results), *groups(results),
    )  # fmt: skip
    return Section("how-fast", "How fast losses come", parts)


def groups(results: Results) -> tuple[Table, ...]:
    """Borrowers without a name, by the credit that they stand for; nothing where the book has none."""
    firms = results.tables["firms"]
    if "group" not in firms.columns:
        return ()  # a run of before
    ends = [f"pd_{horizon}" for horizon in results.horizons if f"pd_{horizon}" in firms.columns]
    rows = tuple(
        row(name, f"{len(part)}", leading_cause(part[causes_of(part)].mul(part[ends[-1]], axis=0).mean()),
            *(words.share(part[end].mean()) for end in ends))
        for name, part in firms[firms["group"] != ""].groupby("group", sort=False)
    )  # fmt: skip
    if not rows:
        return ()
    spans = [horizon_years(end.removeprefix("pd_")) for end in ends]
    head = ("Credit", "Borrowers", "Leading cause, share of defaults", *(f"Mean PD {span}" for span in spans))
    return (Table("borrower-groups", "Borrowers without a name", head, rows, words=3),)


def causes_of(firms: pd.DataFrame) -> list[str]:
    """Columns with the shares of causes."""
    return [column for column in firms.columns if column.startswith("cause_")]


def borrowers_table(results: Results) -> Table:
    """The named borrowers most likely to default by the last horizon."""
    firms = results.tables["firms"]
    ends = [f"pd_{horizon}" for horizon in results.horizons if f"pd_{horizon}" in firms.columns]
    named = firms[firms["kind"] != "synthetic"].sort_values(ends[-1], ascending=False).head(COUNT)
    rows = tuple(
        row(
            firm["name"], words.kind_name(firm["kind"]), firm["rating"] or "–", leading_cause(firm),
            *(probability(firm[end], firm[f"{end}_se"]) for end in ends),
        )
        for _, firm in named.iterrows()
    )  # fmt: skip
    spans = [horizon_years(end.removeprefix("pd_")) for end in ends]
    head = (
        "Borrower",
        "Kind",
        "Rating",
        "Leading cause, share of defaults",
        *(f"PD {span}" for span in spans),
    )
    columns = (0, 4, len(head) - 1) if len(ends) > 1 else (0, 4)
    title = f"Borrowers by default probability, {spans[-1]}"
    return Table("borrowers", title, head, rows, words=4, brief_rows=8, brief_columns=columns)


def leading_cause(firm: pd.Series) -> str:
    """The commonest cause of a firm's default with its share: "liquidity 62%"."""
    causes = firm[[column for column in firm.index if column.startswith("cause_")]].astype(float)
    if causes.sum() <= 0.0:
        return "–"
    largest = causes.max() / causes.sum()
    return f"{causes.idxmax().removeprefix('cause_').replace('_', ' ')} {words.share(largest)}"
