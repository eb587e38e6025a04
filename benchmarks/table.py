"""One Markdown table of the benchmark results, from their lines of JSON.

    python benchmarks/table.py [folder]

Of repeated results of a benchmark and case, the last is shown. A folder with the record of
`benchmarks/gpu_run.py` gives that record's last run instead: the rates, then its phases and what they found.
"""

import pathlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.record import Record

# The engine need not be installed.
sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))

HEADS = ("benchmark", "case", "rate", "unit", "compile s", "run s", "MB", "dtype", "ratios")
FOLDER = "out/bench"


def table(records: "list[Record]") -> str:
    """Markdown: a line with the devices, then one row for each record."""
    devices = ", ".join(dict.fromkeys(record.device for record in records))
    rows = [HEADS, ("---",) * len(HEADS), *(record.cells() for record in records)]
    return f"Devices: {devices}\n\n" + "\n".join("| " + " | ".join(row) + " |" for row in rows)


def run_on_a_gpu(path: pathlib.Path) -> str:
    """Markdown of the last run in a record of `benchmarks/gpu_run.py`."""
    from gpu.log import lines_of, phases_table
    from record import record_of

    lines = lines_of(path)
    rates = [record_of(line["record"]) for line in lines if "record" in line]
    parts = [f"Begun {lines[0]['start']}, {lines[0]['minutes']:g} minutes at most"]
    parts += [table(rates)] if rates else []
    return "\n\n".join([*parts, phases_table(lines)])


def main(folder: str = FOLDER) -> None:
    """Print the table; exit code 2 if there are no results."""
    from gpu.log import LINES
    from record import records

    try:
        path = pathlib.Path(folder) / LINES
        print(run_on_a_gpu(path) if path.is_file() else table(records(folder)))
    except ValueError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main(*sys.argv[1:])
