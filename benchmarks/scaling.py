"""How does the cost of a path grow with paths, months, borrowers and lenders?

    python benchmarks/scaling.py [paths] [most borrowers] [most lenders]

Time a path through the tally on all devices: over numbers of paths up to 16 times as many, over months from
12 to 120, and at 12 months over synthetic books with copies of the shipped book's borrowers (firms,
contracts, loans, pools, tranches) or of its lenders. For books and months it is the slope from `paths` to
three times as many, each the best of two, which excludes fixed costs. The exponent is the slope of log time
against log size over the larger half of the sizes: 1 is linear. If BENCH_OUT names a folder, the chart
scaling.html goes there.
"""

import math
import os
import pathlib
import sys

from engine.run.host import prepare_devices

COPIES = (1, 2, 4, 8, 11, 22, 44)


def exponent(sizes, costs) -> float:
    """Slope of log cost from the middle of the sizes to the last."""
    half = len(sizes) // 2
    return math.log(costs[-1] / costs[half]) / math.log(sizes[-1] / sizes[half])


def draw(series: dict[str, tuple[list[int], list[float]]], path: pathlib.Path) -> None:
    """Cost of a path against each size, both logarithmic, with a proportional line through the last."""
    from plotly.subplots import make_subplots

    from engine.report import style

    titles = [f"{title}: exponent {exponent(*measured):.2f}" for title, measured in series.items()]
    chart = make_subplots(cols=len(series), subplot_titles=titles, horizontal_spacing=0.07)
    for column, (title, (sizes, costs)) in enumerate(series.items(), 1):
        level = [costs[-1] * size / sizes[-1] for size in sizes]
        place = {"x": sizes, "showlegend": column == 1, "col": column, "row": 1}
        dots = {"color": style.MUTED, "dash": "dot"}
        chart.add_scatter(y=level, name="in proportion", mode="lines", line=dots, **place)
        chart.add_scatter(y=costs, name="measured", mode="lines+markers", line={"color": style.BLUE}, **place)
        apart = [
            size for size, after in zip(sizes, [*sizes[1:], math.inf], strict=True) if after > 1.5 * size
        ]
        chart.update_xaxes(style.AXIS, type="log", title_text=title, tickvals=apart, tickangle=0, col=column)
    chart.update_yaxes(style.AXIS, type="log", dtick="D2")
    chart.update_yaxes(title_text="µs a path", col=1)
    chart.update_layout(style.LAYOUT, height=380, width=1100, margin_t=70, legend_y=1.22)
    path.parent.mkdir(parents=True, exist_ok=True)
    chart.write_html(path, config={"displayModeBar": False})


def main(paths: int = 8192, borrowers: int = 11, lenders: int = 11) -> None:
    """Time and print each series."""
    prepare_devices()
    from peers.folded_book import BORROWERS, LENDERS, fold_book
    from record import Record, spread

    from engine.book.build import build_system
    from engine.book.load import load_book, shipped_book
    from engine.book.parameters import Parameters
    from engine.paths.simulate import simulate
    from engine.run.plan import Plan

    book = load_book(shipped_book("ai_credit_2025"))

    def seconds(system, count: int) -> tuple[float, float]:
        """Minimum seconds of two runs, and of compilation."""
        first, again = (simulate(system, Plan(count, 2048, 7))[1] for _ in range(2))
        return min(first.run_s, again.run_s), first.compile_s

    def cost(system, case: str) -> float:
        """Marginal microseconds of a path."""
        few, compile_s = seconds(system, paths)
        many, _ = seconds(system, 3 * paths)
        each = (many - few) / (2 * paths)
        Record("scaling", case, spread([1.0 / each]), "paths/s", many, compile_s).tell()
        return each * 1e6

    year = build_system(book, Parameters(), 12)
    for count in (paths, 4 * paths, 16 * paths):
        run_s, compile_s = seconds(year, count)
        case = f"{count:,} paths, 12 months, with what a run costs once"
        Record("scaling", case, spread([count / run_s]), "paths/s", run_s, compile_s).tell()
    lengths = [12, 60, 120]
    costs = [cost(build_system(book, Parameters(), months), f"{months} months") for months in lengths]
    series = {"months": (lengths, costs)}
    for title, tables, most in (("loans", BORROWERS, borrowers), ("lenders", LENDERS, lenders)):
        sizes, costs = [], []
        for count in (c for c in COPIES if c <= most):
            system = build_system(fold_book(book, count, tables), Parameters(), 12)
            sizes.append(len(getattr(system.names, title)))
            costs.append(cost(system, f"{sizes[-1]} {title}"))
        series[title] = sizes, costs
    for title, measured in series.items():
        print(f"{title}: exponent {exponent(*measured):.2f}")
    if folder := os.environ.get("BENCH_OUT"):
        draw(series, pathlib.Path(folder) / "scaling.html")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
