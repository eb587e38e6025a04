"""Chromium or Chrome as a printer of pages: no window, no network, and a profile that is removed."""

import os
import pathlib
import shutil
import subprocess
import sys

NAMES = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)  # fmt: skip
"""Programs that are looked for, in this order."""

OPTIONS = (
    "--headless", "--disable-gpu", "--no-first-run", "--hide-scrollbars", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--host-resolver-rules=MAP * ~NOTFOUND",
)  # fmt: skip

PATIENCE_MS = 60_000
"""Time of the page's own clock by which its charts must be drawn; it runs as fast as the charts allow."""

LONGEST_S = 180.0
"""Seconds until a browser that does not end is ended."""


class NoBrowser(ValueError):
    """There is no browser, or it did not do its work; the message says which."""


def browser(path: str | None = None) -> str:
    """The browser at a path, by default the first of `NAMES` that there is.

    Raises NoBrowser where there is none.
    """
    names = (path,) if path else NAMES
    program = next((place for name in names if (place := shutil.which(name))), None)
    if program is None:
        at = f"no program {path}" if path else "no Chromium or Chrome on the PATH"
        raise NoBrowser(f"{at}; install one, or name it by report.browser=PATH")
    return program


def opened(program: str, folder: str, page: str, *options: str) -> str:
    """Open a page and wait until it is drawn; what the browser prints. Raises NoBrowser where it fails."""
    file = pathlib.Path(folder) / "page.html"
    file.write_text(page, encoding="utf-8")
    command = [
        program, *OPTIONS, *sandbox(), f"--user-data-dir={folder}/profile",
        f"--virtual-time-budget={PATIENCE_MS}", *options, file.as_uri(),
    ]  # fmt: skip
    try:
        answer = subprocess.run(command, capture_output=True, timeout=LONGEST_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoBrowser(f"{program}: {error}") from None
    if answer.returncode:
        last = answer.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise NoBrowser(f"{program} ended with code {answer.returncode}: {' '.join(last)}")
    return answer.stdout.decode(errors="replace")


def sandbox() -> tuple[str, ...]:
    """Root cannot have Chromium's sandbox; the page is our own, and loads nothing."""
    root = sys.platform.startswith("linux") and os.geteuid() == 0
    return ("--no-sandbox",) if root else ()
