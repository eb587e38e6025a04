"""The report's files in a run folder: report.html, report.xlsx, report.pdf and its figures."""

import pathlib
from collections.abc import Collection

from engine.report.page import page, sections
from engine.report.unit import readable
from engine.results.folder import read_results, write_text

FORMATS = ("html", "xlsx", "pdf", "svg", "png")
"""Forms of the report; the last two are its figures, in the folder `figures`."""

BY_BROWSER = ("pdf", "svg", "png")
"""Those that need Chromium or Chrome."""


def write_report(
    folder: str | pathlib.Path, formats: Collection[str] = ("html", "xlsx"), program: str | None = None
) -> None:
    """Writes the report of a run folder in some of `FORMATS`, each file whole.

    `program` is the path of a browser, by default the first that is found; only pdf, svg and png need it.
    They come last. Raises FileNotFoundError where the folder has no summary.json, NoBrowser where a browser
    is needed and there is none, or it fails.
    """
    if not formats:
        return
    folder, results = pathlib.Path(folder), readable(read_results(folder))
    contents = sections(results)
    document = page(results, contents) if {"html", "pdf"} & set(formats) else ""
    if "html" in formats:
        write_text(folder / "report.html", document)
    if "xlsx" in formats:
        from engine.report.workbook import write_workbook

        write_workbook(folder / "report.xlsx", results, [section for _, section in contents])
    if not set(BY_BROWSER) & set(formats):
        return
    from engine.report.chromium import browser
    from engine.report.images import write_figures, write_pdf

    program = browser(program)
    if "pdf" in formats:
        write_pdf(folder / "report.pdf", document, program)
    if forms := [form for form in ("svg", "png") if form in formats]:
        charts = [chart for _, section in contents for chart in section.charts]
        write_figures(folder / "figures", charts, forms, program)
