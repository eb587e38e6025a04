"""The section on policy: what each lever does to losses, what it costs, and who gains."""

import pandas as pd

from engine.report import words
from engine.report.charts import paired_bars
from engine.report.section import Chart, Section, finding
from engine.report.table import Cell, Table, amount, measured, row, share
from engine.results.folder import Results
from engine.results.horizons import horizon_years

COSTS = ("public", "public_tail", "forgone", "forgone_tail")
NONE = Cell("–")


def policy(results: Results) -> Section:
    """Every lever beside the run without one."""
    rows = variants(results).drop(index="base")
    chart = Chart(
        "policy", paired_bars(results, rows, words.VARIANT_NAMES, "change", pitch=46),
        "What each lever changes",
        f"{horizon_years(results.last)}, same paths; bars: 95% intervals of the paired difference.",
    )  # fmt: skip
    parts = (finding(most_effective(results)), chart, levers_table(results), gains_table(results))
    return Section("policy", "What policy would do", parts)


def variants(results: Results) -> pd.DataFrame:
    """One row a lever, all together and none."""
    return results.tables["policy"].set_index("variant")


def most_effective(results: Results) -> str:
    """The single lever that lowers the tail most, with its cost, in a sentence."""
    rows = variants(results)
    single = rows[~rows.index.isin(["base", "all"])]
    lever = single.loc[single["es_99_change"].idxmin()]
    kind, what = ("public", "public money") if lever["public"] > 0.0 else ("forgone", "forgone lending")
    change, name = lever["es_99_change"], words.VARIANT_NAMES[lever.name]
    size, unit = words.measured(abs(change), lever["es_99_change_se"]), results.short
    effect = (
        f"{name} lowers ES 99% most, by {size} {unit}," if change < 0.0
        else f"No lever lowers ES 99%; {words.lower_first(name)} raises it least, by {size} {unit},"
    )  # fmt: skip
    return (
        f"{effect} for {words.amount(lever[kind])} {unit} of {what} on average and "
        f"{words.amount(lever[f'{kind}_tail'])} {unit} on the worst paths."
    )


def levers_table(results: Results) -> Table:
    """Losses, costs and debt of every variant."""
    rows = []
    for name, variant in variants(results).iterrows():
        changes = [measured(variant[f"{key}_change"], variant[f"{key}_change_se"])
                   for key in ("es_99", "el", "debt")]  # fmt: skip
        costs = [amount(variant[key]) for key in COSTS]
        if name == "base":
            changes, costs = [NONE] * 3, [NONE] * 4
        rows.append(row(
            words.VARIANT_NAMES[name], measured(variant["es_99"], variant["es_99_se"]), changes[0],
            amount(variant["el"]), changes[1], *costs, changes[2], share(variant["share_worse"]),
        ))  # fmt: skip
    head = ("Lever", "ES 99%", "Change", "Expected", "Change of expected", "Public money", "Public, worst 1%",
            "Forgone lending", "Forgone, worst 1%", "Change of debt", "Paths that lose more")  # fmt: skip
    note = (
        "± is one standard error, of changes that of the paired difference. Public money is credit lent in "
        "place of private lenders, or support given to labs: the credit is repaid as other loans are, and "
        "losses on it are counted with the book's lenders. Forgone lending is not spent; in the model firms "
        "earn the same without it. Worst 1%: of that variant's own paths."
    )
    return Table(
        "policy", "Policy levers on the same paths", head, tuple(rows), note, results.unit,
        brief_columns=(0, 1, 2, 3, 4, 5, 7),
    )  # fmt: skip


def gains_table(results: Results) -> Table:
    """Change of every group's expected loss by lever."""
    groups = results.tables["policy_bearers"]
    changes = groups.pivot(index="name", columns="variant", values="el_change").drop(columns="base")
    errors = groups.pivot(index="name", columns="variant", values="el_change_se")
    levers = [name for name in words.VARIANT_NAMES if name in changes.columns]
    sizes = groups[groups["variant"] == "base"].set_index("name")["el"].sort_values(ascending=False)
    rows = tuple(
        row(name, amount(size), *(amount(changes.loc[name, lever]) for lever in levers))
        for name, size in sizes.items()
    )
    note = (
        f"Paired standard errors are at most {words.amount(float(errors.max().max()))} {results.short}. "
        "Holdings do not respond to policy."
    )
    head = ("Group", "Expected loss, no lever", *(words.VARIANT_NAMES[lever] for lever in levers))
    title = "Who gains: change of each group's expected loss"
    return Table("policy_bearers", title, head, rows, note, results.unit)
