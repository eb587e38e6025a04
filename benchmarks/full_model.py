"""How fast is the main job? Full model on the shipped book, 60 months, through the tally.

    python benchmarks/full_model.py [paths] [block]

Prints compile seconds, run seconds, paths a second, peak memory, device and dtype, three runs of one program.
"""

import resource
import sys

from experiments.devices import prepare_devices


def main(paths: int = 98_304, block: int = 8_192) -> None:
    """Time the plan three times; the first includes compilation, told apart."""
    prepare_devices()
    import jax

    from engine.book.build import build_system
    from engine.book.load import load_book, shipped_book
    from engine.book.parameters import Parameters
    from engine.paths.simulate import simulate
    from engine.tail.blocks import Plan

    system = build_system(load_book(shipped_book("ai_credit_2025")), Parameters(), 60)
    plan = Plan(paths, block, 7)
    devices = jax.devices()
    print(
        f"device {len(devices)} x {devices[0].device_kind}, float32 paths, int64 tally, "
        f"{paths:,} paths x 60 months"
    )
    for attempt in range(3):
        _, timing = simulate(system, plan)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"run {attempt + 1}: compile {timing.compile_s:.1f} s, run {timing.run_s:.1f} s, "
            f"{timing.paths_per_s:,.0f} paths/s, peak memory {memory:,.0f} MB"
        )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
