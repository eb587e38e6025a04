"""The book in a row, its instrument classes in words, and the results of an earlier prototype."""

from experiments.shipped_book.facts import Row

PROTOTYPE = (
    "An earlier, independent prototype of the same month on a coarser book (570 bn of commitments, 230 bn of "
    "new debt in five years, 20,000 paths). It checks orders of magnitude; it is not a target"
)


def about() -> list[Row]:
    """The end of 2025; the chip with most units in use, and the newest that ships in volume as a rack."""
    return [{
        "name": "AI credit, end of 2025", "date": "2025-12-31", "currency": "USD", "benchmark": "H100",
        "second_benchmark": "GB200", "source": "this book; benchmarks chosen for their quotes", "grade": "A",
    }]  # fmt: skip


def classes() -> list[Row]:
    """Instrument classes in the order of the sector table."""
    names = {
        "GPU_DDTL_1_2": "GPU loans, first facilities",
        "GPU_DDTL_3_PLUS": "GPU loans, newer facilities",
        "HY_CONV": "High yield and converts",
        "RCF_OEM_OTHER": "Revolvers and vendor credit",
        "PROJECT_LOANS": "Data-centre project loans",
        "HYPERION": "Hyperion (Meta SPV)",
        "XAI_SPV": "xAI and its SPV",
        "UNNAMED_PC": "Unnamed private credit",
        "OTHER_CONSTRUCTION": "Other construction",
        "ABS": "Data-centre ABS",
        "CMBS": "Data-centre CMBS",
        "IG_TECH": "Investment-grade tech",
    }
    evidence = {"source": "classes of the collected facts", "grade": "C"}
    return [{"class": key, "name": name, **evidence} for key, name in names.items()]


def references() -> list[Row]:
    """The prototype's losses in USD bn, its regimes at month 60, its one-year default probabilities."""
    losses = {12: (3.1, 21.5, 27.3), 36: (13.7, 74.6, 95.6), 60: (25.8, 127.0, 148.0)}
    rows = [
        (quantity, "", horizon, value)
        for horizon, values in losses.items()
        for quantity, value in zip(("el", "var_99", "es_99"), values, strict=True)
    ]
    rows.append(("exposure", "", 0, 570.0))
    rows += [(regime, "", 60, share) for regime, share in (("boom", 0.39), ("plateau", 0.46), ("bust", 0.15))]
    defaults = {"CRWV": 0.047, "ORCL": 0.002, "OAI": 0.010, "XAI": 0.028, "VANT_TX": 0.003}
    rows += [("pd", firm, 12, share) for firm, share in defaults.items()]
    columns, evidence = ("quantity", "firm", "horizon", "value"), {"source": PROTOTYPE, "grade": "C"}
    return [dict(zip(columns, row, strict=True)) | evidence for row in rows]
