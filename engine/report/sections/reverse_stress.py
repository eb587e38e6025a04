"""The section on reverse stress: the likeliest roads to a loss, their charts and their stories."""

import pandas as pd

from engine.report import style, timelines
from engine.report.markup import Charts, finding, paragraph, section, side_by_side, table, text
from engine.report.stress_words import (
    CAUSE_WORDS,
    FACTOR_WORDS,
    FIRST_YEAR,
    month_name,
    quarter_name,
    title,
)
from engine.report.words import amount, measured, share
from engine.results.folder import Results
from engine.results.horizons import joined
from engine.results.reverse_stress import chance

DRAWN = ("revenue", "price_h100", "rate", "spread", "supply", "loss")
MORE = {
    "loss": ("Cumulative loss of the system", "USD bn", False),
    "rate": ("Short rate", "a year", False),
}
COLOURS = (style.RED, style.AMBER, style.PLUM)


def roads(results: Results, holder: Charts) -> str:
    """Scenarios, charts, story and probabilities; nothing where the run looked for none."""
    found = results.summary.get("reverse_stress")
    if found is None:
        return ""
    name = f"The likeliest road to {amount(found['target'])} bn"
    if "unreachable" in found:
        return section("reverse_stress", name, finding(f"There is none: {found['unreachable']}."))
    rows = results.tables["reverse_stress"]
    charts = [holder.place(f"road-{series}", *drawn(results, series)) for series in DRAWN]
    pairs = [side_by_side(*charts[at : at + 2]) for at in range(0, len(charts), 2)]
    return section(
        "reverse_stress", name, finding(sentence(found, rows)), scenarios_table(rows), *pairs,
        stories(results, found), chances_table(found),
    )  # fmt: skip


def sentence(found: dict, rows: pd.DataFrame) -> str:
    """The likeliest scenario and how likely the loss is, in a sentence."""
    first, odds = rows.iloc[0], found["probability"]
    whose, way = "The system" if found["of"] == "system" else found["of"], title(first["switches"])
    return (
        f"{whose} loses {amount(found['target'])} bn most likely so: {way[0].lower()}{way[1:]}, and shocks "
        f"{first['beta']:.1f} standard deviations from their middle. A loss of that much or more has a "
        f"chance of {chance(odds['importance'], odds['importance_se'])}.{broken(found['breaks'])}"
    )


def broken(breaks: list[float]) -> str:
    """When the boom breaks on simulated paths beyond the target, in a sentence."""
    year = max(range(len(breaks)), key=breaks.__getitem__)
    when = "lasts" if year == 0 else f"breaks in {FIRST_YEAR + year - 1}"
    return f" On {share(breaks[year])} of such paths the boom {when}." if breaks[year] > 0.0 else ""


def scenarios_table(rows: pd.DataFrame) -> str:
    """One row a scenario."""
    best = rows["log_likelihood"].iloc[0]
    cells = [
        (
            f"{row['scenario']}. {title(row['switches'])}", pushes(row), f"{row['beta']:.2f}",
            "1" if row["scenario"] == 1 else f"1/{amount(2.718281828 ** (best - row['log_likelihood']))}",
            measured(row["mean"], row["mean_se"]), amount(row["deviation"]), share(row["share"]),
            share(row["share_around"]),
        )
        for _, row in rows.iterrows()
    ]  # fmt: skip
    note = (
        "Each is the likeliest path of its kind: the year in which the boom breaks, and the worst that "
        "follows. Distance: standard deviations of all shocks together from their middle. Likelihood: of the "
        "path, against the first. Mean loss and spread: USD bn, of paths with exactly this economy, on which "
        "chance decides who falls; last, the shares of these and of nearby paths that lose the target."
    )
    head = (
        "Scenario", "Pushed most", "Distance", "Likelihood", "Mean loss", "Spread", "Lose the target",
        "Nearby ones",
    )  # fmt: skip
    return table(head, cells, 2) + paragraph(note, "note")


def pushes(row: pd.Series) -> str:
    """The two factors that are pushed most."""
    sizes = row[[f"push_{name}" for name in FACTOR_WORDS]].astype(float).sort_values(ascending=False)
    return joined([FACTOR_WORDS[key.removeprefix("push_")] for key in sizes.index[:2]])


