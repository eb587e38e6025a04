"""Tables and summary of a reverse stress: scenarios, their monthly paths, their stories and who falls."""

import math
from typing import Any

import pandas as pd

from engine.learn.reverse_stress.probability import Probabilities
from engine.learn.reverse_stress.regimes import Regimes, switches_of
from engine.learn.reverse_stress.reverse_stress import Answer, Unreachable
from engine.learn.reverse_stress.story import Story
from engine.learn.reverse_stress.trials import Trials
from engine.results.folder import Results
from engine.tail.measures import Estimate
from engine.vocabulary import FACTORS, REGIMES


def scenarios_table(trials: Trials, answers: list[Answer]) -> pd.DataFrame:
    """One row a scenario, likeliest first: how far from the middle, and what simulation around it says.

    `log_likelihood` is ln P(regimes) - beta^2 / 2 and `log_regimes` its first part; `push_<factor>` is the
    length of the factor's part of the normals.
    """
    rows = []
    for number, answer in enumerate(answers, 1):
        normals = trials.normals(answer.scenario.z)
        rows.append(
            {
                "scenario": number,
                "switches": switch_words(trials.start, answer.scenario.regimes),
                "log_likelihood": answer.log_likelihood,
                "log_regimes": answer.log_likelihood + 0.5 * answer.beta**2, "beta": answer.beta,
                "mean": answer.mean, "mean_se": answer.mean_se, "deviation": answer.deviation,
                "share": answer.share, "share_around": answer.around,
            }
            | {f"push_{name}": float((normals[:, at] ** 2).sum() ** 0.5) for at, name in enumerate(FACTORS)}
        )  # fmt: skip
    return pd.DataFrame(rows)


def switch_words(start: int, regimes: Regimes) -> str:
    """Where the regime changes: "month 19 bust; month 40 plateau", or "boom lasts"."""
    switches = switches_of(start, regimes)
    words = "; ".join(f"month {month} {REGIMES[kind]}" for month, kind in switches)
    return words or f"{REGIMES[start]} lasts"


def paths_table(trials: Trials, answers: list[Answer]) -> pd.DataFrame:
    """Regime and independent normals of every factor, by scenario and month."""
    parts = []
    for number, answer in enumerate(answers, 1):
        normals = trials.normals(answer.scenario.z)
        columns = {name: normals[:, at] for at, name in enumerate(FACTORS)}
        regimes = [REGIMES[kind] for kind in answer.scenario.regimes]
        months = range(1, trials.months + 1)
        parts.append(pd.DataFrame({"scenario": number, "month": months, "regime": regimes} | columns))
    return pd.concat(parts, ignore_index=True)


def tables(trials: Trials, answers: list[Answer], stories: list[Story]) -> dict[str, pd.DataFrame]:
    """Tables of the run folder by name."""
    frames = {
        "reverse_stress": scenarios_table(trials, answers),
        "reverse_stress_draws": paths_table(trials, answers),
    }
    for name in ("quarters", "firms", "months"):
        parts = [getattr(story, name).assign(scenario=n) for n, story in enumerate(stories, 1)]
        frames[f"reverse_stress_{name}"] = pd.concat(parts, ignore_index=True)
    return frames


def plain_share(results: Results, column: str, target: float) -> Estimate:
    """P(loss >= target) among the main job's plain paths, with its binomial error."""
    bins = results.bins(column, results.last)
    value = float(bins.probability[bins.loss >= target].sum())
    return Estimate(value, (value * (1.0 - value) / results.summary["paths"]) ** 0.5)


def out_of_reach(target: float, of: str, error: Unreachable, plain: Estimate) -> dict[str, Any]:
    """The entry `reverse_stress` of summary.json where no systematic path reaches the target."""
    unreachable = {
        "most": error.most, "furthest": error.furthest, "plain": plain.value, "plain_se": plain.standard_error
    }  # fmt: skip
    return {"target": target, "of": of, "unreachable": unreachable}


def summary(
    target: float, of: str, start: str, tables: dict[str, pd.DataFrame], probabilities: Probabilities,
    plain: Estimate,
) -> dict[str, Any]:  # fmt: skip
    """The entry `reverse_stress` of summary.json; `start` is the regime of today."""
    return {
        "target": target,
        "of": of,
        "start": start,
        "scenarios": tables["reverse_stress"].to_dict("records"),
        "probability": {
            "form": probabilities.form.value, "form_se": probabilities.form.standard_error,
            "importance": probabilities.importance.value,
            "importance_se": probabilities.importance.standard_error,
            "plain": plain.value, "plain_se": plain.standard_error,
        },
        "breaks": probabilities.breaks.tolist(),
    }  # fmt: skip


def chance(value: float, error: float) -> str:
    """A probability with its error to two figures: "0.173% ± 0.026%", "2.1e-07 ± 4e-08"."""
    if value == 0.0 and error > 0.0:
        return f"0 (below {3.0 * error:.1g} with 95%)"
    if value < 1e-5:
        return f"{value:.2g} ± {error:.1g}"
    places = max(1, 1 - math.floor(math.log10(100.0 * error))) if error > 0.0 else 2
    return f"{100.0 * value:.{places}f}% ± {100.0 * error:.{places}f}%"
