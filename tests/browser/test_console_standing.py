"""The line above the numbers: whether replies go out, and what X takes."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.twitter.polling import BUDGET_USED
from bot.wiring import now
from tests.browser.chromium import Page, expect
from tests.browser.conftest import Home
from tests.test_settings import X

ON = {**X, "AUTO_REPLY": "on"}


class TestTheReplies:
    def test_are_paused_and_resumed(self, home: Home, page: Page) -> None:
        told = page.locator("#replies")
        expect(told).to_have_text("Automatic replies are a dry run: none is sent.")
        page.get_by_label("You are").fill("<b>Sun")
        page.get_by_role("button", name="Pause replies").click()
        expect(told).to_contain_text("Automatic replies are paused by <b>Sun since")
        expect(told).to_contain_text("What agents write is still sent.")
        paused = home.parts.pause.paused()
        assert paused
        assert paused.who == "<b>Sun"
        page.reload()
        expect(told).to_contain_text("paused by <b>Sun")
        page.get_by_role("button", name="Resume replies").click()
        expect(told).to_have_text("Automatic replies are a dry run: none is sent.")
        expect(page.get_by_role("button", name="Pause replies")).to_be_focused()
        assert home.parts.pause.paused() is None

    @pytest.mark.parametrize("environment", [ON])
    def test_that_somebody_else_paused_are_shown_so_at_once(self, home: Home, page: Page) -> None:
        told = page.locator("#replies")
        expect(told).to_have_text("Automatic replies go out.")
        home.parts.pause.pause("Olga", now() - timedelta(days=3))
        expect(told).to_contain_text("paused by Olga since")
        home.parts.pause.resume()
        expect(told).to_have_text("Automatic replies go out.")

    @pytest.mark.parametrize("environment", [{"AUTO_REPLY": "off"}])
    def test_that_are_off_cannot_be_paused(self, page: Page) -> None:
        expect(page.locator("#replies")).to_have_text("Automatic replies are off.")
        expect(page.locator("#pause")).to_be_hidden()

    def test_are_paused_by_the_keyboard(self, page: Page) -> None:
        page.get_by_role("button", name="Pause replies").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Resume replies")).to_be_focused()
        expect(page.locator("#replies")).to_contain_text("paused by console")

    def test_that_could_not_be_paused_say_so(self, page: Page) -> None:
        page.route("**/console/pause", lambda route: route.abort())
        page.get_by_role("button", name="Pause replies").click()
        expect(page.locator("#state")).to_contain_text("The replies: the bot does not answer")


class TestTheCosts:
    def test_are_not_shown_without_x(self, page: Page) -> None:
        expect(page.locator("#replies")).not_to_be_empty()
        expect(page.locator("#costs")).to_be_empty()

    @pytest.mark.parametrize("environment", [ON])
    def test_follow_what_is_spent(self, home: Home, page: Page) -> None:
        told = page.locator("#costs")
        expect(told).to_have_text("X: $0.00 today, $0.00 this month.")
        home.parts.ledger.charge("mention", 3, now())
        expect(told).to_have_text("X: less than $0.01 today, less than $0.01 this month.")
        home.parts.ledger.charge("reply", 340, now())
        expect(told).to_have_text("X: $3.40 today, $3.40 this month.")

    @pytest.mark.parametrize("environment", [{**ON, "X_MONTHLY_BUDGET_USD": "50"}])
    def test_warn_once_a_budget_is_used_up(self, home: Home, opened: Callable[..., Page]) -> None:
        home.parts.ledger.charge("reply", 4_999, now())
        page = opened()
        told = page.locator("#costs")
        expect(told).to_have_text("X: $49.99 today, $49.99 this month of $50.00.")
        home.parts.ledger.charge("reply", 1, now())
        expect(told.locator(".problem")).to_have_text(
            "The month’s budget is used up: automatic replies wait."
        )
        home.parts.store.set_note(BUDGET_USED, {"month": f"{now():%Y-%m}", "day": ""})
        expect(told.locator(".problem").last).to_have_text(
            "The month’s reads are used up: mentions stay unread."
        )
