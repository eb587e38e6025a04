"""A book of another date, other chips and other classes: its page speaks of it and of no other book."""

import csv
import html
import json
import re
import shutil

import pytest
import undertow as ut

from engine.book.load import load_book, shipped_book

OTHER = {
    "OLD": "TPU7", "NEW": "MI900", "NEXT": "MI950", "RENT_OLD": "RENT_TPU7", "2024": "2030Q2",
    "2025": "2031Q2", "2025Q4": "2031Q1", "GPU_DDTL_1_2": "FIRST_LIEN", "GPU_DDTL_3_PLUS": "DELAYED_DRAW",
    "HY_CONV": "NOTES", "PROJECT_LOANS": "SITES", "UNNAMED_PC": "CLUB_DEALS", "ABS": "RENT_BONDS",
}  # fmt: skip
"""Cells of the worked book and what stands there in the foreign one."""

NATIVE = r"H100|GB200|(?<![\d.])202[56](?!\d)|HYPERION|XAI_SPV|Hyperion|xAI"


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    """The worked book under other names, dated the end of June 2031, without `classes` and `references`."""
    folder = tmp_path_factory.mktemp("books") / "harbour"
    shutil.copytree(shipped_book("worked_small"), folder)
    for name in ("classes", "references"):
        (folder / f"{name}.csv").unlink()
    for file in folder.glob("*.csv"):
        with open(file, newline="", encoding="utf-8") as lines:
            rows = [[OTHER.get(cell, cell) for cell in cells] for cells in csv.reader(lines)]
        if file.stem == "about":
            rows[1][:2] = ["Harbour", "2031-06-30"]
        with open(file, "w", newline="", encoding="utf-8") as lines:
            csv.writer(lines).writerows(rows)
    return folder


@pytest.fixture(scope="module")
def page(foreign, tmp_path_factory):
    """Its page after a run of a year."""
    folder = ut.run(foreign, paths=512, months=12).write(tmp_path_factory.mktemp("run"))
    return (folder / "report.html").read_text(encoding="utf-8")


def test_it_loads_as_it_is(foreign):
    book = load_book(foreign)
    assert book.repairs == () and book.about.benchmarks == ("TPU7", "MI900") and book.about.year == 2031.5
    assert ut.build_system(book, ut.Parameters(), 12).names.series[2:5] == (
        "rent_tpu7", "price_tpu7", "price_mi900"
    )  # fmt: skip


def test_its_page_speaks_of_no_other_book(page):
    text = html.unescape(re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", page, flags=re.S))
    charts = re.search(r'<script type="application/json" id="charts">(.*?)</script>', page, re.S).group(1)
    titles = json.dumps([chart["layout"] for chart in json.loads(charts).values()])
    assert not re.search(NATIVE, text) and not re.search(NATIVE, titles)
    assert "MI900 resale price" in text and "TPU7 rent, past and simulated" in text
    assert "the year to June 2032" in text and "Harbour" in text
    assert "First lien" in text and "Reference" not in text
