"""The console lives: what changes anywhere appears, and nothing slips away under a hand."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from bot import settings
from bot.cases import Effect
from bot.local.console import MOST_CHANGED, SHOWN
from bot.wiring import Parts, now
from tests.browser.chromium import Locator, Page, Response, expect
from tests.browser.conftest import Home
from tests.examples import ANGRY, CALM


def poll(page: Page) -> Response:
    """The page's next look at what changed, once it has come."""
    with page.expect_response(lambda answer: "/console/cases?" in answer.url) as looked:
        pass
    return looked.value


def texts(page: Page, side: str = "channel") -> Locator:
    return page.locator(f"#{side} article .text")


class TestWhatChanges:
    def test_appears_without_reload(self, home: Home, opened: Callable[..., Page]) -> None:
        page = opened(hasty=False)
        expect(page.locator("#channel .empty")).to_contain_text("Nothing has been escalated")
        home.add("first")
        expect(texts(page)).to_have_text(["first"])
        expect(page.locator("#channel .empty")).to_be_hidden()
        expect(page.locator("#state")).to_contain_text("1 newly escalated")
        home.add("second")
        home.add("third", route="skip")
        home.add("fourth", route="reply")
        expect(texts(page)).to_have_text(["second", "first"])
        expect(texts(page, "bot")).to_have_text(["fourth", "third"])

    def test_by_another_process_is_drawn_in_place(
        self, home: Home, page: Page, tmp_path: Path
    ) -> None:
        ids = [home.add(f"number {n}") for n in range(3)]
        expect(texts(page)).to_have_text(["number 2", "number 1", "number 0"])
        page.evaluate("document.querySelectorAll('#channel li').forEach(li => li.same = true)")
        other = Parts(settings.read({"DATA_DIR": str(tmp_path)}))
        other.store.change(ids[1], partial(replace, assignee="Olga"))
        changed = page.locator(f'article[data-id="{ids[1]}"]')
        expect(changed).to_contain_text("claimed by Olga")
        expect(texts(page)).to_have_text(["number 2", "number 1", "number 0"])
        assert page.evaluate("[...document.querySelectorAll('#channel li')].every(li => li.same)")

    def test_is_counted_on_top(self, home: Home, page: Page) -> None:
        expect(page.locator("#received")).to_have_text("0")
        expect(page.locator("#median")).to_have_text("–")
        home.add(ANGRY)
        home.add(CALM, route="skip")
        late = home.case(CALM, route="reply")
        home.parts.store.add([replace(late, decided_at=late.received_at + timedelta(seconds=3))])
        expect(page.locator("#received")).to_have_text("3")
        for name in ("escalated", "answered", "skipped"):
            expect(page.locator(f"#{name}")).to_have_text("1")
        expect(page.locator("#median")).to_have_text("0 ms")
        expect(page.locator("#chart rect")).to_have_count(3)
        expect(page.get_by_role("img", name="1 escalated, 1 answered, 1 skipped")).to_be_visible()

    def test_is_counted_over_the_chosen_period_which_is_remembered(
        self, home: Home, page: Page
    ) -> None:
        long_ago = now() - timedelta(days=3)
        home.add(ANGRY, received_at=long_ago, decided_at=long_ago)
        home.add(ANGRY)
        for period, count in [("week", "2"), ("hour", "1"), ("day", "1"), ("week", "2")]:
            page.get_by_role("combobox").select_option(period)
            expect(page.locator("#escalated")).to_have_text(count)
        page.reload()
        expect(page.get_by_role("combobox")).to_have_value("week")
        page.evaluate("localStorage.setItem('period', 'nonsense')")
        page.reload()
        expect(page.locator("#escalated")).to_have_text("1")

    def test_is_told_again_after_the_bot_was_away(self, home: Home, page: Page) -> None:
        page.route("**/console/cases?**", lambda route: route.abort())
        expect(page.locator("#state")).to_have_text(
            "Not up to date: the bot does not answer. Is it still running?"
        )
        home.add("meanwhile")
        page.unroute("**/console/cases?**")
        expect(page.locator("#state")).to_have_text("Live")
        expect(texts(page)).to_have_text(["meanwhile"])

    def test_a_great_deal_at_once_shows_the_newest(self, home: Home, page: Page) -> None:
        home.parts.store.add([home.case(f"number {n}") for n in range(MOST_CHANGED + 20)])
        expect(texts(page)).to_have_count(SHOWN)
        expect(texts(page).first).to_have_text(f"number {MOST_CHANGED + 19}")


