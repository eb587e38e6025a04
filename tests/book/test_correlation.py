"""The nearest correlation matrix against the published example and its own definition."""

import numpy as np
import pytest

from engine.book.checks.correlation import repair_correlation


def test_highams_example():
    """Higham 2002, section 4: the 3 x 3 example, printed there to four decimals."""
    given = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [0.0, 1.0, 1.0]])
    nearest, moved = repair_correlation(given)
    a, b = 0.7607, 0.1573
    assert np.allclose(nearest, [[1, a, b], [a, 1, a], [b, a, 1]], atol=5e-5)
    assert moved == pytest.approx(1 - a, abs=5e-5)


def test_a_correlation_matrix_stays():
    rng = np.random.default_rng(3)
    factors = rng.normal(size=(6, 9))
    factors /= np.linalg.norm(factors, axis=1, keepdims=True)
    given = factors @ factors.T
    nearest, moved = repair_correlation(given)
    assert moved < 1e-12
    assert np.allclose(nearest, given, atol=1e-12)


def test_the_result_is_a_correlation_matrix():
    rng = np.random.default_rng(4)
    for _ in range(20):
        given = rng.uniform(-1, 1, (6, 6))
        nearest, _ = repair_correlation(given)
        assert np.allclose(nearest, nearest.T, rtol=0, atol=1e-15)
        assert np.allclose(np.diag(nearest), 1.0, atol=1e-12)
        assert np.linalg.eigvalsh(nearest)[0] > -1e-12


@pytest.mark.parametrize("matrix", [np.zeros((2, 3)), np.array([[1.0, np.nan], [np.nan, 1.0]])])
def test_what_is_no_matrix_is_refused(matrix):
    with pytest.raises(ValueError, match="finite square matrix"):
        repair_correlation(matrix)
