"""A few series of logs that share effects and a shock: the likelihood of all of them together.

    y = X b + e,   e ~ N(0, V),   V = E + sum_k s_k^2 K_k

The first columns of X are the levels of the series, the others are effects. K_k are covariances of Brownian
motions, common or one a series, E is the error of the observations. Scales s maximise the restricted likelihood
(Patterson and Thompson 1971), the density of what the effects leave,

    l(s) = -1/2 [ ln|V| + ln|X'V^-1 X| - ln|X'X| + r'V^-1 r + (n - p) ln 2pi ],   r = y - X b,

at b = (X'V^-1 X)^-1 X'V^-1 y, whose covariance is (X'V^-1 X)^-1.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float64

import engine.vocabulary  # noqa: F401  (turns 64-bit types on before the first array is made)

LOW, HIGH = 1e-3, 5.0
"""Scales are sought between these, per root year."""

STEPS = 15
"""Of L-BFGS from the best cell; it has settled long before."""

COARSE, FINE = 12, 120
"""Steps of each scale where the climb begins, and of a profile."""


class Panel(eqx.Module):
    """Data and structure; effects are the last columns of the design, in the order of their names.

    What is known or has no observation is zero: a column of zeros is no coefficient and counts nowhere, nor does
    a kernel of zeros. So all that is held or masked keeps its shape, and one compiled program serves.
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


class Estimate(eqx.Module):
    """Where the likelihood is greatest."""

    scales: Float64[Array, "scales"]
    slope: Float64[Array, ""]  # greatest derivative left: 0 where the search has settled
    likelihood: Float64[Array, ""]  # log
    coefficients: Float64[Array, "columns"]
    covariance: Float64[Array, "columns columns"]


def panel(y, entity, effects: dict[str, np.ndarray], kernels: dict[str, np.ndarray], error: float) -> Panel:
    """A panel of logs `y` of series named by `entity`, with effects and kernels by name."""
    names = list(dict.fromkeys(entity))
    levels = [(np.asarray(entity) == name).astype(np.float64) for name in names]
    count = len(y)
    return Panel(
        jnp.asarray(y, jnp.float64),
        jnp.asarray(np.array([*levels, *effects.values()]).reshape(-1, count).T),
        jnp.asarray(np.array(list(kernels.values())).reshape(-1, count, count)),
        jnp.asarray(error**2 * np.eye(count)),
        tuple(effects),
        tuple(kernels),
    )


def covariance_of(data: Panel, scales) -> Float64[Array, "n n"]:
    """V at these scales."""
    return data.error + jnp.einsum("k,kij->ij", scales**2, data.kernels)


def triangles(data: Panel, scales):
    """Cholesky factors of V and of the information [X y]'V^-1 [X y], lower."""
    root = jnp.linalg.cholesky(covariance_of(data, scales))
    both = jnp.concatenate([data.design, data.y[:, None]], axis=1)
    white = jax.scipy.linalg.solve_triangular(root, both, lower=True)
    return root, jnp.linalg.cholesky(white.T @ white + jnp.diag(jnp.append(data.unused, 0.0)))


def likelihood(data: Panel, scales) -> Float64[Array, ""]:
    """Log restricted likelihood. The last diagonal entry of the information's factor is the root of r'V^-1 r."""
    root, information = triangles(data, scales)
    plain = jnp.linalg.slogdet(data.design.T @ data.design + jnp.diag(data.unused))[1]
    logs = jnp.sum(jnp.log(jnp.diag(root))) + jnp.sum(jnp.log(jnp.diag(information)[:-1]))
    free = data.design.shape[0] - data.design.shape[1] + jnp.sum(data.unused)
    return 0.5 * (plain - information[-1, -1] ** 2 - free * jnp.log(2.0 * jnp.pi)) - logs


def regression(data: Panel, scales):
    """(coefficients, their covariance) at these scales."""
    _, information = triangles(data, scales)
    factor = information[:-1, :-1]
    coefficients = jax.scipy.linalg.solve_triangular(factor.T, information[-1, :-1], lower=False)
    return coefficients, jax.scipy.linalg.cho_solve((factor, True), jnp.eye(factor.shape[0]))


def scales_of(point):
    """Scales of unbounded coordinates, LOW to HIGH."""
    return LOW * (HIGH / LOW) ** jax.nn.sigmoid(point)


def cells(count: int, steps: int) -> Float64[np.ndarray, "cells scales"]:
    """Coordinates in even steps of each scale's logarithm."""
    share = np.linspace(0.01, 0.99, steps)
    axes = np.meshgrid(*[np.log(share / (1.0 - share))] * count, indexing="ij")
    return np.stack([axis.ravel() for axis in axes], axis=1)


def surface(data: Panel, points) -> Float64[Array, "cells"]:
    """Log likelihood at each of the points [cells scales]."""
    return jax.vmap(lambda point: likelihood(data, scales_of(point)))(points)


def maximise(data: Panel) -> Estimate:
    """The greatest restricted likelihood: the best of a coarse grid of scales, then L-BFGS from there."""

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
    (point, state), _ = jax.lax.scan(step, (start, solver.init(start)), length=STEPS)
    value, gradient = value_and_gradient(point, state=state)
    scales = scales_of(point)
    return Estimate(scales, jnp.max(jnp.abs(gradient)), -value, *regression(data, scales))


fit = jax.jit(maximise)
look = jax.jit(surface)


def with_values(data: Panel, y) -> Panel:
    """The panel with other observations on the same dates."""
    return Panel(y, data.design, data.kernels, data.error, data.effects, data.scales)


def hold_scale(data: Panel, name: str, value) -> Panel:
    """The panel with one scale known."""
    place = data.scales.index(name)
    error = data.error + value**2 * data.kernels[place]
    kernels = data.kernels.at[place].set(0.0)
    return Panel(data.y, data.design, kernels, error, data.effects, data.scales)


def hold_effect(data: Panel, name: str, value: float) -> Panel:
    """The panel with one effect known."""
    place = data.column(name)
    y, design = data.y - value * data.design[:, place], data.design.at[:, place].set(0.0)
    return Panel(y, design, data.kernels, data.error, data.effects, data.scales)


def masked(data: Panel, seen) -> Panel:
    """The panel as it was when only some observations had been made (`seen` [n], 1 or 0), in the same shape.

    The others become noise of unit variance that no effect moves: a constant of the likelihood.
    """
    pair = seen[:, None] * seen[None, :]
    return Panel(
        data.y * seen,
        data.design * seen[:, None],
        data.kernels * pair,
        data.error * pair + jnp.diag(1.0 - seen),
        data.effects,
        data.scales,
    )


def profile(data: Panel, name: str) -> tuple[np.ndarray, np.ndarray]:
    """(values of one scale, greatest log likelihood at each over the other scales), on a fine grid."""
    count = len(data.scales)
    found = np.asarray(look(data, jnp.asarray(cells(count, FINE)))).reshape([FINE] * count)
    others = tuple(axis for axis in range(count) if axis != data.scales.index(name))
    return np.asarray(scales_of(jnp.asarray(cells(1, FINE)[:, 0]))), np.nanmax(found, axis=others)
