"""A real browser over the real server. Each page must stay quiet and ask no other host."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from bot.cases import Case
from bot.local.console import ROUTES, Console
from bot.local.host import Host, InProcess
from bot.local.http import Application
from bot.settings import HOUSE
from bot.tweets import Author, Tweet
from bot.wiring import Parts, now
from tests.examples import archive, case
from tests.serving import serving

with suppress(ImportError):
    from playwright.sync_api import expect, sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
AXE = HOUSE / "node_modules/axe-core/axe.min.js"
PATIENCE = 15_000.0
"""Milliseconds until what should appear counts as missing."""
HASTY = """
const usual = window.setTimeout;
window.setTimeout = (work, wait) => usual(work, wait >= 1000 ? wait / 10 : wait);
"""
"""A page that asks for news ten times as often."""


@dataclass
class Home:
    """A bot on this machine, and what a test puts into its store."""

    address: str
    parts: Parts
    start: Callable[[], None]
    """Sets its queues to work."""
    _added: int = field(default=0)

    @property
    def console(self) -> str:
        return f"http://{self.address}/console/"

    def case(self, text: str, handle: str | None = "river", **changes: Any) -> Case:
        """A case that came later than those before it."""
        self._added += 1
        number = str(1_000_000_000_000_000_000 + self._added)
        at = now() - timedelta(seconds=1_000) + timedelta(milliseconds=self._added)
        author = Author(handle=handle, name=changes.pop("name", None))
        tweet = Tweet(number, text, number, author, source=changes.pop("source", "typed"))
        return case(**{"tweet": tweet, "received_at": at, "decided_at": at, **changes})

    def add(self, text: str, handle: str | None = "river", **changes: Any) -> str:
        """Puts a case into the store and returns its id."""
        made = self.case(text, handle, **changes)
        self.parts.store.add([made])
        return made.id


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(archive(tmp_path_factory.mktemp("model")))


@pytest.fixture
def environment() -> dict[str, str]:
    """Settings of the bot, which a test may set by `parametrize`."""
    return {}


@pytest.fixture
def home(tmp_path: Path, model: str, environment: dict[str, str]) -> Iterator[Home]:
    invoke = InProcess({"DATA_DIR": str(tmp_path), "MODEL_PATH": model, **environment})
    parts = invoke.parts()
    console, host = Console(parts), Host(invoke, parts.queues)
    with serving(Application(invoke, console, ROUTES)) as address:
        yield Home(address, parts, host.start)
    console.stop()
    host.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here: the pages are not looked at in a browser")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )


@pytest.fixture
def opened(browser: "Browser", home: Home) -> Iterator[Callable[..., "Page"]]:
    """Opens a page of the bot in a browser of its own; the options are those of Playwright."""
    complaints: list[str] = []
    contexts = []

    def open_page(path: str = "/console/", *, hasty: bool = True, **options: Any) -> "Page":
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        if hasty:
            context.add_init_script(HASTY)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda said: complaints.append(f"{said.type}: {said.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked(request.url))
        page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        page.goto(f"http://{home.address}{path}")
        return page

    def asked(url: str) -> None:
        if not url.startswith((f"http://{home.address}/", "data:,")):
            complaints.append(f"asked {url}")

    yield open_page
    for context in contexts:
        context.close()
    # A refusal is an answer that the page shows; Chromium names it here too.
    refusals = "error: Failed to load resource: "
    assert [said for said in complaints if not said.startswith(refusals)] == []


@pytest.fixture
def page(opened: Callable[..., "Page"]) -> "Page":
    """The console, loaded."""
    shown = opened()
    expect(shown.locator("#state")).to_have_text("Live")
    return shown


@pytest.fixture
def accessible() -> Callable[["Page"], None]:
    """Asks axe-core what a page would keep from somebody, by day and by night."""
    if not AXE.exists():
        pytest.skip("no axe-core here (npm ci): accessibility is not checked")
    source = AXE.read_text("utf-8")

    def check(page: "Page") -> None:
        page.evaluate(source)
        schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme)
            # A colour on its way from one to another is neither.
            page.evaluate("Promise.all(document.getAnimations().map(one => one.finished))")
            found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
            assert found["passes"], "nothing was checked"
            assert [
                (scheme, violation["id"], node["html"][:200], node["failureSummary"])
                for violation in found["violations"]
                for node in violation["nodes"]
            ] == []

    return check