class TestUnderAHand:
    @pytest.fixture
    def ids(self, home: Home) -> list[str]:
        return [home.add(f"number {n}") for n in range(5)]

    def test_no_card_slips_away_from_the_pointer(
        self, home: Home, ids: list[str], page: Page
    ) -> None:
        aimed = page.locator(f'article[data-id="{ids[2]}"]').get_by_role("button", name="Claim")
        aimed.hover()
        before = aimed.bounding_box()
        home.parts.store.add([home.case("new") for _ in range(3)])
        expect(page.get_by_role("button", name="Show 3 new")).to_be_visible()
        home.parts.store.add([home.case("new") for _ in range(MOST_CHANGED + 1)])
        expect(page.locator("#escalated")).to_have_text(str(MOST_CHANGED + 9))
        expect(page.get_by_role("button", name="Show what is new")).to_be_visible()
        assert aimed.bounding_box() == before
        expect(texts(page)).to_have_count(5)
        page.locator("h1").hover()
        expect(texts(page)).to_have_count(SHOWN)
        expect(texts(page).first).to_have_text("new")
        expect(page.locator("#channel .fresh")).to_be_hidden()

    def test_what_was_held_back_is_shown_when_asked_for(
        self, home: Home, ids: list[str], page: Page
    ) -> None:
        claim = page.locator(f'article[data-id="{ids[0]}"]').get_by_role("button", name="Claim")
        claim.focus()
        page.keyboard.press("Enter")
        expect(page.locator(f'article[data-id="{ids[0]}"]')).to_contain_text("claimed by")
        held = home.add("new")
        show = page.get_by_role("button", name="Show 1 new")
        expect(show).to_be_visible()
        home.parts.store.change(held, partial(replace, assignee="Olga"))
        home.add("new too", route="skip")
        expect(texts(page, "bot")).to_have_text(["new too"])
        show.focus()
        page.keyboard.press("Enter")
        expect(texts(page).first).to_have_text("new")
        expect(page.locator(f'article[data-id="{held}"]')).to_contain_text("claimed by Olga")
        expect(page.locator("#channel")).to_be_focused()

    def test_a_press_of_the_mouse_holds_nothing_back_afterwards(
        self, home: Home, ids: list[str], page: Page
    ) -> None:
        page.locator(f'article[data-id="{ids[0]}"]').get_by_role("button", name="Claim").click()
        page.locator("h1").hover()
        home.add("new")
        expect(texts(page).first).to_have_text("new")

    def test_a_press_that_has_begun_outlives_a_redraw(
        self, home: Home, ids: list[str], page: Page
    ) -> None:
        shown = page.locator(f'article[data-id="{ids[0]}"]')
        shown.get_by_role("button", name="Resolve").hover()
        page.mouse.down()
        home.parts.store.change(ids[0], partial(replace, unsure=True))
        expect(shown).to_contain_text("unsure")
        page.mouse.up()
        expect(shown).to_contain_text("resolved")

    def test_focus_stays_on_its_button(self, home: Home, ids: list[str], page: Page) -> None:
        shown = page.locator(f'article[data-id="{ids[3]}"]')
        for label in ("Wrong label", "Why?"):
            shown.get_by_role("button", name=label).focus()
            home.parts.store.change(ids[3], partial(replace, assignee=label))
            expect(shown).to_contain_text(f"claimed by {label}")
            expect(shown.get_by_role("button", name=label)).to_be_focused()

    def test_an_open_answer_stays_with_all_that_was_typed(
        self, home: Home, ids: list[str], page: Page
    ) -> None:
        shown = page.locator(f'article[data-id="{ids[1]}"]')
        shown.get_by_role("button", name="Reply").click()
        field = shown.locator("textarea")
        expect(field).not_to_have_value("")
        field.fill("We are on our w")
        home.parts.store.change(ids[1], partial(replace, assignee="Olga"))
        expect(shown).to_contain_text("claimed by Olga")
        expect(field).to_be_focused()
        page.keyboard.type("ay!")
        expect(field).to_have_value("We are on our way!")
        # The keyboard elsewhere, and more than the list holds: the card with the answer stays.
        page.locator("#text").focus()
        page.locator("h1").hover()
        for _ in range(2):
            home.parts.store.add([home.case("new") for _ in range(MOST_CHANGED)])
            expect(texts(page).first).to_have_text("new")
            tick = poll(page).json()["tick"]
            assert tick
        expect(field).to_have_value("We are on our way!")
        page.locator("#search").fill("nothing such")
        expect(page.locator("#state")).to_have_text("0 found")
        expect(field).to_have_value("We are on our way!")
        shown.get_by_role("button", name="Send").click()
        expect(shown.locator(".answer")).to_contain_text("We are on our way!")

    def test_the_dialog_stays_open(self, home: Home, ids: list[str], page: Page) -> None:
        page.locator(f'article[data-id="{ids[0]}"]').get_by_role("button", name="Why?").click()
        expect(page.get_by_role("dialog")).to_be_visible()
        home.add("behind it", route="skip")
        expect(texts(page, "bot")).to_have_text(["behind it"])
        expect(page.get_by_role("dialog")).to_be_visible()


