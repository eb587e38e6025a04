"""The section on attribution: what each mechanism adds to losses, by running without it on the same paths."""

import pandas as pd

from engine.report import words
from engine.report.charts import paired_bars
from engine.report.section import Chart, Section, finding
from engine.report.table import Table, amount, measured, multiple, row, share
from engine.results.folder import Results
from engine.results.horizons import horizon_years


def attribution(results: Results) -> Section:
    """Every mechanism beside the run."""
    ranked = variants(results).sort_values("es_99_added", ascending=False)
    chart = Chart(
        "attribution", paired_bars(results, ranked, words.MECHANISM_NAMES, "added", pitch=34),
        "What each mechanism adds",
        f"{horizon_years(results.last)}: loss with all mechanisms less loss without this one, on the same "
        "paths; bars: 95% intervals of the paired difference.",
    )  # fmt: skip
    parts = (finding(largest(results)), chart, mechanisms_table(results))
    return Section("attribution", "What each mechanism adds", parts)


def variants(results: Results) -> pd.DataFrame:
    """One row a mechanism switched off."""
    return results.tables["attribution"].set_index("off").drop(index="base")


def largest(results: Results) -> str:
    """The mechanism that adds most to the tail, and all together, in a sentence."""
    rows = variants(results)
    single = rows.drop(index=["all", "conduct"], errors="ignore")
    most, together = single.loc[single["es_99_added"].idxmax()], rows.loc["all"]
    return (
        f"{words.MECHANISM_NAMES[most.name]} adds most to ES 99%: "
        f"{words.measured(most['es_99_added'], most['es_99_added_se'])} {results.short}. With all "
        f"mechanisms, ES 99% is {words.multiple(together['es_99_ratio'])} what it would be if each borrower "
        "failed on its own."
    )


def mechanisms_table(results: Results) -> Table:
    """Losses without each mechanism and what it adds."""
    rows = tuple(
        row(
            words.MECHANISM_NAMES[name], amount(variant["es_99"]),
            measured(variant["es_99_added"], variant["es_99_added_se"]), multiple(variant["es_99_ratio"]),
            measured(variant["el_added"], variant["el_added_se"]), multiple(variant["el_ratio"]),
            multiple(variant["today_es_99_ratio"]), share(variant["share_worse"]),
        )
        for name, variant in variants(results).iterrows()
    )  # fmt: skip
    head = ("Mechanism switched off", "ES 99% without it", "Adds to ES 99%", "ES 99%, with / without",
            "Adds to expected", "Expected, with / without", "ES 99% on today's debt, with / without",
            "Paths that lose more without it")  # fmt: skip
    note = (
        "± is one standard error of the paired difference. The parts do not add up to the whole: what two "
        "mechanisms do together is in both. A negative number means that the mechanism protects lenders."
    )
    return Table(
        "attribution", "What each mechanism adds, same paths", head, rows, note, results.unit,
        brief_columns=(0, 1, 2, 3, 4, 5),
    )  # fmt: skip
