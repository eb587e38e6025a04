"""A run resumes from any of its states, on whatever devices, to the same tally to the bit."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine.draws.samplers import PSEUDO_RANDOM, Antithetic
from engine.run import blocks
from engine.run.blocks import Model
from engine.run.plan import CHUNK, Hooks, Plan
from engine.tail.outcome import Outcome, path_weight
from engine.tail.tally import Layout

LAYOUT = Layout(horizons=(12,), columns=("system",), components=(), entities=("a",), months=12, series=("x",))
PLAN = Plan(16 * CHUNK, CHUNK, 7)


def outcome(model, sampler, seed, ids, count):
    """One loss a path, from its first shocks."""
    drawn = jax.vmap(lambda path: sampler(seed, path, 12, 2))(ids)
    loss = model * jnp.exp(drawn.normals[:, 0, 0])
    return Outcome(
        path=ids,
        weight=path_weight(drawn.log_weight, ids < count),
        losses=loss[None, None, :],
        components=jnp.zeros((1, 0, ids.size), jnp.float32),
        default_month=(loss > 5).astype(jnp.int32)[None],
        cause=jnp.zeros((1, ids.size), jnp.int32),
        failure_month=jnp.zeros((0, ids.size), jnp.int32),
        trace=jnp.broadcast_to(loss, (12, 1, ids.size)),
        group=jnp.zeros(ids.size, jnp.int32),
        flags=jnp.zeros(ids.size, jnp.uint32),
    )


MODEL = Model(outcome, jnp.float32(2.0), LAYOUT)


def run(samplers=(PSEUDO_RANDOM,), **given):
    """Tally, timing, states after every round and tallies of the replications."""
    states, each = [], []
    hooks = Hooks(checkpoint_due=lambda stopping: True, checkpoint=states.append, replication=each.append)
    tally, timing = blocks.simulate(MODEL, PLAN, samplers, hooks, **given)
    return tally, timing, states, each


def assert_same(first, second):
    """Two tallies are the same to the bit."""
    for a, b in zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("samplers", [(PSEUDO_RANDOM,), (Antithetic(),) * 4])
@pytest.mark.parametrize("devices", [1, 2])
def test_a_run_resumes_from_any_state(samplers, devices):
    whole, _, states, each = run(samplers)
    assert [state.done for state in states] == [2 * CHUNK * n for n in range(1, 9)]
    for state in states:
        rest, timing, _, later = run(samplers, devices=jax.devices()[:devices], start=state)
        assert_same(rest, whole)
        assert timing.paths == PLAN.paths and timing.run_s >= state.seconds
        assert len(later) == len(samplers) - state.done * len(samplers) // PLAN.paths
        for ours, theirs in zip(later, each[len(samplers) - len(later) :], strict=True):
            assert_same(ours, theirs)


def test_a_run_resumed_at_its_end_compiles_nothing(monkeypatch):
    whole, _, states, _ = run()
    monkeypatch.setattr(blocks.Devices, "compiled", None)
    rest, _, _, each = run(start=states[-1])
    assert_same(rest, whole)
    assert not each


def test_a_state_without_its_present_tally_is_another_result():
    whole, _, states, _ = run()
    lost = states[2]._replace(present=states[2].finished)
    rest, _, _, _ = run(start=lost)
    assert int(rest.paths) == PLAN.paths - states[2].done < int(whole.paths)


def run_noted(chunk):
    """Tally and timing of blocks of eight chunks, and how many paths were evaluated together."""
    asked = []

    def noted(model, sampler, seed, ids, count):
        asked.append(ids.size)
        return outcome(model, sampler, seed, ids, count)

    plan = dataclasses.replace(PLAN, block=8 * CHUNK)
    return *blocks.simulate(Model(noted, jnp.float32(2.0), LAYOUT, chunk), plan), set(asked)


@pytest.mark.parametrize("chunk", [64, 128])
def test_a_model_may_have_smaller_chunks(chunk):
    tally, timing, asked = run_noted(chunk=chunk)
    assert asked == {chunk} and timing.paths == PLAN.paths
    assert_same(tally, run()[0])


@pytest.mark.parametrize(("devices", "evaluated"), [(1, 9), (2, 10)])
def test_the_last_round_is_no_larger_than_what_is_left(devices, evaluated):
    seen = []

    def noted(model, sampler, seed, ids, count):
        jax.debug.callback(lambda own: seen.extend(own.tolist()), ids)
        return outcome(model, sampler, seed, ids, count)

    plan = Plan(8 * CHUNK + 1, 4 * CHUNK, 7)
    model = Model(noted, jnp.float32(2.0), LAYOUT)
    tally, timing = blocks.simulate(model, plan, devices=jax.devices()[:devices])
    jax.effects_barrier()
    assert sorted(seen) == list(range(evaluated * CHUNK))
    assert int(tally.paths) == timing.paths == plan.paths


def test_a_gpu_runs_chunks_of_its_own(monkeypatch):
    whole, *_ = run()
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    monkeypatch.setattr("engine.run.plan.GPU_CHUNK", 5 * CHUNK)
    tally, timing, asked = run_noted(chunk=128)
    assert asked == {5 * CHUNK} and timing.paths == PLAN.paths
    assert_same(tally, whole)


@pytest.mark.parametrize(
    ("paths", "block", "expected"), [(9000, 256, 1024), (9000, 2304, 3072), (1100, 8192, 2048)]
)
def test_a_block_is_rounded_up_to_a_gpu_s_chunk(monkeypatch, paths, block, expected):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    monkeypatch.setattr("engine.run.plan.GPU_CHUNK", 1024)
    assert Plan(paths, block, 7).share(paths, 1) == expected
