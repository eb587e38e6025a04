"""One-line findings: sentences computed from the numbers, none written by hand."""

import math
from typing import Any

import pandas as pd

from engine.report import words
from engine.report.words import amount, error, share, upper_first
from engine.results.folder import Results
from engine.results.horizons import count_words, horizon_words, horizon_years
from engine.vocabulary import UNBROKEN, price_of

CAUSES = {
    "foreclosure": "foreclosure on chips",
    "liquidity": "running out of cash",
    "non_payment": "unpaid contracts",
    "balance_sheet": "debt above the value of assets",
    "hazard": "the residual hazard, without a structural trigger",
    "exchange": "a distressed exchange",
    "group": "default of the parent",
}


def headline(results: Results) -> str:
    """The report in a sentence."""
    loss = results.system(results.last)
    return (
        f"In the worst 1% of simulated futures, {who_lends(results)} "
        f"{amount(loss['es_99'])} ± {error(loss['es_99_se'], loss['es_99'])} {results.unit_word} dollars "
        f"within {horizon_words(results.last)}."
    )


def who_lends(results: Results) -> str:
    """Those who lose, and the verb: a book of one lender speaks of it."""
    lenders = results.losses("lender", results.last)
    return "the only lender of this book loses" if len(lenders) == 1 else "the lenders of this book lose"


def lead(results: Results) -> str:
    """Definition of the headline number, and its scale."""
    loss, unit = results.system(results.last), results.short
    sentences = [
        "This is the expected shortfall at 99%: the mean loss over the worst 1% of "
        f"{results.summary['paths']:,} simulated paths, with its standard error.",
        f"Over all paths the loss is {amount(loss['el'])} {unit} on average; one path in a hundred loses "
        f"more than {amount(loss['var_99'])} {unit}.",
    ]
    ratio = words.ratio(loss["es_99"], loss.get("exposure"))
    if ratio is not None:
        sentences.append(of_debt(loss, ratio, results.short))
    return " ".join([*sentences, *caveat(results)])


def caveat(results: Results) -> list[str]:
    """What ± leaves out, in a sentence: assumed terms, and defaults that nothing in the model explains."""
    if not {"grades", "causes"} <= set(results.tables):
        return []
    assumed, causes = of_grade_c(results, last_tail(results)), by_cause(results)
    parts = []
    if words.known(assumed):
        parts.append(f"{share(assumed)} of the tail loss is on loans whose terms are assumptions (grade C)")
    if causes.sum() > 0.0:
        residual = causes.get("hazard", 0.0) / causes.sum()
        parts.append(f"{share(residual)} of expected defaults have no structural trigger")
    return [f"± is simulation error alone: {', and '.join(parts)}."] if parts else []


def by_cause(results: Results) -> pd.Series:
    """Expected defaults by cause, all kinds of borrowers together."""
    return results.tables["causes"].groupby("cause")["expected"].sum()


def last_tail(results: Results) -> str:
    """The tail at the last horizon, as the table of grades calls it."""
    return f"ES 99%, {horizon_years(results.last)}"


def of_grade_c(results: Results, what: str) -> float:
    """Share of a row of the table of grades that rests on assumptions (grade C); NaN where there is none."""
    shares = results.tables["grades"].set_index(["what", "grade"])["share"]
    return float(shares.get((what, "C"), math.nan))


def of_debt(loss: dict[str, Any], ratio: float, unit: str) -> str:
    """The tail loss as a share of today's debt and of that at the horizon, where it is known."""
    then = words.ratio(loss["es_99"], loss.get("exposure_then"))
    if then is None:
        return (
            f"Debt drawn today is {amount(loss['exposure'])} {unit}: the tail loss is {share(ratio)} of it."
        )
    other = "more than the other" if then > 1.0 else f"{share(then)} of the other"
    return (
        f"Debt drawn today is {amount(loss['exposure'])} {unit}, and outstanding at the horizon "
        f"{amount(loss['exposure_then'])} {unit} on the median path: the tail loss is {share(ratio)} of "
        f"the one and {other}."
    )


def loss(results: Results) -> str:
    """How much: the tail against the mean, and old against new debt."""
    system, unit = results.system(results.last), results.short
    sentence = (
        f"One path in a hundred loses more than {amount(system['var_99'])} {unit} (95% interval "
        f"{amount(system['var_99_lo'])}–{amount(system['var_99_hi'])} {unit}) in "
        f"{horizon_words(results.last)}"
    )
    multiple = words.ratio(system["es_99"], system["el"])
    if multiple is not None:
        sentence += f"; the loss beyond it averages {multiple:.1f} times the expected loss"
    parts = results.tail("book", results.last).set_index("id")["tail_share"]
    if "new_money" in parts.index:
        sentence += f", and {share(parts['new_money'])} of it is on debt that has yet to be lent"
    return sentence + "."


def lenders(results: Results) -> str:
    """Lenders: the greatest tail loss, and the most strained lender at the first horizon."""
    first = results.ranked("lender", results.last, "es_99").iloc[0]
    sentence = (
        f"The lender with the largest tail loss is {first['name']}: {amount(first['es_99'])} "
        f"± {error(first['es_99_se'], first['es_99'])} {results.short} over its own worst 1% of paths."
    )
    early = results.losses("lender", results.horizons[0])
    strain = (early["es_99"] / early["capital"]).dropna()
    if strain.empty:
        return sentence
    most = early.loc[strain.idxmax()]
    return (
        f"{sentence} The most strained relative to capital within {horizon_words(results.horizons[0])} is "
        f"{most['name']}: its tail loss is {share(strain.max())} of its capital."
    )


