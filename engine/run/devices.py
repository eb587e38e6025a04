"""Devices side by side in a row: an array is each device's own along its leading axis, or shared by all."""

from collections.abc import Callable, Sequence

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

OWN, SHARED = PartitionSpec("devices"), PartitionSpec()


def mesh_of(devices: Sequence | None = None) -> Mesh:
    """These devices, or all, in a row."""
    return Mesh(np.array(devices or jax.devices()), ("devices",))


def side_by_side(function: Callable, mesh: Mesh, placed: tuple[PartitionSpec, ...]) -> Callable:
    """The function run by every device on its own part; `placed` says of each argument whether it is OWN or
    SHARED, and every result is each device's own."""
    return jax.shard_map(function, mesh=mesh, in_specs=placed, out_specs=OWN, check_vma=False)


def own(array, mesh: Mesh):
    """An array [devices ...] with a row for each device."""
    return jax.make_array_from_callback(array.shape, NamedSharding(mesh, OWN), lambda at: array[at])


def on_first(first, blank, mesh: Mesh):
    """`first` on the first device and `blank` on every other; an array [devices ...]."""
    first, blank = np.asarray(first)[None], np.asarray(blank)[None]
    shape = (mesh.size, *blank.shape[1:])
    placed = NamedSharding(mesh, OWN)
    return jax.make_array_from_callback(shape, placed, lambda at: blank if at[0].start else first)


def everywhere(tree, mesh: Mesh | None = None):
    """A pytree put whole on every device, once."""
    placed = NamedSharding(mesh or mesh_of(), SHARED)
    return jax.tree.map(
        lambda leaf: jax.make_array_from_callback(np.shape(leaf), placed, lambda at: np.asarray(leaf)[at]),
        tree,
    )


def parts(tree) -> list:
    """What each device holds of a pytree [devices ...], on the host."""
    leaves, form = jax.tree.flatten(tree)
    rows = [[np.asarray(shard.data)[0] for shard in leaf.addressable_shards] for leaf in leaves]
    return [jax.tree.unflatten(form, row) for row in zip(*rows, strict=True)]
