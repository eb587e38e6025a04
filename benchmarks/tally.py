"""What does the tally of a path cost, compared with the same tables filled by NumPy?

    python benchmarks/tally.py [chunks] [turns]

`engine.tail.tally.update` on one device, chunk by chunk as in a run, of the outcomes of the shipped book's
paths (60 months, everything that a run reports), and the same batch in NumPy with np.add.at or np.bincount
(`benchmarks/peers/numpy_tally.py`), without the list of worst paths and the counts of flags. The benchmark
fails unless all tables agree to the last unit. Turns alternate.
"""

import sys
import time

from engine.run.host import prepare_devices


def main(chunks: int = 16, turns: int = 5) -> None:
    """Make the outcomes, check the peers' tables, time in turns."""
    prepare_devices(1)
    import jax
    import jax.numpy as jnp
    import numpy as np
    from peers import numpy_tally
    from record import Record, peak_memory, ratios, spread

    from engine.book.build import build_system
    from engine.book.load import load_book, shipped_book
    from engine.book.parameters import Parameters
    from engine.draws.address import seed_words
    from engine.draws.samplers import PSEUDO_RANDOM
    from engine.paths.simulate import chunk_outcome, layout_of
    from engine.run.plan import CHUNK
    from engine.tail.tally import update

    system = build_system(load_book(shipped_book("ai_credit_2025")), Parameters(), 60)
    paths = chunks * CHUNK
    ids = jnp.arange(paths, dtype=jnp.int64).reshape(chunks, CHUNK)

    @jax.jit
    def outcomes(system, ids):
        return jax.lax.map(lambda each: chunk_outcome(system, PSEUDO_RANDOM, seed_words(7), each, paths), ids)

    made = outcomes(system, ids)
    batch = jax.tree.map(lambda leaf: np.concatenate(np.asarray(leaf), axis=-1), made)
    empty = layout_of(system).init()

    def every(tally, made):
        return jax.lax.scan(lambda tally, each: (update(tally, each), None), tally, made)[0]

    start = time.perf_counter()
    engine = jax.jit(every, donate_argnums=0).lower(empty, made).compile()
    compile_s = time.perf_counter() - start
    tally = engine(empty, made)
    names = [name for name, leaf in vars(tally).items() if name not in SKIPPED and leaf.ndim]
    want = {name: np.asarray(getattr(tally, name)) for name in names}
    tables = {name: np.zeros_like(each) for name, each in want.items()}
    peers = {"NumPy add.at": numpy_tally.scatter, "NumPy bincount": numpy_tally.count}
    for name, deposit in peers.items():
        for each in tables.values():
            each[...] = 0
        numpy_tally.update(tables, batch, deposit)
        wrong = [key for key in names if not np.array_equal(tables[key], want[key])]
        if wrong:
            sys.exit(f"{name} and the engine differ in {', '.join(wrong)}")
    print(f"{len(names)} tables of {paths:,} paths alike to the last unit")
    rates: dict[str, list[float]] = {name: [] for name in ("engine", *peers)}
    memory = peak_memory()
    for _ in range(turns):
        start = time.perf_counter()
        tally = jax.block_until_ready(engine(tally, made))
        rates["engine"].append(paths / (time.perf_counter() - start))
        for name, deposit in peers.items():
            start = time.perf_counter()
            numpy_tally.update(tables, batch, deposit)
            rates[name].append(paths / (time.perf_counter() - start))
    beside = {name: ratios(rates["engine"], rates[name]) for name in peers}
    own = spread(rates["engine"])
    Record(
        "tally", "engine.tail.tally.update", own, "paths/s", paths / own.median, compile_s,
        "int64 from float32", memory_mb=memory, beside=beside,
    ).tell()  # fmt: skip
    for name in peers:
        summary = spread(rates[name])
        Record("tally", name, summary, "paths/s", paths / summary.median, dtype="int64 from float32").tell()


SKIPPED = ("worst_path", "worst_loss", "weight_counts", "flags", "fine_squares")
"""Fields that the peers omit."""


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
