"""A path model of your own, run as a book is: plan, samplers, tally, tables, replay, files and report."""

import dataclasses
import functools
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from engine import arguments
from engine.draws.samplers import PSEUDO_RANDOM, Antithetic, Sampler, sobol
from engine.learn.importance.shifts import learn_shift
from engine.numerics import double_precision
from engine.results.estimates import Estimates
from engine.results.folder import write_json, write_table
from engine.results.path_model import tables_of
from engine.results.replications import Replications
from engine.run import blocks
from engine.run.blocks import Model
from engine.run.path_model import PathModel, PathOutcome, pilot, scale_of
from engine.run.plan import Hooks, Plan, Timing
from engine.tail import intervals, measures
from engine.tail.tally import MOST_PATHS, Tally
from engine.undertow.isolation import on_host
from engine.undertow.path_page import write_page
from engine.undertow.path_save import Save, identity_of
from engine.undertow.progress import progress_of
from engine.undertow.simulation import replicated_errors
from engine.vocabulary import NOT_FINITE

SAMPLERS = ("pseudo_random", "antithetic", "sobol", "importance")
REPLICATIONS = 16
COMPONENTS = 4
"""Principal components of each factor's path that a scrambled sequence covers, at most."""
PILOT = 4096
"""Paths from which the range of the losses is learned."""
PILOT_SEED = 0x72616E6765
MOST_LOST = 0.01
"""Share of paths that may have a loss that is not finite."""


