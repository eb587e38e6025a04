"""The section on calibration: parameters estimated from history, their fit, and the effect on losses."""

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from engine.report import style, words
from engine.report.charts import figure, paired_bars
from engine.report.section import Chart, Pair, Part, Section, Text, finding
from engine.report.table import Cell, Table, amount, measured, number, probability, row, share
from engine.results.folder import Results
from engine.results.horizons import count_words, horizon_years, joined

COLOURS = (style.NAVY, style.RED, style.TEAL, style.AMBER, style.PLUM, style.BLUE)
PARTS = {
    "revenue": ("AI revenue and labs", "USD bn a year"),
    "rents": ("Rents of chips", "USD per GPU-hour"),
}
EFFECTS = {
    "base": "As assumed",
    "economy": "Economy calibrated",
    "chips": "Chips calibrated",
    "both": "Both",
    "all": "Both and default intercepts",
}


def calibration(results: Results) -> Section:
    """Estimates with errors, fit, predictions, intercepts and their effect."""
    rows = results.tables["calibration_effect"].set_index("variant").drop(index="base")
    effect = Chart(
        "calibration-effect", paired_bars(results, rows, EFFECTS, "change", pitch=46),
        "Effect of the calibrated parameters",
        f"{horizon_years(results.last)}, same paths; bars: 95% intervals of the paired difference.",
    )  # fmt: skip
    fits = Pair(tuple(fit_chart(results, part) for part in PARTS))
    hazards = results.tables["calibration_hazards"]
    intercepts: tuple[Part, ...] = () if hazards.empty else (intercepts_table(hazards),)
    parts = (
        finding(identified(results)), estimates_table(results), fits, Text(evidence(results)), *intercepts,
        effect, effect_table(results), unidentified_table(results),
    )  # fmt: skip
    return Section("calibration", "What history says about the parameters", parts)


def identified(results: Results) -> str:
    """How much is identified, and its effect on the tail."""
    fits, effect = (results.tables[name] for name in ("calibration", "calibration_effect"))
    variant = effect.set_index("variant").loc["all"]
    count = count_words(int(fits["identified"].astype(bool).sum()))
    return (
        f"History identifies {count} of {len(fits)} parameters. With all of them, and default intercepts "
        "set to match market prices, ES 99% changes by "
        f"{words.measured(variant['es_99_change'], variant['es_99_change_se'])} {results.short}."
    )


def estimates_table(results: Results) -> Table:
    """Parameters that history identifies."""
    fits = results.tables["calibration"]
    rows = tuple(
        row(
            fit.parameter, fit.why, number(fit.prior), estimate(fit.value, fit.standard_error),
            f"{plain(fit.low)} to {plain(fit.high)}", number(fit.data, "d"),
        )
        for fit in fits[fits["identified"].astype(bool)].itertuples()
    )  # fmt: skip
    text = "± is one standard error. A parameter counts as identified if its 95% band excludes zero."
    head = ("Parameter", "From", "Before", "Estimate", "95% band", "Observations")
    return Table(
        "calibration", "What history identifies", head, rows, text, words=2, brief_columns=(0, 2, 3, 4)
    )


def unidentified_table(results: Results) -> Table:
    """Parameters that history does not identify, and why: they stay as they are."""
    fits = results.tables["calibration"]
    rows = tuple(
        row(
            ", ".join(own["parameter"]), why, ", ".join(plain(value) for value in own["prior"]),
            bound(own.iloc[0]),
        )
        for why, own in fits[~fits["identified"].astype(bool)].groupby("why", sort=False)
    )  # fmt: skip
    return Table(
        "calibration_unidentified", "Not identified, and left as they are",
        ("Parameter", "Why", "Stays at", "95% band"), rows, words=2, brief_columns=(0, 2),
    )  # fmt: skip


def estimate(value: float, error: float) -> Cell:
    """An estimate with its standard error, three and two significant figures."""
    return Cell(f"{value:.3g}", "number", value, f"± {plain(error)}", (error,))


def bound(fit: pd.Series) -> str:
    """The band of a parameter that is not identified: one end where it has only one."""
    low, high = (value if words.known(value) else None for value in (fit.low, fit.high))
    if high is None:
        return "–" if low is None else f"above {plain(low)}"
    return f"{plain(low)} to {plain(high)}" if low is not None else f"below {plain(high)}"


def plain(value: float | None) -> str:
    """Three significant figures."""
    return f"{value:.3g}" if words.known(value) else "–"


def fit_chart(results: Results, part: str) -> Chart:
    """Observations, fitted trend and the bands in which earlier observations had put them."""
    title, unit = PARTS[part]
    series = results.tables["calibration_series"]
    series = series[series["part"] == part]
    predictions = results.tables["calibration_predictions"]
    predictions = predictions[predictions["part"] == part]
    chart = figure(430)
    for colour, (entity, rows) in zip(
        np.resize(COLOURS, 100), series.groupby("entity", sort=True), strict=False
    ):
        draw(chart, colour, rows, predictions[predictions["entity"] == entity], results.about.year)
    ends = np.log10([series["value"].min() / 3.0, series["value"].max() * 3.0]) if len(series) else [0.0, 1.0]
    chart.update_yaxes(type="log", title_text=unit, dtick="D2", range=list(ends))
    chart.update_xaxes(title_text="Year", dtick=1)
    caption = (
        "filled: observed; hollow: interpolated or estimated by judgement, not used; line: fitted trend; "
        "bar: 95% band predicted from all earlier observations."
    )
    return Chart(f"calibration-{part}", chart, title, caption)


