"""One Markdown table of the benchmark results, from their lines of JSON.

    python benchmarks/table.py [folder]

Of repeated results of a benchmark and case, the last is shown.
"""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.record import Record

HEADS = ("benchmark", "case", "rate", "unit", "compile s", "run s", "MB", "dtype", "ratios")
FOLDER = "out/bench"


def table(records: "list[Record]") -> str:
    """Markdown: a line with the devices, then one row for each record."""
    devices = ", ".join(dict.fromkeys(record.device for record in records))
    rows = [HEADS, ("---",) * len(HEADS), *(record.cells() for record in records)]
    return f"Devices: {devices}\n\n" + "\n".join("| " + " | ".join(row) + " |" for row in rows)


def main(folder: str = FOLDER) -> None:
    """Print the table; exit code 2 if there are no results."""
    from record import records

    try:
        print(table(records(folder)))
    except ValueError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main(*sys.argv[1:])
