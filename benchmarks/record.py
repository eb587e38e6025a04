"""One result of a benchmark: the case, the rate, the device, and the ratio to each peer.

Every benchmark prints its results through `Record.tell`. Where the environment variable BENCH_OUT names a
folder, each is also appended there as a line of JSON, from which `benchmarks/table.py` makes one table.
"""

import dataclasses
import json
import os
import pathlib
from collections.abc import Sequence

from engine.results.provenance import peak_memory

LINES = "results.jsonl"


@dataclasses.dataclass(frozen=True)
class Spread:
    """Median and range over turns."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        if self.low == self.high:
            return digits(self.median)
        return f"{digits(self.median)} ({digits(self.low)}–{digits(self.high)})"


def digits(value: float) -> str:
    """Three significant digits, whole numbers with a thousands separator.

    >>> digits(16987.2), digits(24.31), digits(0.911), digits(2.0e-5)
    ('16,987', '24.3', '0.911', '2e-05')
    """
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def spread(values: Sequence[float]) -> Spread:
    """Median (the upper of two middle values), minimum and maximum of the turns. Raises ValueError if empty.

    >>> spread([3.0, 1.0, 2.0])
    Spread(median=2.0, low=1.0, high=3.0)
    """
    if not len(values):
        raise ValueError("values: got none, expected at least one turn")
    ordered = sorted(float(value) for value in values)
    return Spread(ordered[len(ordered) // 2], ordered[0], ordered[-1])


def ratios(own: Sequence[float], peer: Sequence[float]) -> Spread:
    """Ratio of the own rate to a peer's, turn by turn, so that other load on the machine cancels.

    Raises ValueError if the numbers of turns differ.

    >>> str(ratios([20.0, 30.0, 10.0], [10.0, 10.0, 10.0]))
    '2 (1–3)'
    """
    return spread([mine / theirs for mine, theirs in zip(own, peer, strict=True)])


def device() -> str:
    """Number and kind of JAX's devices."""
    import jax

    devices = jax.devices()
    return f"{len(devices)} x {devices[0].device_kind}"


@dataclasses.dataclass(frozen=True)
class Record:
    """One line of a benchmark's results; rates in `unit`, seconds, MB."""

    benchmark: str
    case: str
    rate: Spread
    unit: str
    run_s: float
    compile_s: float | None = None  # None if nothing is compiled or if it is not measured apart
    dtype: str = "float32"
    device: str = dataclasses.field(default_factory=device)
    memory_mb: float = dataclasses.field(default_factory=peak_memory)
    beside: dict[str, Spread] = dataclasses.field(default_factory=dict)  # rate over the rate of each peer

    def __str__(self) -> str:
        compilation = "" if self.compile_s is None else f"compile {self.compile_s:.1f} s, "
        peers = "".join(f"; {ratio} times {name}" for name, ratio in self.beside.items())
        return (
            f"{self.benchmark}, {self.case}: {self.rate} {self.unit}, {compilation}"
            f"run {digits(self.run_s)} s, peak memory {self.memory_mb:,.0f} MB, {self.device}, "
            f"{self.dtype}{peers}"
        )

    def cells(self) -> tuple[str, ...]:
        """The cells of a row of `benchmarks/table.py`, with bars escaped."""
        compilation = "" if self.compile_s is None else f"{self.compile_s:.1f}"
        beside = "; ".join(f"{ratio} × {name}" for name, ratio in self.beside.items())
        row = (
            self.benchmark, self.case, str(self.rate), self.unit, compilation,
            digits(self.run_s), f"{self.memory_mb:,.0f}", self.dtype, beside,
        )  # fmt: skip
        return tuple(cell.replace("|", "\\|") for cell in row)

    def tell(self) -> None:
        """Print the record and append it to the file in BENCH_OUT, if set."""
        print(self, flush=True)
        folder = os.environ.get("BENCH_OUT")
        if folder:
            path = pathlib.Path(folder) / LINES
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(dataclasses.asdict(self)) + "\n")


def record_of(fields: dict) -> Record:
    """A record from its fields as JSON holds them."""
    beside = {name: Spread(**ratio) for name, ratio in fields["beside"].items()}
    return Record(**fields | {"rate": Spread(**fields["rate"]), "beside": beside})


def records(folder: str | pathlib.Path) -> list[Record]:
    """Results in a folder, the last of each benchmark and case, in order of first appearance.

    Raises ValueError with file and line if a line is no result, and if the folder has no file.
    """
    path = pathlib.Path(folder) / LINES
    if not path.is_file():
        raise ValueError(f"{path}: no such file; run benchmarks with BENCH_OUT={folder}")
    latest: dict[tuple[str, str], Record] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            record = record_of(json.loads(line))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"{path}, line {number}: got no result of a benchmark ({error})") from None
        latest[record.benchmark, record.case] = record
    return list(latest.values())
