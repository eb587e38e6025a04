"""What is the least number of kernels of a month, and the memory of a single kernel for a whole month?

    python benchmarks/gpu_month.py

An XLA kernel has a thread for each row of each path. A sum over rows must finish before a thread of another
row reads it, so a month has at least one kernel more than the longest chain of such sums, unless threads
repeat each other's sums. Prints that chain for the model and with one or two iterations of each fixed point.
A kernel with a thread for each path has no such limit; the memory that its thread would hold and move is
counted in the loops generated for Numba (`benchmarks/peers/loops.py`), if Numba is installed. Nothing is
compiled.
"""

import collections
import importlib.util
import sys
from math import prod
from pathlib import Path

from engine.run.host import prepare_devices

# The peers import each other by their full names.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

MONTHS = 60
PATHS = 8
"""Paths of the traced month."""
ACROSS = {
    "dot_general", "reduce_sum", "reduce_max", "reduce_min", "reduce_or", "reduce_and", "argmax", "argmin",
    "cumsum", "sort",
}  # fmt: skip
"""Operations whose elements read many rows."""
INNER = {"jit": "jaxpr", "pjit": "jaxpr", "closed_call": "call_jaxpr", "custom_jvp_call": "call_jaxpr"}


def chain(jaxpr, before) -> tuple[list[int], int]:
    """(sums across rows behind each result, one of another; all of them), given those behind the arguments.

    Path-independent values have no path axis and count as known.

    >>> import jax, jax.numpy as jnp
    >>> twice = lambda x: jnp.max(x - jnp.sum(x, axis=0)[None], axis=0)
    >>> chain(jax.make_jaxpr(twice)(jnp.ones((3, PATHS))).jaxpr, [0])
    ([2], 2)
    """
    from jax.extend.core import Literal

    behind = dict.fromkeys(jaxpr.constvars, 0) | dict(zip(jaxpr.invars, before, strict=True))

    def read(atom):
        return 0 if isinstance(atom, Literal) else behind[atom]

    count = 0
    for equation in jaxpr.eqns:
        known, name = [read(atom) for atom in equation.invars], equation.primitive.name
        if name in INNER:
            inner = equation.params[INNER[name]].jaxpr
            results, more = chain(inner, known)
        else:
            moving = any(v.aval.shape[-1:] == (PATHS,) for v in equation.outvars)
            more = int(name in ACROSS and moving)
            results = [max(known, default=0) + more] * len(equation.outvars)
        count += more
        behind.update(zip(equation.outvars, results, strict=True))
    return [read(atom) for atom in jaxpr.outvars], count


def longest(system, rounds: int | None = None) -> tuple[int, int]:
    """(longest chain of sums across rows in a month, number of sums), at so many rounds a fixed point."""
    import jax
    from roofline import month_of

    from engine.month import collateral, contracts, lenders, paper

    for stage in (collateral, contracts, lenders, paper) if rounds else ():
        stage.ROUNDS = rounds
    jax.clear_caches()  # or the month would be traced with the rounds of before
    month, arguments = month_of(system, 7, PATHS)
    closed = jax.make_jaxpr(month)(*arguments)
    results, count = chain(closed.jaxpr, [0] * len(closed.jaxpr.invars))
    return max(results), count


def memory_by_kind(system) -> dict[str, float]:
    """kB of a thread that runs a path alone: its state, the peak of all else, and the traffic of a month."""
    from benchmarks.peers.numba_paths import Paths

    peer = Paths(system, 7, lanes=1, compiled=False)
    arrays = {id(item[1]): item[1] for loop in peer.month for item in loop.items}
    state = {id(array): array for array in peer.state}
    live, moved = collections.Counter(), 0
    for key, array in arrays.items():
        for number in range(array.first, array.read + 1) if array.stored and key not in state else ():
            live[number] += prod(array.shape)
    for number, loop in enumerate(peer.month):
        read = {
            id(view.array): view.array for _, _, views, _ in loop.items for view in views
            if not (view.array is None or view.array.fused and view.array.last == number and view.whole)
        }  # fmt: skip
        written = {id(array): array for _, array, *_ in loop.items if array.stored}
        moved += sum(prod(array.shape) for key, array in read.items() if key in arrays or key in state)
        moved += sum(prod(array.shape) for array in written.values())
    words = {
        "state": sum(prod(array.shape) for array in state.values()),
        "most of all else": max(live.values()),
    }
    return {name: 4 * count / 1e3 for name, count in (words | {"moved a month": moved}).items()}


def main() -> None:
    """Trace, count, print."""
    prepare_devices(1)
    import jax

    from engine.book.build import build_system
    from engine.book.load import load_book, shipped_book
    from engine.book.parameters import Parameters

    system = build_system(load_book(shipped_book("ai_credit_2025")), Parameters(), MONTHS)
    if importlib.util.find_spec("numba") is None:
        print("Numba is not installed, so its loops are left out: `pip install numba` brings them in.")
    else:
        each = ", ".join(f"{name} {size:.1f} kB" for name, size in memory_by_kind(system).items())
        print(f"a thread with a path to itself: {each}")
    # What the engine asks before it chooses between its forms for CPU and GPU.
    jax.default_backend = lambda: "gpu"
    for rounds in (None, 2, 1):
        most, count = longest(system, rounds)
        label = "as many rounds as there are" if rounds is None else f"{rounds} of each"
        print(f"a month, {label}: {count} sums across rows, at most {most} one after the other")


if __name__ == "__main__":
    main()
