"""Who fails: the probability that a lender's capital is gone, with and without what it loses elsewhere."""

import numpy as np
import pandas as pd

from engine.results.losses import Labels, horizon_names
from engine.tail.contributions import failure_probabilities
from engine.tail.tally import Layout, Tally


def failures_table(tally: Tally, layout: Layout, labels: Labels) -> pd.DataFrame:
    """Every lender at every horizon.

    `fails` is the probability that what it has lost, here and on other assets, has reached its capital;
    `alone` counts losses of this book only. `_se` are standard errors.
    """
    probability, error = failure_probabilities(tally, layout.horizons)
    numbers = np.stack([probability, error])
    names = [name.removeprefix("lender:") for name in layout.failing if name.startswith("lender:")]
    whole, alone = numbers[:, : len(names)], numbers[:, len(names) :]
    keys = [f"lender:{name}" for name in names]
    parts = [
        pd.DataFrame({
            "horizon": horizon,
            "id": names,
            "name": [labels.name.get(key, key) for key in keys],
            "class": [labels.group.get(key, "") for key in keys],
            "fails": whole[0, :, place], "fails_se": whole[1, :, place],
            "alone": alone[0, :, place], "alone_se": alone[1, :, place],
        })
        for place, horizon in enumerate(horizon_names(layout))
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)
