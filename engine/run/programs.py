"""Compiled programs kept on disk by what they are made from, so that a second start traces nothing.

JAX's own cache knows a program by its operations, and to trace and lower them takes longer than to load what
was compiled. Here a program is known by all that decides its operations: the engine's sources, versions,
flags and settings, the processor, the function, its static arguments, the form and shapes of the others.

Only the command keeps programs (`keep_programs`): a function of the engine that a Python user has replaced
would be another under the same name. What is read is executed, as from JAX's cache, so that a file counts
only if it is the user's own and nobody else may write it.
"""

import contextlib
import dataclasses
import functools
import hashlib
import importlib.metadata
import os
import pathlib
import pickle
import sys
import types
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import jax
import jax.extend
from jax.experimental.compilation_cache.compilation_cache import reset_cache
from jax.experimental.serialize_executable import deserialize_and_load, serialize
from jax.sharding import Mesh, PartitionSpec

from engine.files import digest_of_sources, keep_latest, make_private, own, sources_of, used, write_bytes
from engine.kernel.compiler import processor
from engine.numerics import traced
from engine.run.host import BEGUN

ROOM = pathlib.Path(__file__).resolve().parent.parent
PACKAGES = ("jax", "jaxlib", "equinox", "jaxtyping", "numpy")
"""What else decides what a trace makes of the sources."""
MOST_FILES = 200
"""On disk, at most some 2 MB each; beyond them the ones longest unused go."""
KNOWN = ("engine", "builtins", "collections", "types", "jax", "jaxlib", "equinox")
"""Packages whose classes a pytree may have; `types` has those that dataclasses make."""
CLOCK = 0.1
"""Seconds by which a file system's clock may be behind."""

Program = Callable[..., Any]
Devices = Sequence[jax.Device]


class Unnamed(TypeError):
    """A part of a program whose name does not tell it from every other."""


class Programs:
    """A folder of programs: `<origin>.program`."""

    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.ready: dict[Any, Program | None] = {}

    def program(self, function: Any, arguments: tuple[Any, ...], static: Mapping[str, Any]) -> Program | None:
        """The jitted function for arguments like these; raises Unnamed where it cannot be known again.

        None where its results cannot.
        """
        leaves, form = jax.tree.flatten(arguments)
        shapes = tuple((jax.typeof(leaf), getattr(leaf, "sharding", None)) for leaf in leaves)
        options = tuple((name, type(value), value) for name, value in sorted(static.items()))
        key = function, form, shapes, options, settings()
        if key not in self.ready:
            devices = devices_of(leaves, static)
            origin = hashed(
                sources(), *surroundings(), *settings(), name_of(function), places(devices), described(form),
                *(f"{kind} {kind.weak_type} {place}" for kind, place in shapes),
                *(f"{option}={named(value)}" for option, value in sorted(static.items())),
            )  # fmt: skip
            self.ready[key] = self.read(origin, arguments, devices) or self.made(
                origin, function.lower(*arguments, **static)
            )
        return self.ready[key]

    def made(self, origin: str, lowered: Any) -> Program | None:
        """The program of an origin, compiled and kept."""
        try:
            example = pickled(lowered.out_tree)
        except Unnamed:
            return None
        with own_compilation():
            program = lowered.compile()
        if unchanged():
            self.write(origin, program, example)
        return program

    def read(self, origin: str, arguments: tuple[Any, ...], devices: Devices) -> Program | None:
        """The program of this origin; None where there is none, or none that is whole."""
        path = self.folder / f"{origin}.program"
        try:
            if (content := kept_bytes(path)) is None:
                return None
            executable, example = pickle.loads(zlib.decompress(content))
            taken, given = jax.tree.structure((arguments, {})), jax.tree.structure(pickle.loads(example))
            return deserialize_and_load(executable, taken, given, execution_devices=devices)
        except FileNotFoundError:
            return None
        except Exception:  # half a file, or one that another version wrote: it is made anew
            with contextlib.suppress(OSError):
                path.unlink()
            return None

    def write(self, origin: str, program: Any, example: bytes) -> None:
        """Keep a program with an example of the form of its results, whole or not at all.

        A folder that cannot be written costs later starts their time.
        """
        try:
            content = zlib.compress(pickle.dumps((serialize(program)[0], example)), 1)
        except Exception:  # constants on a device, a callback: JAX says so in several ways
            return
        path = self.folder / f"{origin}.program"
        with contextlib.suppress(OSError):
            keep_bytes(path, content)


