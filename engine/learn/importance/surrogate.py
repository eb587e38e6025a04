"""A net that estimates a path's loss from its features, fitted to a pilot run by weighted least squares.

    min sum_i w_i (f(x_i) - y_i)^2,     y the loss in standard deviations from its mean,
    w = exp(TAILWARD y), y cut off at -1 and 4

by stochastic gradients with decoupled weight decay (Loshchilov and Hutter 2019). The weights turn it towards
the tail, where the choice of paths is decided. Only features that tell losses apart are read: those with the
largest correlations with the loss or with its tail, where they are told from zero.
"""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Float32, Float64, Int32

from engine.draws.choice import Surrogate, network

INPUTS = 192
"""Features that are read at most."""
WIDTHS = (64, 32)
"""Units of the two layers."""
SIGNIFICANT = 4.0
"""Standard errors by which a feature's correlation must differ from zero to be read."""
TAILWARD = 0.7
CUT = (-1.0, 4.0)
EPOCHS = 4
BATCH = 256
RATE = 1e-3
DECAY = 1.0


def standard(values: Float64[np.ndarray, "paths"]) -> Float64[np.ndarray, "paths"]:
    """Values in standard deviations from their mean; zero where they do not vary."""
    return (values - values.mean()) / max(float(values.std()), 1e-12)


def empty(features: int) -> Surrogate:
    """A surrogate of so many features that has learned nothing."""
    inputs = min(INPUTS, features)
    sizes = (inputs, *WIDTHS, 1)
    return Surrogate(
        jnp.arange(inputs, dtype=jnp.int32),
        jnp.zeros(inputs, jnp.float32),
        jnp.ones(inputs, jnp.float32),
        tuple(jnp.zeros(pair, jnp.float32) for pair in zip(sizes[:-1], sizes[1:], strict=True)),
        tuple(jnp.zeros(into, jnp.float32) for into in sizes[1:]),
    )


def significance(
    features: Float32[np.ndarray, "paths features"], y: Float64[np.ndarray, "paths"]
) -> Float32[np.ndarray, "features"]:
    """Largest correlation of each feature with three sides of the loss, in standard errors, without sign.

    The sides are the loss, its tail weights, and whether it is among the largest hundredth.
    """
    scaled = (features - features.mean(axis=0)) / np.maximum(features.std(axis=0), 1e-6)
    largest = (y > np.quantile(y, 0.99)).astype(np.float64)
    sides = np.stack([standard(side) for side in (y, np.exp(np.clip(y, *CUT)), largest)])
    return np.abs(sides.astype(np.float32) @ scaled).max(axis=0) / np.float32(len(y) ** 0.5)


def fit(
    features: Float32[np.ndarray, "paths features"], y: Float64[np.ndarray, "paths"], seed: int
) -> Surrogate:
    """The surrogate of a pilot's paths, y their losses by `standard`; the same seed gives the same net."""
    rng = np.random.default_rng(seed)
    strength, blank = significance(features, y), empty(features.shape[1])
    places = np.sort(np.argsort(-strength, kind="stable")[: len(blank.places)]).astype(np.int32)
    inputs = features[:, places]
    centre, scale = inputs.mean(axis=0), np.maximum(inputs.std(axis=0), 1e-6)
    scale[strength[places] < SIGNIFICANT] = np.inf  # read as zero
    first = Surrogate(
        jnp.asarray(places),
        jnp.asarray(centre, jnp.float32),
        jnp.asarray(scale, jnp.float32),
        tuple(
            jnp.asarray(rng.normal(size=own.shape) * (2.0 / own.shape[0]) ** 0.5, jnp.float32)
            for own in blank.weights
        ),
        blank.biases,
    )
    batch = min(BATCH, len(y))
    turns = [rng.permutation(len(y))[: len(y) // batch * batch].reshape(-1, batch) for _ in range(EPOCHS)]
    weight = np.exp(TAILWARD * np.clip(y, *CUT))
    data = (jnp.asarray(inputs), jnp.asarray(y, jnp.float32), jnp.asarray(weight, jnp.float32))
    with jax.numpy_dtype_promotion("standard"):  # optax raises a decay to an integer power
        weights, biases = descend(first, data, jnp.asarray(np.concatenate(turns), jnp.int32))
    return Surrogate(first.places, first.centre, first.scale, weights, biases)


@jax.jit
def descend(
    first: Surrogate,
    data: tuple[Float[Array, "paths inputs"], Float[Array, "paths"], Float[Array, "paths"]],
    batches: Int32[Array, "steps batch"],
) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
    """Weights and biases after one step for each batch of paths."""
    rate = optax.cosine_decay_schedule(RATE, batches.shape[0])
    optimiser = optax.adamw(rate, weight_decay=DECAY)
    inputs, y, weight = data
    scaled = (inputs - first.centre[None, :]) / first.scale[None, :]

    def error(net, own):
        weights, biases = net
        value = jax.vmap(lambda row: network(weights, biases, row))(scaled[own])
        return jnp.sum(weight[own] * (value - y[own]) ** 2) / jnp.sum(weight[own])

    def step(carry, own):
        net, state = carry
        updates, state = optimiser.update(jax.grad(error)(net, own), state, net)
        return (optax.apply_updates(net, updates), state), ()

    net = (first.weights, first.biases)
    return jax.lax.scan(step, (net, optimiser.init(net)), batches)[0][0]
