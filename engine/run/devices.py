"""Devices side by side in a row: an array is each device's own along its leading axis, or shared by all."""

import contextlib
import gc
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import jaxpr_as_fun
from jax.sharding import Mesh, NamedSharding, PartitionSpec

OWN, SHARED = PartitionSpec("devices"), PartitionSpec()


def mesh_of(devices: Sequence[jax.Device] | None = None) -> Mesh:
    """These devices, or all, in a row."""
    return Mesh(np.array(devices or jax.devices()), ("devices",))


def side_by_side(function: Callable[..., Any], mesh: Mesh, placement: tuple[PartitionSpec, ...]) -> Callable:
    """The function run by every device on its own part of the arguments.

    `placement` has OWN or SHARED for each argument; every result is each device's own. Arrays without
    elements are made anew inside and outside: on two CPU devices XLA (of JAX 0.11) crashes in
    `zero_sized_hlo_elimination` where one enters or leaves `shard_map`.
    """

    @collector_paused()
    def on_all(*arguments):
        inside = tuple(
            shapes(part, NamedSharding(mesh, place).shard_shape)
            for part, place in zip(arguments, placement, strict=True)
        )
        traced, results = one_device(function, *inside)
        full, _ = eqx.partition(arguments, np.size)
        _, empty = eqx.partition(inside, lambda shape: shape.size)
        _, blank = eqx.partition(results, lambda shape: shape.size)

        def on_device(*full):
            return eqx.filter(traced(*filled(full, empty)), np.size)

        full = jax.shard_map(on_device, mesh=mesh, in_specs=placement, out_specs=OWN, check_vma=False)(*full)
        return filled(full, shapes(blank, lambda shape: (mesh.size * shape[0], *shape[1:])))

    return on_all


@contextlib.contextmanager
def collector_paused() -> Iterator[None]:
    """Without Python's garbage collector: what a trace makes lives on, and to search it takes long."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def one_device(function: Callable[..., Any], *arguments: Any) -> tuple[Callable[..., Any], Any]:
    """The function traced for arguments of these shapes, and the shapes of its results.

    Traced outside of `shard_map`, where JAX would trace anew what other programs have traced already. Its
    constants without elements are made anew at each call; `shard_map` takes others as arguments.
    """
    closed, results = jax.make_jaxpr(function, return_shape=True)(*arguments)
    full, empty = eqx.partition(closed.consts, np.size)

    def traced(*arguments):
        flat = jaxpr_as_fun(closed.replace(consts=filled(full, shapes(empty))))
        return jax.tree.unflatten(jax.tree.structure(results), flat(*jax.tree.leaves(arguments)))

    return traced, results


def shapes(tree: Any, shape_of: Callable[[tuple[int, ...]], tuple[int, ...]] = tuple) -> Any:
    """The shapes of a pytree's arrays, each changed by `shape_of`."""
    return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(shape_of(leaf.shape), leaf.dtype), tree)


def filled(tree: Any, empty: Any) -> Any:
    """A pytree with arrays of these shapes, which have no elements, in the places where it has None."""
    return eqx.combine(tree, jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), empty))


def own(array: np.ndarray, mesh: Mesh) -> jax.Array:
    """An array [devices ...] with a row for each device."""
    return jax.make_array_from_callback(array.shape, NamedSharding(mesh, OWN), lambda at: array[at])


def on_first(first: Any, blank: Any, mesh: Mesh) -> jax.Array:
    """`first` on the first device and `blank` on every other; an array [devices ...]."""
    first, blank = np.asarray(first)[None], np.asarray(blank)[None]
    shape = (mesh.size, *blank.shape[1:])
    sharding = NamedSharding(mesh, OWN)
    return jax.make_array_from_callback(shape, sharding, lambda at: blank if at and at[0].start else first)


def everywhere(tree: Any, mesh: Mesh | None = None) -> Any:
    """A pytree put whole on every device, once."""
    sharding = NamedSharding(mesh or mesh_of(), SHARED)
    return jax.tree.map(
        lambda leaf: jax.make_array_from_callback(np.shape(leaf), sharding, lambda at: np.asarray(leaf)[at]),
        tree,
    )


def row(tree: Any) -> Any:
    """Inside a device: its own row of a pytree [devices ...], of which it sees one."""
    return jax.tree.map(lambda leaf: leaf[0], tree)


def as_row(tree: Any) -> Any:
    """Inside a device: a pytree as its own row of one [devices ...]."""
    return jax.tree.map(lambda leaf: leaf[None], tree)


def rows(tree: Any) -> list[Any]:
    """The rows of a pytree [devices ...], on the host."""
    leaves, form = jax.tree.flatten(tree)
    columns = [[np.asarray(shard.data)[0] for shard in leaf.addressable_shards] for leaf in leaves]
    return [jax.tree.unflatten(form, each) for each in zip(*columns, strict=True)]
