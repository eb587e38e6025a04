"""Strata of the ranked paths: every path counted once, means without bias, few paths for much tail."""

import numpy as np
import pytest

from engine.learn.greeks.sections import (
    LEAST,
    SECTIONS,
    STRATA,
    bounds_of,
    sample_ids,
    section_means,
    sections_of,
    shortfall,
)
from engine.tail.paired import influence


@pytest.fixture(scope="module")
def losses():
    return np.random.default_rng(1).exponential(size=65_536)


@pytest.fixture(scope="module")
def sections(losses):
    return sections_of(losses, 0.99)


def test_each_path_is_ranked_once_in_its_section(losses, sections):
    assert sorted(sections.ranked.ravel()) == list(range(losses.size))
    assert (np.diff(losses[sections.ranked], axis=1) <= 0.0).all()
    assert (sections.ranked // (losses.size // SECTIONS) == np.arange(SECTIONS)[:, None]).all()
    assert sections.share.sum() == pytest.approx(1.0) and len(sections.share) == STRATA
    for part, threshold in zip(losses.reshape(SECTIONS, -1), sections.threshold, strict=True):
        assert np.mean(part > threshold) == pytest.approx(0.01, abs=1.0 / part.size)


def test_means_of_drawn_paths_are_those_of_all(losses, sections):
    """Over many rows the drawn paths' mean is the section's, and is known far better in the tail."""
    ids = sample_ids(sections, 400, LEAST, np.random.default_rng(2))
    tail = np.maximum(losses - np.quantile(losses, 0.99), 0.0)
    found = section_means(sections, tail[ids])
    exact = tail.reshape(SECTIONS, -1).mean(axis=1)
    error = found.std(axis=0, ddof=1) / np.sqrt(len(ids))
    assert (np.abs(found.mean(axis=0) - exact) < 4.5 * error).all()
    plain = tail.std() / np.sqrt(LEAST / SECTIONS)
    assert found.std(axis=0).max() < 0.25 * plain


def test_no_path_comes_again_before_its_stratum_is_used_up(sections):
    ids = sample_ids(sections, 6, 2 * LEAST, np.random.default_rng(3)).reshape(6, SECTIONS, STRATA, 2)
    worst = ids[:, 0, 0].ravel()
    size = sections.bounds[1]
    assert size <= worst.size and len(set(worst[:size])) == size


def test_the_shortfall_of_unmoved_paths_is_es(losses, sections):
    """All paths as one row would be ES itself; a drawn row is that within its error."""
    ids = sample_ids(sections, 200, LEAST, np.random.default_rng(4))
    rows = section_means(sections, shortfall(sections, losses[ids])).mean(axis=1)
    exact = np.mean([influence(part, 0.99).mean() for part in losses.reshape(SECTIONS, -1)])
    assert abs(rows.mean() - exact) < 4.0 * rows.std(ddof=1) / np.sqrt(len(rows)) + 0.002 * exact


def test_too_few_paths_are_refused():
    with pytest.raises(ValueError, match="at least one in a quarter"):
        bounds_of(100, 0.99)
    with pytest.raises(ValueError, match=f"expected a multiple of {LEAST}"):
        sample_ids(sections_of(np.arange(65_536.0), 0.99), 2, 100, np.random.default_rng(1))
