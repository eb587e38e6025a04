"""A search in words: knobs, objectives and result."""

from engine.report.words import amount, measured
from engine.results.folder import Results
from engine.results.horizons import joined

MEASURES = {
    "el": "expected loss", "es_95": "ES 95%", "es_99": "ES 99%", "es_99_9": "ES 99.9%", "net": "net income",
    "rate": "net income per dollar and year", "income": "income", "loss": "expected loss",
}  # fmt: skip


def knob_name(key: str) -> str:
    """A knob without its table: "LAMB_GPU advance"; a parameter of the model: "contract advance"."""
    *entry, field = key.split(".")[1:]
    return " ".join([*entry, field.replace("_", " ")])


def result_name(key: str) -> str:
    """A result: "net income of MACQ_AI's loans", "ES 99% of the system"."""
    subject, _, measure = key.rpartition(".")
    kind, _, lender = subject.partition(":")
    owner = f"{lender}'s loans" if kind == "returns" else lender or f"the {kind}"
    return f"{MEASURES[measure]} of {owner}"


def is_rate(key: str) -> bool:
    """Whether a result is a rate; all others are amounts."""
    return key.endswith(".rate")


def with_unit(results: Results, key: str, text: str) -> str:
    """A result's number in words, its unit behind it."""
    return text if is_rate(key) else f"{text} {results.short}"


def aims(results: Results) -> str:
    """Objectives and bounds."""
    summary = results.summary["search"]
    objectives = [f"the highest {result_name(name)}" for name in summary["maximise"]]
    objectives += [f"the lowest {result_name(name)}" for name in summary["minimise"]]
    bounds = []
    for name, ends in summary["bounds"].items():
        bounds += [
            f"{result_name(name)} {side} {with_unit(results, name, amount(end))}"
            for side, end in zip(("at least", "at most"), ends, strict=True)
            if end is not None
        ]
    return joined(objectives) + (f", with {joined(bounds)}" if bounds else "")


def headline(results: Results) -> str:
    """The best setting and its result on fresh paths, in two sentences."""
    summary = results.summary["search"]
    best, first = summary["best"][0], (summary["maximise"] + summary["minimise"])[0]
    if not summary["feasible"]:
        return f"None of {summary['trials']} settings stays within the bounds. The aim: {aims(results)}."
    setting = joined([f"{knob_name(name)} {amount(value)}" for name, value in best["setting"].items()])
    return (
        f"Best of {summary['trials']} settings for {aims(results)}: {setting}. On fresh paths the "
        f"{result_name(first)} is {with_unit(results, first, measured(*best['fresh'][first]))}, against "
        f"{with_unit(results, first, measured(*summary['today'][first]))} with today's settings."
    )
