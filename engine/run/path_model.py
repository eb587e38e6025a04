"""A path model of your own: any function from (draws, parameters) to the losses of one path.

    path(draws, parameters) -> PathOutcome        draws: normals [steps factors], uniforms [steps]

The function is pure and written for one path in JAX; it is batched, compiled and placed here, and its paths
enter the tally that every run has. Draws are a hash of (seed, path id), so any path can be had again, and the
samplers of `draws` serve any model.
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, Int, Int32, UInt32
from numpy.typing import ArrayLike

from engine import arguments
from engine.batch.barriers import materialised, stored
from engine.batch.path_last import batch_last
from engine.draws.address import seed_words
from engine.draws.samplers import PSEUDO_RANDOM, Sampler, Systematic
from engine.numerics import all_finite, double_precision
from engine.run.blocks import Model
from engine.run.chunks import by_path
from engine.run.plan import CHUNK, Hooks, Plan
from engine.tail.histogram import LOSS
from engine.tail.outcome import Outcome, path_weight
from engine.tail.tally import Layout
from engine.vocabulary import NOT_FINITE

MOST_STEPS = 4096
SPARE = 16.0
"""The largest loss is taken to be this many times that of the pilot's worst path."""

Seed = UInt32[Array, "2"]
Ids = Int[Array, " paths"]


class PathOutcome(eqx.Module):
    """What one path leaves; losses positive, in the model's own unit, cumulative to each horizon."""

    losses: Float[ArrayLike, "..."]  # [horizons columns], [columns] or one number
    components: Float[ArrayLike, "..."] | None = None  # [horizons components] or [components]: a finer split
    default_step: Int[ArrayLike, " entities"] | None = None  # 1 to steps, 0 never
    trace: Float[ArrayLike, "steps series"] | None = None  # of any unit


class Fields(eqx.Module):
    """A `PathOutcome` with all its axes, in the tally's types."""

    losses: Float32[Array, "horizons columns"]
    components: Float32[Array, "horizons components"]
    default_step: Int32[Array, " entities"]
    trace: Float32[Array, "steps series"]


@dataclasses.dataclass(frozen=True, eq=False)
class PathModel:
    """A function of one path, its parameters, and the names of what it gives.

    Args: path(draws, parameters) -> `PathOutcome`, or its losses alone; parameters, any pytree of numbers and
    arrays, whose floats become float32; steps and factors, so many rows of so many independent standard
    normals, beside one uniform a row; horizons, steps at which losses are given, increasing, the last one
    unless given; columns, components, entities and series, names along these axes, numbered unless given:
    column 0 is the loss whose tail is measured, components split it; unit, as tables name it.

    Raises ValueError for steps outside 1 to 4096, factors below 1, horizons that do not increase within the
    steps, names that are not as many as the axis is long or not distinct, and a path function that raises, or
    returns other shapes than these, on abstract draws.

    Example: the sum of two normals a step, over three steps, as far as it is positive.
        >>> walk = PathModel(lambda z, size: size * jnp.maximum(jnp.sum(z.normals), 0.0), 2.0, 3, factors=2)
        >>> walk.layout.columns, walk.layout.horizons
        (('loss',), (3,))
    """

    path: Callable[[Systematic, Any], Any]
    parameters: Any = None
    steps: int = 1
    factors: int = 1
    horizons: Sequence[int] | None = None
    columns: Sequence[str] | None = None
    components: Sequence[str] | None = None
    entities: Sequence[str] | None = None
    series: Sequence[str] | None = None
    unit: str = ""

    def __post_init__(self) -> None:
        if not callable(self.path):
            arguments.refuse("path", self.path, "a function of draws and parameters")
        put = object.__setattr__
        put(self, "steps", arguments.count("steps", self.steps, 1, MOST_STEPS))
        put(self, "factors", arguments.count("factors", self.factors))
        put(self, "horizons", horizons_of(self.horizons, self.steps))
        with double_precision():
            put(self, "parameters", jax.tree.map(on_device, self.parameters))
        # A path function that cannot run is refused here, not in the middle of a run.
        _ = self.chunk

    @functools.cached_property
    def layout(self) -> Layout:
        """Names and sizes of the tally."""
        with double_precision():
            return layout_of(self)

    @functools.cached_property
    def chunk(self) -> "Chunk":
        """The function of a chunk of paths; equal for equal functions and layouts, so compiled once."""
        return Chunk(self.path, self.steps, self.factors, self.layout)

    def model(self, scale: float, far: bool) -> Model:
        """The model that `blocks.simulate` runs, its losses times `scale`."""
        layout = dataclasses.replace(self.layout, far=far)
        return Model(self.chunk, (self.parameters, jnp.asarray(scale, jnp.float32)), layout, CHUNK)

    def replay(self, sampler: Sampler, seed: int, path: int) -> Fields:
        """One path again."""
        _, fields = jax.jit(self.chunk.one)(sampler, seed_words(seed), jnp.int64(path), self.parameters)
        return fields


