"""The same paths on a CPU and here: losses, defaults, the tally, and the same bits twice.

`prepare` writes a CPU's paths to a file that travels; monthly series are kept to 16 bits of mantissa (2e-5),
which explain a difference, and losses whole.
"""

import functools
import json
import pathlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from benchmarks.gpu.setting import BOOK, SEED, Setting, Sizes, book, digest, system_of

TOLERANCE = 1e-4
"""Of a loss, relative, and USD bn where it is less than one."""
QUANTILES = (0.5, 0.9, 0.99, 0.999, 1.0)
LISTED = 24
"""Paths that are explained one by one."""
WHOLE = ("losses", "default_month", "cause", "flags")


class Paths(NamedTuple):
    """Outcomes of paths, the path axis last."""

    losses: np.ndarray  # [horizons columns paths], USD bn
    default_month: np.ndarray  # [firms paths]
    cause: np.ndarray
    flags: np.ndarray  # [paths]
    trace: np.ndarray  # [months series paths]


@functools.cache
def program(months: int) -> Any:
    """The compiled outcome of one chunk of paths, as (system, first path) -> Outcome."""
    import jax
    import jax.numpy as jnp

    from engine.draws.address import seed_words
    from engine.draws.samplers import PSEUDO_RANDOM
    from engine.paths.simulate import chunk_of, chunk_outcome
    from engine.run.plan import chunk_size

    size = chunk_size(chunk_of(system_of(months)))

    def outcome(system, seed, first):
        ids = first + jnp.arange(size, dtype=jnp.int64)
        return chunk_outcome(system, PSEUDO_RANDOM, seed, ids, 2**62)

    run = jax.jit(outcome)
    return lambda first: run(system_of(months), seed_words(SEED), np.int64(first)), size


def outcomes(sizes: Sizes) -> Any:
    """Outcomes of at least as many paths as are compared, in whole chunks, on the host."""
    import jax

    run, size = program(sizes.months)
    each = [jax.device_get(run(first)) for first in range(0, sizes.compared, size)]
    return jax.tree.map(lambda *leaves: np.concatenate(leaves, axis=-1), *each)


def paths_of(outcome: Any, count: int) -> Paths:
    """The first paths of an Outcome."""
    return Paths(*(np.asarray(getattr(outcome, name))[..., :count] for name in Paths._fields))


def prepare(path: pathlib.Path, sizes: Sizes) -> dict[str, Any]:
    """Write this machine's paths to a file; what it says of them."""
    import jax

    from benchmarks.gpu.device import processor_flags
    from engine.results.provenance import processor, sources, versions

    paths = paths_of(outcomes(sizes), sizes.compared)
    head = identity(sizes) | {
        "sources": sources(), "versions": versions(), "backend": jax.default_backend(),
        "processor": f"{processor()} ({processor_flags()})",
    }  # fmt: skip
    rounded = (paths.trace.astype(np.float32).view(np.uint32) + 0x40) & np.uint32(0xFFFFFF80)
    arrays = {name: getattr(paths, name) for name in WHOLE} | {"trace": rounded.view(np.float32)}
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(path, head=np.frombuffer(json.dumps(head).encode(), np.uint8), **arrays)
    return head | {"MB": path.stat().st_size / 1e6}


def identity(sizes: Sizes) -> dict[str, Any]:
    """What must be the same for paths to be comparable."""
    return {
        "book": BOOK,
        "book_hash": book().hash,
        "months": sizes.months,
        "seed": SEED,
        "paths": sizes.compared,
    }


def carried(path: pathlib.Path, sizes: Sizes) -> tuple[dict[str, Any], Paths]:
    """(Head, paths) of a file. Raises ValueError if it has none, or those of another book or seed."""
    if not path.is_file():
        raise ValueError(f"{path}: no such file; write it on a CPU with `--prepare`")
    with np.load(path, allow_pickle=False) as saved:
        head = json.loads(saved["head"].tobytes())
        paths = Paths(*(saved[name] for name in Paths._fields))
    for name, value in identity(sizes).items():
        if head[name] != value:
            raise ValueError(f"{path}: {name} is {head[name]!r} there, {value!r} here; write it again")
    return head, paths


