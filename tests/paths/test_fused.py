"""A fused kernel is XLA's form of the same paths, and no more depends on how they are cut."""

import contextlib
import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from engine.book.build import build_system
from engine.book.load import load_book, shipped_book
from engine.book.parameters import Parameters
from engine.draws.address import seed_words
from engine.draws.choice import SPAN, Preference, Surrogate
from engine.draws.samplers import PSEUDO_RANDOM, Antithetic, sobol
from engine.kernel import gpu
from engine.kernel import kernel as kernels
from engine.kernel.compiler import NoCompiler, compiler
from engine.kernel.cpu import Cpu
from engine.learn.importance import pilot as pilots
from engine.learn.importance.importance import blank
from engine.learn.importance.pilot import pilot
from engine.numerics import for_a_kernel
from engine.paths import fused
from engine.paths import simulate as simulation
from engine.paths.fused import UNTRIED, NoKernel, OtherKernel, fused_chunk
from engine.paths.path import state_size
from engine.paths.simulate import chunk_outcome, layout_of, model_of, outcome_of, simulate
from engine.run.kernels import StaleRecord
from engine.run.plan import CHUNK, Hooks, Plan, initial_state
from engine.run.processes import ALONE
from tests.kernel.emulation import Emulated

try:
    compiler()
except NoCompiler as error:
    pytest.skip(str(error), allow_module_level=True)

SEED = 7
DISCRETE = ("path", "default_month", "cause", "group", "flags")


@pytest.fixture(scope="module")
def shipped():
    """The shipped book over five years."""
    return build_system(load_book(shipped_book("ai_credit_2025")), Parameters(), 60)


@pytest.fixture(scope="module")
def small():
    """The worked book over one year."""
    return build_system(load_book(shipped_book("worked_small")), Parameters(), 12)


def both(system, sampler, paths):
    """The outcomes of the first paths by XLA's form and by the kernel."""
    seed, count = seed_words(SEED), jnp.asarray(paths)
    chunk = fused_chunk(system, sampler, seed, outcome_of)
    tables = jax.jit(chunk.prepare)(system, sampler, seed)
    forms = (
        lambda ids: jax.jit(chunk_outcome)(system, sampler, seed, ids, count),
        lambda ids: jax.jit(chunk)(tables, sampler, seed, ids, count),
    )
    ids = [jnp.arange(first, first + CHUNK, dtype=jnp.int64) for first in range(0, paths, CHUNK)]
    return tuple(
        jax.tree.map(lambda *parts: np.concatenate(parts, axis=-1), *(jax.device_get(form(i)) for i in ids))
        for form in forms
    )


def assert_agree(own, wanted):
    """Losses within 5e-5 of the larger of their size and 1 USD bn, the rest of the outcome the same.

    A path may tip where a test of the model is met to the last digit. Then look which, before all else.
    """
    for name in DISCRETE:
        np.testing.assert_array_equal(getattr(own, name), getattr(wanted, name), err_msg=name)
    np.testing.assert_allclose(own.weight, wanted.weight, rtol=1e-4)
    # What a lender lends moves by six times the capital that it misses: the rounding of a loss comes back.
    for name, allowed in (("losses", 5e-5), ("components", 5e-5), ("trace", 1e-4)):
        a, b = getattr(own, name), getattr(wanted, name)
        worst = np.max(np.abs(a - b) / np.maximum(np.abs(b), 1.0))
        assert worst <= allowed, f"{name}: {worst:.1e}"


def test_every_path_of_the_shipped_book_agrees(shipped):
    wanted, own = both(shipped, PSEUDO_RANDOM, 512)
    assert_agree(own, wanted)
    assert np.sum(wanted.default_month > 0) > 100 and np.max(wanted.losses) > 100.0


