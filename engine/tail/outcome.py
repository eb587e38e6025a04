"""What a batch of paths hands to the tally."""

import equinox as eqx
from jaxtyping import Array, Float32, Int32, Int64, UInt32

import engine.vocabulary  # noqa: F401  (turns 64-bit types on before the first array is made)


class Outcome(eqx.Module):
    """The losses, defaults and monthly series of `n` paths; the path axis is last everywhere.

    Losses are cumulative, positive, USD bn; column 0 is the system loss. `components` is a finer split of the
    system loss that is only ever read given the system loss. A weight is a likelihood ratio: 1 for plain
    paths, 0 for padding that must count nowhere. A real path's weight must stay at or above the smallest
    normal float32 (1.2e-38), or it counts as padding.
    """

    path: Int64[Array, "n"]
    weight: Float32[Array, "n"]
    losses: Float32[Array, "horizons columns n"]  # USD bn
    components: Float32[Array, "horizons components n"]  # USD bn
    default_month: Int32[Array, "entities n"]  # 0 = never within the run
    cause: Int32[Array, "entities n"]  # a position in vocabulary.CAUSES
    trace: Float32[Array, "months series n"]  # vocabulary.SERIES
    flags: UInt32[Array, "n"]  # bit i is vocabulary.FLAGS[i]
