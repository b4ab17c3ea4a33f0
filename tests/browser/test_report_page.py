"""The report of an evaluation, opened as the file that it is."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bot.learning.evaluating.measuring import Candidate, measured
from bot.learning.labelled import Labelled
from bot.learning.reporting.report import write
from bot.learning.training.card import Source
from tests.browser.chromium import Page, expect
from tests.browser.test_for_everybody import HOSTILE, OVERFLOW, WIDTHS
from tests.examples import NOON
from tests.test_evaluation import Numbered

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LANGUAGES = ("en", "de", "a language with a name that is far too long to stand at an axis")

LETTERS = """[...document.querySelectorAll(".plot text")].map(letters => {
    const svg = letters.ownerSVGElement;
    const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
    return parseFloat(getComputedStyle(letters).fontSize) * scale;
})"""
"""Their height in pixels of the screen."""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of everything: hours, languages, two models, texts of every kind."""
    hours = range(24)
    rows = [
        Labelled(
            f"{HOSTILE[at % len(HOSTILE)]} {at}",
            escalate=at % 7 > 2,
            at=NOON + timedelta(hours=hours[at % 24]),
            language=LANGUAGES[at % 3],
        )
        for at in range(100)
    ]
    models = [Candidate(Numbered("m" * 60)), Candidate(Numbered("other", 0.7))]
    path = tmp_path_factory.mktemp("report") / "report.html"
    write(measured(rows, [Source("posts.csv", "ab" * 32)], models, 10), path)
    return path


@pytest.fixture
def opened(browser: "Browser", file: Path) -> Iterator[Callable[..., Page]]:
    """Opens the page; the options are those of Playwright. It must ask for nothing else."""
    said: list[str] = []
    contexts = []

    def open_page(**options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        page.on("request", lambda request: said.append(request.url))
        page.goto(file.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [one for one in said if one != file.as_uri() and not one.startswith("data:")] == []


@pytest.mark.parametrize("width", WIDTHS)
def test_fits_every_width(width: int, opened: Callable[..., Page]) -> None:
    page = opened(viewport={"width": width, "height": 900})
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate(OVERFLOW) == 0
    drawn = page.locator(".plot svg").all()
    assert len(drawn) == 7
    for svg in drawn:
        box = svg.bounding_box()
        assert box
        assert 0 < box["width"] <= width
        assert box["height"] > 60


def test_letters_of_plots_can_be_read_on_a_phone(opened: Callable[..., Page]) -> None:
    page = opened(viewport={"width": 390, "height": 844})
    sizes = page.evaluate(LETTERS)
    assert min(sizes) >= 10


def test_is_for_everybody(opened: Callable[..., Page], accessible: Callable[[Page], None]) -> None:
    page = opened(bypass_csp=True)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    accessible(page)


def test_is_read_without_script(opened: Callable[..., Page]) -> None:
    page = opened(java_script_enabled=False)
    expect(page.get_by_role("heading", name="In short")).to_be_visible()
    table = page.get_by_role("table").filter(has_text="in force")
    expect(table).to_be_hidden()
    page.get_by_text("The same in numbers").first.click()
    expect(table).to_be_visible()


def test_no_post_does_anything(opened: Callable[..., Page]) -> None:
    page = opened()
    expect(page).to_have_title("How well " + "m" * 60 + " judges")
    assert page.locator("script, main style, main img").count() == 0
    assert page.locator("ol.mistakes li").count() > 20
