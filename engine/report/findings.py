"""One-line findings: sentences computed from the numbers, none written by hand."""

import math

from engine.report import words
from engine.report.words import amount, class_name, error, share
from engine.results.folder import Results
from engine.results.horizons import horizon_words, horizon_years
from engine.vocabulary import UNBROKEN


def years(results: Results) -> str:
    """The last horizon in words."""
    return horizon_words(results.last)


def headline(results: Results) -> str:
    """The report in a sentence."""
    loss = results.system(results.last)
    return (
        f"In the worst 1% of futures, those who lend to the AI build-out lose {amount(loss['es_99'])} "
        f"± {error(loss['es_99_se'], loss['es_99'])} billion dollars within {years(results)}."
    )


def lead(results: Results) -> str:
    """What the headline is measured against."""
    loss = results.system(results.last)
    parts = [
        "That is the expected shortfall at 99%, the mean loss of the worst 1% of "
        f"{results.summary['paths']:,} simulated paths, with its standard error.",
        f"Over all paths the loss is {amount(loss['el'])} bn on average; one path in a hundred loses more "
        f"than {amount(loss['var_99'])} bn.",
    ]
    ratio = words.ratio(loss["es_99"], loss.get("exposure"))
    if ratio is not None:
        parts.append(
            f"{amount(loss['exposure'])} bn is drawn today, and the book grows: the tail loss is "
            f"{share(ratio)} of today's debt{grown(loss)}."
        )
    return " ".join(parts)


def grown(loss: dict) -> str:
    """The same against the debt at the horizon."""
    ratio = words.ratio(loss["es_99"], loss.get("exposure_then"))
    return f", {share(ratio)} of what is outstanding by then on the median path" if ratio is not None else ""


def loss(results: Results) -> str:
    """How much: the tail against the mean, and old against new debt."""
    system = results.system(results.last)
    sentence = (
        f"One path in a hundred loses more than {amount(system['var_99'])} bn (95% interval "
        f"{amount(system['var_99_lo'])}–{amount(system['var_99_hi'])}) in {years(results)}"
    )
    multiple = words.ratio(system["es_99"], system["el"])
    if multiple is not None:
        sentence += f"; the tail beyond it averages {multiple:.1f} times the expected loss"
    parts = results.tail("book", results.last).set_index("id")["tail_share"]
    if "new_money" in parts.index:
        sentence += f", and {share(parts['new_money'])} of it is on debt not yet lent today"
    return sentence + "."


def lenders(results: Results) -> str:
    """Who: the greatest tail loss, and the lender most strained while the book is still today's."""
    first = results.ranked("lender", results.last, "es_99").iloc[0]
    sentence = (
        f"The greatest tail loss is that of {first['name']}: {amount(first['es_99'])} "
        f"± {error(first['es_99_se'], first['es_99'])} bn in its own worst 1% of paths"
    )
    early = results.losses("lender", results.horizons[0])
    strain = (early["es_99"] / early["capital"]).dropna()
    if strain.empty:
        return sentence + "."
    most = early.loc[strain.idxmax()]
    return (
        f"{sentence}; against capital the most strained within {horizon_words(results.horizons[0])} is "
        f"{most['name']}, whose tail loss is {share(strain.max())} of its own."
    )


def bearers(results: Results) -> str:
    """Who bears it in the end."""
    rows = results.tail("bearer", results.last).sort_values("tail_mean", ascending=False)
    total = rows["tail_mean"].sum()
    if len(rows) < 2 or total <= 0:
        return "Final losses are not split by bearer."
    one, two = rows.iloc[0], rows.iloc[1]
    return (
        f"Looking through all lenders, {one['name'][0].lower()}{one['name'][1:]} bear "
        f"{share(one['tail_mean'] / total)} of the loss in the worst paths and "
        f"{two['name'][0].lower()}{two['name'][1:]} {share(two['tail_mean'] / total)}."
    )


def composition(results: Results) -> str:
    """Through which door: the class that makes the tail."""
    rows = results.tail("class", results.last).sort_values("tail_share", ascending=False)
    first = rows.iloc[0]
    pair = rows.head(2)
    sentence = f"{class_name(first['id'])} makes {share(first['tail_share'])} of the tail"
    if words.known(first["exposure_share"]):
        sentence += f" with {share(first['exposure_share'])} of today's debt"
    second = class_name(pair.iloc[1]["id"]) if len(pair) > 1 else ""
    return sentence + (f"; with {second} it is {share(pair['tail_share'].sum())}." if second else ".")


