"""Pictures of the report for docs/figures, by a real Chromium: python -m tests.report.pictures RUN [FOLDER].

RUN is the folder of a run of the shipped book with its report.html. Needs playwright, and Pillow to reduce
the pictures to a palette.
"""

import argparse
import io
import pathlib
from typing import NamedTuple

from engine.report.chromium import browser, sandbox

HEIGHT, COLOURS = 900, 256
"""Pixels of the window, and colours of the palette."""

MOST_BYTES = 250_000


class Picture(NamedTuple):
    """What is shown: part of the page by selector, at a width, in a colour scheme, after a click if any.

    Without a selector it is the window as the page opens.
    """

    name: str
    selector: str
    width: int
    scheme: str = "light"
    click: str = ""


PICTURES = (
    Picture("loss", "#how-much .pair", 1280),
    Picture("flows", "figure:has(#chart-flows-worst)", 1280, "light", 'input[value="flows-worst"]'),
    Picture("web", "figure:has(#chart-web-ordinary)", 1280),
    Picture("web-worst", "figure:has(#chart-web-tail)", 1280, "light", 'input[value="web-tail"]'),
    Picture("conditional", "figure:has(#chart-conditional)", 820, "dark"),
    Picture("phone", "figure:has(#chart-flows-all)", 390, "dark"),
    *(
        Picture(f"page-{width}-{scheme}", "", width, scheme)
        for width in (390, 820, 1280)
        for scheme in ("light", "dark")
    ),
)


def taken(run: pathlib.Path) -> dict[str, bytes]:
    """Every picture of a run's report, as the browser gives it."""
    from playwright.sync_api import sync_playwright

    pictures = {}
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=browser(), args=[*sandbox()])
        for picture in PICTURES:
            page = chromium.new_page(
                viewport={"width": picture.width, "height": HEIGHT}, color_scheme=picture.scheme
            )
            page.goto((run / "report.html").resolve().as_uri())
            page.wait_for_selector("body[data-drawn=yes]")
            if picture.click:
                page.locator(picture.click).check()
                page.wait_for_timeout(1000)  # flows settle
            page.add_style_tag(content=".numbers { display: none; }")
            shown = page.locator(picture.selector).first if picture.selector else page
            pictures[picture.name] = shown.screenshot()
            page.close()
        chromium.close()
    return pictures


def reduced(picture: bytes) -> bytes:
    """A PNG with a palette."""
    from PIL import Image

    image = (
        Image.open(io.BytesIO(picture))
        .convert("RGB")
        .quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    )
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def main() -> None:
    """Writes the pictures and their sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path, nargs="?", default=pathlib.Path("docs/figures"))
    arguments = parser.parse_args()
    for name, picture in taken(arguments.run).items():
        content = reduced(picture)
        if len(content) > MOST_BYTES:
            raise SystemExit(f"{name}.png: got {len(content):,} bytes, expected at most {MOST_BYTES:,}")
        (arguments.folder / f"{name}.png").write_bytes(content)
        print(f"{name}.png {len(content):,} bytes")


if __name__ == "__main__":
    main()
