"""The runs behind the gradient of ES: one finds the tail, then rows of moved Systems run its paths."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from engine.book.parameters import Parameters
from engine.book.variant import Variants
from engine.learn.greeks.likelihood_ratio import rates_of, section_slopes
from engine.learn.greeks.sections import Sections, sections_of
from engine.learn.greeks.steps import Step, moved
from engine.paths.selected import selected
from engine.tail.paired import influence

Progress = Callable[[int], None]
"""Told the number of paths done so far; may raise to end the runs."""


@dataclasses.dataclass(frozen=True)
class Base:
    """Where all moves start: a book's Systems by parameters, the parameters, and the seed of the paths."""

    variants: Variants
    parameters: Parameters
    seed: int


@dataclasses.dataclass(frozen=True)
class First:
    """The run that finds the tail: its sections, and by rate what the likelihood ratio says [sections]."""

    sections: Sections
    es: np.ndarray  # [sections], USD bn
    el: np.ndarray  # [sections], USD bn
    rates: dict[str, np.ndarray]  # d ES / d rate [sections]


def first_run(base: Base, paths: int, chunk: int, level: float, progress: Progress) -> First:
    """Run paths 0, 1, ... of the parameters as they are, in jobs of `chunk` paths."""
    system = base.variants(base.parameters)
    jobs = ((system, np.arange(start, start + chunk)) for start in range(0, paths, chunk))
    loss_jobs: list[np.ndarray] = []
    move_jobs: list[np.ndarray] = []
    for made in selected(jobs, base.seed):
        loss_jobs.append(np.asarray(made.loss))
        move_jobs.append(np.asarray(made.moves).astype(np.uint8))
        progress(min(len(loss_jobs) * chunk, paths))
    losses = np.concatenate(loss_jobs).astype(np.float64)[:paths]
    sections = sections_of(losses, level)
    losses = losses[: sections.ranked.size].reshape(sections.ranked.shape)
    moves = np.concatenate(move_jobs, axis=-1)[..., : losses.size]
    moves = moves.reshape(*moves.shape[:2], *losses.shape)
    tail = np.stack([influence(part, level) for part in losses])
    economy = base.parameters.economy
    rates = {name: section_slopes(economy, name, moves, tail) for name in rates_of(economy)}
    return First(sections, tail.mean(axis=1), losses.mean(axis=1), rates)


def moved_losses(
    base: Base, steps: Sequence[Step], progress: Progress, jobs: Iterable[tuple]
) -> Iterator[np.ndarray]:
    """Losses of each job, a row of signs for the steps and the ids of the paths it is run on."""
    systems = ((base.variants(moved(base.parameters, steps, row)), ids) for row, ids in jobs)
    for done, made in enumerate(selected(systems, base.seed), start=1):
        progress(done * made.loss.size)
        yield np.asarray(made.loss)
