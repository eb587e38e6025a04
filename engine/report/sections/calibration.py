"""The section on calibration: what the history says of the numbers, how well it fits, and what it changes."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from engine.report import style, words
from engine.report.charts import figure, paired_bars
from engine.report.markup import Charts, finding, paragraph, probability, section, side_by_side, table
from engine.report.words import amount, measured, share
from engine.results.folder import Results
from engine.results.horizons import count_words, horizon_years, joined

COLOURS = (style.NAVY, style.RED, style.TEAL, style.AMBER, style.PLUM, style.BLUE)
PARTS = {
    "revenue": ("AI revenue and labs", "USD bn a year"),
    "rents": ("Rents of chips", "USD per GPU-hour"),
}
EFFECTS = {
    "economy": "Economy calibrated",
    "chips": "Chips calibrated",
    "both": "Both",
    "all": "Both and default intercepts",
}


def calibration(results: Results, holder: Charts) -> str:
    """Estimates with errors, fit, predictions, intercepts and their effect; nothing without the task."""
    if "calibration" not in results.tables:
        return ""
    fits = results.tables["calibration"]
    changed = paired_bars(
        results.tables["calibration_effect"].set_index("variant").drop(index="base"), EFFECTS, "change",
        "Change against the run, USD bn", pitch=46,
    )  # fmt: skip
    effect = holder.place(
        "calibration-effect", changed, "What the calibrated numbers change",
        f"{horizon_years(results.last)}, on the same paths; bars: 95% of the paired error.",
    )  # fmt: skip
    return section(
        "calibration", "What the history says of the numbers", finding(headline(results)), estimates(fits),
        side_by_side(*(fit_chart(results, holder, part) for part in PARTS)), evidence(results),
        intercepts(results.tables["calibration_hazards"]), effect, unidentified(fits),
    )  # fmt: skip


def headline(results: Results) -> str:
    """How much is identified, and what it does to the tail."""
    fits, effect = (results.tables[name] for name in ("calibration", "calibration_effect"))
    row = effect.set_index("variant").loc["all"]
    count = count_words(int(fits["identified"].astype(bool).sum()))
    return (
        f"The history identifies {count} of {len(fits)} numbers. With all of it, and default intercepts at "
        f"what markets imply, ES 99% moves by {measured(row['es_99_change'], row['es_99_change_se'])} bn."
    )


def estimates(fits: pd.DataFrame) -> str:
    """What was identified."""
    rows = fits[fits["identified"].astype(bool)]
    cells = [
        (row.parameter, row.why, figure_of(row.prior),
         f"{figure_of(row.value)} ± {figure_of(row.standard_error)}",
         f"{figure_of(row.low)} to {figure_of(row.high)}", str(row.data))
        for row in rows.itertuples()
    ]  # fmt: skip
    note = "± one standard error. A number counts as identified if its 95% band leaves out zero."
    head = ("Number", "From", "Before", "Estimate", "95% band", "Observations")
    return table(head, cells, 2) + paragraph(note, "note")


def unidentified(fits: pd.DataFrame) -> str:
    """What was not, and why: it stays as it was."""
    rows = fits[~fits["identified"].astype(bool)]
    cells = [
        (
            ", ".join(own["parameter"]), why, ", ".join(figure_of(value) for value in own["prior"]),
            bounds(own.iloc[0]),
        )
        for why, own in rows.groupby("why", sort=False)
    ]  # fmt: skip
    return paragraph("Not identified, and so left as it was:") + table(
        ("Number", "Why", "Stays at", "95% band"), cells, 2
    )


def bounds(row) -> str:
    """The band of a number that is not identified: a bound where there is one."""
    low, high = (value if words.known(value) else None for value in (row.low, row.high))
    if high is None:
        return "–" if low is None else f"above {figure_of(low)}"
    return f"{figure_of(low)} to {figure_of(high)}" if low is not None else f"below {figure_of(high)}"


def figure_of(value) -> str:
    """Three significant figures."""
    return f"{value:.3g}" if words.known(value) else "–"


def fit_chart(results: Results, holder: Charts, part: str) -> str:
    """Observations, fitted trend and the bands in which earlier observations had put them."""
    title, unit = PARTS[part]
    series = results.tables["calibration_series"]
    series = series[series["part"] == part]
    made = results.tables["calibration_predictions"]
    made = made[made["part"] == part]
    chart = figure(430)
    for colour, (entity, rows) in zip(
        np.resize(COLOURS, 100), series.groupby("entity", sort=True), strict=False
    ):
        draw(chart, colour, entity, rows, made[made["entity"] == entity])
    ends = np.log10([series["value"].min() / 3.0, series["value"].max() * 3.0]) if len(series) else [0.0, 1.0]
    chart.update_yaxes(type="log", title_text=unit, dtick="D2", range=list(ends))
    chart.update_xaxes(title_text="Year", dtick=1)
    caption = (
        "filled: observed; hollow: interpolated or judged, not used; line: fitted trend; bar: 95% band "
        "predicted from all earlier observations."
    )
    return holder.place(f"calibration-{part}", chart, title, caption)


def draw(chart: go.Figure, colour: str, entity: str, rows: pd.DataFrame, made: pd.DataFrame) -> None:
    """One series."""
    used = rows[rows["used"].astype(bool)].sort_values("middle")
    other = rows[~rows["used"].astype(bool)]
    chart.add_scatter(
        x=2026.0 + used["middle"], y=used["trend"], mode="lines", line={"color": colour, "width": 1.3},
        showlegend=False, hoverinfo="skip",
    )  # fmt: skip
    looks = ((used, "circle", entity, True), (other, "circle-open", entity, False))
    for part, symbol, name, legend in looks:
        chart.add_scatter(
            x=2026.0 + part["middle"], y=part["value"], mode="markers", name=name, showlegend=legend,
            marker={"color": colour, "size": 8, "symbol": symbol}, text=part["label"],
            hovertemplate="%{text}<br>%{y:,.3g}<extra></extra>",
        )  # fmt: skip
    placed = made.merge(used[["label", "middle"]], on="label")
    chart.add_scatter(
        x=2026.0 + placed["middle"], y=placed["p50"], mode="markers", showlegend=False,
        marker={"color": colour, "size": 9, "symbol": "line-ew-open"},
        error_y={
            "array": placed["high"] - placed["p50"], "arrayminus": placed["p50"] - placed["low"],
            "color": colour, "thickness": 1, "width": 4,
        },
        text=placed["label"], hovertemplate="%{text}<br>predicted %{y:,.3g}<extra></extra>",
    )  # fmt: skip


def evidence(results: Results) -> str:
    """Predictions and recovered truths, in sentences."""
    told = results.summary["calibration"]
    predicted = joined(
        [f"{own['inside']} of {own['predictions']} of {part}" for part, own in told["predictions"].items()]
    )
    recovered = joined(
        [f"{share(row['covered'])} for {row['name'].replace('_', ' ')}" for row in told["recovery"]]
    )
    rises = told["rises"]
    said = (
        (
            f"Out of sample, {predicted} lie inside the 95% bands. "
            if predicted
            else "Nothing could be predicted. "
        )
        + (
            f"Simulated histories of the same dates: 95% bands hold the truth in {recovered}. "
            if recovered
            else ""
        )
        + f"Rents rose between {rises['seen']} of {rises['of']} pairs of neighbouring quotes; the fit "
        f"expects {amount(rises['expected'])}."
    )
    return paragraph(said)


def intercepts(rows: pd.DataFrame) -> str:
    """Default intercepts at which the engine agrees with markets."""
    if rows.empty:
        return ""
    cells = [
        (
            row.firm, row.verdict + (", used" if row.used else ""), row.basis, f"{1e4 * row.spread:,.0f}",
            f"{row.risk_premium:g}",
            f"{share(row.implied)} [{share(row.implied_low)}–{share(row.implied_high)}]",
            probability(row.structural, row.structural_se), share(row.pd_prior), f"{1e2 * row.prior:.3g}%",
            f"{1e2 * row.hazard:.3g}% ± {1e2 * row.hazard_se:.1g}%" if row.verdict == "met" else "–",
        )
        for row in rows.itertuples()
    ]  # fmt: skip
    note = (
        f"Default probabilities over {rows['years'].iloc[0]:g} years, under the calibrated economy and "
        "chips; in brackets, over the range of the risk premium (risk-neutral over real-world intensity). "
        "Structure alone: without the residual hazard. ± simulation error."
    )
    head = ("Firm", "Verdict", "Quote", "bp", "Premium", "Implied", "Structure alone",
            "With the intercept before", "Intercept before", "Intercept")  # fmt: skip
    return table(head, cells, 3) + paragraph(note, "note")
