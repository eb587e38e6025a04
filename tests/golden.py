"""Golden results of the shipped book: estimates of the smallest real run, each with its standard error.

    python -m tests.golden            what moved since, by how many standard errors; code 1 if anything did
    python -m tests.golden --write    the same, and the numbers of now become the golden ones

They are for a change that was not meant to move results. One that was says by how much in CHANGELOG.md.
"""

import argparse
import json
import pathlib
from typing import Any

from tests.small_run import MONTHS, PATHS, SEED, written

PATH = pathlib.Path(__file__).with_name("golden.json")
MEASURES = ("el", "es_95", "es_99", "es_99_9")
MOST = 1e-3
"""Standard errors by which a number may differ. Another JAX rounds float32 in other places, which moved no
estimate by more than 5e-7 of its size (docs/operations.md)."""

Golden = dict[str, tuple[float, float]]
"""An estimate and its standard error by name."""


def golden_of(summary: dict[str, Any]) -> Golden:
    """The estimates of a summary: of the system, every lender and bearer by horizon, and of every firm."""
    values = {}
    groups = {"system": {"": summary["system"]}, "lender": summary["lenders"], "bearer": summary["bearers"]}
    for kind, members in groups.items():
        for member, horizons in members.items():
            for horizon, row in horizons.items():
                names = MEASURES if kind == "system" else ("el", "es_99")
                parts = [part for part in (kind, member, horizon) if part]
                values |= {".".join([*parts, name]): (row[name], row[f"{name}_se"]) for name in names}
    for firm, row in summary["firms"].items():
        values[f"firm.{firm}.pd_1y"] = (row["pd_1y"], row["pd_1y_se"])
    return values


def present() -> Golden:
    """The numbers of now."""
    return golden_of(json.loads((written() / "summary.json").read_text(encoding="utf-8")))


def recorded() -> Golden:
    """The golden numbers."""
    values = json.loads(PATH.read_text(encoding="utf-8"))["values"] if PATH.exists() else {}
    return {name: (value, error) for name, (value, error) in values.items()}


def moves(before: Golden, after: Golden, most: float = MOST) -> list[str]:
    """What moved by more than so many standard errors, the most first.

    >>> moves({"a": (1.0, 0.1), "b": (2.0, 0.1), "c": (0.0, 0.0)}, {"a": (1.05, 0.1), "b": (2.0, 0.1)})
    ['a: 1 to 1.05, 0.50 standard errors', 'c: gone']
    """
    lines = []
    for name in sorted(before.keys() & after.keys()):
        (old, error), (new, new_error) = before[name], after[name]
        scale = max(error, new_error)
        size = abs(new - old) / scale if scale else float("inf") * (new != old) if new != old else 0.0
        if size > most:
            lines.append((-size, f"{name}: {old:.6g} to {new:.6g}, {size:.2f} standard errors"))
    gone = [f"{name}: gone" for name in sorted(before.keys() - after.keys())]
    fresh = [f"{name}: new" for name in sorted(after.keys() - before.keys())]
    return [line for _, line in sorted(lines)] + gone + fresh


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true", help="make the numbers of now the golden ones")
    write = parser.parse_args().write
    now = present()
    lines = moves(recorded(), now)
    print(*lines, f"{len(lines)} of {len(now)} numbers moved", sep="\n")
    if write:
        what = f"the shipped book, {PATHS} paths, {MONTHS} months, seed {SEED}: estimate, standard error"
        rows = ",\n".join(f"  {json.dumps(name)}: {json.dumps(pair)}" for name, pair in sorted(now.items()))
        PATH.write_text(f'{{"what": {json.dumps(what)}, "values": {{\n{rows}\n}}}}\n', encoding="utf-8")
    raise SystemExit(int(bool(lines) and not write))


if __name__ == "__main__":
    from engine.run.host import prepare_devices

    prepare_devices(2)
    main()
