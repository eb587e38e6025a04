"""The runs behind the gradient of ES: one finds the tail, then rows of moved Systems run its paths."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from engine.book.parameters import Parameters
from engine.book.variant import Variants
from engine.learn.likelihood_ratio import RATES, section_slopes
from engine.learn.sections import Sections, drawn, section_means, sections_of, shortfall
from engine.learn.steps import Step, moved
from engine.paths.selected import selected
from engine.tail.paired import influence

Progress = Callable[[int], None]
"""Told the number of paths done so far; may raise to end the runs."""


@dataclasses.dataclass(frozen=True)
class Study:
    """What is moved: a book's Systems by parameters, the parameters, a step for each number; the draws."""

    variants: Variants
    parameters: Parameters
    steps: Sequence[Step]
    seed: int  # of the paths
    rng: np.random.Generator  # of which paths a row runs


@dataclasses.dataclass(frozen=True)
class First:
    """The run that finds the tail: its sections, and by rate what the likelihood ratio says [sections]."""

    sections: Sections
    es: np.ndarray  # [sections], USD bn
    el: np.ndarray  # [sections], USD bn
    rates: dict[str, np.ndarray]  # d ES / d rate [sections]


def first_run(study: Study, paths: int, chunk: int, level: float, progress: Progress) -> First:
    """Run paths 0, 1, ... of the parameters as they are, in jobs of `chunk` paths."""
    system = study.variants(study.parameters)
    jobs = ((system, np.arange(start, start + chunk)) for start in range(0, paths, chunk))
    losses, moves = [], []
    for made in selected(jobs, study.seed):
        losses.append(made.loss)
        moves.append(made.moves.astype(np.uint8))
        progress(min(len(losses) * chunk, paths))
    losses = np.concatenate(losses).astype(np.float64)[:paths]
    sections = sections_of(losses, level)
    losses = losses[: sections.ranked.size].reshape(sections.ranked.shape)
    moves = np.concatenate(moves, axis=-1)[..., : losses.size].reshape(*moves[0].shape[:2], *losses.shape)
    tail = np.stack([influence(part, level) for part in losses])
    economy = study.parameters.economy
    rates = {name: section_slopes(economy, name, moves, tail) for name in RATES}
    return First(sections, tail.mean(axis=1), losses.mean(axis=1), rates)


def mirrored(study: Study, signs, ids) -> Iterator[tuple]:
    """Jobs of each row of a design and its mirror image on the same paths."""
    for row, chosen in zip(signs, ids, strict=True):
        for signed in (row, -row):
            yield study.variants(moved(study.parameters, study.steps, signed)), chosen


def changes(study: Study, signs, sections: Sections, paths: int, progress: Progress) -> np.ndarray:
    """Half the difference of ES, and of the mean, between each row and its mirror image [2 rows sections].

    Each row runs `paths` paths of its own.
    """
    jobs = mirrored(study, signs, drawn(sections, len(signs), paths, study.rng))
    found, above = [], None
    for done, made in enumerate(selected(jobs, study.seed), start=1):
        progress(done * paths)
        if done % 2:
            above = made.loss
            continue
        tail = shortfall(sections, above) - shortfall(sections, made.loss)
        mean = np.asarray(above, np.float64) - np.asarray(made.loss, np.float64)
        found.append([section_means(sections, each) / 2.0 for each in (tail, mean)])
    return np.swapaxes(np.array(found), 0, 1)
