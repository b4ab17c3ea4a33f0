"""The pages for every hand, eye and width, and against every text."""

from collections.abc import Callable
from typing import Any

import pytest

from bot import cases
from bot.cases import Effect, Label
from bot.tweets import clean
from bot.twitter.polling import BUDGET_USED
from bot.verdicts import Verdict, Weight
from bot.wiring import now
from tests.browser.chromium import Page, expect
from tests.browser.conftest import Home
from tests.examples import ANGRY, CALM, NOON
from tests.test_settings import X

WIDTHS = (390, 1000, 1600)
PWNED = "document.title = 'pwned'"
HOSTILE = [
    f"<script>{PWNED}</script>",
    f"</script><script>{PWNED}</script>",
    f'<img src=x onerror="{PWNED}">',
    f"</p></li></ol><svg onload={PWNED.replace(' ', '')}>",
    "{{console}} {{largest}} ${alert(1)} `x` &lt;b&gt;",
    "<!channel> <style>body { display: none }</style>",
    "\u202eesrever\u202c \u2067rtl \u2066ltr \u061c\u200f مرحبا שלום",
    "\u202e\u202e\u202e never closed",
    "line\u2028separator\u2029 \x00\x07\x1b[31m\x7f\x85\ufeff control",
    "\ud800 half a pair",
    "Z" + "\u0335\u0317\u031a" * 80 + " a pile of marks",
    "x" * 25_000,
    "wide ﷽𒐫" * 3_000,
    "line\n" * 5_000,
    "https://evil.example/" + "a" * 500,
]
PLACES = """async () => {
    const found = [];
    for (const card of document.querySelectorAll("#channel article")) {
        card.scrollIntoView();
        await new Promise(requestAnimationFrame);
        const left = part => card.querySelector(part).getBoundingClientRect().left;
        found.push([left(".route"), left("button"), card.getBoundingClientRect().height]);
    }
    return found;
}"""
OUTSIDE = """cards => [...document.querySelectorAll(cards)]
    .map(one => one.getBoundingClientRect())
    .filter(box => box.left < 0 || box.right > innerWidth).length"""
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
FOCUSED = """() => {
    const found = document.activeElement, style = getComputedStyle(found);
    const box = found.getBoundingClientRect();
    return {
        name: found.id || found.dataset.act || found.className || found.tagName,
        card: found.closest("article")?.dataset.id ?? null,
        outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
        seen: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    };
}"""
REACHABLE = """() => [...document.querySelectorAll("a, button, input, select, textarea")]
    .filter(one => one.checkVisibility({visibilityProperty: true}))
    .map(one => one.id || one.dataset.act || one.className || one.tagName)"""


def of_every_kind(home: Home) -> list[str]:
    """Cases that show all that a card can; returns their ids, the last of the channel first."""
    words = (Weight("angry", 0.31), Weight("my parcel", -0.12))
    weighed = Verdict(0.91, 0.5, ANGRY, "small", words=words)
    problem = Effect("card", "failed", problem="Slack refuses.")
    replied = Effect("reply", "dry-run", text="On our way!", by="Sun")
    channel: list[dict[str, Any]] = [
        {"verdict": weighed, "name": "River Example", "source": "poll"},
        {"verdict": weighed, "unsure": True, "assignee": "Olga", "effects": (replied, problem)},
        {"verdict": None, "handle": None},
        {"resolved": True, "label": Label(False, "Olga", NOON, None), "assignee": "Olga"},
        {"label": Label(True, "Olga", NOON, None), "reasons": ("One.", "Two.")},
        {"effects": (Effect("reply", "failed", text="Sorry.", problem="X refuses."),)},
    ]
    first = home.add(ANGRY, assignee="Olga")
    channel.insert(0, {"thread": first, "assignee": "Olga"})
    waits = Effect("reply", "pending", text="Thanks!", problem="Automatic replies are paused.")
    refused = Effect("reply", "failed", text="Thanks!", problem="Its author asked to be left.")
    bot: list[dict[str, Any]] = [
        {"route": "reply", "effects": (Effect("reply", state, text="Thanks!"),)}
        for state in ("dry-run", "sent", "pending", "sending", "unknown")
    ]
    bot += [
        {"route": "reply", "effects": (waits,)},
        {"route": "skip", "effects": (refused,), "reasons": ("Its author asked to be left.",)},
        {"route": "skip", "reasons": ("It is a repost.",)},
    ]
    for changes in bot:
        home.add(CALM, **changes)
    home.parts.store.add([cases.erased(home.case("gone"), now())])
    return [first, *(home.add(ANGRY, **changes) for changes in channel)][::-1]


def used_up(home: Home) -> None:
    """All that the line above the numbers can say."""
    home.parts.pause.pause("Olga", now())
    home.parts.ledger.charge("reply", 5_000, now())
    home.parts.store.set_note(BUDGET_USED, {"month": f"{now():%Y-%m}", "day": ""})


