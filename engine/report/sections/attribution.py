"""The section on attribution: what each mechanism adds to losses, by running without it on the same paths."""

import pandas as pd

from engine.report import words
from engine.report.charts import paired_bars
from engine.report.markup import Charts, finding, paragraph, section, table
from engine.report.words import amount, measured, share
from engine.results.folder import Results
from engine.results.horizons import horizon_years


def mechanisms(results: Results, holder: Charts) -> str:
    """Every mechanism beside the run; nothing where the run switched none off."""
    if "attribution" not in results.tables:
        return ""
    rows = results.tables["attribution"].set_index("off").drop(index="base")
    ranked = rows.sort_values("es_99_added", ascending=False)
    added = paired_bars(ranked, words.MECHANISM_NAMES, "added", "Added, USD bn", pitch=34)
    chart = holder.place(
        "attribution", added, "What each mechanism adds",
        f"{horizon_years(results.last)}: the loss with everything on less the loss without it, on the "
        "same paths; bars: 95% of the paired error.",
    )  # fmt: skip
    return section(
        "attribution", "What each mechanism adds", finding(greatest(rows)), chart, mechanisms_table(rows)
    )


def greatest(rows: pd.DataFrame) -> str:
    """The mechanism that adds most to the tail, and all together, in a sentence."""
    single = rows.drop(index=["all", "conduct"], errors="ignore")
    row, every = single.loc[single["es_99_added"].idxmax()], rows.loc["all"]
    return (
        f"{words.MECHANISM_NAMES[row.name]} adds most to ES 99%: "
        f"{measured(row['es_99_added'], row['es_99_added_se'])} bn. All mechanisms together make it "
        f"{words.multiple(every['es_99_ratio'])} that of borrowers who fail each on their own."
    )


def mechanisms_table(rows: pd.DataFrame) -> str:
    """Losses without each mechanism and what it adds."""
    cells = [
        (
            words.MECHANISM_NAMES[name], amount(row["es_99"]),
            measured(row["es_99_added"], row["es_99_added_se"]), words.multiple(row["es_99_ratio"]),
            measured(row["el_added"], row["el_added_se"]), words.multiple(row["el_ratio"]),
            words.multiple(row["today_es_99_ratio"]), share(row["share_worse"]),
        )
        for name, row in rows.iterrows()
    ]  # fmt: skip
    head = (
        "Off", "ES 99% without it", "It adds", "Ratio", "Adds to expected", "Ratio", "Ratio, debt of today",
        "Paths that lose more without",
    )  # fmt: skip
    note = (
        "USD bn, ± one paired standard error. Shares do not add up: what two mechanisms do together is in "
        "both. A negative number means that the mechanism protects lenders."
    )
    return table(head, cells) + paragraph(note, "note")
