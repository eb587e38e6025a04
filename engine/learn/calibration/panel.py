"""Joint likelihood of a few series of logs that share effects and shocks.

    y = X b + e,   e ~ N(0, V),   V = E + sum_k s_k^2 K_k

The first columns of X are the levels of the series, the others are effects. K_k are covariances of Brownian
motions, common or one a series, E is the error of the observations. Scales s maximise the restricted
likelihood (Patterson and Thompson 1971), the density of the residuals from the effects,

    l(s) = -1/2 [ ln|V| + ln|X'V^-1 X| + r'V^-1 r + (n - p) ln 2pi ],   r = y - X b,

at b = (X'V^-1 X)^-1 X'V^-1 y, whose covariance is (X'V^-1 X)^-1.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float64, Int, Shaped

LOW, HIGH = 1e-3, 5.0
"""Bounds of the scales, per root year."""

ArrayLike: TypeAlias = Array | np.ndarray

STEPS = 15
"""Steps of L-BFGS from the best cell, far more than it needs."""

COARSE, FINE = 12, 120
"""Grid points of each scale where the search starts, and of a profile."""


class Panel(eqx.Module):
    """Data and structure; effects are the last columns of the design, in the order of their names.

    A fixed or unobserved number has zeros: a column of zeros has no coefficient, a kernel of zeros no scale.
    All panels thus have the same shapes and share one compiled program.
    """

    y: Float64[Array, "n"]
    design: Float64[Array, "n columns"]
    kernels: Float64[Array, "scales n n"]
    error: Float64[Array, "n n"]
    effects: tuple[str, ...] = eqx.field(static=True)
    scales: tuple[str, ...] = eqx.field(static=True)

    def column(self, effect: str) -> int:
        """Position of an effect in the design."""
        return self.design.shape[1] - len(self.effects) + self.effects.index(effect)

    @property
    def unused(self) -> Float64[Array, "columns"]:
        """1 for columns of zeros."""
        return (jnp.sum(self.design**2, axis=0) == 0.0).astype(jnp.float64)


class MaximumLikelihood(NamedTuple):
    """Scales at the maximum of the restricted likelihood, and the regression there."""

    scales: Float64[np.ndarray, "scales"]
    slope: float | Float64[np.ndarray, ""]  # greatest derivative: 0 where the search has converged
    likelihood: float | Float64[np.ndarray, ""]  # log
    coefficients: Float64[np.ndarray, "columns"]
    covariance: Float64[np.ndarray, "columns columns"]


def panel(
    y: Float64[np.ndarray, "n"],
    entity: Sequence[str] | Shaped[np.ndarray, "n"],
    effects: Mapping[str, Float64[np.ndarray, "n"]],
    kernels: Mapping[str, Float64[ArrayLike, "n n"]],
    error: float,
) -> Panel:
    """A panel of logs `y` of series named by `entity`, with effects and kernels by name."""
    names = list(dict.fromkeys(entity))
    levels = [(np.asarray(entity) == name).astype(np.float64) for name in names]
    columns, count = [*levels, *effects.values()], len(y)
    return Panel(
        jnp.asarray(y, jnp.float64),
        jnp.asarray(np.array(columns, np.float64).reshape(len(columns), count).T),
        jnp.asarray(np.array(list(kernels.values()), np.float64).reshape(len(kernels), count, count)),
        jnp.asarray(error**2 * np.eye(count)),
        tuple(effects),
        tuple(kernels),
    )


def empty_fit(data: Panel) -> MaximumLikelihood:
    """The fit of a panel without observations: zeros."""
    columns = data.design.shape[1]
    return MaximumLikelihood(
        np.zeros(len(data.scales)), 0.0, 0.0, np.zeros(columns), np.zeros((columns, columns))
    )


def covariance_of(data: Panel, scales: Float64[ArrayLike, "scales"]) -> Float64[Array, "n n"]:
    """V at these scales."""
    return data.error + jnp.einsum("k,kij->ij", scales**2, data.kernels)


def likelihood(data: Panel, scales: Float64[ArrayLike, "scales"]) -> Float64[Array, ""]:
    """Log restricted likelihood without the constant 1/2 ln|X'X|, by elimination.

    Eliminating the first n rows and columns of

        [ V   X   y ]
        [ X'  0   0 ]
        [ y'  0   0 ]

    leaves -[X y]'V^-1 [X y], and eliminating those of X too leaves -r'V^-1 r in the corner; determinants are
    the products of the pivots (Schur). Batches of LAPACK factorisations in a loop would stall on a CPU.
    """
    count, columns = data.design.shape
    right = jnp.concatenate([data.design, data.y[:, None]], axis=1)
    corner = -jnp.diag(jnp.append(data.unused, 0.0))
    whole = jnp.block([[covariance_of(data, scales), right], [right.T, corner]])

    def eliminate(
        rest: Float64[Array, "all all"], k: Int[Array, ""]
    ) -> tuple[Float64[Array, "all all"], Float64[Array, ""]]:
        pivot = rest[k, k]
        return rest - jnp.outer(rest[:, k], rest[k]) / pivot, jnp.log(jnp.abs(pivot))

    rest, logs = jax.lax.scan(eliminate, whole, jnp.arange(count + columns))
    free = count - columns + jnp.sum(data.unused)
    return 0.5 * (rest[-1, -1] - jnp.sum(logs) - free * jnp.log(2.0 * jnp.pi))


def regression(
    data: Panel, scales: Float64[ArrayLike, "scales"]
) -> tuple[Float64[np.ndarray, "columns"], Float64[np.ndarray, "columns columns"]]:
    """(coefficients, their covariance) at these scales, on the host."""
    v, design, y = (np.asarray(part) for part in (covariance_of(data, scales), data.design, data.y))
    weighted = np.linalg.solve(v, design)
    covariance = np.linalg.pinv(design.T @ weighted + np.diag(np.asarray(data.unused)), hermitian=True)
    return covariance @ (weighted.T @ y), covariance


def scales_of(point: Float64[Array, "*points"]) -> Float64[Array, "*points"]:
    """Scales of unbounded coordinates, LOW to HIGH."""
    return LOW * (HIGH / LOW) ** jax.nn.sigmoid(point)


def cells(count: int, steps: int) -> Float64[np.ndarray, "cells scales"]:
    """Coordinates in even steps of each scale's logarithm."""
    share = np.linspace(0.01, 0.99, steps)
    axes = np.meshgrid(*[np.log(share / (1.0 - share))] * count, indexing="ij")
    return np.stack([axis.ravel() for axis in axes], axis=1)


def surface(data: Panel, points: Float64[Array, "cells scales"]) -> Float64[Array, "cells"]:
    """Log likelihood at each of the points."""
    return jax.vmap(lambda point: likelihood(data, scales_of(point)))(points)


def search(data: Panel) -> tuple[Float64[Array, "scales"], Float64[Array, ""], Float64[Array, ""]]:
    """(scales, greatest derivative, log likelihood): the best of a coarse grid, then L-BFGS."""

    def loss(point):
        return -likelihood(data, scales_of(point))

    solver = optax.lbfgs(memory_size=4, linesearch=optax.scale_by_backtracking_linesearch(8, store_grad=True))
    value_and_gradient = optax.value_and_grad_from_state(loss)

    def step(carry, _):
        point, state = carry
        value, gradient = value_and_gradient(point, state=state)
        update, state = solver.update(gradient, state, point, value=value, grad=gradient, value_fn=loss)
        return (optax.apply_updates(point, update), state), None

    points = jnp.asarray(cells(len(data.scales), COARSE))
    start = points[jnp.nanargmax(surface(data, points))]
    with jax.numpy_dtype_promotion("standard"):  # optax counts in both widths of integers
        (point, state), _ = jax.lax.scan(step, (start, solver.init(start)), length=STEPS)
    value, gradient = value_and_gradient(point, state=state)
    return scales_of(point), jnp.max(jnp.abs(gradient)), -value


compiled_search = jax.jit(search)
compiled_surface = jax.jit(surface)


def fit(data: Panel) -> MaximumLikelihood:
    """The maximum of the restricted likelihood and the regression there."""
    scales, slope, value = jax.device_get(compiled_search(data))
    return MaximumLikelihood(scales, slope, value, *regression(data, scales))


def with_values(data: Panel, y: Float64[ArrayLike, "n"]) -> Panel:
    """The panel with other observations on the same dates."""
    return Panel(jnp.asarray(y), data.design, data.kernels, data.error, data.effects, data.scales)


def fix_scale(data: Panel, name: str, value: float) -> Panel:
    """The panel with one scale fixed."""
    place = data.scales.index(name)
    error = data.error + value**2 * data.kernels[place]
    kernels = data.kernels.at[place].set(0.0)
    return Panel(data.y, data.design, kernels, error, data.effects, data.scales)


def fix_effect(data: Panel, name: str, value: float) -> Panel:
    """The panel with one effect fixed."""
    place = data.column(name)
    y, design = data.y - value * data.design[:, place], data.design.at[:, place].set(0.0)
    return Panel(y, design, data.kernels, data.error, data.effects, data.scales)


def mask_rows(data: Panel, mask: Float64[ArrayLike, "n"]) -> Panel:
    """The panel of the observations where `mask` is 1 and not 0, in the same shape.

    The others become noise of unit variance that no effect moves: a constant of the likelihood.
    """
    pair = mask[:, None] * mask[None, :]
    return Panel(
        data.y * mask,
        data.design * mask[:, None],
        data.kernels * pair[None],
        data.error * pair + jnp.diag(1.0 - mask),
        data.effects,
        data.scales,
    )


def profile(data: Panel, name: str) -> tuple[np.ndarray, np.ndarray]:
    """(values of one scale, greatest log likelihood at each over the other scales), on a fine grid."""
    count = len(data.scales)
    values = np.asarray(compiled_surface(data, jnp.asarray(cells(count, FINE)))).reshape([FINE] * count)
    others = tuple(axis for axis in range(count) if axis != data.scales.index(name))
    return np.asarray(scales_of(jnp.asarray(cells(1, FINE)[:, 0]))), np.nanmax(values, axis=others)
