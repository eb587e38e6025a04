"""A search in words: what is turned, what is asked, and what came out."""

from engine.report.words import amount, measured
from engine.results.horizons import joined

MEASURES = {
    "el": "expected loss", "es_95": "ES 95%", "es_99": "ES 99%", "es_99_9": "ES 99.9%", "net": "net income",
    "rate": "net income a year and dollar", "income": "income", "loss": "expected loss",
}  # fmt: skip


def knob_words(name: str) -> str:
    """A knob without its table: "LAMB_GPU advance"; a number of the model: "contract advance"."""
    *row, last = name.split(".")[1:]
    return " ".join([*row, last.replace("_", " ")])


def result_words(name: str) -> str:
    """A result: "net income of MACQ_AI's loans", "ES 99% of the system"."""
    of, _, measure = name.rpartition(".")
    kind, _, who = of.partition(":")
    whose = f"{who}'s loans" if kind == "returns" else who or f"the {kind}"
    return f"{MEASURES[measure]} of {whose}"


def aims(found: dict) -> str:
    """What was asked."""
    asked = [f"the most {result_words(name)}" for name in found["maximise"]]
    asked += [f"the least {result_words(name)}" for name in found["minimise"]]
    kept = []
    for name, (low, high) in found["bounds"].items():
        kept += [f"{result_words(name)} at least {amount(low)}"] if low is not None else []
        kept += [f"{result_words(name)} at most {amount(high)}"] if high is not None else []
    return joined(asked) + (f", with {joined(kept)}" if kept else "")


def headline(found: dict) -> str:
    """The best setting and what fresh paths make of it, in a sentence."""
    best, first = found["best"][0], (found["maximise"] + found["minimise"])[0]
    if not found["feasible"]:
        return f"None of {found['trials']} settings keeps the bounds. Asked was {aims(found)}."
    turned = joined([f"{knob_words(name)} {amount(at)}" for name, at in best["setting"].items()])
    said = f"Best of {found['trials']} settings for {aims(found)}: {turned}."
    fresh = f" On fresh paths the {result_words(first)} is {measured(*best['fresh'][first])}"
    return f"{said}{fresh}, as things stand {measured(*found['today'][first])}."