def timing(results: Results) -> str:
    """How fast: expected defaults and the leading cause."""
    defaults, causes = results.tables["defaults"], results.tables["causes"]
    total = float(defaults["expected"].sum())
    if total <= 0:
        return "No borrower defaults in this run."
    by_month = defaults.groupby("month")["expected"].sum().sort_index().cumsum()
    half = int(by_month.index[(by_month >= 0.5 * total).argmax()])
    by_cause = causes.groupby("cause")["expected"].sum().sort_values(ascending=False)
    everyone = (
        "borrowers, named and unnamed," if (defaults["kind"] == "synthetic").any() else "named borrowers"
    )
    return (
        f"{total:.1f} {everyone} default in {years(results)} on average, half of them by month {half}; the "
        f"commonest cause is {CAUSES.get(by_cause.index[0], by_cause.index[0])} "
        f"({share(by_cause.iloc[0] / by_cause.sum())})."
    )


def boom_breaks(results: Results) -> str:
    """When the boom has to break for the loss to be greatest, and how much of the tail that is."""
    rows = results.tables["boom_breaks"]
    broken = rows[rows["quarter"] != UNBROKEN].dropna(subset=["el"])
    if broken.empty:
        return "The boom breaks in none of the paths."
    year = (broken["quarter"].astype(int) - 1) // 4 + 1
    yearly = (
        broken.assign(year=year, weighted=broken["el"] * broken["share"])
        .groupby("year")[["share", "tail_share", "weighted"]]
        .sum()
    )
    mean, worst = yearly["weighted"] / yearly["share"], yearly["tail_share"].idxmax()
    return (
        f"Breaks in year {mean.idxmax()} cost most on average, {amount(mean.max())} bn, and breaks in "
        f"year {mean.idxmin()} least, {amount(mean.min())} bn. Of the worst 1% of all paths "
        f"{share(yearly['tail_share'].max())} break in year {worst}. A late break meets more debt, but "
        "leaves it less time to fail before the run ends."
    )


CAUSES = {
    "foreclosure": "foreclosure on chips",
    "liquidity": "cash that runs out",
    "non_payment": "contracts that are not paid",
    "balance_sheet": "debt above the value of assets",
    "hazard": "the residual hazard, without a structural trigger",
    "exchange": "distressed exchange",
    "group": "default of the parent",
}


def economy(results: Results) -> str:
    """What the world does in the run."""
    revenue, price = results.fan("revenue"), results.fan("price_h100")
    end, start, final = revenue.iloc[-1], price.iloc[0], price.iloc[-1]
    return (
        f"AI revenue ends between {amount(end['p05'])} and {amount(end['p95'])} bn a year (5–95%, median "
        f"{amount(end['p50'])}); an H100 worth {amount(start['p50'])} thousand dollars in the first month "
        f"sells for {amount(final['p50'])} thousand at the end of the median path."
    )


def trust(results: Results) -> str:
    """How much of it rests on assumptions."""
    rows = results.tables["grades"].set_index(["what", "grade"])["share"]
    what = f"ES 99%, {horizon_years(results.last)}"
    model = rows.get(("model parameters", "C"), math.nan)
    return (
        f"{share(rows.get((what, 'C'), math.nan))} of the tail loss sits on loans whose terms are modelling "
        f"assumptions (grade C), and so are {share(model)} of the model's parameters."
    )


def probabilities(results: Results) -> str:
    """How the run's default probabilities lie against the market's."""
    rows = results.tables["plausibility_pd"].dropna(subset=["ratio"])
    rows = rows[rows["ratio"] > 0]
    if rows.empty:
        return "No borrower of this book has a rating or a CDS to compare with."
    near = int(rows["ratio"].between(1 / 3, 3).sum())
    far = rows.loc[rows["ratio"].map(math.log).abs().idxmax()]
    return (
        f"{near} of {len(rows)} borrowers with a rating or CDS lie within a factor of three of it; furthest "
        f"off is {far['name']}, {share(far['pd_1y'])} in the run against {share(far['implied_pd_1y'])}."
    )
