"""The table a person reads in the terminal when a run ends; standard library only, 100 columns, no colour."""

import sys
import textwrap
from typing import Any

from engine.report import words
from engine.report.search_words import headline, result_words
from engine.report.stress_words import title as title_of
from engine.results.horizons import horizon_months, horizon_years
from engine.results.reverse_stress import chance as chance_of

WIDTH = 100
TOP = 8
GREEKS = 20


def print_summary(summary: dict[str, Any], file=None) -> None:
    """Prints the summary of a run: system by horizon, worst lenders, weakest borrowers, time, warnings.

    `file` is a text stream, standard output by default.
    """
    file = sys.stdout if file is None else file
    text = "\n".join(summary_lines(summary)) + "\n"
    encoding = getattr(file, "encoding", None) or "utf-8"
    if not encodable(text, encoding):
        for fancy, simple in (("±", "+-"), ("–", "-"), ("·", "|"), ("─", "-"), ("…", "~")):
            text = text.replace(fancy, simple)
        text = text.encode(encoding, "replace").decode(encoding)
    file.write(text)


def encodable(text: str, encoding: str) -> bool:
    """Whether the file can say these characters."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def summary_lines(summary: dict[str, Any]) -> list[str]:
    """The lines of the summary, none longer than WIDTH."""
    horizons = sorted(summary["system"], key=horizon_months)
    last = horizons[-1]
    lines = [title(summary), "", "System loss, USD bn (± standard error, [95% interval])"]
    lines += system_table(summary, horizons)
    lines += policy_table(summary) + attribution_table(summary) + greeks_table(summary)
    lines += stress_lines(summary)
    lines += search_lines(summary)
    lines += calibration_table(summary)
    if "network" in summary:
        lines += ["", *network_table(summary, last)]
    lines += [
        "",
        *beside(lenders_table(summary, last), firms_table(summary, last)),
        "",
        *timing_lines(summary),
    ]
    for warning in summary.get("warnings", []):
        lines += textwrap.wrap(f"! {warning}", WIDTH, subsequent_indent="  ")
    return [clip(line.rstrip(), WIDTH) for line in lines]


def title(summary: dict[str, Any]) -> str:
    """What was run."""
    run = [f"{summary['paths']:,} paths", f"seed {summary['seed']}", summary["sampler"]["name"]]
    book = summary.get("book", "")
    return " · ".join(["Undertow", *([book] if book else []), *run, summary["status"]])


def system_table(summary: dict[str, Any], horizons: list[str]) -> list[str]:
    """One row a horizon."""
    rows = [("", "expected", "VaR 95%", "VaR 99%", "ES 99%", "VaR 99.9%", "ES 99%/exposure")]
    for horizon in horizons:
        loss = summary["system"][horizon]
        rows.append(
            (
                horizon_years(horizon),
                words.measured(loss["el"], loss["el_se"]),
                words.amount(loss["var_95"]),
                between(loss["var_99"], loss["var_99_lo"], loss["var_99_hi"]),
                words.measured(loss["es_99"], loss["es_99_se"]),
                words.amount(loss["var_99_9"]),
                words.share(words.ratio(loss["es_99"], loss.get("exposure"))),
            )
        )
    return grid(rows, "<>>>>>>", (9, 15, 9, 20, 15, 10, 16))


def lenders_table(summary: dict[str, Any], horizon: str) -> list[str]:
    """The lenders with the greatest ES 99%."""
    rows = [(key, values[horizon]) for key, values in summary["lenders"].items() if horizon in values]
    rows.sort(key=lambda row: -(row[1]["es_99"] or 0.0))
    cells = [("lender", "expected", "ES 99%")]
    cells += [
        (key, words.amount(loss["el"]), words.measured(loss["es_99"], loss["es_99_se"]))
        for key, loss in rows[:TOP]
    ]
    return [f"Lenders by ES 99%, {horizon_years(horizon)}, USD bn", *grid(cells, "<>>", (22, 9, 15))]


def firms_table(summary: dict[str, Any], horizon: str) -> list[str]:
    """The named borrowers with the greatest default probability at the horizon."""
    key = f"pd_{horizon}"
    rows = [(name, firm) for name, firm in summary["firms"].items() if words.known(firm.get(key))]
    rows.sort(key=lambda row: -row[1][key])
    cells = [("borrower", "PD 1 year", f"PD {horizon_years(horizon)}")]
    cells += [(name, words.share(firm.get("pd_1y")), words.share(firm[key])) for name, firm in rows[:TOP]]
    return [
        f"Borrowers by default probability, {horizon_years(horizon)}",
        *grid(cells, "<>>", (22, 10, 13)),
    ]


def policy_table(summary: dict[str, Any]) -> list[str]:
    """One row a lever where the run compared levers of policy."""
    if "policy" not in summary:
        return []
    rows = [("", "ES 99%", "change", "expected", "change", "public", "forgone")]
    for name, row in summary["policy"].items():
        changed = [words.measured(row[key], row[f"{key}_se"]) for key in ("es_99_change", "el_change")]
        es_99, expected = (words.amount(row[key]) for key in ("es_99", "el"))
        costs = [words.amount(row[key]) if row[key] > 0.0 else "-" for key in ("public", "forgone")]
        change = changed if name != "base" else ["", ""]
        rows.append((words.VARIANT_NAMES[name], es_99, change[0], expected, change[1], *costs))
    title = "Levers of policy on the same paths, USD bn (public money spent, lending forgone)"
    return ["", title, *grid(rows, "<>>>>>>", (21, 8, 16, 10, 16, 10, 10))]


def attribution_table(summary: dict[str, Any]) -> list[str]:
    """One row a mechanism where the run switched them off one by one."""
    if "attribution" not in summary:
        return []
    rows = [("", "ES 99%", "adds", "ratio", "expected adds", "ratio")]
    for name, row in summary["attribution"].items():
        if name == "base":
            continue
        cells = [words.measured(row[key], row[f"{key}_se"]) for key in ("es_99_added", "el_added")]
        tail, mean = (words.multiple(row[key]) for key in ("es_99_ratio", "el_ratio"))
        named = (words.MECHANISM_NAMES[name], words.amount(row["es_99"]))
        rows.append((*named, cells[0], tail, cells[1], mean))
    title = "What each mechanism adds: losses with all against those with it off, same paths, USD bn"
    return ["", title, *grid(rows, "<>>>>>", (39, 8, 15, 8, 15, 8))]


def greeks_table(summary: dict[str, Any]) -> list[str]:
    """The numbers with the greatest effects where the run moved them."""
    if "greeks" not in summary:
        return []
    greeks = summary["greeks"]
    level = words.share(greeks["level"])
    rows = [("", "value", f"ES {level}", "expected", "moved alone", "low to high")]
    for name, row in list(greeks["numbers"].items())[:GREEKS]:
        found = [
            words.measured(row[key], row[f"{key}_se"]) if words.known(row[key]) else ""
            for key in ("es", "el", "bump", "range")
        ]
        rows.append((name, f"{row['value']:.4g}", *found))
    lines = ["What the tail hangs on: change when a number rises by a tenth of its size, USD bn"]
    lines += grid(rows, "<>>>>>", (36, 7, 13, 13, 13, 13))
    told = f"{greeks['told']} of {len(greeks['numbers'])} numbers can be told from zero; "
    checks = f"{greeks['checked']} checks, p = {greeks['agreement_p']:.2g} that they agree"
    return ["", *lines, told + checks]


def calibration_table(summary: dict[str, Any]) -> list[str]:
    """One row a number that the history identifies, then what the calibrated numbers do to the losses."""
    if "calibration" not in summary:
        return []
    told = summary["calibration"]
    rows = [("", "before", "estimate", "95% band")]
    rows += [
        (name, f"{fit['prior']:.3g}", f"{fit['value']:.3g} ± {fit['standard_error']:.2g}",
         f"{fit['low']:.3g} to {fit['high']:.3g}")
        for name, fit in told["parameters"].items() if fit["identified"]
    ]  # fmt: skip
    lines = ["", "What the history identifies", *grid(rows, "<>>>", (32, 8, 17, 17))]
    lines += textwrap.wrap("not identified: " + ", ".join(told["not_identified"]), WIDTH)
    rows = [("", "ES 99%", "change", "expected", "change")]
    for name, row in told["effect"].items():
        changed = [words.measured(row[key], row[f"{key}_se"]) for key in ("es_99_change", "el_change")]
        changed = changed if name != "base" else ["", ""]
        rows.append((name, words.amount(row["es_99"]), changed[0], words.amount(row["el"]), changed[1]))
    return [
        *lines,
        "",
        "Losses with what was calibrated, same paths",
        *grid(rows, "<>>>>", (12, 8, 16, 10, 16)),
    ]


def network_table(summary: dict[str, Any], horizon: str) -> list[str]:
    """ES 99% over the networks, of the system and of the lenders with the greatest."""
    network = summary["network"]
    rows = [("whole system", network["system"]["es_99"])]
    rows += sorted(
        ((name, measures["es_99"]) for name, measures in network["lenders"].items()),
        key=lambda row: -row[1]["value"],
    )[:TOP]
    cells = [("", "ES 99%", "5% of networks", "95% of networks", "network's share of its tail")]
    cells += [
        (
            name,
            *(words.measured(row[key], row[key + "_se"]) for key in ("value", "low", "high")),
            f"{words.share(row['network_share'])} ± {words.share(row['network_share_se'])}",
        )
        for name, row in rows
    ]
    title = f"ES 99% over {network['networks']} networks, {horizon_years(horizon)}, USD bn"
    return [title, *grid(cells, "<>>>>", (20, 16, 16, 16, 27))]


def stress_lines(summary: dict[str, Any]) -> list[str]:
    """The scenarios of a reverse stress, the chance of its loss, and the first one quarter by quarter."""
    found = summary.get("reverse_stress")
    if found is None or "unreachable" in found:
        return []
    rows = [("", "distance", "mean loss", "lose it")]
    rows += [
        (f"{row['scenario']}. {title_of(row['switches'])}", f"{row['beta']:.2f}",
         words.measured(row["mean"], row["mean_se"]), words.share(row["share"]))
        for row in found["scenarios"]
    ]  # fmt: skip
    chance = found["probability"]
    said = ", ".join(
        f"{name} {chance_of(chance[key], chance[f'{key}_se'])}"
        for key, name in (("form", "FORM"), ("importance", "importance sampling"), ("plain", "plain paths"))
    )
    story = [textwrap.wrap(line, WIDTH, subsequent_indent="  ") for line in found["stories"][0]]
    head = f"Likeliest roads to {words.amount(found['target'])} bn ({found['of']}), distance in deviations"
    return [
        "", head, *grid(rows, "<>>>", (58, 9, 16, 9)), f"Chance of it: {said}",
        "", "The first by quarter; losses in USD bn",
        *(part for line in story for part in line),
    ]  # fmt: skip


def search_lines(summary: dict[str, Any]) -> list[str]:
    """What a search asked for, and its best settings with what fresh paths make of them."""
    found = summary.get("search")
    if found is None:
        return []
    names = [*found["best"][0]["results"]]
    rows = [("Best settings", *(result_words(name) for name in names))]
    rows.append(("today", *(words.measured(*found["today"][name]) for name in names)))
    for each in found["best"][:5]:
        told = each["fresh"] or each["results"]
        turned = ", ".join(words.amount(at) for at in each["setting"].values())
        rows.append((f"trial {each['trial']}: {turned}", *(words.measured(*told[name]) for name in names)))
    width = (WIDTH - 40) // len(names) - 1
    said = textwrap.wrap(headline(found), WIDTH)
    return ["", *said, "", *grid(rows, "<" + ">" * len(names), (40, *[width] * len(names)))]


def timing_lines(summary: dict[str, Any]) -> list[str]:
    """Seconds, speed, memory and the state of the tail."""
    timing, sampler = summary["timing"], summary["sampler"]
    rate, memory = timing.get("paths_per_s"), timing.get("peak_rss_mb")
    parts = [f"compile {words.seconds(timing.get('compile_s'))}", f"run {words.seconds(timing.get('run_s'))}"]
    parts += [f"{rate:,.0f} paths/s"] if words.known(rate) else []
    parts += [f"peak memory {memory:,.0f} MB"] if words.known(memory) else []
    parts += (
        [f"effective sample in the tail {sampler['ess_tail']:,.0f}"]
        if words.known(sampler.get("ess_tail"))
        else []
    )
    return textwrap.wrap(" · ".join(parts), WIDTH) + learning_lines(sampler)


def learning_lines(sampler: dict[str, Any]) -> list[str]:
    """What importance sampling has cost and gained."""
    learning, gained = sampler.get("learning"), sampler.get("variance_reduction") or {}
    if not learning:
        return []
    factors = ", ".join(
        f"{'ES' if name.startswith('es') else 'P'} {level_words(name)} {factor:,.0f}"
        for name, factor in gained.items()
        if words.known(factor)
    )
    parts = [
        f"learned from {learning['paths']:,} paths in {words.seconds(learning['seconds'])}",
        f"one path is worth so many plain ones: {factors}",
        f"mean weight {sampler['mean_weight']:.3f} ± {sampler['mean_weight_se']:.3f}",
        f"k-hat {sampler['k_hat']:.2f}" if words.known(sampler.get("k_hat")) else "weights all alike",
    ]
    return textwrap.wrap(" · ".join(parts), WIDTH)


def level_words(name: str) -> str:
    """The level in a name such as es_99_97: 99.97%."""
    return name.partition("_")[2].replace("_", ".") + "%"


def between(value, low, high) -> str:
    """An amount with its 95% interval."""
    return f"{words.amount(value)} [{words.amount(low)}–{words.amount(high)}]"


def grid(rows: list[tuple[str, ...]], alignment: str, widths: tuple[int, ...]) -> list[str]:
    """Rows as text in columns of the given widths, a rule under the first row."""
    lines = [
        " ".join(
            f"{clip(cell, width):{side}{width}}"
            for cell, side, width in zip(row, alignment, widths, strict=True)
        )
        for row in rows
    ]
    return [lines[0], "─" * len(lines[0]), *lines[1:]]


def beside(left: list[str], right: list[str]) -> list[str]:
    """Two blocks of lines side by side."""
    width = max(len(line) for line in left)
    rows = max(len(left), len(right))
    left, right = left + [""] * (rows - len(left)), right + [""] * (rows - len(right))
    return [f"{one:<{width}}    {other}" for one, other in zip(left, right, strict=True)]


def clip(text: str, width: int) -> str:
    """The text, cut where it would be wider."""
    return text if len(text) <= width else text[: width - 1] + "…"
