"""Traces for devices side by side: without arrays that have no elements, and without garbage collection.

XLA of JAX 0.11 crashes on an array without elements that enters or leaves it.
"""

import ast
import contextlib
import gc

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine.run.chunks import map_chunks
from engine.run.devices import OWN, SHARED, mesh_of, side_by_side
from tests.borders import empty_at_border
from tests.test_house import sources

NOWHERE = np.zeros(0, np.int32)
"""An index without elements: a loop lifts it out of its body as a constant."""
FULL, EMPTY, SHARED_EMPTY = (
    np.ones((2, 3), np.float32),
    np.ones((2, 0), np.float32),
    np.ones((4, 0), np.float32),
)


def looped(total, nothing):
    """A loop that adds nothing."""
    return jax.lax.fori_loop(0, 3, lambda i, total: total.at[NOWHERE].add(nothing), total)


def test_arrays_without_elements_stay_outside_and_come_back():
    def mixed(full, empty, shared):
        return full * 2.0, empty * 2.0, looped(full[0], shared[0]), {"none": jnp.int32(NOWHERE)[None]}

    function = jax.jit(side_by_side(mixed, mesh_of(), (OWN, OWN, SHARED)))
    assert not empty_at_border(function.trace(FULL, EMPTY, SHARED_EMPTY))
    double, empty, total, named = function(FULL, EMPTY, SHARED_EMPTY)
    np.testing.assert_array_equal(double, np.full((2, 3), 2.0))
    np.testing.assert_array_equal(total, np.ones(6))
    assert empty.shape == (2, 0) and empty.dtype == jnp.float32
    assert named["none"].shape == (2, 0) and named["none"].dtype == jnp.int32


def test_the_walk_sees_an_argument_a_result_and_a_constant():
    def crossing(function, *arguments):
        places = (OWN,) * len(arguments)
        mapped = jax.shard_map(function, mesh=mesh_of(), in_specs=places, out_specs=OWN, check_vma=False)
        return empty_at_border(jax.jit(mapped).trace(*arguments))

    assert crossing(lambda full, empty: full + jnp.sum(empty), FULL, EMPTY) == [(2, 0), (1, 0)]
    assert crossing(lambda full: full[:, :0], FULL) == [(2, 0), (1, 0)]
    assert set(crossing(lambda full: looped(full[0], jnp.float32(1.0)), FULL)) == {(0,)}


def test_a_trace_serves_programs_with_and_without_devices_side_by_side():
    traces = []

    @jax.jit
    def double(rows):
        traces.append(rows.shape)
        return 2.0 * rows

    jax.jit(side_by_side(lambda rows: double(rows), mesh_of(), (OWN,)))(FULL)
    double(FULL[:1])
    assert traces == [(1, 3)]


def test_chunks_may_have_arguments_and_results_without_elements():
    def chunk(own, shared, one):
        return looped(jnp.ones(3, jnp.float32), own), shared.T, one["nothing"], one["ids"] + 1

    each = {"ids": np.arange(4, dtype=np.int64)[:, None], "nothing": np.zeros((4, 0), np.int64)}
    form = {"chunk": chunk, "mesh": mesh_of(), "placement": (OWN, SHARED)}
    assert not empty_at_border(map_chunks.trace((EMPTY, SHARED_EMPTY), each, **form))
    total, turned, nothing, ids = map_chunks((EMPTY, SHARED_EMPTY), each, **form)
    assert total.shape == (4, 3) and turned.shape == (4, 0, 4) and nothing.shape == (4, 0)
    np.testing.assert_array_equal(ids[:, 0], np.arange(1, 5))


def test_shard_map_is_called_in_one_place():
    calls = [
        path.name
        for path in sources("engine")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "shard_map"
    ]
    assert calls == ["devices.py"]


@pytest.mark.parametrize("fails", [False, True])
def test_no_garbage_is_collected_while_a_trace_is_made(fails):
    enabled = []

    def function(x):
        enabled.append(gc.isenabled())
        if fails:
            raise ArithmeticError("in the trace")
        return x

    run = jax.jit(side_by_side(function, mesh_of(), (OWN,)))
    with pytest.raises(ArithmeticError) if fails else contextlib.nullcontext():
        run(np.zeros((len(jax.devices()), 3), np.float32))
    assert enabled and not any(enabled) and gc.isenabled()