@dataclasses.dataclass(frozen=True)
class Chunk:
    """Paths of one model together."""

    path: Callable[[Systematic, Any], Any]
    steps: int
    factors: int
    layout: Layout

    def one(
        self, sampler: Sampler, seed: Seed, path: Int[Array, ""], parameters: Any
    ) -> tuple[Systematic, Fields]:
        """Draws and outcome of one path."""
        draws = sampler(seed, path, self.steps, self.factors)
        return draws, fields_of(self.path(draws, parameters), self.layout)

    def together(self, sampler: Sampler, seed: Seed, ids: Ids, parameters: Any) -> tuple[Systematic, Fields]:
        """Of many, the path axis last. Draws are stored, or each of their uses would draw them again."""

        def draw(sampler: Sampler, seed: Seed, path: Int[Array, ""]) -> Systematic:
            return sampler(seed, path, self.steps, self.factors)

        def draw_all(sampler: Sampler, seed: Seed, ids: Ids) -> Systematic:
            return batch_last(draw, sampler, seed, ids, batched=(False, False, True))

        def outcome(draws: Systematic, parameters: Any) -> Fields:
            return fields_of(self.path(draws, parameters), self.layout)

        draws = materialised(stored(draw_all, sampler, seed, ids))
        return draws, jax.vmap(outcome, in_axes=(-1, None), out_axes=-1)(draws, parameters)

    def __call__(self, arrays: Any, sampler: Sampler, seed: Seed, ids: Ids, count: Int[Array, ""]) -> Outcome:
        parameters, scale = arrays
        draws, fields = self.together(sampler, seed, ids, parameters)
        finite = jax.vmap(all_finite, in_axes=-1)((fields.losses, fields.components))
        return Outcome(
            path=ids,
            weight=path_weight(draws.log_weight, ids < count),
            losses=fields.losses * scale,
            components=fields.components * scale,
            default_month=fields.default_step,
            cause=jnp.zeros_like(fields.default_step),
            failure_month=jnp.zeros((0, ids.shape[0]), jnp.int32),
            trace=fields.trace,
            group=jnp.zeros(ids.shape[0], jnp.int32),
            flags=jnp.where(finite, jnp.uint32(0), jnp.uint32(1 << NOT_FINITE)),
        )


@dataclasses.dataclass(frozen=True)
class Pilot:
    """The chunk function of a pilot: last loss of column 0, log-weight, normals; paths last."""

    chunk: Chunk

    def __call__(self, parameters: Any, sampler: Sampler, seed: Seed, ids: Ids) -> tuple[Array, Array, Array]:
        draws, fields = self.chunk.together(sampler, seed, ids, parameters)
        return fields.losses[-1, 0], draws.log_weight, draws.normals


@dataclasses.dataclass(frozen=True)
class Largest:
    """The chunk function of the largest loss of each path, over horizons, columns and components."""

    chunk: Chunk

    def __call__(self, parameters: Any, sampler: Sampler, seed: Seed, ids: Ids) -> Array:
        _, fields = self.chunk.together(sampler, seed, ids, parameters)
        both = jnp.concatenate([fields.losses, fields.components], axis=1)
        return jnp.max(jnp.abs(both), axis=(0, 1))


def pilot(model: PathModel, sampler: Sampler, plan: Plan, hooks: Hooks | None = None) -> tuple[Any, Any, Any]:
    """Loss [paths], log-weight [paths] and normals [steps factors paths] of a plan's paths, on the host."""
    return by_path(Pilot(model.chunk), model.parameters, plan, sampler, hooks)


def scale_of(model: PathModel, plan: Plan) -> float:
    """A power of two that brings losses `SPARE` times as large as a pilot's into the tally's last octave."""
    losses = np.asarray(by_path(Largest(model.chunk), model.parameters, plan, PSEUDO_RANDOM), np.float64)
    largest = SPARE * float(np.max(losses, initial=0.0, where=np.isfinite(losses)))
    return 2.0 ** float(LOSS.high - np.ceil(np.log2(largest))) if largest > 0.0 else 1.0


def horizons_of(horizons: Sequence[int] | None, steps: int) -> tuple[int, ...]:
    """Steps at which losses are given; ValueError unless they increase within 1 to the steps."""
    if horizons is None:
        return (steps,)
    each = tuple(
        arguments.count("horizons", h, 1, steps) for h in np.atleast_1d(np.asarray(horizons)).tolist()
    )
    if not each or list(each) != sorted(set(each)):
        arguments.refuse("horizons", horizons, f"steps that increase from 1 to {steps}")
    return each