def drawn(results: Results, series: str):
    """Figure, title and caption of one series: the fan of all paths, and the median of the scenarios."""
    name, unit, log = (timelines.FANS | MORE)[series]
    chart = timelines.fan(results, series, name, unit, log)
    months = results.tables["reverse_stress_months"]
    titles = results.tables["reverse_stress"].set_index("scenario")["switches"]
    for number, colour in enumerate(COLOURS, 1):
        rows = months[(months["scenario"] == number) & (months["series"] == series)]
        if rows.empty:
            continue
        chart.add_scatter(
            x=rows["month"], y=rows["p50"], mode="lines", line={"color": colour, "width": 2.2},
            hovertemplate=f"<b>scenario {number}</b>: {title(titles[number])}<br>"
            "month %{x}: %{y:,.3~g}<extra></extra>",
        )  # fmt: skip
    if series == "rate":
        chart.update_yaxes(tickformat=".0%")
    return chart, name, "red, amber, plum: scenarios 1 to 3."


def stories(results: Results, found: dict) -> str:
    """The first scenario quarter by quarter, and who falls on it; the others folded away."""
    quarters, told = results.tables["reverse_stress_quarters"], []
    for number, lines in enumerate(found["stories"], 1):
        rows = quarters[quarters["scenario"] == number]
        items = "".join(f"<li>{text(line)}</li>" for line in eventful(rows, lines))
        inside = f"<ul>{items}</ul>" + quarters_table(rows) + firms_table(results, number)
        name = title(found["scenarios"][number - 1]["switches"])
        head = f"<summary>{number}. {text(name)}, quarter by quarter</summary>"
        told.append(f"<details{' open' if number == 1 else ''}>{head}{inside}</details>")
    return "".join(told)


def eventful(rows: pd.DataFrame, lines: list[str]) -> list[str]:
    """The lines of the quarters in which the regime turns, or somebody breaches or defaults."""
    turned = rows["regime"] != rows["regime"].shift(fill_value=rows["regime"].iloc[0])
    kept = turned | (rows["breaches"] != "") | (rows["defaults"] != "")
    return [line for line, said in zip(lines, kept, strict=True) if said]


def quarters_table(rows: pd.DataFrame) -> str:
    """Economy and losses, one row a quarter."""
    cells = [
        (
            quarter_name(row.quarter), row.regime, amount(row.revenue), f"{row.price_h100:,.1f}",
            f"{row.rent_h100:.2f}", share(row.rate), f"{row.spread:.2f}", f"{row.supply:.2f}",
            amount(row.exposure), amount(row.loss), amount(row.cumulative_loss),
        )
        for row in rows.itertuples(index=False)
    ]  # fmt: skip
    head = (
        "End of", "Regime", "AI revenue", "H100, k USD", "Rent, USD/h", "Short rate", "Spreads",
        "Credit supply", "Debt", "Lost in it", "Lost so far",
    )  # fmt: skip
    return table(head, cells, 2)


def firms_table(results: Results, number: int, count: int = 10) -> str:
    """The firms that default most often on a scenario."""
    rows = results.tables["reverse_stress_firms"]
    rows = rows[(rows["scenario"] == number) & (rows["defaulted"] > 0.0)].head(count)
    names = results.tables["firms"].set_index("firm")["name"]
    cells = [
        (
            names.get(row.firm, row.firm), CAUSE_WORDS.get(row.cause, row.cause), share(row.defaulted),
            month_name(int(row.default_month)), share(row.cause_share), share(row.breached),
            quarter_name(row.breach_quarter) if row.breach_quarter else "–",
        )
        for row in rows.itertuples(index=False)
    ]  # fmt: skip
    head = (
        "Borrower", "Mostly because", "Defaults on", "Median", "Share of that cause", "Breaches on",
        "Half by",
    )  # fmt: skip
    return table(head, cells, 2)


def chances_table(found: dict) -> str:
    """Three ways to the probability of the loss."""
    odds = found["probability"]
    cells = [
        (name, chance(odds[key], odds[f"{key}_se"]))
        for key, name in (
            ("form", "FORM, summed over regime paths"),
            ("importance", "importance sampling about FORM's points"),
            ("plain", "plain paths of the main job"),
        )
    ]
    note = "± one standard error. That of FORM, an approximation, is only of the regime paths it sums over."
    head = (f"Chance of losing {amount(found['target'])} bn or more", "")
    return table(head, cells) + paragraph(note, "note")