class TestHostileTexts:
    @pytest.fixture
    def ids(self, home: Home) -> list[str]:
        """Each as text, author, name, reason, answer and problem of a case."""
        return [
            home.add(
                clean(text),
                clean(text[:60]),
                name=clean(text[:200]),
                reasons=(clean(text[:300]),),
                assignee=clean(text[:40]),
                effects=(
                    Effect("reply", "failed", text=clean(text[:280]), problem=clean(text[:99])),
                ),
            )
            for text in HOSTILE
        ]

    def test_stay_texts(self, ids: list[str], opened: Callable[..., Page]) -> None:
        page = opened()
        expect(page.locator("#channel article")).to_have_count(len(HOSTILE))
        for case_id, text in zip(ids, HOSTILE, strict=True):
            shown = page.locator(f'article[data-id="{case_id}"]').locator(".text")
            whole = clean(text)
            cut = whole[:1_000] + ("…" if len(whole) > 1_000 else "")
            assert shown.evaluate("one => one.textContent") == cut
        tags = "[...new Set([...document.querySelectorAll('ol *')].map(one => one.localName))]"
        allowed = {"li", "article", "div", "span", "bdi", "time", "p", "i", "b", "button", "mark"}
        assert set(page.evaluate(tags)) <= allowed
        assert page.title() == "Console · Tweet Escalator"

    @pytest.mark.usefixtures("ids")
    def test_change_no_layout(self, home: Home, opened: Callable[..., Page]) -> None:
        home.add("a plain one")
        page = opened()
        expect(page.locator("#channel article")).to_have_count(len(HOSTILE) + 1)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate(OVERFLOW) == 0
            plain, *others = page.evaluate(PLACES)
            assert [other[:2] for other in others] == [plain[:2]] * len(HOSTILE)
            assert max(height for _, _, height in others) < 1_100

    def test_are_whole_and_harmless_in_their_story(
        self, ids: list[str], opened: Callable[..., Page]
    ) -> None:
        page = opened(viewport={"width": 390, "height": 800}, hasty=False)
        told = page.get_by_role("dialog")
        for case_id, text in list(zip(ids, HOSTILE, strict=True))[7:14:2]:
            page.locator(f'article[data-id="{case_id}"]').get_by_role("button", name="Why?").click()
            expect(told.locator("dt").first).to_be_visible()
            assert told.locator(".text").evaluate("one => one.textContent") == clean(text)
            assert told.evaluate("one => one.scrollWidth - one.clientWidth") == 0
            assert page.evaluate(OVERFLOW) == 0
            page.keyboard.press("Escape")

    def test_may_be_tried_posted_and_searched_for(self, home: Home, page: Page) -> None:
        home.start()
        field = page.get_by_label("The text of a tweet")
        texts = [text for text in HOSTILE if text.startswith(("<s", "</s", "{{", "x"))]
        for text in texts:
            field.fill(text)
            expect(page.locator("#preview .text")).to_have_text(
                text if len(text) <= 1_000 else text[:1_000] + "…"
            )
            page.get_by_role("button", name="Post it as a tweet").click()
            expect(field).to_have_value("")
        expect(page.locator("article")).to_have_count(len(texts))
        page.get_by_label("Search").fill("<script>")
        expect(page.locator("#state")).to_have_text("2 found")
        page.get_by_label("You are").fill(f"<b>{PWNED}")
        page.locator("article").get_by_role("button", name="Claim").first.click()
        expect(page.locator("article").first).to_contain_text(f"claimed by <b>{PWNED}")
        assert page.evaluate(OVERFLOW) == 0


class TestTheKeyboard:
    def test_alone_gets_to_the_first_card_and_claims_it(
        self, home: Home, opened: Callable[..., Page]
    ) -> None:
        first = of_every_kind(home)[0]
        page = opened()
        expect(page.locator("#state")).to_have_text("Live")
        page.keyboard.press("Tab")
        skip = page.get_by_role("link", name="Skip to the cards")
        expect(skip).to_be_focused()
        expect(skip).to_be_in_viewport()
        page.keyboard.press("Enter")
        for label in ("Reply", "Claim"):
            page.keyboard.press("Tab")
            shown = page.locator(f'article[data-id="{first}"]')
            expect(shown.get_by_role("button", name=label)).to_be_focused()
        page.keyboard.press("Enter")
        expect(shown).to_contain_text("claimed by console")
        expect(shown.get_by_role("button", name="Release")).to_be_focused()

    @pytest.mark.parametrize("width", [390, 1600])
    def test_reaches_everything_and_shows_where_it_is(
        self, home: Home, opened: Callable[..., Page], width: int
    ) -> None:
        of_every_kind(home)
        page = opened(viewport={"width": width, "height": 700})
        expect(page.locator("#state")).to_have_text("Live")
        page.locator("#channel article").first.get_by_role("button", name="Reply").click()
        expect(page.locator("form textarea")).to_be_focused()
        page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        page.locator("h1").click()
        reached: list[str] = []
        while len(reached) < len(page.evaluate(REACHABLE)):
            page.keyboard.press("Tab")
            stop = page.evaluate(FOCUSED)
            if stop["name"] == "BODY":
                continue  # from the page's end to its start
            assert stop["outlined"], stop
            assert stop["seen"], stop
            reached.append(stop["name"])
        assert sorted(reached) == sorted(page.evaluate(REACHABLE))