def draw(chart: go.Figure, colour: str, rows: pd.DataFrame, predictions: pd.DataFrame, zero: float) -> None:
    """One series; `zero` is the calendar year from which its times count."""
    entity = rows["entity"].iloc[0]
    used = rows[rows["used"].astype(bool)].sort_values("middle")
    other = rows[~rows["used"].astype(bool)]
    chart.add_scatter(
        x=zero + used["middle"], y=used["trend"], mode="lines", line={"color": colour, "width": 1.3},
        showlegend=False, hoverinfo="skip",
    )  # fmt: skip
    looks = ((used, "circle", entity, True), (other, "circle-open", entity, False))
    for part, symbol, name, legend in looks:
        chart.add_scatter(
            x=zero + part["middle"], y=part["value"], mode="markers", name=name, showlegend=legend,
            marker={"color": colour, "size": 8, "symbol": symbol}, text=part["label"],
            hovertemplate="%{text}<br>%{y:,.3g}<extra></extra>",
        )  # fmt: skip
    placed = predictions.merge(used[["label", "middle"]], on="label")
    chart.add_scatter(
        x=zero + placed["middle"], y=placed["p50"], mode="markers", showlegend=False,
        marker={"color": colour, "size": 9, "symbol": "line-ew-open"},
        error_y={
            "array": placed["high"] - placed["p50"], "arrayminus": placed["p50"] - placed["low"],
            "color": colour, "thickness": 1, "width": 4,
        },
        text=placed["label"], hovertemplate="%{text}<br>predicted %{y:,.3g}<extra></extra>",
    )  # fmt: skip


def evidence(results: Results) -> str:
    """Predictions out of sample and coverage on simulated histories, in sentences."""
    summary = results.summary["calibration"]
    predicted = joined(
        [f"{own['inside']} of {own['predictions']} of {part}" for part, own in summary["predictions"].items()]
    )
    recovered = joined(
        [f"{words.share(own['covered'])} for {own['name'].replace('_', ' ')}" for own in summary["recovery"]]
    )
    rises = summary["rises"]
    sentences = [
        f"Out of sample, {predicted} lie inside the 95% bands." if predicted
        else "There is too little history to predict out of sample."
    ]  # fmt: skip
    if recovered:
        sentences.append(
            f"On simulated histories with the same dates, 95% bands contain the true value in {recovered}."
        )
    sentences.append(
        f"Rents rose between {rises['seen']} of {rises['of']} pairs of neighbouring quotes; the fitted model "
        f"expects {words.amount(rises['expected'])}."
    )
    return " ".join(sentences)


def effect_table(results: Results) -> Table:
    """Losses with the calibrated parameters and their paired changes."""
    none = Cell("–", "amount")
    rows = []
    for name, variant in results.tables["calibration_effect"].set_index("variant").iterrows():
        changes = [none, none]
        if name != "base":
            changes = [measured(variant[key], variant[f"{key}_se"]) for key in ("es_99_change", "el_change")]
        rows.append(row(
            EFFECTS[name], amount(variant["es_99"]), changes[0], amount(variant["el"]), changes[1]
        ))  # fmt: skip
    head = ("Parameters", "ES 99%", "Change", "Expected", "Change of expected")
    title = "Losses with the calibrated parameters, same paths"
    return Table("calibration_effect", title, head, tuple(rows), "± is one standard error.", results.unit)


def intercepts_table(hazards: pd.DataFrame) -> Table:
    """Default intercepts at which the engine agrees with market prices."""
    rows = tuple(
        row(
            firm.firm, firm.verdict + (", used" if firm.used else ""), firm.basis,
            number(1e4 * firm.spread, ",.0f"), number(firm.risk_premium, "g"), implied(firm),
            probability(firm.structural, firm.structural_se), share(firm.pd_prior),
            number(1e2 * firm.prior, ".3g", "%"), intercept(firm),
        )
        for firm in hazards.itertuples()
    )  # fmt: skip
    text = (
        f"Default probabilities over {hazards['years'].iloc[0]:g} years under the calibrated economy and "
        "chips; in brackets, over the range of the risk premium (risk-neutral over real-world default "
        "intensity). Structural: without the residual hazard. ± is simulation error."
    )
    head = ("Firm", "Verdict", "Quote", "Spread, bp", "Risk premium", "Implied PD", "Structural PD",
            "PD with the intercept before", "Intercept before", "Intercept")  # fmt: skip
    title = "Default intercepts implied by market prices"
    return Table("calibration_hazards", title, head, rows, text, words=3)


def implied(firm: Any) -> Cell:
    """The default probability that the quote implies, over the range of the risk premium."""
    detail = f"[{words.share(firm.implied_low)}–{words.share(firm.implied_high)}]"
    return Cell(
        words.share(firm.implied), "share", firm.implied, detail, (firm.implied_low, firm.implied_high)
    )


def intercept(firm: Any) -> Cell:
    """The intercept at which simulated and implied default probability agree, where there is one."""
    if firm.verdict != "met":
        return Cell("–", "share")
    error = f"± {1e2 * firm.hazard_se:.1g}%"
    return Cell(f"{1e2 * firm.hazard:.3g}%", "share", firm.hazard, error, (firm.hazard_se,))
