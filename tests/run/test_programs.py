"""Programs kept on disk: the same results without a trace, and another origin is another program."""

import functools
import os
import pathlib
import subprocess
import sys
import time
import types
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import PartitionSpec

from engine.run import programs
from engine.run.devices import mesh_of
from engine.run.programs import Kept, Programs, Unnamed, kept, named

ROOT = pathlib.Path(__file__).resolve().parents[2]
TRACES: list[str] = []
"""Origins whose programs were traced."""
TABLE = np.arange(5_000, dtype=np.float32)


class Pair(eqx.Module):
    """Results with a form of their own."""

    first: jax.Array
    second: jax.Array
    unit: str = eqx.field(static=True)


def doubled(x, y):
    return Pair(2 * x, y + x, "bn"), {"sum": jnp.sum(x)}


def looked_up(x):
    return x + jnp.asarray(TABLE)


def raised(x, *, times):
    return x**times


def first(x, y):
    return 2 * x


FORM: Any = None


def wrapped(x):
    return FORM(2 * x)


def renamed(pair):
    return Pair(pair.second, pair.first, pair.unit)


def one_of(x, y, *, second):
    return 2 * (y if second else x)


def with_default(x, y, times=2):
    return times * x


other_default = types.FunctionType(with_default.__code__, globals(), "with_default", (3,))


class Info(NamedTuple):
    """Two of one name, with their fields in another order."""

    u: jax.Array
    v: jax.Array


class OtherInfo(NamedTuple):
    """The other."""

    v: jax.Array
    u: jax.Array


def difference(info):
    return info.u - info.v


