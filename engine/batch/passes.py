"""Passes of XLA that end a barrier before loops are fused. No JAX here: flags are set before it starts."""

BARRIER_PASSES = ("cse_barrier_expander", "small-while-loop-hoisting")
"""The first removes barriers; the second makes a function of a small loop, in which JAX 0.12 knows none."""

BARRIERS = f"--xla_disable_hlo_passes={','.join(BARRIER_PASSES)}"
"""The XLA flag under which barriers outlive the compiler's fusion."""
