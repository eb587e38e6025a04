"""The answer of a task in a sentence or two: what its page and its printout open with."""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from engine.report import search_words
from engine.report.sections import (
    attribution,
    backtest,
    band,
    calibration,
    greeks,
    network,
    policy,
    replay,
    reverse_stress,
)
from engine.results.folder import Results


class Answer(NamedTuple):
    """The first sentence of an answer, and the others."""

    headline: str
    rest: str


ANSWERS: Mapping[str, Callable[[Results], str]] = {
    "attribution": attribution.largest,
    "backtest": backtest.pooled,
    "band": band.sure,
    "calibration": calibration.identified,
    "greeks": greeks.largest,
    "network": network.widest,
    "policy": policy.most_effective,
    "replay": replay.first_story,
    "reverse_stress": reverse_stress.answer,
    "search": search_words.headline,
}
"""By the entry of the summary that the task leaves."""


def answer(results: Results) -> Answer | None:
    """The answer of the task that made a run; None for the main job, whose answer is the loss itself."""
    text = next((make(results) for name, make in ANSWERS.items() if name in results.summary), None)
    return split(text) if text else None


def split(text: str) -> Answer:
    """The first sentence apart from the others.

    >>> split("ES 99% falls by 9.6 bn. It costs 2 bn.")
    Answer(headline='ES 99% falls by 9.6 bn.', rest='It costs 2 bn.')
    """
    first, *rest = re.split(r"(?<=[a-z0-9%)]\.) (?=[A-Z0-9])", text, maxsplit=1)
    return Answer(first, "".join(rest))