class Kept:
    """A jitted function whose programs are kept; called while others are traced, it is a part of theirs."""

    def __init__(self, function: Callable[..., Any]):
        functools.update_wrapper(self, function)
        self.jitted = jax.jit(function)

    def __call__(self, *arguments: Any) -> Any:
        """The function's results."""
        return (kept(self.jitted, arguments) or self.jitted)(*arguments)


def kept(function: Any, arguments: tuple[Any, ...], **static: Any) -> Program | None:
    """The jitted function compiled for arguments like these: from disk, or kept there.

    None where there is no such folder, off CPUs (never tried there), in a trace, and where the function, a
    static argument or the form of the results has no name by which to know it again: a closure, or what is
    not the engine's.
    """
    if _programs is None or jax.default_backend() != "cpu" or traced(arguments):
        return None
    with contextlib.suppress(Unnamed):
        return _programs.program(function, arguments, static)
    return None


_programs: Programs | None = None


def folder_of_programs() -> pathlib.Path | None:
    """The folder that programs are kept in; None where none are kept."""
    return None if _programs is None or jax.default_backend() != "cpu" else _programs.folder


def keep_programs(folder: pathlib.Path | None) -> None:
    """Keep compiled programs of this process in a folder, or no longer where it is None."""
    global _programs
    if _programs is None or _programs.folder != folder:
        _programs = None if folder is None else Programs(folder)


def programs_folder() -> pathlib.Path | None:
    """A folder in JAX's cache of compiled programs; None where that is off or in no file system."""
    settings = jax.config.values
    cache = settings["jax_compilation_cache_dir"]
    if not cache or "://" in cache or not settings["jax_enable_compilation_cache"]:
        return None
    return pathlib.Path(cache) / "programs"


def name_of(function: Any) -> str:
    """The name of a jitted function; raises Unnamed where another one is found by it."""
    plain = function.__wrapped__
    name, there = named(plain), found(plain)
    if there is not plain and function not in (there, getattr(there, "jitted", None)):
        raise Unnamed(f"{name} is jitted otherwise")
    return name


def found(function: Any) -> Any:
    """What there is under a function's name, jitted or kept; None where there is nothing."""
    there: Any = sys.modules.get(function.__module__)
    for part in function.__qualname__.split("."):
        there = getattr(there, part, None)
    return there


def described(form: Any) -> str:
    """A pytree's form with the full names of its classes; raises Unnamed where one is not known by it."""
    if (node := form.node_data()) is None:
        return "*" if form.num_leaves else "None"
    kind, data = node
    text = f"{kind.__module__}.{kind.__qualname__}[{data!r}]"
    if kind.__module__.split(".")[0] not in KNOWN or " at 0x" in text:
        raise Unnamed(text)
    return f"{text}({', '.join(described(child) for child in form.children())})"


def pickled(form: Any) -> bytes:
    """Numbers in this form, since equinox's forms themselves are others after a pickle.

    Raises Unnamed where they are others too.
    """
    try:
        example = pickle.dumps(jax.tree.unflatten(form, range(form.num_leaves)))
        if jax.tree.structure(pickle.loads(example)) == form:
            return example
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise Unnamed(str(error)) from None
    raise Unnamed(str(form))


def keep_bytes(path: pathlib.Path, content: bytes) -> None:
    """Write a file that `kept_bytes` trusts, whole or not at all; OSError where it cannot be written.

    Of the folder's files those stay that were used last.
    """
    make_private(path.parent)
    write_bytes(path, digest_of(path, content) + b"\n" + content, 0o600)
    keep_latest(path.parent, MOST_FILES)