def bearers(results: Results) -> str:
    """Final bearers."""
    rows = results.tail("bearer", results.last).sort_values("tail_mean", ascending=False)
    total = rows["tail_mean"].sum()
    if rows.empty or total <= 0:
        return "Losses are not split by final bearer."
    if len(rows) < 2:
        return f"The book has one group of final bearers, {rows.iloc[0]['name']}."
    one, two = rows.iloc[0], rows.iloc[1]
    return (
        "Looking through all lenders, the loss on the worst paths falls on these groups most: "
        f"{one['name']} ({share(one['tail_mean'] / total)}), "
        f"{two['name']} ({share(two['tail_mean'] / total)})."
    )


def composition(results: Results) -> str:
    """Which instrument classes make the tail."""
    rows = results.tail("class", results.last).sort_values("tail_share", ascending=False)
    first, pair = rows.iloc[0], rows.head(2)
    sentence = f"{results.about.class_name(first['id'])}: {share(first['tail_share'])} of the tail loss"
    if words.known(first["exposure_share"]):
        sentence += f" on {share(first['exposure_share'])} of today's debt"
    if len(pair) < 2:
        return sentence + "."
    second = results.about.class_name(pair.iloc[1]["id"])
    return f"{sentence}. Together with {second}: {share(pair['tail_share'].sum())}."


def timing(results: Results) -> str:
    """How fast: expected defaults and the leading cause."""
    defaults = results.tables["defaults"]
    total = float(defaults["expected"].sum())
    if total <= 0:
        return "No borrower defaults in this run."
    by_month = defaults.groupby("month")["expected"].sum().sort_index().cumsum()
    half = int(by_month.index[(by_month >= 0.5 * total).argmax()])
    causes = by_cause(results).sort_values(ascending=False)
    count = f"{total:.1f}" if total >= 0.1 else f"{total:.2g}"
    borrowers = (
        "borrowers, named and unnamed," if (defaults["kind"] == "synthetic").any() else "named borrowers"
    )
    return (
        f"On average {count} {borrowers} default in {horizon_words(results.last)}, half of them by month "
        f"{half}; the most common cause is {CAUSES.get(causes.index[0], causes.index[0])} "
        f"({share(causes.iloc[0] / causes.sum())})."
    )


def boom_breaks(results: Results) -> str:
    """When the boom has to break for the loss to be greatest, and how much of the tail that is."""
    rows = results.tables["boom_breaks"]
    breaks = rows[rows["quarter"] != UNBROKEN].dropna(subset=["el"])
    if breaks.empty:
        return "The boom does not break on any path."
    year = (breaks["quarter"].astype(int) - 1) // 4 + 1
    yearly = (
        breaks.assign(year=year, weighted=breaks["el"] * breaks["share"])
        .groupby("year")[["share", "tail_share", "weighted"]]
        .sum()
    )
    mean, worst = yearly["weighted"] / yearly["share"], yearly["tail_share"].idxmax()
    sentence = (
        f"The average loss is largest, {amount(mean.max())} {results.short}, if the boom breaks in year "
        f"{mean.idxmax()}"
    )
    if len(mean) > 1:
        sentence += (
            f", and smallest, {amount(mean.min())} {results.short}, if it breaks in year {mean.idxmin()}"
        )
    return (
        f"{sentence}. On {share(yearly['tail_share'].max())} of the worst 1% of all paths it breaks in year "
        f"{worst}. A late break meets more debt, but leaves less time for defaults before the run ends."
    )


def economy(results: Results) -> str:
    """AI revenue at the end, and the price of the first benchmark chip at both ends."""
    chip = results.about.benchmarks[0]
    revenue, price = results.fan("revenue"), results.fan(price_of(chip))
    end, start, final = revenue.iloc[-1], price.iloc[0], price.iloc[-1]
    return (
        f"AI revenue ends between {amount(end['p05'])} and {amount(end['p95'])} bn a year (5–95%; median "
        f"{amount(end['p50'])} bn). On the median path the {chip} resale price goes from "
        f"{amount(start['p50'])} thousand dollars in the first month to {amount(final['p50'])} thousand at "
        "the end."
    )


def trust(results: Results) -> str:
    """How much of it rests on assumptions."""
    tail = last_tail(results)
    loans, every, parameters = (
        of_grade_c(results, what) for what in (tail, f"{tail}, weakest row", "model parameters")
    )
    behind = (
        f"; counting borrowers, chips, contracts and pools as well, {share(every)} rests on at least one"
        if words.known(every)
        else ""
    )
    return (
        f"{share(loans)} of the tail loss is on loans whose terms are modelling assumptions (grade C)"
        f"{behind}. "
        f"So are {share(parameters)} of the model's parameters."
    )


def never(count: int) -> str:
    """Rated borrowers that default on no path within a year, in a sentence; none where there are none."""
    if not count:
        return ""
    return f" {upper_first(count_words(count))} of them {'default' if count > 1 else 'defaults'} on no path."


def probabilities(results: Results) -> str:
    """How the run's default probabilities compare with the market's."""
    every = results.tables["plausibility_pd"].dropna(subset=["ratio"])
    if every.empty:
        return "No borrower of this book has a rating or a CDS to compare with."
    rows = every[every["ratio"] > 0]
    if rows.empty:
        return f"None of {len(every)} borrowers with a rating or CDS defaults within a year on any path."
    near = int(rows["ratio"].between(1 / 3, 3).sum())
    far = rows.loc[rows["ratio"].map(math.log).abs().idxmax()]
    return (
        f"For {near} of {len(every)} borrowers with a rating or CDS, the run's one-year default probability "
        f"is within a factor of three of the implied one. The largest difference is {far['name']}: "
        f"{share(far['pd_1y'])} in the run, {share(far['implied_pd_1y'])} implied."
        f"{never(len(every) - len(rows))}"
    )
