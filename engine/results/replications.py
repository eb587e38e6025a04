"""Errors from the spread of independent replications, for antithetic pairs and scrambled sequences.

Paths within a replication of these samplers are not independent, so formulas for independent paths would
misjudge the error. With R replications of equal size an estimate's standard error is their standard
deviation over sqrt(R), and its 95% interval reaches t(R - 1) of these (Glasserman 2003, 5.4).
"""

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from engine.results.estimates import LEVELS, Estimates
from engine.results.losses import horizon_names
from engine.tail.intervals import sectioned
from engine.tail.tally import Layout, Tally


class Replications:
    """The measures of every finished replication; `add` is called with its tally."""

    def __init__(self) -> None:
        self.expected: list[np.ndarray] = []  # [horizons columns]
        self.beyond: list[np.ndarray] = []  # [VaR and ES, levels, horizons, columns]
        self.parts: list[np.ndarray] = []  # [horizons parts], Euler contributions to the system's ES

    def __len__(self) -> int:
        return len(self.expected)

    def add(self, tally: Tally, scale: float = 1.0) -> None:
        """Read the measures of one replication, whose losses were multiplied by `scale`."""
        estimates = Estimates(tally, (), scale)
        tails = [
            [[column.tails[level].tail for column in columns] for columns in estimates.columns]
            for level in LEVELS.values()
        ]
        self.expected.append(
            np.array([[column.expected.value for column in columns] for columns in estimates.columns])
        )
        self.beyond.append(np.array([
            [[[tail.value_at_risk for tail in row] for row in level] for level in tails],
            [[[tail.expected_shortfall for tail in row] for row in level] for level in tails],
        ]))  # fmt: skip
        self.parts.append(np.stack(estimates.contributions))

    def arrays(self) -> dict[str, np.ndarray]:
        """The measures so far by name, the first axis the replications."""
        return {name: np.array(values) for name, values in vars(self).items()}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Resume from the `arrays` of an interrupted run."""
        for name in vars(self):
            setattr(self, name, list(arrays[name]))

    def errors(self, table: pd.DataFrame) -> pd.DataFrame:
        """The table of losses with these errors instead of those of independent paths."""
        if len(self) < 2:
            return table
        reach = float(stdtrit(len(self) - 1, 0.975))
        errors_by_column = {"el_se": sectioned(self.expected)[1].ravel()}
        _, errors = sectioned(self.beyond)
        for place, level in enumerate(LEVELS):
            var, es = errors[:, place].reshape(2, -1)
            middle = table[f"var_{level}"].to_numpy()
            errors_by_column |= {
                f"var_{level}_lo": middle - reach * var,
                f"var_{level}_hi": middle + reach * var,
                f"es_{level}_se": es,
            }
        return table.assign(**errors_by_column)

    def part_errors(self, layout: Layout) -> dict[tuple[str, str], float]:
        """Standard error of the Euler contribution by (horizon, component); empty without replications."""
        if len(self) < 2:
            return {}
        _, errors = sectioned(self.parts)
        names = [name.partition(":")[2] for name in layout.components]
        return {
            (horizon, name): float(error)
            for horizon, row in zip(horizon_names(layout), errors, strict=True)
            for name, error in zip(names, row[len(layout.columns) :], strict=True)
        }

    def variance_reduction(self, plain: pd.DataFrame) -> dict[str, float]:
        """Variance of plain paths over the measured one, for the system's measures at the last horizon.

        `plain` is the table with the errors that as many independent paths would have. From R replications
        the ratio itself is uncertain by sqrt(2 / (R - 1)).
        """
        if len(self) < 2:
            return {}
        last = plain[plain["column"] == "system"].iloc[-1]
        own = self.errors(plain).loc[last.name]
        columns = ["el_se", *(f"es_{level}_se" for level in LEVELS)]
        return {
            column.removesuffix("_se"): float((last[column] / own[column]) ** 2)
            for column in columns
            if own[column] > 0.0
        }
