"""The section on policy: what each lever does to losses, what it costs, and who gains."""

import pandas as pd

from engine.report import words
from engine.report.charts import paired_bars
from engine.report.markup import Charts, finding, paragraph, section, table
from engine.report.words import amount, measured, share
from engine.results.folder import Results
from engine.results.horizons import horizon_years

COSTS = ("public", "public_tail", "forgone", "forgone_tail")


def levers(results: Results, holder: Charts) -> str:
    """Every lever beside the base; nothing where the run compared none."""
    if "policy" not in results.tables:
        return ""
    rows = results.tables["policy"].set_index("variant")
    changes = paired_bars(
        rows.drop(index="base"), words.VARIANT_NAMES, "change", "Change against no lever, USD bn", pitch=46
    )
    chart = holder.place(
        "policy", changes, "What each lever changes",
        f"{horizon_years(results.last)}, on the same paths; bars: 95% of the paired error.",
    )  # fmt: skip
    return section(
        "policy", "What policy would do", finding(best(rows)), chart, variants_table(rows),
        bearers_table(results.tables["policy_bearers"]),
    )  # fmt: skip


def best(rows: pd.DataFrame) -> str:
    """The single lever that lowers the tail most, with its cost, in a sentence."""
    single = rows[~rows.index.isin(["base", "all"])]
    row = single.loc[single["es_99_change"].idxmin()]
    kind, what = ("public", "public money") if row["public"] > 0.0 else ("forgone", "lending forgone")
    moved, verb = row["es_99_change"], "lowers" if row["es_99_change"] < 0.0 else "moves"
    changed = measured(abs(moved) if moved < 0.0 else moved, row["es_99_change_se"])
    return (
        f"{words.VARIANT_NAMES[row.name]} {verb} ES 99% most, by {changed} bn, for {amount(row[kind])} bn of "
        f"{what} on average and {amount(row[f'{kind}_tail'])} bn on the worst paths."
    )


def variants_table(rows: pd.DataFrame) -> str:
    """Losses, costs and debt of every variant."""
    cells = []
    for name, row in rows.iterrows():
        changed = [measured(row[f"{key}_change"], row[f"{key}_change_se"]) for key in ("es_99", "el", "debt")]
        costs = [amount(row[key]) for key in COSTS]
        if name == "base":
            changed, costs = ["–"] * 3, ["–"] * 4
        cells.append(
            (words.VARIANT_NAMES[name], measured(row["es_99"], row["es_99_se"]), changed[0],
             amount(row["el"]), changed[1], *costs, changed[2], share(row["share_worse"]))
        )  # fmt: skip
    head = (
        "Lever", "ES 99%", "change", "Expected", "change", "Public money", "worst 1%", "Lending forgone",
        "worst 1%", "Mean debt, change", "Paths that lose more",
    )  # fmt: skip
    note = (
        "USD bn, ± one paired standard error. Public money is credit lent in place of private lenders, or "
        "what labs are given: the first is repaid as other loans are, and what is lost of it is counted with "
        "the book's lenders. Forgone lending is not spent; the model lets firms earn the same without it. "
        "Worst 1%: of that variant's own paths."
    )
    return table(head, cells) + paragraph(note, "note")


def bearers_table(rows: pd.DataFrame) -> str:
    """Change of every group's expected loss by lever."""
    changed = rows.pivot(index="name", columns="variant", values="el_change").drop(columns="base")
    error = rows.pivot(index="name", columns="variant", values="el_change_se")
    order = [name for name in words.VARIANT_NAMES if name in changed.columns]
    sizes = rows[rows["variant"] == "base"].set_index("name")["el"].sort_values(ascending=False)
    cells = [
        (name, amount(size), *(amount(changed.loc[name, key]) for key in order))
        for name, size in sizes.items()
    ]
    note = (
        "Who gains: change of each group's expected loss, USD bn; paired standard errors are at most "
        f"{amount(float(error.max().max()))}. Holdings do not move with policy."
    )
    head = ("Group", "Without", *(words.VARIANT_NAMES[key] for key in order))
    return table(head, cells) + paragraph(note, "note")