@pytest.mark.parametrize("environment", [{**X, "X_MONTHLY_BUDGET_USD": "50"}])
class TestEveryWidth:
    def test_shows_both_columns_and_overflows_nowhere(
        self, home: Home, opened: Callable[..., Page]
    ) -> None:
        of_every_kind(home)
        used_up(home)
        page = opened()
        expect(page.locator("#channel article").first).to_be_visible()
        page.locator("#channel article").first.get_by_role("button", name="Reply").click()
        page.get_by_label("The text of a tweet").fill(ANGRY)
        expect(page.locator("#preview article")).to_be_visible()
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate(OVERFLOW) == 0
            for side in ("Bot", "Channel"):
                switch = page.get_by_role("button", name=side, exact=True)
                if width < 960:
                    switch.click()
                    expect(switch).to_have_attribute("aria-pressed", "true")
                    assert page.evaluate(OVERFLOW) == 0
                else:
                    expect(switch).to_be_hidden()
                expect(page.locator(f"#{side.lower()} article").first).to_be_visible()
                assert page.evaluate(OUTSIDE, f"#{side.lower()} article") == 0
            assert page.locator("#bot").is_visible() == (width >= 960)

    def test_holds_the_story(self, home: Home, opened: Callable[..., Page]) -> None:
        of_every_kind(home)
        page = opened()
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 600})
            page.locator("#channel article").nth(1).get_by_role("button", name="Why?").click()
            box = page.get_by_role("dialog").bounding_box()
            assert box
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
            assert box["y"] + box["height"] <= 600
            page.keyboard.press("Escape")


@pytest.mark.parametrize("environment", [{**X, "X_MONTHLY_BUDGET_USD": "50"}])
class TestAccessibility:
    def test_of_the_console_has_no_fault(
        self,
        home: Home,
        opened: Callable[..., Page],
        accessible: Callable[[Page], None],
    ) -> None:
        of_every_kind(home)
        used_up(home)
        page = opened(viewport={"width": 1280, "height": 3_200})
        channel = page.locator("#channel article")
        expect(channel).to_have_count(9)
        # An answer that was refused, a text tried, a file with bad lines, news held back.
        channel.nth(0).get_by_role("button", name="Reply").click()
        expect(channel.nth(0).locator("textarea")).not_to_have_value("")  # the draft has come
        channel.nth(0).locator("textarea").fill("x" * 281)
        channel.nth(0).get_by_role("button", name="Send").click()
        expect(channel.nth(0).get_by_role("alert")).to_contain_text("281")
        page.get_by_label("The text of a tweet").fill(ANGRY)
        expect(page.locator("#preview mark").first).to_be_visible()
        page.get_by_label("Drop a file here").set_input_files(
            {"name": "x.jsonl", "mimeType": "text/plain", "buffer": b"{\n" * 30}
        )
        expect(page.locator("#dropped li")).to_have_count(20)
        channel.nth(2).hover()
        home.add("new")
        expect(page.get_by_role("button", name="Show 1 new")).to_be_visible()
        accessible(page)
        channel.nth(1).get_by_role("button", name="Why?").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        accessible(page)

    def test_of_an_empty_narrow_console_has_no_fault(
        self,
        opened: Callable[..., Page],
        accessible: Callable[[Page], None],
    ) -> None:
        page = opened(viewport={"width": 390, "height": 900})
        expect(page.locator("#state")).to_have_text("Live")
        accessible(page)

    def test_of_the_front_page_has_no_fault(
        self, opened: Callable[..., Page], accessible: Callable[[Page], None]
    ) -> None:
        page = opened("/")
        expect(page.locator("#said")).to_contain_text("A person should see it")
        accessible(page)


class TestTheFrontPage:
    def test_judges_what_stands_in_its_field(self, opened: Callable[..., Page]) -> None:
        page = opened("/")
        expect(page.locator("#said")).to_contain_text("A person should see it")
        expect(page.locator("#tokens")).to_have_text(
            "small reads: i am very angry my parcel never came"
        )
        page.get_by_label("The tweet").fill(CALM)
        expect(page.locator("#said")).to_contain_text("The bot can answer it")
        page.get_by_label("The tweet").fill("")
        expect(page.locator("#tokens")).to_contain_text("No words to judge")

    def test_leads_to_the_console(self, opened: Callable[..., Page]) -> None:
        page = opened("/")
        page.get_by_role("link", name="Open the console").click()
        expect(page).to_have_title("Console · Tweet Escalator")

    def test_takes_every_text_at_every_width(self, opened: Callable[..., Page]) -> None:
        page = opened("/")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            for text in (HOSTILE[0], HOSTILE[-4], HOSTILE[6]):
                page.get_by_label("The tweet").fill(text)
                expect(page.locator("#tokens")).to_contain_text(text[:1].strip("<\u202e"))
                assert page.evaluate(OVERFLOW) == 0
        assert page.title() == "Tweet Escalator"
