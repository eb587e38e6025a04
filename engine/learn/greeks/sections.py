"""A small stratified sample of paths on which changes of the tail are measured, in sections for the error.

    I(L) = VaR + (L - VaR)+ / (1 - level),      mean I = ES          (Rockafellar and Uryasev 2000)

A change moves I only on paths in or near the tail. So the paths of a first run are ranked by loss and cut
into strata, the worst paths in the smallest; an equal number is sampled from each and weighs its stratum's
share (double sampling for stratification: Cochran 1977, ch. 12). This is
done in each of SECTIONS equal parts of the paths, VaR included, so that the spread over parts is the error of
the whole procedure (sectioning: Asmussen and Glynn 2007, III.5).
"""

import dataclasses

import numpy as np
from jaxtyping import Float, Float64, Int64

SECTIONS = 32
"""Independent parts of the paths: 31 degrees of freedom for the error; a small run has fewer."""

INSIDE = (0.25, 0.5)
"""Bounds of the strata inside the tail, as shares of it."""

OUTSIDE = 5
"""Strata outside the tail, their bounds a geometric ladder from the tail to all paths."""

STRATA = len(INSIDE) + 1 + OUTSIDE
LEAST = SECTIONS * STRATA
"""A row of a design has a multiple of this many paths: one of each stratum of each of SECTIONS."""


@dataclasses.dataclass(frozen=True)
class Sections:
    """A first run's losses, ranked section by section; path ids count from 0."""

    level: float
    ranked: Int64[np.ndarray, "sections paths"]  # path ids, worst first
    bounds: tuple[int, ...]  # ranks at which strata begin and end
    threshold: Float64[np.ndarray, "sections"]  # VaR

    @property
    def count(self) -> int:
        """Number of sections."""
        return self.ranked.shape[0]

    @property
    def share(self) -> Float64[np.ndarray, "strata"]:
        """Share of all paths in each stratum."""
        return np.diff(self.bounds) / self.ranked.shape[1]


def bounds_of(size: int, level: float) -> tuple[int, ...]:
    """Ranks at which the strata of `size` paths begin and end.

    Raises ValueError where a stratum would be empty.

    >>> bounds_of(8192, 0.99)
    (0, 20, 41, 82, 206, 517, 1298, 3261, 8192)
    """
    tail = 1.0 - level
    shares = [tail * share for share in INSIDE]
    shares += [tail ** (1.0 - step / OUTSIDE) for step in range(OUTSIDE + 1)]
    bounds = (0, *(round(share * size) for share in shares))
    if min(np.diff(bounds)) < 1:
        raise ValueError(f"got {size} paths a section, expected at least one in a quarter of their tail")
    return bounds


def sections_of(losses: Float64[np.ndarray, "paths"], level: float, count: int = SECTIONS) -> Sections:
    """The losses of paths 0, 1, ... cut into equal sections; paths beyond whole sections are dropped."""
    size = losses.size // count
    losses = losses[: size * count].reshape(count, size)
    order = np.argsort(-losses, axis=1, kind="stable")
    bounds = bounds_of(size, level)
    last = np.take_along_axis(losses, order[:, bounds[len(INSIDE) + 1], None], axis=1)[:, 0]
    return Sections(level, order + size * np.arange(count)[:, None], bounds, last)


def sample_ids(
    sections: Sections, rows: int, paths: int, rng: np.random.Generator
) -> Int64[np.ndarray, "rows paths"]:
    """Path ids for each row of a design: equally many of each stratum of each section.

    A stratum's paths repeat only after all have been used. Raises ValueError unless strata times sections
    divide `paths`.
    """
    least = sections.count * STRATA
    each, rest = divmod(paths, least)
    if rest or each < 1:
        raise ValueError(f"paths a row: got {paths}, expected a multiple of {least}")
    ids = np.empty((rows, sections.count, STRATA, each), np.int64)
    for section in range(sections.count):
        for stratum in range(STRATA):
            members = sections.ranked[section, sections.bounds[stratum] : sections.bounds[stratum + 1]]
            rounds = -(-rows * each // members.size)
            order = rng.permuted(np.tile(members, (rounds, 1)), axis=1).ravel()[: rows * each]
            ids[:, section, stratum] = order.reshape(rows, each)
    return ids.reshape(rows, paths)


def section_means(
    sections: Sections, values: Float64[np.ndarray, "*rows paths"]
) -> Float64[np.ndarray, "*rows sections"]:
    """Mean over all paths of each section, from the values of sampled ones."""
    shaped = values.reshape(*values.shape[:-1], sections.count, STRATA, -1)
    return np.einsum("...bse,s->...b", shaped, sections.share) / shaped.shape[-1]


def shortfall(
    sections: Sections, losses: Float[np.ndarray, "*rows paths"]
) -> Float64[np.ndarray, "*rows paths"]:
    """I(L) of sampled paths at their own VaR: the VaR of each section, shifted by one amount c.

    c is the (1 - level) quantile of L - VaR over all sections, so that ES rises with a common rise of all
    losses, and by as much.
    """
    losses = np.asarray(losses, np.float64)
    shaped = losses.reshape(*losses.shape[:-1], sections.count, STRATA, -1)
    threshold = sections.threshold[:, None, None]
    beyond = (shaped - threshold).reshape(losses.shape)
    weight = np.broadcast_to(
        sections.share[:, None] / shaped.shape[-1] / sections.count, shaped.shape[-3:]
    ).ravel()
    order = np.argsort(-beyond, axis=-1, kind="stable")
    within = np.cumsum(weight[order], axis=-1) < (1.0 - sections.level) * (1.0 - 1e-9)
    last = np.take_along_axis(order, within.sum(axis=-1, keepdims=True), axis=-1)
    value_at_risk = threshold + np.take_along_axis(beyond, last, axis=-1)[..., None, None]
    over = np.maximum(shaped - value_at_risk, 0.0) / (1.0 - sections.level)
    return (value_at_risk + over).reshape(losses.shape)