HERE = sys.modules["engine.tests"] = types.ModuleType("engine.tests")
"""A module of the engine for the functions and classes of these tests."""
Info.__module__ = Pair.__module__ = "engine.tests"
other_default.__module__ = "engine.tests"
OtherInfo.__module__ = "engine.elsewhere"
OtherInfo.__name__ = OtherInfo.__qualname__ = "Info"
for each in (doubled, looked_up, raised, first, renamed, wrapped, one_of, with_default, difference, Pair):
    each.__module__ = "engine.tests"
    setattr(HERE, each.__name__, each)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder in which the process keeps programs, empty at first."""
    TRACES.clear()
    made = Programs.made

    def counted(self, origin, *arguments):
        TRACES.append(origin)
        return made(self, origin, *arguments)

    monkeypatch.setattr(Programs, "made", counted)
    monkeypatch.setattr(programs, "_programs", Programs(tmp_path / "programs"))
    return tmp_path / "programs"


@pytest.fixture
def started_again(folder, monkeypatch):
    """Forget what is in memory, as a new process would."""

    def start():
        monkeypatch.setattr(programs, "_programs", Programs(folder))

    return start


def files(folder):
    return sorted(folder.glob("*.program"))


def test_a_second_start_traces_nothing_and_gives_the_same(folder, started_again):
    x, y = jnp.arange(3.0, dtype=jnp.float32), jnp.ones(3, jnp.float32)
    expected = doubled(x, y)
    for _ in range(3):
        results = Kept(doubled)(x, y)
        assert jax.tree.structure(results) == jax.tree.structure(expected)
        assert results[0].unit == "bn"
        for mine, theirs in zip(jax.tree.leaves(results), jax.tree.leaves(expected), strict=True):
            assert mine.dtype == theirs.dtype
            np.testing.assert_array_equal(mine, theirs)
        started_again()
    assert len(TRACES) == 1
    assert len(files(folder)) == 1


@pytest.mark.parametrize(
    "change",
    ["shape", "type", "weak", "source", "version", "setting", "flag", "order of flags", "device"],
)
def test_another_origin_is_traced_anew(folder, started_again, monkeypatch, change):
    x, y = jnp.ones(3, jnp.float32), jnp.ones(3, jnp.float32)
    Kept(doubled)(x, y)
    started_again()
    match change:
        case "shape":
            x = y = jnp.ones(4, jnp.float32)
        case "type":
            x, y = x.astype(jnp.float64), y.astype(jnp.float64)
        case "weak":
            x, y = jnp.ones((), jnp.float32), 1.0
        case "source":
            monkeypatch.setattr(programs, "sources", lambda: "another")
        case "version":
            monkeypatch.setattr(programs, "surroundings", lambda: ("another",))
        case "setting":
            monkeypatch.setattr(programs, "settings", lambda: ("another",))
        case "flag":
            monkeypatch.setenv("XLA_FLAGS", os.environ["XLA_FLAGS"] + " --xla_dump_to=")
        case "order of flags":  # of two alike, XLA takes the last
            monkeypatch.setenv("XLA_FLAGS", " ".join(reversed(os.environ["XLA_FLAGS"].split())))
        case "device":
            x, y = jax.device_put((x, y), jax.devices()[1])
    Kept(doubled)(x, y)
    assert len(set(TRACES)) == 2


def test_numbers_in_the_operations_tell_programs_apart(folder, started_again, monkeypatch):
    x = jnp.zeros(TABLE.size, jnp.float32)
    np.testing.assert_array_equal(Kept(looked_up)(x), TABLE)
    started_again()
    changed = TABLE.copy()
    changed[2_500] = -1.0
    monkeypatch.setattr(programs, "sources", lambda: "another table")
    other = types.FunctionType(looked_up.__code__, globals() | {"TABLE": changed}, "looked_up")
    other.__module__ = looked_up.__module__
    monkeypatch.setattr(HERE, "looked_up", other)
    np.testing.assert_array_equal(Kept(other)(x), changed)


def test_arguments_that_are_not_read_tell_programs_apart(folder, started_again):
    """They are no part of the operations, and yet a program takes them as it was compiled for."""
    for size in (3, 5):
        np.testing.assert_array_equal(Kept(first)(jnp.ones(2), jnp.ones(size)), [2.0, 2.0])
        started_again()
    assert len(files(folder)) == 2


def test_which_arguments_are_read_tells_programs_apart(folder, started_again):
    """The same operations on the second argument are others than on the first."""
    function = jax.jit(one_of, static_argnames="second")
    x, y = jnp.ones(2), jnp.full(2, 5.0)
    for second, expected in ((False, 2.0), (True, 10.0), (False, 2.0)):
        np.testing.assert_array_equal(kept(function, (x, y), second=second)(x, y), [expected] * 2)
        started_again()
    assert len(files(folder)) == 2


def test_classes_of_one_name_are_told_apart(folder, started_again):
    one, two = jnp.ones(2, jnp.float32), jnp.full(2, 3.0, jnp.float32)
    np.testing.assert_array_equal(Kept(difference)(Info(u=one, v=two)), [-2.0, -2.0])
    started_again()
    np.testing.assert_array_equal(Kept(difference)(OtherInfo(v=two, u=one)), [-2.0, -2.0])
    assert len(files(folder)) == 2


def test_true_is_not_one(folder):
    function = jax.jit(raised, static_argnames="times")
    x = jnp.full(2, 3.0)
    assert kept(function, (x,), times=True) is not kept(function, (x,), times=1)


@pytest.mark.parametrize(
    "function",
    [jax.vmap(doubled), functools.wraps(doubled)(lambda x, y: x), other_default],
    ids=["vmap", "another of the name", "another default"],
)
def test_what_is_not_found_under_its_name_is_not_kept(folder, function):
    Kept(function)(jnp.ones(2), jnp.ones(2))
    assert not folder.exists()


def test_the_functions_of_a_run_have_names():
    """In a process of its own, as the import hook of the tests makes others of them."""
    script = (
        "from engine.paths import history, simulate; from engine.results import circular_web, systemic\n"
        "from engine.run import blocks, chunks; from engine.run.programs import name_of, named\n"
        "name_of(blocks.tally_blocks), name_of(chunks.map_chunks), named(simulate.chunk_outcome)\n"
        "for each in (history.live_year, circular_web.failures_of, systemic.each_fails): name_of(each.jitted)"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert answer.returncode == 0, answer.stderr


def test_a_function_that_is_jitted_otherwise_is_not_kept(folder, monkeypatch):
    """With other options, as an argument that may be overwritten."""
    monkeypatch.setattr(HERE, "first", jax.jit(first))
    other, x = jax.jit(first, donate_argnums=0), jnp.ones(2)
    assert kept(other, (x, x)) is None and not folder.exists()
    assert kept(HERE.first, (x, x)) is not None


def test_a_replaced_function_is_not_kept(folder, monkeypatch):
    monkeypatch.setattr(HERE, "first", renamed)
    Kept(first)(jnp.ones(2), jnp.ones(2))
    assert not folder.exists()


def test_texts_in_the_results_tell_programs_apart(folder, started_again):
    """The same operations on a book with another name in it: its name, not that of the first."""
    for name in ("Alpha", "Beta", "Alpha"):
        results = Kept(renamed)(Pair(jnp.ones(2), jnp.zeros(2), name))
        assert results.unit == name
        started_again()
    assert len(files(folder)) == 2


def test_results_without_a_name_leave_the_program_to_jax(folder, monkeypatch):
    """It is looked for once, and compiled with JAX's own cache, which a program of minutes needs."""

    class Local(NamedTuple):
        value: jax.Array

    monkeypatch.setitem(globals(), "FORM", Local)
    monkeypatch.setattr(Programs, "write", lambda *_: pytest.fail("kept"))
    function, x = Kept(wrapped), jnp.ones(2)
    for _ in range(2):
        np.testing.assert_array_equal(function(x).value, [2.0, 2.0])
    assert len(TRACES) == 1


