"""One Markdown table of the results that benchmarks have left as lines of JSON.

    python benchmarks/table.py [folder]

The last result of each benchmark and case counts.
"""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.record import Record

HEADS = ("benchmark", "case", "rate", "unit", "compile s", "run s", "MB", "dtype", "beside")
FOLDER = "out/bench"


def table(records: "list[Record]") -> str:
    """Markdown: a line naming the devices, then a row a record."""
    devices = ", ".join(dict.fromkeys(record.device for record in records))
    rows = [HEADS, ("---",) * len(HEADS), *(record.cells() for record in records)]
    return f"Devices: {devices}\n\n" + "\n".join("| " + " | ".join(row) + " |" for row in rows)


def main(folder: str = FOLDER) -> None:
    """Print the table; exit with 2 where there is none to print."""
    from record import records

    try:
        print(table(records(folder)))
    except ValueError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main(*sys.argv[1:])
