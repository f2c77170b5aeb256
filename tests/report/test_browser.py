"""The page in a browser: one screen, any width, light, dark, printed, by keyboard, and nothing from elsewhere."""

import shutil
from dataclasses import replace

import pytest

from quantleak.report import write_pages
from quantleak.results import Recommendation

pytestmark = pytest.mark.browser
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
SCREEN, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
SCRIPT = '"><img src=x onerror="window.ran=1"><script>window.ran=1</script><b class=injected>'
OPEN_ALL = "document.querySelectorAll('details').forEach(part => part.open = true)"


@pytest.fixture(scope="module")
def browser():
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("there is no chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def address(make, tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    write_pages(make(), folder)
    return (folder / "report.html").as_uri()


@pytest.fixture
def opened(browser, address):
    pages = []

    def open_page(colours="light", size=SCREEN, at=None):
        page = browser.new_page(viewport=size, color_scheme=colours)
        page.requested = []
        page.on("request", lambda request: page.requested.append(request.url))
        page.goto(at or address)
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.close()


def test_the_first_screen_holds_sentence_figure_and_table(opened):
    page = opened()
    for what in ("h1", "header p:last-of-type", ".first .drawing.wide", ".first table", ".first .small"):
        box = page.locator(what).first.bounding_box()
        assert box["y"] >= 0, what
        assert box["y"] + box["height"] <= 800, what
        assert box["x"] + box["width"] <= 1280, what
    scroll = page.locator(".first .scroll")
    assert scroll.evaluate("it => it.scrollWidth <= it.clientWidth + 1")
    assert page.requested == [page.url]


@pytest.mark.parametrize("size", [SCREEN, PHONE], ids=["screen", "phone"])
def test_nothing_is_wider_than_the_window(opened, size):
    page = opened(size=size)
    page.evaluate(OPEN_ALL)
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def test_everything_below_the_first_screen_is_folded_and_opens_by_keyboard(opened):
    page = opened()
    assert page.locator("details").count() >= 11
    assert page.locator("details[open]").count() == 0
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    focused = page.locator("summary:focus-visible")
    assert focused.count() == 1
    assert focused.evaluate("it => getComputedStyle(it).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    assert page.locator("details[open]").count() == 1


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_axe_finds_nothing(opened, colours):
    from axe_playwright_python.sync_playwright import Axe

    page = opened(colours)
    page.evaluate(OPEN_ALL)
    result = Axe().run(page)
    assert result.violations_count == 0, result.generate_report()


def test_dark_is_dark(opened):
    background = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)"
    assert max(opened("dark").evaluate(background)) < 60
    assert min(opened("light").evaluate(background)) > 200


def test_printed_it_shows_what_is_folded(opened):
    page = opened()
    page.emulate_media(media="print")
    shut = """[...document.querySelectorAll('details .body, details .scroll')]
        .filter(part => !part.checkVisibility() || part.offsetHeight === 0).length"""
    assert page.evaluate(shut) == 0
    document = page.pdf(format="A4")
    assert document.startswith(b"%PDF")
    # Folded, the page is two sheets of paper.
    assert document.count(b"/Type /Page\n") >= 8


def test_a_hostile_data_set_shows_its_names_and_runs_nothing(opened, make, tmp_path):
    result = make()
    data = {"name": SCRIPT, "source": SCRIPT, "classes": [SCRIPT], "columns": [SCRIPT], "target": SCRIPT}
    hostile = replace(
        result,
        data=result.data | data,
        recommended=Recommendation(quantizer="sign", reason=SCRIPT, clear=False, headline=SCRIPT, sure=SCRIPT),
        classes=result.classes.assign(**{"class": SCRIPT}),
    )
    write_pages(hostile, tmp_path)
    page = opened(at=(tmp_path / "report.html").as_uri())
    page.evaluate(OPEN_ALL)
    assert page.evaluate("window.ran") is None
    assert page.locator("img, script, .injected").count() == 0
    assert page.locator("h1").inner_text() == SCRIPT
    assert page.locator("th", has_text="window.ran=1").count() > 0
    assert page.requested == [page.url]
    assert "<img" not in "".join(
        line for line in (tmp_path / "privacy-card.md").read_text().splitlines() if not line.startswith("    ")
    )
