"""The page in a real Chromium: axe-core has no objection, nothing is cut, loaded or late, light and dark."""

import time

import pytest

from engine.report.chromium import NoBrowser, browser, sandbox
from engine.report.page import page
from engine.report.style import DARK, PAPER
from tests.report.test_web import contract, with_web

sync = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")

WIDTHS = (390, 820, 1280)
SCHEMES = ("light", "dark")
PATIENCE_S = 10.0
MOST_BYTES = 3e6

OPEN = """() => {
  document.querySelectorAll('details').forEach(each => each.open = true);
  document.querySelectorAll('.choice').forEach(choice => {
    const last = [...choice.querySelectorAll('input')].pop();
    last.checked = true;
    last.dispatchEvent(new Event('change'));
  });
}"""
"""Opens what is folded, and turns every choice to its last state."""

CUT = """() => [...document.querySelectorAll('.chart')].filter(each => each.clientWidth).flatMap(chart => {
  const box = chart.getBoundingClientRect();
  return [...chart.querySelectorAll('text')].filter(text => {
    const own = text.getBoundingClientRect();
    return own.width && (own.left < box.left - 1 || own.right > box.right + 1
      || own.top < box.top - 1 || own.bottom > box.bottom + 1);
  }).map(text => chart.id + ': ' + text.textContent);
})"""
"""Texts of charts that reach beyond them."""

PAPERS = """() => [...new Set([...document.querySelectorAll('.chart')].filter(each => each.clientWidth)
  .map(each => each.layout.paper_bgcolor))]"""


@pytest.fixture(scope="module")
def chromium():
    """A browser, for all tests of the file."""
    try:
        program = browser()
    except NoBrowser as reason:
        pytest.skip(f"needs Chromium or Chrome: {reason}")
    with sync.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=program, args=[*sandbox()])
        yield running
        running.close()


@pytest.fixture(scope="module")
def place(results, tmp_path_factory):
    """The page of the smallest real run with a small web, as a file."""
    contracts = [
        contract("OpenAI", "CoreWeave", "compute", 90.0, 30.0),
        contract("OpenAI", "Microsoft", "compute", 60.0, 9.0),
        contract("Microsoft", "CoreWeave", "compute", 20.0, 20.0),
        contract("Nvidia", "OpenAI", "equity", 30.0, 0.0),
    ]
    firms = results.tables["firms"]
    failures = {"name": "Lab", "direct": 16.0, "knock_on": 2.5, "worst_hit": "Cloud", "worst_share": 0.75}
    full = with_web(results, contracts, firms)
    full.tables["failures"] = type(firms)([failures])
    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_text(page(full), encoding="utf-8")
    return file


@pytest.fixture
def opened(chromium, place):
    """Opens the page at a width and in a colour scheme, drawn; `problems` and `requests` list what it did."""
    pages = []

    def open_page(width=1280, scheme="light"):
        view = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        pages.append(view)
        view.problems, view.requests = [], []
        view.on("console", lambda said: view.problems.append(said.text) if said.type == "error" else None)
        view.on("pageerror", lambda error: view.problems.append(str(error)))
        view.on("request", lambda request: view.requests.append(request.url))
        view.goto(place.as_uri())
        view.wait_for_selector("body[data-drawn=yes]")
        return view

    yield open_page
    for view in pages:
        view.close()


def objections(view):
    """Violations that axe-core finds; a chart is an image to it, whose drawing has no parts of its own."""
    return axe.Axe().run(view, context={"exclude": [[".main-svg"]]}).response["violations"]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_has_nothing_to_object_to(opened, width, scheme):
    view = opened(width, scheme)
    view.evaluate(OPEN)
    assert [(each["id"], each["nodes"][0]["html"]) for each in objections(view)] == []


def test_axe_would_object(opened):
    """A table without heads that name their columns, and text that is hardly told from the paper."""
    view = opened(820)
    view.evaluate("""() => {
      document.querySelector('.lead').style.color = '#dddddd';
      document.querySelector('.scroll').removeAttribute('aria-label');
      document.querySelector('.chart').removeAttribute('aria-label');
    }""")
    ids = {each["id"] for each in objections(view)}
    assert {"color-contrast", "role-img-alt"} <= ids


def test_it_is_drawn_soon_silently_and_from_itself(opened, place):
    begun = time.perf_counter()
    view = opened()
    assert time.perf_counter() - begun < PATIENCE_S
    assert place.stat().st_size < MOST_BYTES
    assert view.problems == [] and all(url.startswith(("file:", "data:", "blob:")) for url in view.requests)
    seen = "[...document.querySelectorAll('.chart')].filter(each => each.clientWidth)"
    assert view.evaluate(f"{seen}.length") > 20
    assert view.evaluate(f"{seen}.every(each => each.querySelector('.main-svg'))")


@pytest.mark.parametrize("width", [390, 560, 820, 1280, 1920])
def test_no_text_is_cut_and_the_page_is_no_wider_than_the_screen(opened, width):
    view = opened(width)
    assert view.evaluate("document.documentElement.scrollWidth") <= width
    assert view.evaluate(CUT) == []
    view.evaluate(OPEN)
    view.wait_for_timeout(700)  # the other state of a diagram settles
    assert view.evaluate("document.documentElement.scrollWidth") <= width
    assert view.evaluate(CUT) == []


def test_charts_follow_the_colours_of_the_screen_and_paper_is_light(opened):
    view = opened(1280, "dark")
    assert view.evaluate(PAPERS) == [DARK[PAPER]]
    view.emulate_media(color_scheme="light")
    view.wait_for_function(f"() => ({PAPERS})().join() === '{PAPER}'")
    view.emulate_media(color_scheme="dark", media="print")
    view.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert view.evaluate(PAPERS) == [PAPER]
    assert view.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_print_shows_every_state_and_cuts_nothing(opened):
    view = opened(1280)
    view.emulate_media(media="print")
    view.set_viewport_size({"width": 688, "height": 1000})
    view.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    seen = "() => [...document.querySelectorAll('.chart')].every(each => each.clientWidth > 0)"
    assert view.evaluate(seen)
    assert view.evaluate("document.documentElement.scrollWidth") <= 688 and view.evaluate(CUT) == []
    tall = "() => Math.max(...[...document.querySelectorAll('figure')].map(each => each.offsetHeight))"
    assert view.evaluate(tall) < 1024  # the height of a sheet: a figure is not parted


def test_the_keyboard_reaches_skip_link_choice_and_scrollers(opened):
    view = opened(390)
    view.keyboard.press("Tab")
    assert view.evaluate("document.activeElement.className") == "skip"
    view.keyboard.press("Enter")
    assert view.evaluate("document.activeElement.id") == "content"
    view.locator('.choice input[value="flows-all"]').focus()
    view.keyboard.press("ArrowRight")
    assert view.locator("#chart-flows-worst .main-svg").first.is_visible()
    assert not view.locator("#chart-flows-all").is_visible()
    scrollers = "() => [...document.querySelectorAll('.scroll')].every(each => each.tabIndex === 0)"
    names = "() => [...document.querySelectorAll('.scroll')].map(each => each.getAttribute('aria-label'))"
    assert view.evaluate(scrollers) and len(set(view.evaluate(names))) == len(view.evaluate(names))