def kept_bytes(path: pathlib.Path) -> bytes | None:
    """What `keep_bytes` wrote; None where others may write it.

    Raises FileNotFoundError, and ValueError where it is damaged or under another's name.
    """
    if not (own(path) and own(path.parent)):
        return None
    digest, content = used(path).read_bytes().split(b"\n", 1)
    if digest != digest_of(path, content):
        raise ValueError("damaged")
    return content


def digest_of(path: pathlib.Path, content: bytes) -> bytes:
    """What a kept file begins with."""
    return hashlib.sha256(path.stem.encode() + content).hexdigest().encode()


def devices_of(leaves: Sequence[Any], static: Mapping[str, Any]) -> Devices:
    """The devices that a program runs on: of its mesh, else where its arguments are, else the first."""
    if "mesh" in static:
        return list(static["mesh"].devices.flat)
    placed = [leaf.devices() for leaf in leaves if getattr(leaf, "committed", False)]
    return sorted(set().union(*placed), key=lambda device: device.id) or jax.devices()[:1]


def places(devices: Devices) -> str:
    """The numbers of devices, in order."""
    return ",".join(str(device.id) for device in devices)


def named(value: Any) -> str:
    """A name that no other static argument has; raises Unnamed where there is none."""
    match value:
        case None | bool() | int() | str() | PartitionSpec():
            return repr(value)
        case tuple():
            return f"({', '.join(named(each) for each in value)})"
        case Mesh():
            return f"{value.axis_names} {value.devices.shape} {places(list(value.devices.flat))}"
        case types.FunctionType() if value.__module__.startswith("engine.") and not value.__closure__:
            if value in (there := found(value), getattr(there, "__wrapped__", None)):
                return f"{value.__module__}.{value.__qualname__}"
        case _ if dataclasses.is_dataclass(value) and known(type(value)):
            parts = (named(getattr(value, each.name)) for each in dataclasses.fields(value) if each.compare)
            return f"{type(value).__module__}.{type(value).__qualname__}({', '.join(parts)})"
    raise Unnamed(f"{value!r}")


def known(kind: type) -> bool:
    """Whether a class is the engine's, and found by its name."""
    return kind.__module__.startswith("engine.") and found(kind) is kind


@functools.cache
def sources() -> str:
    """A hash of the engine's sources, from which every program is traced.

    Raises Unnamed where one has changed since the process began: nobody knows which of them it has read.
    """
    if changed():
        raise Unnamed("sources changed meanwhile")
    return digest_of_sources(ROOM)


def changed() -> bool:
    """Whether a source has changed since the process began, its date kept or not."""
    states = [path.stat() for path in sources_of(ROOM)]
    return max(time for each in states for time in (each.st_mtime, each.st_ctime)) > BEGUN - CLOCK


def unchanged() -> bool:
    """Whether what was traced is of these sources: by their dates, and by what they have, as the clock of a
    server of files may be another.
    """
    return not changed() and digest_of_sources(ROOM) == sources()


@functools.cache
def surroundings() -> tuple[str, ...]:
    """What a program rests on beside its sources: versions and the processor."""
    versions = [f"{name} {importlib.metadata.version(name)}" for name in PACKAGES]
    backend = jax.extend.backend.get_backend()
    return *versions, sys.version, backend.platform, backend.platform_version, processor()


def settings() -> tuple[str, ...]:
    """JAX's settings and XLA's flags, as they are now."""
    values = jax.config.values  # what holds outside of contexts; and not every setting can be read otherwise
    texts = (f"{name}={getattr(jax.config, name, values[name])!r}" for name in sorted(values))
    return os.environ.get("XLA_FLAGS", ""), *texts


def hashed(*parts: str) -> str:
    """sha256 of texts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@contextlib.contextmanager
def own_compilation() -> Iterator[None]:
    """Without JAX's own cache: what JAX 0.10 has read from it cannot be written, as functions are missing."""
    before = jax.config.values["jax_enable_compilation_cache"]
    jax.config.update("jax_enable_compilation_cache", False)
    reset_cache()
    try:
        yield
    finally:
        jax.config.update("jax_enable_compilation_cache", before)
        reset_cache()
