"""Sensitivity to the rates of leaving a regime by the likelihood ratio: exact, from paths already run.

The rates act through the law of the regime alone, P = expm(Q / 12) a month. So with N_ab the months in which
a path went from regime a to b (Glasserman 2003, section 7.3),

    d E[f] / dq = E[ (f - E f) * score ],      score = sum_ab N_ab dP_ab/dq / P_ab
"""

import numpy as np
import scipy.linalg
from jaxtyping import Float64, Shaped

from engine.book.calibration import generator_of
from engine.book.parameters import Economy
from engine.vocabulary import MONTH, REGIMES

RATES = {
    f"economy.leave_{REGIMES[a]}[{place}]": (a, b)
    for a in range(len(REGIMES))
    for place, b in enumerate(other for other in range(len(REGIMES)) if other != a)
}
"""Regimes that each rate leads from and to."""


def rates_of(economy: Economy) -> list[str]:
    """Rates above zero: at zero no path makes the move, and the ratio has no estimate."""
    return [name for name, pair in RATES.items() if generator_of(economy)[pair] > 0.0]


def score_weights(economy: Economy, name: str) -> Float64[np.ndarray, "regimes regimes"]:
    """d ln P_ab / dq of one rate, from a (row) to b (column)."""
    start, end = RATES[name]
    change = np.zeros((len(REGIMES), len(REGIMES)))
    change[start, end], change[start, start] = 1.0, -1.0
    chain, slope = scipy.linalg.expm_frechet(generator_of(economy) * MONTH, change * MONTH)
    return np.divide(slope, chain, out=np.zeros_like(slope), where=chain > 0.0)


def section_slopes(
    economy: Economy,
    name: str,
    moves: Shaped[np.ndarray, "regimes regimes sections paths"],
    values: Float64[np.ndarray, "sections paths"],
) -> Float64[np.ndarray, "sections"]:
    """d E[f] / dq by section from months N_ab [from to sections paths], a count of any type, and values f."""
    score = np.einsum("ab,abkn->kn", score_weights(economy, name), moves)
    return np.mean((values - values.mean(axis=1, keepdims=True)) * score, axis=1)