def test_a_gpu_s_kernel_loses_what_xla_s_form_does(shipped, tmp_path):
    """All 60 months of two paths, lane by lane on this machine's processor, and no lane ahead of another."""
    shared, ids = (shipped, PSEUDO_RANDOM, seed_words(SEED)), jnp.arange(CHUNK, dtype=jnp.int64)
    machine = Emulated(tmp_path, gpu.FORM.lanes, gpu.FORM.few, gpu.FORM.near, grid=1)
    with for_a_kernel():
        kernel = kernels.kernel_of(fused.whole_path, shared, (jax.ShapeDtypeStruct((), jnp.int64),), machine)
    tables = jax.jit(kernel.tables)(*shared)
    own = jax.jit(lambda ids: outcome_of(kernel(tables, ids), ids, CHUNK))(ids[:2])
    wanted = jax.jit(chunk_outcome)(*shared, ids, CHUNK)
    assert_agree(own, jax.tree.map(lambda leaf: leaf[..., :2], wanted))
    assert np.max(own.losses) > 1.0


@pytest.fixture(scope="module")
def chooser(small):
    """A sampler that prefers months outside the boom."""
    nothing = blank(small, 4)
    one = jnp.ones((1, 1), jnp.float32)
    net = (2.0 * one, one, one), (one[0], 0.0 * one[0], 0.0 * one[0])
    place = jnp.asarray([small.economy.loading.shape[0] * 12 // SPAN + 1], jnp.int32)
    surrogate = Surrogate(place, 0.0 * one[0], one[0], *net)
    preference = Preference(jnp.asarray([0.0, 5.0], jnp.float32), jnp.asarray([3.0, 0.0], jnp.float32))
    return dataclasses.replace(nothing, surrogate=surrogate, preference=preference)


def test_paths_in_chosen_economies_agree(small, chooser):
    wanted, own = both(small, chooser, 512)
    assert_agree(own, wanted)
    assert np.unique(wanted.weight).size > 16 and abs(np.mean(wanted.weight) - 1.0) < 0.2


def test_a_pilot_by_the_kernel_agrees(small):
    wanted, own = (pilot(small, Plan(512, 512, SEED, kernel), 0) for kernel in ("xla", "fused"))
    np.testing.assert_allclose(own.loss, wanted.loss, rtol=5e-5, atol=5e-5)
    np.testing.assert_allclose(own.features, wanted.features, rtol=1e-5, atol=1e-5)
    assert np.max(wanted.loss) > 1.0


@pytest.mark.parametrize("sampler", [Antithetic(), sobol(1, 512, 12, 6, 2, SEED)[0]])
def test_draws_of_other_samplers_agree(sampler, tmp_path):
    def draws(sampler, seed, path):
        return sampler(seed, path, 12, 6)

    seed, ids = seed_words(SEED), jnp.arange(512, dtype=jnp.int64)
    kernel = kernels.kernel_of(draws, (sampler, seed), (jax.ShapeDtypeStruct((), jnp.int64),), Cpu(tmp_path))
    own = jax.jit(lambda ids: kernel(kernel.tables(sampler, seed), ids))(ids)
    wanted = jax.jit(lambda ids: jax.vmap(lambda path: draws(sampler, seed, path), out_axes=-1)(ids))(ids)
    for a, b in zip(jax.tree.leaves(own), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def same(first, second):
    """Whether two tallies are equal to the bit."""
    pairs = zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


@pytest.mark.whole
def test_neither_block_nor_devices_show(shipped):
    whole, timing = simulate(shipped, Plan(1500, 1024, SEED, "fused"))
    assert timing.kernel == "fused" and int(whole.paths) == 1500
    assert same(simulate(shipped, Plan(1500, 256, SEED, "auto"))[0], whole)
    assert same(simulate(shipped, Plan(1500, 1024, SEED, "fused"), devices=jax.devices()[:1])[0], whole)


def test_devices_do_not_show_in_many_paths(small):
    """What no path changes is computed by one program of one device (`engine.run.blocks.prepared`)."""
    whole, _ = simulate(small, Plan(60_000, 512, 3, "fused"))
    assert same(simulate(small, Plan(60_000, 512, 3, "fused"), devices=jax.devices()[:1])[0], whole)


def test_every_replication_has_its_own_points(small):
    """What the kernel reads is made anew for each scramble."""
    samplers = sobol(2, 512, 12, small.economy.loading.shape[0], 2, SEED)
    each: dict[str, list] = {}
    for kernel in ("xla", "fused"):
        hooks = Hooks(replication=lambda tally, kernel=kernel: each.setdefault(kernel, []).append(tally))
        simulate(small, Plan(1024, 512, SEED, kernel), samplers, hooks)
    for own, wanted in zip(each["fused"], each["xla"], strict=True):
        np.testing.assert_allclose(own.losses.sum(-1), wanted.losses.sum(-1), rtol=1e-4)
        np.testing.assert_array_equal(own.defaults, wanted.defaults)
    assert not same(*each["fused"])


def test_other_parameters_share_a_kernel(small):
    """A new number compiles nothing anew and reaches the paths."""
    plain = Parameters()
    short = dataclasses.replace(plain, chips=dataclasses.replace(plain.chips, life=0.5 * plain.chips.life))
    other = build_system(load_book(shipped_book("worked_small")), short, 12)
    first, _ = simulate(small, Plan(512, 256, SEED, "fused"))
    made = set(kernels.KERNELS)
    second, _ = simulate(other, Plan(512, 256, SEED, "fused"))
    assert set(kernels.KERNELS) == made
    assert not same(first, second)


@pytest.fixture
def broken(monkeypatch):
    """A model that a kernel cannot write."""
    whole = fused.whole_path

    def sorting(system, sampler, seed, path):
        result = whole(system, sampler, seed, path)
        return fused.WholePath(result.log_weight, jnp.sort(result.trace), result.snapshots, result.end)

    monkeypatch.setattr(fused, "whole_path", sorting)


def test_auto_runs_xla_and_says_why(small, broken):
    _, timing = simulate(small, Plan(256, 256, SEED, "auto"))
    assert timing.kernel == "xla (the primitive sort)"


def test_fused_without_a_kernel_is_refused(small, broken):
    with pytest.raises(NoKernel, match="the primitive sort"):
        simulate(small, Plan(256, 256, SEED, "fused"))


@dataclasses.dataclass(frozen=True)
class Device:
    """What JAX says of a GPU."""

    compute_capability: str = "9.0"
    core_count: int = 132


@pytest.fixture
def on_a_gpu(monkeypatch):
    """JAX believes that it has a GPU."""
    monkeypatch.setattr(kernels, "KERNELS", {})
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    monkeypatch.setattr(jax, "devices", lambda *_: [Device()])
    monkeypatch.setattr(gpu, "TRIED", tuple(dict.fromkeys((*gpu.TRIED, jax.__version__))))


def test_a_gpu_gets_a_gpu_s_kernel(on_a_gpu):
    made = fused.machine()
    assert isinstance(made, gpu.Gpu) and (made.architecture, made.cores) == ("sm_90", 132)


def test_another_jax_is_a_reason(on_a_gpu, monkeypatch):
    monkeypatch.setattr(jax, "__version__", "0.99.0")
    tried = " or ".join(gpu.TRIED)
    with pytest.raises(gpu.NoGpu, match=f"through JAX {tried}, and this is 0.99.0"):
        fused.machine()


def test_auto_does_not_take_a_kernel_that_no_gpu_has_run(small, on_a_gpu):
    _, ran = model_of(small, Plan(256, 256, SEED, "auto"), PSEUDO_RANDOM, ALONE)
    assert ran == f"xla ({UNTRIED})" and "has run on none" in ran


def test_an_unknown_gpu_is_a_reason(on_a_gpu, monkeypatch):
    monkeypatch.setattr(jax, "devices", lambda *_: [Device("6.1")])
    with pytest.raises(gpu.NoGpu, match="compute capability 6.1"):
        fused.machine()


def test_other_devices_are_a_reason(on_a_gpu, monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "tpu")
    with pytest.raises(gpu.NoGpu, match="JAX's devices are tpu"):
        fused.machine()


def test_a_missing_compiler_for_gpus_is_a_reason(small, on_a_gpu, monkeypatch, tmp_path):
    monkeypatch.setenv("NVCC", "no-such-compiler")
    monkeypatch.setattr(fused, "cache_folder", lambda: tmp_path / "jax")  # what lies there needs no compiler
    with pytest.raises(NoKernel, match="NVIDIA's GPUs: NVCC=no-such-compiler is neither on the PATH nor"):
        fused_chunk(small, PSEUDO_RANDOM, seed_words(SEED), outcome_of)


def test_of_a_book_beyond_the_caches_xla_s_form_runs_unless_the_kernel_is_asked_for(small, monkeypatch):
    monkeypatch.setattr(fused, "LARGEST", 100)
    model, ran = model_of(small, Plan(256, 256, SEED, "auto"), PSEUDO_RANDOM, ALONE)
    assert not model.fused and ran.startswith(f"xla (a path of this book has {state_size(small):,} numbers")
    assert model_of(small, Plan(256, 256, SEED, "fused"), PSEUDO_RANDOM, ALONE)[1] == "fused"
    monkeypatch.setattr(fused, "LARGEST", state_size(small))
    assert model_of(small, Plan(256, 256, SEED, "auto"), PSEUDO_RANDOM, ALONE)[1] == "fused"


def test_a_missing_compiler_is_a_reason(small, monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    monkeypatch.setattr(kernels, "KERNELS", {})
    with pytest.raises(NoKernel, match="no C.. compiler: CXX=no-such-compiler is not on the PATH"):
        simulate(small, Plan(256, 256, SEED, "fused"))
    assert "no C++ compiler" in simulate(small, Plan(256, 256, SEED, "auto"))[1].kernel


@pytest.mark.parametrize("times", [1, 2])
def test_a_stale_record_begins_the_run_anew_once(small, monkeypatch, times):
    made, model_of = [], simulation.model_of

    def model(*arguments):
        made.append(arguments)
        if len(made) <= times:
            raise StaleRecord("another kernel")
        return model_of(*arguments)

    monkeypatch.setattr(simulation, "model_of", model)
    with contextlib.nullcontext() if times == 1 else pytest.raises(StaleRecord):
        assert simulate(small, Plan(256, 256, SEED))[0].paths == 256
    assert len(made) == 2


def test_a_stale_record_begins_a_pilot_anew(small, monkeypatch):
    made, whole = [], pilots.Pilot(np.zeros(2), np.zeros((2, 3)))

    def piloted(*arguments):
        made.append(arguments)
        if len(made) == 1:
            raise StaleRecord("another kernel")
        return whole

    monkeypatch.setattr(pilots, "piloted", piloted)
    assert pilot(small, Plan(256, 256, SEED), 0) is whole and len(made) == 2


@pytest.mark.parametrize("fused", [False, True])
def test_a_run_goes_on_by_the_form_it_began_with(small, fused):
    """By the other it would be the digits of both; a run that has done nothing has begun with none."""
    saved = []
    plan = Plan(512, 256, SEED, "fused" if fused else "xla")
    hooks = Hooks(checkpoint_due=lambda stopping: True, checkpoint=saved.append)
    whole, _ = simulate(small, plan, hooks=hooks, devices=jax.devices()[:1])
    first, other = saved[0], Plan(512, 256, SEED, "xla" if fused else "fused")
    assert (first.done, first.fused) == (256, fused)
    with pytest.raises(OtherKernel, match=f"began by {plan.kernel} and would go on by {other.kernel}"):
        simulate(small, other, start=first)
    again, _ = simulate(small, plan, start=first, devices=jax.devices()[:1])
    jax.tree.map(np.testing.assert_array_equal, again, whole)
    assert simulate(small, other, start=initial_state(layout_of(small))._replace(fused=fused))[0].paths == 512