@dataclasses.dataclass(frozen=True, eq=False)
class PathRun:
    """A finished run of a `PathModel`; losses in the model's unit, by the step of the horizon."""

    model: PathModel
    plan: Plan
    sampler: str
    samplers: tuple[Sampler, ...]
    tally: Tally
    scale: float  # the tally's losses are the model's times this
    timing: Timing
    replications: Replications
    laws: tuple[tuple[measures.Losses, ...], ...] = ()  # column 0 by horizon, of each replication

    @functools.cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """`losses`, `distribution`, `contributions`, `defaults`, `fans`, `worst_paths`."""
        with double_precision():
            return tables_of(self._estimates, self.model.layout, self.replications)

    @property
    def loss(self) -> pd.DataFrame:
        """EL, VaR with 95% intervals and ES with standard errors of column 0, by the step of the horizon."""
        losses = self.tables["losses"]
        own = losses[losses["column"] == self.model.layout.columns[0]]
        return own.drop(columns="column").set_index("step")

    @property
    def losses(self) -> pd.DataFrame:
        """The same of every column."""
        return self.tables["losses"]

    @property
    def contributions(self) -> pd.DataFrame:
        """Mean of the other columns and of the components in the tail of column 0 beyond 99%."""
        return self.tables["contributions"]

    @property
    def defaults(self) -> pd.DataFrame:
        """Probability of default of every entity by each horizon, with its standard error."""
        return self.tables["defaults"]

    @property
    def fans(self) -> pd.DataFrame:
        """Quantiles of every series by step."""
        return self.tables["fans"]

    @property
    def worst_paths(self) -> pd.DataFrame:
        """Ids and losses of the worst paths by horizon, to `replay`."""
        return self.tables["worst_paths"]

    @functools.cached_property
    def warnings(self) -> tuple[str, ...]:
        """What the paths do not resolve, in sentences."""
        lost = int(self.tally.flags[NOT_FINITE])
        sentences = [f"{lost} paths have a loss that is not finite and count nowhere"] if lost else []
        sentences += intervals.distrust(intervals.weights(self.tally)) if self.sampler == "importance" else []
        for step, column in zip(self.model.layout.horizons, self._estimates.columns, strict=True):
            each = (f"step {step}: {tail.unresolved}" for tail in column[0].tails.values() if tail.unresolved)
            sentences += each
        return tuple(sentences)

    def beyond(self, loss: float) -> pd.DataFrame:
        """P(loss of column 0 > loss) by horizon with standard errors; of replications, from their spread.

        Args: loss, in the model's unit. Raises ValueError for a loss that is not a number.
        """
        own = [columns[0].losses.beyond(loss) for columns in self._estimates.columns]
        spread = replicated_errors(self.laws, loss) if self.laws else np.zeros(len(own))
        errors = [error or each.standard_error for each, error in zip(own, spread.tolist(), strict=True)]
        index = pd.Index(self.model.layout.horizons, name="step")
        table = {"probability": [each.value for each in own], "probability_se": errors}
        return pd.DataFrame(table, index)

    def outcome(self, path: int) -> PathOutcome:
        """What one path left: losses, components, defaults and trace, all axes there.

        Args: path, its id, from 0 to paths - 1. Raises ValueError for a path that was not run.
        """
        path = self.plan.path(path)
        sampler = self.samplers[path // (self.plan.paths // len(self.samplers))]
        with double_precision():
            fields = on_host(self.model.replay(sampler, self.plan.seed, path))
        return PathOutcome(fields.losses, fields.components, fields.default_step, fields.trace)

    def replay(self, path: int) -> pd.DataFrame:
        """Every step of one path: its series, and the entities that default in it. Args as for `outcome`."""
        own, layout = self.outcome(path), self.model.layout
        table = pd.DataFrame(np.asarray(own.trace, np.float64), columns=list(layout.series))
        table.index = pd.RangeIndex(1, len(table) + 1, name="step")
        if layout.entities:
            names, steps = np.array(layout.entities), np.asarray(own.default_step)
            table["defaults"] = [", ".join(names[steps == step]) for step in table.index]
        return table

    def write(self, folder: str | pathlib.Path) -> pathlib.Path:
        """Write results/*.parquet, summary.json and report.html into a folder; the path of the folder."""
        folder = pathlib.Path(folder)
        (folder / "results").mkdir(parents=True, exist_ok=True)
        for name, table in self.tables.items():
            write_table(folder, name, table)
        summary = {
            "paths": int(self.tally.paths), "seed": self.plan.seed, "sampler": self.sampler,
            "replications": len(self.samplers), "unit": self.model.unit, "warnings": list(self.warnings),
            "loss": self.loss.to_dict("index"), "seconds": self.timing.run_s,
        }  # fmt: skip
        write_json(folder / "summary.json", summary)
        write_page(folder / "report.html", self.tables, self.model, summary)
        return folder

    @functools.cached_property
    def _estimates(self) -> Estimates:
        with double_precision():
            return Estimates(self.tally, (), self.scale, self.model.unit)

    def __repr__(self) -> str:
        last = self.loss.iloc[-1]
        return (
            f"<PathRun: {self.plan.paths:,} paths, seed {self.plan.seed}; at step {last.name} "
            f"EL {last.el:.4g}, VaR 99% {last.var_99:.4g}, ES 99% {last.es_99:.4g} {self.model.unit}>"
        )


def run_paths(
    model: PathModel,
    paths: int = 20_000,
    seed: int = 7,
    *,
    sampler: str = "pseudo_random",
    replications: int | None = None,
    level: float = 0.999,
    defensive: float = 0.1,
    block: int = 16_384,
    progress: Callable[[int], None] | bool = False,
    folder: str | pathlib.Path | None = None,
    save_every: float = 60.0,
) -> PathRun:
    """Run a path model of your own on all devices.

    Args: model; paths; seed, below 2^64; sampler, `pseudo_random`, `antithetic`, `sobol` (paths a multiple of
    `replications` times a power of two) or `importance`, which learns shifts of the normals for the tail of
    column 0 at the last horizon beyond `level` and draws the share `defensive` of its paths plainly;
    replications, 16 for `antithetic` and `sobol` and 1 for the others unless given: from two on their spread
    is the error; block, paths a block and device, a multiple of 256; progress, a bar, or what is called with
    the number of paths done; folder, where the run is saved every `save_every` seconds, after a round of
    blocks, and from which the same call goes on after an interruption, to the bit; what is saved goes when
    the run is done. The tally depends neither on block nor on devices.

    Raises ValueError for another model, values out of range, paths that do not suit the sampler, a folder
    with another run's checkpoint, and losses that are not finite on more than 1% of paths. What the paths do
    not resolve is in `warnings`.

    Example: the loss of a sum of squares against its law, chi-square with 12 degrees of freedom.
        >>> import jax.numpy as jnp
        >>> squares = PathModel(lambda z, _: jnp.sum(z.normals**2), steps=4, factors=3)
        >>> run = run_paths(squares, paths=8192)
        >>> row = run.loss.iloc[-1]
        >>> bool(row.var_99_lo <= 26.22 <= row.var_99_hi)
        True
    """
    if not isinstance(model, PathModel):
        arguments.refuse("model", model, "a PathModel")
    sampler = arguments.choice("sampler", sampler, SAMPLERS)
    seed = arguments.count("seed", seed, 0, arguments.SEEDS)
    plan = Plan(arguments.count("paths", paths, 1, MOST_PATHS), arguments.count("block", block), seed)
    count = count_of(replications, sampler, plan)
    level = arguments.level("level", level)
    defensive = arguments.between("defensive", defensive, 0.0, 1.0)
    save_every = arguments.number("save_every", save_every, 0.0)
    with double_precision():
        scale = scale_of(model, Plan(PILOT, PILOT, (seed + PILOT_SEED) % 2**64))
        samplers = samplers_of(model, plan, sampler, count, level, defensive)
        own = model.model(scale, sampler == "importance")
        save = None
        if folder is not None:
            save = Save(folder, save_every, identity_of(model, plan, samplers, scale), own.layout)
        replicas, laws = Replications(), []

        def replication(tally: Tally) -> None:
            replicas.add(tally, scale)
            laws.append(
                tuple(
                    measures.column_losses(tally, h, scale=scale) for h in range(len(model.layout.horizons))
                )
            )

        with progress_of(plan.paths, progress) as update:
            hooks = Hooks(progress=update, replication=replication if count > 1 else lambda tally: None)
            tally, timing = saved(save, own, plan, samplers, hooks)
    tally = on_host(tally)
    check_finite(tally)
    return PathRun(model, plan, sampler, samplers, tally, scale, timing, replicas, tuple(laws))


def saved(
    save: Save | None, model: Model, plan: Plan, samplers: tuple[Sampler, ...], hooks: Hooks
) -> tuple[Tally, Timing]:
    """`blocks.simulate`, going on from what is saved and saved as it goes."""
    if save is None:
        return blocks.simulate(model, plan, samplers, hooks)
    start = save.start()
    for tally in save.tallies:
        hooks.replication(tally)

    def replication(tally: Tally) -> None:
        save.tallies.append(on_host(tally))
        hooks.replication(tally)

    both = dataclasses.replace(hooks, replication=replication, checkpoint_due=save.due, checkpoint=save.save)
    tally, timing = blocks.simulate(model, plan, samplers, both, start=start)
    save.discard()
    return tally, timing


def count_of(replications: int | None, sampler: str, plan: Plan) -> int:
    """Replications of a sampler: as given, or its default number; a divisor of the paths."""
    paired = sampler in ("antithetic", "sobol")
    count = REPLICATIONS if paired else 1
    if replications is not None:
        count = arguments.count("replications", replications, 2 if paired else 1, plan.paths)
    if plan.paths % count:
        arguments.refuse("paths", plan.paths, f"a multiple of {count} replications")
    if sampler == "antithetic" and plan.paths // count % 2:
        arguments.refuse("paths", plan.paths, f"a multiple of {2 * count}, pairs in {count} replications")
    return count


def samplers_of(
    model: PathModel, plan: Plan, name: str, count: int, level: float, defensive: float
) -> tuple[Sampler, ...]:
    """One sampler for each replication; that of `importance` is learned."""
    if name == "sobol":
        size, components = plan.paths // count, min(COMPONENTS, model.steps)
        if size & (size - 1):
            arguments.refuse("paths", plan.paths, f"{count} replications times a power of two")
        return sobol(count, size, model.steps, model.factors, components, plan.seed)
    if name == "importance":

        def run(sampler: Sampler, paths: int, seed: int) -> tuple[Any, Any, Any]:
            return pilot(model, sampler, Plan(paths, paths, seed))

        return (learn_shift(run, level, plan.seed, defensive),) * count
    return (Antithetic() if name == "antithetic" else PSEUDO_RANDOM,) * count


def check_finite(tally: Tally) -> None:
    """Raises ValueError where too many paths have a loss that is not finite."""
    lost, paths = int(tally.flags[NOT_FINITE]), int(tally.paths)
    if lost > MOST_LOST * (lost + paths):
        expected = f"finite ones on all but {MOST_LOST:.0%}"
        raise ValueError(
            f"path: got losses that are not finite on {lost} of {lost + paths} paths, expected {expected}"
        )