def test_static_arguments_tell_programs_apart(folder):
    power = jax.jit(raised, static_argnames="times")
    x = jnp.full(2, 3.0, jnp.float32)
    for times, expected in ((2, 9.0), (3, 27.0), (2, 9.0)):
        program = kept(power, (x,), times=times)
        np.testing.assert_array_equal(program(x), np.full(2, expected, np.float32))
    assert len(files(folder)) == 2


def local():
    def inner(x):
        return x

    return inner


@pytest.mark.parametrize(
    "value",
    [local(), lambda x: x, functools.partial(doubled, 1), np.sum, object(), 1.5, TRACES, local],
)
def test_what_has_no_name_is_not_kept(value):
    with pytest.raises(Unnamed):
        named(value)


def test_names():
    spec = PartitionSpec("devices")
    assert (
        named((None, True, 2, "a", spec, doubled)) == f"(None, True, 2, 'a', {spec!r}, engine.tests.doubled)"
    )
    assert named(mesh_of()) != named(mesh_of(jax.devices()[:1]))


def test_a_function_without_a_name_runs_as_ever(folder):
    def mine(x):
        return x + 1

    assert float(Kept(mine)(jnp.float32(1))) == 2.0
    assert not folder.exists()


def test_every_setting_of_jax_is_read(monkeypatch):
    before = programs.settings()
    jax.config.update("jax_disable_most_optimizations", True)
    try:
        assert programs.settings() != before
    finally:
        jax.config.update("jax_disable_most_optimizations", False)
    assert programs.settings() == before


def test_a_program_under_another_s_name_is_made_anew(folder, started_again):
    x = jnp.full(2, 3.0)
    power = jax.jit(raised, static_argnames="times")
    paths = []
    for times in (2, 3):
        kept(power, (x,), times=times)
        paths += [path for path in files(folder) if path not in paths]
    contents = [path.read_bytes() for path in paths]
    for path, content in zip(paths, reversed(contents), strict=True):
        path.write_bytes(content)
    started_again()
    np.testing.assert_array_equal(kept(power, (x,), times=2)(x), [9.0, 9.0])


