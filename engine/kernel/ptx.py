"""NVIDIA's compiler: from a kernel's source to PTX, in the user's cache folder."""

import functools
import hashlib
import os
import pathlib
import shutil
import sys
from collections.abc import Iterator

from engine.files import used, write_bytes
from engine.kernel.compiler import NoCompiler, digest, make
from engine.kernel.library import frame

FLAGS = ("-std=c++17", "-O3", "-ftz=true", "-prec-div=false", "-prec-sqrt=false", "-diag-suppress", "177")
"""Subnormal numbers are zero, as where XLA runs on a CPU; quotients and roots are right to two units in the
last place, as XLA has them on a GPU. 177 warns of what a kernel computes and does not use."""
WHEELS = "nvidia/cu13/bin/nvcc"
"""Where the packages nvidia-cuda-nvcc, nvidia-nvvm and nvidia-cuda-crt put it among Python's packages."""


def places() -> Iterator[str | None]:
    """Where nvcc may be: named in NVCC, on the PATH, below CUDA_HOME, among Python's packages."""
    if "NVCC" in os.environ:
        yield shutil.which(os.environ["NVCC"])
        return
    yield shutil.which("nvcc")
    yield shutil.which(str(pathlib.Path(os.environ.get("CUDA_HOME", "/usr/local/cuda")) / "bin" / "nvcc"))
    for place in sys.path:
        yield shutil.which(str(pathlib.Path(place) / WHEELS))


def nvcc() -> str:
    """The path of NVIDIA's compiler. Raises NoCompiler where there is none."""
    found = next(filter(None, places()), None)
    if found is None:
        asked = f"NVCC={os.environ['NVCC']}" if "NVCC" in os.environ else "nvcc"
        raise NoCompiler(
            f"no compiler for NVIDIA's GPUs: {asked} is neither on the PATH nor a package of Python's"
        )
    return found


def assembled(source: str, architecture: str, warps: int, folder: pathlib.Path) -> pathlib.Path:
    """PTX of a kernel's source for blocks of so many warps, compiled unless the folder has it.

    Without a compiler any compiler's will do that the folder has. Raises NoCompiler where it has none.
    """
    text = frame("frame.cuh") + source
    flags = (*FLAGS, f"-arch={architecture}", f"-DWARPS={warps}", "-ptx")
    name = hashlib.sha256("\0".join((text, *flags)).encode()).hexdigest()[:32]
    try:
        command = [nvcc()]
    except NoCompiler:
        if brought := sorted(folder.glob(f"{name}-*.ptx")):
            return used(brought[0])
        raise
    path = folder / f"{name}-{digest(command)}.ptx"
    if not path.exists():
        write_bytes(path.with_suffix(".cu"), text.encode())
        make(path, [*command, *flags, str(path.with_suffix(".cu"))])
    return used(path)


@functools.lru_cache(maxsize=4)
def ptx(source: str, architecture: str, warps: int, folder: pathlib.Path) -> str:
    """The text of a kernel's PTX."""
    return assembled(source, architecture, warps, folder).read_text()