class TestOlderCards:
    def test_come_page_by_page_and_stay(self, home: Home, opened: Callable[..., Page]) -> None:
        count = 5 * SHOWN + 30
        home.parts.store.add([home.case(f"number {n}") for n in range(count)])
        page = opened()
        older = page.locator("#channel").get_by_role("button", name="Show older")
        for pages in range(1, 6):
            expect(texts(page)).to_have_count(pages * SHOWN)
            older.click()
        expect(texts(page)).to_have_count(count)
        expect(older).to_be_hidden()
        expect(texts(page).last).to_have_text("number 0")
        page.locator("h1").hover()
        home.add("new")
        expect(texts(page).first).to_have_text("new")
        expect(texts(page)).to_have_count(count + 1)
        expect(page.locator("#bot").get_by_role("button", name="Show older")).to_be_hidden()

    def test_come_by_the_keyboard_which_goes_on_there(
        self, home: Home, opened: Callable[..., Page]
    ) -> None:
        home.parts.store.add([home.case(f"number {n}") for n in range(SHOWN + 2)])
        page = opened()
        page.locator("#channel").get_by_role("button", name="Show older").focus()
        page.keyboard.press("Enter")
        expect(texts(page)).to_have_count(SHOWN + 2)
        first = page.locator("#channel article").nth(SHOWN)
        expect(first.get_by_role("button", name="Reply")).to_be_focused()

    def test_that_retention_removed_go_while_the_rest_stays(
        self, home: Home, opened: Callable[..., Page]
    ) -> None:
        made = [home.case(f"number {n}") for n in range(2 * SHOWN)]
        home.parts.store.add(made)
        page = opened()
        expect(texts(page)).to_have_count(SHOWN)
        page.locator("#channel").get_by_role("button", name="Show older").click()
        expect(texts(page)).to_have_count(2 * SHOWN)
        page.locator("h1").hover()
        with home.parts.database.writing() as connection:
            connection.execute("DELETE FROM cases WHERE id = ?", (made[-3].id,))
        page.evaluate("loaded = 0")
        expect(page.locator(f'article[data-id="{made[-3].id}"]')).to_have_count(0)
        expect(texts(page)).to_have_count(2 * SHOWN - 1)


def test_ten_thousand_cases_cost_no_more_than_a_hundred(
    home: Home, opened: Callable[..., Page]
) -> None:
    reply = (Effect("reply", "dry-run", text="Thanks!"),)
    home.parts.store.add([home.case(ANGRY) for _ in range(5_000)])
    home.parts.store.add([home.case(CALM, route="reply", effects=reply) for _ in range(5_000)])
    page = opened()
    for side in ("channel", "bot"):
        expect(texts(page, side)).to_have_count(SHOWN)
    expect(page.locator("#received")).to_have_text("10,000")
    assert page.evaluate("document.querySelectorAll('*').length") < 5_000
    quiet = poll(page)
    assert quiet.json()["cases"] == []
    assert len(quiet.body()) < 5_000
    home.add("one more")
    expect(texts(page).first).to_have_text("one more")
    page.locator("#search").fill("one more")
    expect(page.locator("#state")).to_have_text("1 found")
    assert len(poll(page).body()) < 5_000, "a poll stays small while something is searched for"