@pytest.mark.parametrize("damage", ["cut", "bit", "empty", "text", "others may write"])
def test_a_damaged_file_is_made_anew(folder, started_again, damage):
    x = jnp.ones(3, jnp.float32)
    expected = jax.tree.map(np.asarray, Kept(doubled)(x, x))
    (path,) = files(folder)
    content = path.read_bytes()
    match damage:
        case "cut":
            path.write_bytes(content[:-100])
        case "bit":
            path.write_bytes(content[:900] + bytes([content[900] ^ 1]) + content[901:])
        case "empty":
            path.write_bytes(b"")
        case "text":
            path.write_bytes(b"0" * 64 + b"\nnot a program")
        case "others may write":
            path.chmod(0o666)
    started_again()
    results = Kept(doubled)(x, x)
    assert len(TRACES) == 2
    for mine, theirs in zip(jax.tree.leaves(results), jax.tree.leaves(expected), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert path.read_bytes()[:64] == content[:64] or damage == "bit"
    assert not path.stat().st_mode & 0o022


@pytest.fixture
def jax_cache(tmp_path):
    """A cache of JAX's own that keeps all programs."""
    settings = {
        "jax_compilation_cache_dir": str(tmp_path / "jax"),
        "jax_persistent_cache_min_compile_time_secs": 0.0,
        "jax_enable_compilation_cache": True,
    }
    before = {name: jax.config.values[name] for name in settings}
    for name, value in settings.items():
        jax.config.update(name, value)
    programs.reset_cache()
    yield tmp_path / "jax"
    for name, value in before.items():
        jax.config.update(name, value)
    programs.reset_cache()


def test_what_jax_s_own_cache_has_is_kept_all_the_same(jax_cache, folder, started_again):
    """As after an update that leaves the operations as they were: else every start would trace."""
    x = jnp.ones(29, jnp.float32)
    wanted = jax.jit(doubled)(x, x)
    assert list(jax_cache.glob("jit_doubled-*"))
    jax.clear_caches()
    events = []

    def listen(event, **_):
        events.append(event)

    jax.monitoring.register_event_listener(listen)
    try:
        Kept(doubled)(x, x)
    finally:
        jax.monitoring.unregister_event_listener(listen)
    assert "/jax/compilation_cache/cache_hits" not in events  # JAX 0.10 cannot write what it has read
    assert len(files(folder)) == 1
    started_again()
    jax.tree.map(np.testing.assert_array_equal, Kept(doubled)(x, x), wanted)
    assert len(TRACES) == 1 and jax.config.values["jax_enable_compilation_cache"]


def test_a_folder_that_cannot_be_written_costs_nothing_else(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(programs, "_programs", Programs(tmp_path / "file" / "programs"))
    x = jnp.ones(3, jnp.float32)
    np.testing.assert_array_equal(Kept(doubled)(x, x)[0].first, [2, 2, 2])


def test_the_longest_unused_go(folder, monkeypatch):
    monkeypatch.setattr(programs, "MOST_FILES", 2)
    for size in (1, 2, 3, 4):
        Kept(doubled)(jnp.ones(size, jnp.float32), jnp.ones(size, jnp.float32))
        for age, path in enumerate(sorted(files(folder), key=lambda path: path.stat().st_mtime)):
            os.utime(path, (1_000 + 10 * size + age,) * 2)
    assert len(files(folder)) == 2


def test_inside_a_trace_it_is_a_part_of_it(folder):
    function = Kept(doubled)
    total = jax.jit(lambda x: function(x, x)[1]["sum"] + jax.grad(lambda y: function(y, y)[1]["sum"])(x)[0])
    assert float(total(jnp.ones(3, jnp.float32))) == 4.0
    assert not folder.exists()


def test_asked_again_a_process_keeps_what_it_has(tmp_path):
    keep_programs = programs.keep_programs.__wrapped__
    keep_programs(tmp_path)
    first = programs._programs
    keep_programs(tmp_path)
    assert programs._programs is first
    keep_programs(tmp_path / "other")
    assert programs._programs is not first
    keep_programs(None)


def test_the_folder_is_in_jax_s_cache(tmp_path, monkeypatch):
    def folder(cache, on=True):
        values = {"jax_compilation_cache_dir": cache, "jax_enable_compilation_cache": on}
        monkeypatch.setattr(programs.jax, "config", types.SimpleNamespace(values=values))
        return programs.programs_folder()

    assert folder(str(tmp_path)) == tmp_path / "programs"
    assert folder("gs://bucket/jax") is folder(None) is folder(str(tmp_path), on=False) is None


def test_nothing_is_kept_unless_it_is_asked_for():
    assert programs._programs is None
    assert kept(jax.jit(doubled), (jnp.float32(1), jnp.float32(1))) is None


def test_sources_that_change_meanwhile_are_no_name(folder, monkeypatch, tmp_path):
    """A process has read some of them before and some after, and so has the trace."""
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "stage.py").write_text("x = 1\n")
    monkeypatch.setattr(programs, "ROOM", tmp_path / "engine")
    x = jnp.ones(2)
    programs.sources.cache_clear()
    try:
        Kept(first)(x, x)
        assert not folder.exists()
        os.utime(tmp_path / "engine" / "stage.py", (1_000, 1_000))
        Kept(first)(x, x)  # its date is old, its change is not
        assert not folder.exists()
        monkeypatch.setattr(programs, "BEGUN", time.time() + 10.0)
        Kept(first)(x, x)
        assert len(files(folder)) == 1
        (tmp_path / "engine" / "stage.py").write_text("x = 2\n")
        monkeypatch.setattr(programs, "BEGUN", time.time() + 20.0)
        Kept(first)(jnp.ones(3), x)
        assert len(files(folder)) == 1
    finally:
        programs.sources.cache_clear()


def test_sources_are_the_engine_s():
    assert programs.ROOM == pathlib.Path(programs.__file__).parents[1]
    assert len(programs.sources()) == 64
