"""Two-step importance sampling of a portfolio's tail (Glasserman and Li 2005, Management Science 51(11)).

Given the factors, `losses.sample` twists default probabilities towards a target loss y. The factors
themselves are drawn about the least unlikely point at which y is the expected loss,

    mu = argmin |z|^2 / 2   subject to   E[L | Z = z] >= y

(their section 5.1, "constant approximation"). A share of the paths stays plain, which bounds the weights.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr
from jaxtyping import Array, Float64
from scipy import optimize

from engine import arguments
from engine.portfolio.losses import Twist
from engine.portfolio.portfolio import Portfolio

DEFENSIVE = 0.1
"""Share of paths drawn plainly."""
FAR = 8.0
"""Standard deviations of the factors, Phi(-8) = 6e-16, beyond which losses do not come from them."""


def tuned(book: Portfolio, target: float, defensive: float = DEFENSIVE) -> Twist:
    """The twist that samples losses of about `target`, in the exposures' unit.

    Raises ValueError unless the target lies between zero and the largest loss the portfolio can have, and
    the defensive share between 0 and 1.
    """
    share = arguments.number("defensive", defensive)
    if not 0.0 <= share < 1.0:
        arguments.refuse("defensive", defensive, "a share from 0 up to but not including 1")
    mean = jnp.asarray(factor_mean(book, target), jnp.float32)
    return Twist(mean, jnp.asarray(target, jnp.float32), jnp.asarray(defensive, jnp.float32))


def factor_mean(book: Portfolio, target: float) -> Float64[np.ndarray, "factors"]:
    """The mean of the factors at which losses of about `target` are most likely.

    Zero, so that only defaults are twisted, where no factors within FAR make the target the expected loss:
    they move no obligor, or hardly any.
    """
    target = arguments.number("target", target)
    if not 0.0 < target < book.total:
        raise ValueError(f"target: got {target:g}, expected a loss between 0 and the largest, {book.total:g}")
    unit = 1.0 / target

    def excess(z):
        return float(expected_loss(z, book)[0]) * unit - 1.0

    def slope(z):
        return np.asarray(expected_loss(z, book)[1], np.float64) * unit

    constraint = {"type": "ineq", "fun": excess, "jac": slope}
    begin = bad_direction(book)
    if not np.asarray(book.loadings).any() and not book.student:
        return np.zeros_like(begin)
    point = optimize.minimize(
        lambda z: 0.5 * z @ z, begin, jac=lambda z: z, constraints=constraint, method="SLSQP"
    )
    reached = point.success and np.isfinite(point.x).all() and np.linalg.norm(point.x) <= FAR
    return point.x if reached else np.zeros_like(begin)


def bad_direction(book: Portfolio) -> Float64[np.ndarray, "factors"]:
    """Two standard deviations along the exposure-weighted loadings: where the search begins."""
    loadings = np.asarray(book.loadings, np.float64)
    weight = np.asarray(book.exposure, np.float64) * np.asarray(book.lgd, np.float64)
    direction = weight @ loadings
    if book.student:
        direction = np.append(direction, np.linalg.norm(direction) or 1.0)
    norm = np.linalg.norm(direction)
    return 2.0 * direction / norm if norm > 0.0 else direction


@jax.jit
@jax.value_and_grad
def expected_loss(z: Float64[Array | np.ndarray, " normals"], book: Portfolio) -> Float64[Array, ""]:
    """E[L | Z = z], the exposures' unit."""
    common, scale = z, jnp.ones(())
    if book.student:
        common, scale = z[:-1], book.mixing(z[-1].astype(jnp.float32)).astype(jnp.float64)
    loadings, threshold, own = (x.astype(jnp.float64) for x in (book.loadings, book.threshold, book.residual))
    p = ndtr((jnp.sum(loadings * common[None, :], axis=1) - threshold * scale) / own)
    return jnp.sum((book.exposure * book.lgd).astype(jnp.float64) * p)
