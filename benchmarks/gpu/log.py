"""The record of a run of `benchmarks/gpu_run.py`: one line of JSON a finding, on disk as soon as it is made.

A line has the name of its `phase` and either `facts`, a `record` for the table of all benchmarks, or an
`end`. A run begins with a line `start`; a file may hold several.
"""

import json
import os
import pathlib
from typing import Any

LINES = "gpu.jsonl"


class Log:
    """Lines appended to a file, each flushed and synced."""

    def __init__(self, path: pathlib.Path):
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and path.read_bytes()[-1:] not in (b"", b"\n"):
            self.append("\n")  # an earlier run ended within its last line

    def append(self, text: str) -> None:
        """Text, on disk when this returns."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())

    def write(self, **line: Any) -> None:
        """One line."""
        self.append(json.dumps(line) + "\n")


def lines_of(path: pathlib.Path) -> list[dict[str, Any]]:
    """Lines of the last run in a file; a last line that was cut short is left out.

    Raises ValueError with file and line where another line is broken, and where there is no start.
    """
    lines: list[dict[str, Any]] = []
    texts = path.read_text(encoding="utf-8").splitlines()
    for number, text in enumerate(texts, 1):
        try:
            lines.append(json.loads(text))
        except ValueError as error:
            if number < len(texts) and '"start"' not in texts[number]:
                raise ValueError(f"{path}, line {number}: got no line of JSON ({error})") from None
    starts = [place for place, line in enumerate(lines) if "start" in line]
    if not starts:
        raise ValueError(f"{path}: got no start of a run of benchmarks/gpu_run.py")
    return lines[starts[-1] :]


def said(value: Any) -> str:
    """A fact's value in words, three significant digits.

    >>> said(123456.7), said(0.000123), said({"0.5": 1e-7}), said(True)
    ('123,457', '0.000123', '0.5: 1e-07', 'yes')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.0f}" if 1e15 > abs(value) >= 100 else f"{value:.3g}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {said(each)}" for name, each in value.items())
    if isinstance(value, list):
        return "; ".join(said(each) for each in value)
    return str(value)


def phases_table(lines: list[dict[str, Any]]) -> str:
    """Markdown: phases with their end and seconds, then every fact of each."""
    ends = [line for line in lines if "end" in line]
    rows = [("phase", "end", "s", "words"), ("---",) * 4]
    for line in ends:
        words = str(line.get("words", "")).strip().splitlines()[-1:]
        rows.append((line["phase"], line["end"], f"{line['seconds']:.1f}", "".join(words)))
    texts = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    phase = None
    for line in (each for each in lines if each.get("facts")):
        if line["phase"] != phase:
            phase = line["phase"]
            texts += ["", f"{phase}:", ""]
        for name, value in line["facts"].items():
            rows = value if isinstance(value, list) and value and isinstance(value[0], dict) else []
            texts.append(f"- {name}:" if rows else f"- {name}: {said(value)}")
            texts += [f"  - {said(row)}" for row in rows]
    return "\n".join(texts)
