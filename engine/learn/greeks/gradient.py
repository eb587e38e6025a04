"""The runs behind the gradient of ES: one that locates the tail, then rows of a design on its paths."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from jaxtyping import Float32, Float64, Int64

from engine.book.parameters import Parameters
from engine.book.variant import Variants
from engine.learn.greeks.likelihood_ratio import rates_of, section_slopes
from engine.learn.greeks.sections import SECTIONS, Sections, sections_of
from engine.learn.greeks.steps import Step, move
from engine.paths.subset import run_subsets
from engine.tail.paired import influence

Progress = Callable[[int], None]
"""Called with the number of paths so far; may raise to stop the runs."""

Jobs = Iterable[tuple[np.ndarray, Int64[np.ndarray, "paths"]]]
"""A row of signs for the steps, and the ids of its paths."""


@dataclasses.dataclass(frozen=True)
class Base:
    """Base of all moves: a book's Systems by parameters, the base parameters, and the seed of the paths."""

    variants: Variants
    parameters: Parameters
    seed: int


@dataclasses.dataclass(frozen=True)
class TailRun:
    """The run that locates the tail: sections, ES and mean by section, and slopes by likelihood ratio."""

    sections: Sections
    es: Float64[np.ndarray, "sections"]  # USD bn
    el: Float64[np.ndarray, "sections"]  # USD bn
    rates: dict[str, Float64[np.ndarray, "sections"]]  # d ES / d rate


def tail_run(
    base: Base, paths: int, chunk: int, level: float, progress: Progress, sections: int = SECTIONS
) -> TailRun:
    """Run paths 0, 1, ... at the base parameters, in jobs of `chunk` paths."""
    system = base.variants(base.parameters)
    jobs = ((system, np.arange(start, start + chunk)) for start in range(0, paths, chunk))
    loss_jobs: list[np.ndarray] = []
    move_jobs: list[np.ndarray] = []
    for paths_of_job in run_subsets(jobs, base.seed):
        loss_jobs.append(np.asarray(paths_of_job.loss))
        move_jobs.append(np.asarray(paths_of_job.moves).astype(np.uint8))
        progress(min(len(loss_jobs) * chunk, paths))
    losses = np.concatenate(loss_jobs).astype(np.float64)[:paths]
    cut = sections_of(losses, level, sections)
    losses = losses[: cut.ranked.size].reshape(cut.ranked.shape)
    moves = np.concatenate(move_jobs, axis=-1)[..., : losses.size]
    moves = moves.reshape(*moves.shape[:2], *losses.shape)
    tail = np.stack([influence(part, level) for part in losses])
    economy = base.parameters.economy
    rates = {name: section_slopes(economy, name, moves, tail) for name in rates_of(economy)}
    return TailRun(cut, tail.mean(axis=1), losses.mean(axis=1), rates)


def design_losses(
    base: Base, steps: Sequence[Step], progress: Progress, jobs: Jobs
) -> Iterator[Float32[np.ndarray, "paths"]]:
    """Losses of each job: a row of signs for the steps, and the ids of its paths."""
    systems = ((base.variants(move(base.parameters, steps, row)), ids) for row, ids in jobs)
    for number, job in enumerate(run_subsets(systems, base.seed), start=1):
        progress(number * job.loss.size)
        yield np.asarray(job.loss)