def on_device(leaf: Any) -> Array:
    """A parameter as an array: floats in float32, whole numbers in int32."""
    array = np.asarray(getattr(leaf, "values", leaf))
    if array.dtype.kind not in "iufb":
        arguments.refuse("parameters", leaf, "numbers and arrays of numbers")
    kind: Any = {"f": np.float32, "b": np.bool_}.get(array.dtype.kind, np.int32)
    return jnp.asarray(array.astype(kind))


def layout_of(model: PathModel) -> Layout:
    """Names along the axes of what the path function gives; ValueError where it cannot be run or told."""

    def one(seed, path, parameters):
        draws = PSEUDO_RANDOM(seed, path, model.steps, model.factors)
        outcome = model.path(draws, parameters)
        return outcome if isinstance(outcome, PathOutcome) else PathOutcome(outcome)

    try:
        shape = jax.eval_shape(one, seed_words(0), jnp.int64(0), model.parameters)
    except Exception as error:
        message = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        expected = "a function in JAX of one path's draws and parameters to a PathOutcome"
        raise ValueError(f"path: got {message}, expected {expected}") from error
    horizons = len(model.horizons or ())
    losses = sizes("losses", shape.losses, horizons)
    parts = 0 if shape.components is None else sizes("components", shape.components, horizons)
    firms = 0 if shape.default_step is None else vector_size("default_step", shape.default_step)
    series = 0 if shape.trace is None else trace_size(shape.trace, model.steps)
    columns = ["loss", *(f"column {i}" for i in range(1, losses))]
    return Layout(
        horizons=tuple(model.horizons or ()),
        columns=names_of("columns", model.columns, columns),
        components=names_of("components", model.components, [f"part {i}" for i in range(parts)]),
        entities=names_of("entities", model.entities, [f"entity {i}" for i in range(firms)]),
        months=model.steps,
        series=names_of("series", model.series, [f"series {i}" for i in range(series)]),
    )


def sizes(name: str, leaf: Any, horizons: int) -> int:
    """Columns of an array [horizons columns], [columns] at one horizon, or of one number."""
    shape = np.shape(leaf)
    if len(shape) < 2 and horizons == 1:
        return int(np.prod(shape, dtype=int))
    if len(shape) != 2 or shape[0] != horizons or not shape[1]:
        raise ValueError(f"path: got {name} of shape {shape}, expected ({horizons} horizons, {name})")
    return shape[1]


def vector_size(name: str, leaf: Any) -> int:
    """Length of a vector of whole numbers."""
    if len(leaf.shape) != 1 or leaf.dtype.kind not in "iu":
        raise ValueError(
            f"path: got {name} of {leaf.dtype}{list(leaf.shape)}, expected whole numbers [entities]"
        )
    return leaf.shape[0]


def trace_size(leaf: Any, steps: int) -> int:
    """Series of a trace [steps series]."""
    if len(leaf.shape) != 2 or leaf.shape[0] != steps:
        raise ValueError(f"path: got trace of shape {leaf.shape}, expected ({steps} steps, series)")
    return leaf.shape[1]


def names_of(name: str, names: Sequence[str] | None, default: list[str]) -> tuple[str, ...]:
    """Names along an axis; ValueError where there are more or fewer than it is long, or one stands twice."""
    if names is None:
        return tuple(default)
    chosen = tuple(str(each) for each in names) if not isinstance(names, str) else (names,)
    if len(chosen) != len(default):
        arguments.refuse(name, chosen, f"{len(default)} names, as many as the path function gives")
    if len(set(chosen)) != len(chosen):
        arguments.refuse(name, chosen, "names that are distinct")
    return chosen


def fields_of(outcome: Any, layout: Layout) -> Fields:
    """An outcome with all its axes."""
    own = outcome if isinstance(outcome, PathOutcome) else PathOutcome(outcome)
    horizons = len(layout.horizons)

    def table(leaf: Any, columns: int) -> Array:
        return (
            jnp.zeros((horizons, columns), jnp.float32)
            if leaf is None
            else (jnp.asarray(leaf).astype(jnp.float32).reshape(horizons, columns))
        )

    steps = jnp.zeros(0, jnp.int32) if own.default_step is None else jnp.asarray(own.default_step)
    trace = jnp.zeros((layout.months, 0)) if own.trace is None else jnp.asarray(own.trace)
    return Fields(
        losses=table(own.losses, len(layout.columns)),
        components=table(own.components, len(layout.components)),
        default_step=steps.astype(jnp.int32),
        trace=trace.astype(jnp.float32),
    )