def relative(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """|ours - theirs| relative to theirs, or to one where that is less."""
    own, other = ours.astype(np.float64), theirs.astype(np.float64)
    return np.abs(own - other) / np.maximum(np.abs(other), 1.0)


def quantiles(values: np.ndarray) -> dict[str, float]:
    """Quantiles by name."""
    return {f"{level:g}": float(np.quantile(values, level)) for level in QUANTILES}


def agreement(setting: Setting) -> Iterator[dict[str, Any]]:
    """Losses and defaults of the carried paths here and there; each difference explained as far as can be."""
    from engine.paths.simulate import horizons
    from engine.results.provenance import sources

    head, theirs = carried(setting.carried, setting.sizes)
    ours = paths_of(outcomes(setting.sizes), setting.sizes.compared)
    yield {
        "CPU": head["processor"],
        "versions there": head["versions"],
        "same sources": head["sources"] == sources(),
    }
    off = relative(ours.losses, theirs.losses)
    for place, horizon in enumerate(horizons(setting.sizes.months)):
        yield {
            f"system loss, month {horizon}, relative difference": quantiles(off[place, 0]),
            f"largest column, month {horizon}": quantiles(off[place].max(axis=0)),
        }
    yield {
        "paths": ours.losses.shape[-1],
        "share of paths within 1e-4": float(np.mean(off[:, 0].max(axis=0) <= TOLERANCE)),
        "mean loss here": float(ours.losses[-1, 0].mean(dtype=np.float64)),
        "mean loss there": float(theirs.losses[-1, 0].mean(dtype=np.float64)),
    }
    yield discrete(ours, theirs)
    names = system_of(setting.sizes.months).names
    lines = explained(ours, theirs, names.series, names.firms)
    yield {"paths that differ": len(lines), "explained": lines[:LISTED]}


def discrete(ours: Paths, theirs: Paths) -> dict[str, Any]:
    """Numbers of paths with another default month, cause or flag."""
    return {
        "paths with another default month": int((ours.default_month != theirs.default_month).any(0).sum()),
        "paths with another cause": int((ours.cause != theirs.cause).any(0).sum()),
        "paths with other flags": int((ours.flags != theirs.flags).sum()),
    }


def explained(ours: Paths, theirs: Paths, series, firms) -> list[dict[str, Any]]:
    """Each path with another default, cause, flag or loss: what differs first, and how close all was before.

    A default explains a difference if it is no later than a month after the first one in a series.
    """
    other = (ours.default_month != theirs.default_month) | (ours.cause != theirs.cause)
    far = relative(ours.losses, theirs.losses)[:, 0].max(axis=0) > TOLERANCE
    flags = ours.flags != theirs.flags
    lines = []
    for path in np.flatnonzero(other.any(axis=0) | far | flags).tolist():
        line, first = parting(ours.trace[..., path], theirs.trace[..., path], series)
        changed = np.flatnonzero(other[:, path])
        defaults = {firms[firm]: [fate(theirs, firm, path), fate(ours, firm, path)] for firm in changed}
        months = [month for pair in defaults.values() for month, _ in pair if month]
        if months and min(months) <= first + 1:
            why = f"rounding decides a default in month {min(months)}"
        else:
            why = "another flag" if flags[path] else "no default differs by then: not explained"
        lines.append({"path": path, **line, "defaults": defaults, "why": why})
    return lines


def fate(paths: Paths, firm: int, path: int) -> list[int]:
    """Default month and cause of a firm on a path."""
    return [int(paths.default_month[firm, path]), int(paths.cause[firm, path])]


def parting(here: np.ndarray, there: np.ndarray, series) -> tuple[dict[str, Any], int]:
    """Where series [months series] part: the first month, the series with their values there and here, the
    largest relative difference before; and that month, the one after the last if they never part."""
    here, there = here.astype(np.float64), there.astype(np.float64)
    off = np.abs(here - there) / np.maximum(np.maximum(np.abs(here), np.abs(there)), 1e-6)
    months, _ = np.nonzero(off > TOLERANCE)
    first = int(months.min(initial=len(off)))
    line: dict[str, Any] = {"largest difference before": float(off[:first].max(initial=0.0))}
    if first < len(off):
        places = np.flatnonzero(off[first] > TOLERANCE)
        line["first month"] = first + 1
        line["series"] = {series[at]: [float(there[first, at]), float(here[first, at])] for at in places}
    return line, first + 1


def same_bits(setting: Setting) -> Iterator[dict[str, Any]]:
    """Outcomes twice and a tally beside the one of the phase `compile`, to the bit."""
    from benchmarks.gpu.setting import tallied
    from benchmarks.gpu.speed import usual_chunk

    run, _ = program(setting.sizes.months)
    first, second = digest(run(0)), digest(run(0))
    yield {"outcomes": first, "outcomes twice the same": first == second}
    chunk = usual_chunk()
    tally = tallied(setting.sizes, 2 * chunk, 2 * chunk).digest()
    before = setting.earlier.get("compile", {}).get("tally")
    yield {"tally": tally, "tally the same in blocks of another size": tally == before if before else None}
    for name, own in (("outcomes", first), ("tally", tally)):
        if other := setting.earlier.get("same bits", {}).get(name):
            yield {f"{name} the same in another process": other == own}


def tally(setting: Setting) -> Iterator[dict[str, Any]]:
    """The device's tally of one chunk of outcomes beside NumPy's of the same outcomes, table by table."""
    import time

    import jax

    from benchmarks.peers import numpy_tally
    from engine.paths.simulate import layout_of
    from engine.tail.tally import update

    run, size = program(setting.sizes.months)
    outcome = jax.block_until_ready(run(0))
    empty = layout_of(system_of(setting.sizes.months)).init()
    add = jax.jit(update).lower(empty, outcome).compile()
    own = jax.block_until_ready(add(empty, outcome))
    begun = time.perf_counter()
    jax.block_until_ready(add(empty, outcome))
    seconds = time.perf_counter() - begun
    skipped = ("worst_path", "worst_loss", "weight_counts", "flags")
    want = {name: np.asarray(leaf) for name, leaf in vars(own).items() if name not in skipped and leaf.ndim}
    tables = {name: np.zeros_like(table) for name, table in want.items()}
    numpy_tally.update(tables, jax.device_get(outcome), numpy_tally.count)
    wrong = {name: int((tables[name] != table).sum()) for name, table in want.items()}
    yield {
        "paths": size, "paths/s of the tally alone": size / seconds, "tables": len(tables),
        "tables the same to the last unit": sum(count == 0 for count in wrong.values()),
        "cells that differ": {name: count for name, count in wrong.items() if count},
    }  # fmt: skip
