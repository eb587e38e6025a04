"""Search over settings of some knobs: sequential trials, each where earlier ones promise most.

Optuna's tree-structured Parzen estimator proposes (Watanabe 2023); bounds enter as constraints, so that
infeasible trials inform the next ones too. All trials have the same draws and differ only in the setting. A
proposal depends only on earlier trials and the seed, so a search resumed from its study has the trials of an
uninterrupted one.
"""

import contextlib
import pathlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import optuna
import pandas as pd
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.study import StudyDirection
from optuna.trial import TrialState

from engine.tail.measures import Estimate

STARTUP = 10
"""Trials at uniformly random settings before the estimator starts."""
ERROR = "_se"

Range = tuple[float, float]
Bound = tuple[float | None, float | None]


@dataclass(frozen=True)
class Aim:
    """Objectives and bounds by name of result; bounds are (least, most), None for none."""

    maximise: tuple[str, ...]
    minimise: tuple[str, ...]
    bounds: Mapping[str, Bound]

    @property
    def objectives(self) -> tuple[str, ...]:
        """Results to maximise, then those to minimise."""
        return self.maximise + self.minimise

    @property
    def results(self) -> tuple[str, ...]:
        """Every result of a trial."""
        return tuple(dict.fromkeys((*self.objectives, *self.bounds)))


@contextlib.contextmanager
def open_study(path: pathlib.Path, aim: Aim) -> Iterator[optuna.Study]:
    """The study in this file, or a new one, closed at the end; an interrupted trial counts as failed."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    maximise, minimise = [StudyDirection.MAXIMIZE], [StudyDirection.MINIMIZE]
    directions = maximise * len(aim.maximise) + minimise * len(aim.minimise)
    storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
    try:
        study = optuna.create_study(
            storage=storage, study_name="search", directions=directions, load_if_exists=True
        )
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            study.tell(trial.number, state=TrialState.FAIL)
        yield study
    finally:
        storage.remove_session()
        storage.engine.dispose()


def search(
    study: optuna.Study,
    ranges: Mapping[str, Range],
    aim: Aim,
    evaluate: Callable[[Mapping[str, float]], Mapping[str, Estimate]],
    trials: int,
    seed: int,
) -> pd.DataFrame:
    """Try settings until the study has `trials` complete trials; its table (see `table_of`).

    `evaluate(setting)` gives every result of the aim, or raises to end the search, which can resume later.
    """
    distributions: dict[str, BaseDistribution] = {
        name: FloatDistribution(low, high) for name, (low, high) in ranges.items()
    }
    while (count := len(complete_trials(study))) < trials:
        study.sampler = optuna.samplers.TPESampler(seed=seed + count, n_startup_trials=STARTUP)
        trial = study.ask(distributions)
        try:
            results = evaluate(trial.params)
        except BaseException:
            study.tell(trial, state=TrialState.FAIL)
            raise
        for name, bound in aim.bounds.items():
            trial.set_constraint(name, excess(results[name].value, bound))
        trial.set_user_attr("errors", {name: each.standard_error for name, each in results.items()})
        trial.set_user_attr("results", {name: each.value for name, each in results.items()})
        study.tell(trial, [results[name].value for name in aim.objectives])
    return table_of(study, aim)


def complete_trials(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    """The complete trials, in order."""
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def excess(value: float, bound: Bound) -> float:
    """How far a value lies beyond its bound; zero or less within.

    >>> excess(3.0, (None, 2.0)), excess(3.0, (1.0, None))
    (1.0, -2.0)
    """
    low, high = bound
    beyond = [low - value] if low is not None else []
    return max(beyond + ([value - high] if high is not None else []))


def table_of(study: optuna.Study, aim: Aim) -> pd.DataFrame:
    """One row a trial: trial, every knob, every result and its error, feasible, best.

    `best` marks the Pareto front of the feasible trials.
    """
    rows = []
    for number, trial in enumerate(complete_trials(study), 1):
        results, errors = trial.user_attrs["results"], trial.user_attrs["errors"]
        row = {"trial": number} | {f"knob {name}": value for name, value in trial.params.items()}
        row |= {name: results[name] for name in aim.results}
        row |= {f"{name}{ERROR}": errors[name] for name in aim.results}
        feasible = all(excess(results[name], bound) <= 0.0 for name, bound in aim.bounds.items())
        rows.append(row | {"feasible": feasible})
    table = pd.DataFrame(rows)
    return table.assign(best=table["feasible"] & ~dominated(table, aim))


def dominated(table: pd.DataFrame, aim: Aim) -> pd.Series:
    """Whether a feasible trial is better in one objective and worse in none (Pareto dominance)."""
    signs = [1.0] * len(aim.maximise) + [-1.0] * len(aim.minimise)
    goods = table[list(aim.objectives)].to_numpy() * signs
    rivals = goods[table["feasible"].to_numpy()]
    return pd.Series(
        [bool(((rivals >= own).all(axis=1) & (rivals > own).any(axis=1)).any()) for own in goods],
        index=table.index,
    )
