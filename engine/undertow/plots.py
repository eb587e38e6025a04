"""The report's charts as Plotly figures, each with its title inside."""

from collections.abc import Callable

import plotly.graph_objects as go

from engine import arguments
from engine.report.images import standing_alone
from engine.report.section import Chart


class Plots:
    """Charts of a run: `run.plot.loss()`, or any of the report's by name, `run.plot("fan-revenue")`.

    `charts` gives the charts of the report, among them the one of a name. A figure shows itself in a
    notebook, and is the caller's to change.
    """

    def __init__(self, charts: Callable[[str], list[Chart]]) -> None:
        self._charts = charts

    def __call__(self, name: str) -> go.Figure:
        """The chart of a name. Raises ValueError for a name that the report does not have."""
        charts = {chart.name: chart for chart in self._charts(name)}
        if name not in charts:
            arguments.refuse("plot", name, "one of " + ", ".join(sorted({*charts, "web"})))
        document = standing_alone(charts[name])
        del document["layout"]["width"], document["layout"]["autosize"]
        return go.Figure(document, layout_template="none")

    def loss(self) -> go.Figure:
        """Probability of a larger loss of the system by horizon, with VaR and ES 99%."""
        return self("exceedance")

    def histogram(self) -> go.Figure:
        """Distribution of the system's loss at the last horizon."""
        return self("histogram")

    def lenders(self) -> go.Figure:
        """The lenders with the greatest ES 99%, with 95% intervals."""
        return self("lenders")

    def bearers(self) -> go.Figure:
        """Loss of each group of final bearers, on average and on the worst paths."""
        return self("bearers")

    def timing(self) -> go.Figure:
        """Loss by month: median, bands and mean."""
        return self("timing")

    def defaults(self) -> go.Figure:
        """Expected defaults by month and kind of borrower."""
        return self("defaults")

    def fan(self, series: str = "revenue") -> go.Figure:
        """Quantiles of a series by month: `revenue`, `spread`, `exposure` and the like."""
        return self(f"fan-{series}")
