"""The console's cards: every button does what it says, where it says it."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from bot.cases import Effect
from bot.local.console import SHOWN
from tests.browser.chromium import Locator, Page, expect
from tests.browser.conftest import Home
from tests.examples import ANGRY, CALM
from tests.test_settings import X

SUGGESTED = "Sorry to hear that."


def card(page: Page, case_id: str) -> Locator:
    return page.locator(f'article[data-id="{case_id}"]')


def press(where: Locator, label: str) -> None:
    where.get_by_role("button", name=label, exact=True).click()


class TestReply:
    def test_opens_with_a_suggestion_and_counts(
        self, home: Home, opened: Callable[..., Page]
    ) -> None:
        failed = Effect("reply", "failed", text=SUGGESTED, problem="X refuses.", by="me")
        case_id = home.add(ANGRY, effects=(failed,))
        page = opened()
        shown = card(page, case_id)
        expect(shown).to_contain_text("X refuses.")
        press(shown, "Reply")
        field = shown.get_by_label("Your public answer")
        expect(field).to_have_value(SUGGESTED)
        expect(field).to_be_focused()
        expect(shown.locator(".count")).to_have_text(f"{len(SUGGESTED)} of 280")
        # As X counts: letters and “quotes” one, the rest two, and an emoji of many parts too.
        field.fill("é😀中“👩‍👩‍👧‍👦🏳️‍🌈”")
        expect(shown.locator(".count")).to_have_text("11 of 280")

    def test_is_left_by_escape_and_by_cancel(self, home: Home, opened: Callable[..., Page]) -> None:
        case_id = home.add(ANGRY)
        page = opened()
        shown = card(page, case_id)
        for leave in ("Escape", "Cancel"):
            press(shown, "Reply")
            expect(shown.locator("textarea")).not_to_have_value("")
            if leave == "Escape":
                page.keyboard.press("Escape")
            else:
                press(shown, "Cancel")
            expect(shown.locator("form")).to_have_count(0)
            expect(shown.get_by_role("button", name="Reply")).to_be_focused()

    def test_that_is_refused_says_why_and_keeps_the_text(
        self, home: Home, opened: Callable[..., Page]
    ) -> None:
        case_id = home.add(ANGRY)
        shown = card(opened(), case_id)
        for text, why in [
            ("x" * 281, "281 characters"),
            ("see https://evil.example", "holds a link"),
            (" ", "The answer is empty"),
        ]:
            press(shown, "Reply")
            shown.locator("textarea").fill(text)
            press(shown, "Send")
            expect(shown.get_by_role("alert")).to_contain_text(why)
            expect(shown.locator("textarea")).to_have_value(text)
        assert home.parts.store.get([case_id])[case_id].effect("reply") is None

    def test_is_shown_on_the_card_with_who_wrote_it(
        self, home: Home, opened: Callable[..., Page]
    ) -> None:
        case_id = home.add(ANGRY)
        page = opened()
        shown = card(page, case_id)
        page.get_by_label("You are").fill("Sun")
        press(shown, "Reply")
        expect(shown.locator("textarea")).not_to_have_value("")
        shown.locator("textarea").fill("On our <b>way</b>!")
        page.keyboard.press("Control+Enter")
        expect(shown.locator(".answer")).to_contain_text("Sun would answer: On our <b>way</b>!")
        expect(shown.locator(".answer")).to_contain_text("Not sent, because")
        expect(shown.locator("form")).to_have_count(0)
        reply = home.parts.store.get([case_id])[case_id].effect("reply")
        assert reply
        assert (reply.state, reply.text, reply.by) == ("dry-run", "On our <b>way</b>!", "Sun")
        press(shown, "Reply")
        expect(shown.locator("textarea")).to_have_value("On our <b>way</b>!")

    def test_is_not_offered_once_an_answer_may_be_public(
        self, home: Home, opened: Callable[..., Page]
    ) -> None:
        shown = {
            state: home.add(ANGRY, effects=(Effect("reply", state, text=SUGGESTED),))
            for state in ("pending", "sending", "sent", "unknown", "failed", "dry-run")
        }
        page = opened()
        expect(page.locator("#channel article")).to_have_count(len(shown))
        offered = {
            state
            for state, case_id in shown.items()
            if card(page, case_id).get_by_role("button", name="Reply").count()
        }
        assert offered == {"pending", "failed", "dry-run"}


class TestTheBotsReply:
    def test_that_the_rules_refused_is_a_skip_and_no_failure(
        self, home: Home, opened: Callable[..., Page]
    ) -> None:
        reason = "Its author asked the bot to stop."
        case_id = home.add(
            CALM,
            route="skip",
            reasons=("The model thinks it needs no person.", reason),
            effects=(Effect("reply", "failed", text="Thanks!", problem=reason),),
        )
        shown = card(opened(), case_id)
        expect(shown.locator(".route")).to_have_text("Skipped")
        expect(shown.locator(".why")).to_have_text(
            ["The model thinks it needs no person.", f"Skipped: {reason}"]
        )
        expect(shown.locator(".answer")).to_have_count(0)
        expect(shown.locator(".problem:not(:empty)")).to_have_count(0)

    @pytest.mark.parametrize(
        ("environment", "did"),
        [({}, "would answer"), ({**X, "AUTO_REPLY": "on"}, "will answer")],
    )
    def test_that_waits_says_for_what(
        self, home: Home, opened: Callable[..., Page], did: str
    ) -> None:
        waits = Effect("reply", "pending", text="Thanks!", problem="Automatic replies are paused.")
        shown = card(opened(), home.add(CALM, route="reply", effects=(waits,)))
        expect(shown.locator(".answer")).to_have_text(f"The bot {did}: Thanks!")
        expect(shown).to_contain_text("It waits: Automatic replies are paused.")
        expect(shown.locator(".problem:not(:empty)")).to_have_count(0)


class TestAConversation:
    def test_leads_to_its_earlier_post(self, home: Home, opened: Callable[..., Page]) -> None:
        head = home.add(ANGRY, assignee="Sun")
        for number in range(20):
            home.add(f"another {number}", "olga")
        case_id = home.add("And now?", thread=head, assignee="Sun")
        page = opened()
        shown = card(page, case_id)
        expect(shown).to_contain_text("Goes on with @river’s earlier post.")
        expect(shown).to_contain_text("claimed by Sun")
        expect(card(page, head)).not_to_be_in_viewport()
        press(shown, "Earlier post")
        expect(card(page, head)).to_be_in_viewport()
        expect(card(page, head)).to_be_focused()
        expect(card(page, head)).not_to_contain_text("earlier post")

    def test_leads_to_the_story_of_a_post_that_is_not_on_the_page(
        self, home: Home, opened: Callable[..., Page]
    ) -> None:
        head = home.add("the first word")
        home.parts.store.add([home.case("another", "olga") for _ in range(SHOWN)])
        case_id = home.add("And now?", thread=head)
        page = opened()
        expect(card(page, case_id)).to_be_visible()
        expect(card(page, head)).to_have_count(0)
        card(page, case_id).get_by_role("button", name="Earlier post").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog").locator(".text")).to_have_text("the first word")
        page.keyboard.press("Escape")
        expect(card(page, case_id).get_by_role("button", name="Earlier post")).to_be_focused()

    def test_whose_first_post_is_gone_says_so(
        self, home: Home, opened: Callable[..., Page]
    ) -> None:
        page = opened()
        case_id = home.add("And now?", None, thread="1984")
        shown = card(page, case_id)
        expect(shown).to_contain_text("Goes on with an earlier post.")
        press(shown, "Earlier post")
        expect(page.get_by_role("dialog")).to_contain_text("no longer here")


class TestTheOtherButtons:
    def test_claim_by_the_name_typed_which_is_remembered(
        self, home: Home, opened: Callable[..., Page]
    ) -> None:
        case_id = home.add(ANGRY)
        page = opened()
        page.get_by_label("You are").fill("Sun")
        press(card(page, case_id), "Claim")
        expect(card(page, case_id)).to_contain_text("claimed by Sun")
        expect(card(page, case_id).get_by_role("button", name="Claim")).to_have_count(0)
        expect(page.locator("#state")).to_have_text("Claimed: river")
        page.reload()
        expect(page.get_by_label("You are")).to_have_value("Sun")
        page.get_by_label("You are").fill("")
        press(card(page, case_id), "Release")
        expect(card(page, case_id)).not_to_contain_text("claimed by")
        press(card(page, case_id), "Claim")
        expect(card(page, case_id)).to_contain_text("claimed by console")

    def test_resolve_folds_the_card(self, home: Home, opened: Callable[..., Page]) -> None:
        case_id = home.add(ANGRY)
        shown = card(opened(), case_id)
        press(shown, "Resolve")
        expect(shown.locator(".badge")).to_have_text("resolved")
        expect(shown.locator(".confidence")).to_be_hidden()
        expect(shown.get_by_role("button", name="Resolve")).to_have_count(0)
        assert home.parts.store.get([case_id])[case_id].resolved
        press(shown, "Reopen")
        expect(shown.locator(".badge")).to_have_count(0)
        assert not home.parts.store.get([case_id])[case_id].resolved

    def test_wrong_label_goes_there_and_back(self, home: Home, opened: Callable[..., Page]) -> None:
        case_id = home.add(ANGRY)
        shown = card(opened(), case_id)
        press(shown, "Wrong label")
        expect(shown.locator(".badge")).to_have_text("label: no person was needed")
        press(shown, "Right label")
        expect(shown.locator(".badge")).to_have_text("label: a person was needed")
        expect(shown.get_by_role("button", name="Right label")).to_be_focused()

    def test_right_label_keeps_what_the_bot_did(
        self, home: Home, opened: Callable[..., Page]
    ) -> None:
        first, second = home.add(ANGRY), home.add(CALM, route="skip")
        page = opened()
        press(card(page, first), "Right label")
        expect(card(page, first).locator(".badge")).to_have_text("label: a person was needed")
        press(card(page, second), "Right label")
        expect(card(page, second).locator(".badge")).to_have_text("label: no person was needed")
        expect(page.locator("#bot").locator(f'[data-id="{second}"]')).to_be_visible()

    def test_wrong_label_on_the_bots_side_makes_a_card(
        self, home: Home, opened: Callable[..., Page]
    ) -> None:
        effects = (Effect("reply", "dry-run", text="Thanks!"),)
        first = home.add(CALM, route="reply", effects=effects)
        second = home.add(CALM, route="skip")
        page = opened()
        expect(page.locator("#bot article")).to_have_count(2)
        expect(card(page, first)).to_contain_text("The bot would answer: Thanks!")
        press(card(page, second), "Wrong label")
        expect(page.locator("#channel").locator(f'[data-id="{second}"]')).to_be_visible()
        expect(page.locator("#bot article")).to_have_count(1)
        expect(card(page, second)).to_contain_text("An agent says that it needs a person.")
        expect(card(page, first).get_by_role("button").first).to_be_focused()
        press(card(page, first), "Wrong label")
        expect(page.locator("#channel article")).to_have_count(2)
        expect(page.locator("#bot .empty")).to_be_visible()
        expect(page.locator("#bot")).to_be_focused()

    def test_lead_to_x_where_the_post_is(self, home: Home, opened: Callable[..., Page]) -> None:
        case_id = home.add(ANGRY, source="poll")
        link = card(opened(), case_id).get_by_role("link", name="Open on X")
        expect(link).to_have_attribute("href", f"https://x.com/i/status/{case_id}")
        expect(link).to_have_attribute("rel", "noopener noreferrer")

    def test_of_a_case_that_is_gone_say_so(self, home: Home, opened: Callable[..., Page]) -> None:
        case_id = home.add(ANGRY)
        page = opened()
        expect(card(page, case_id)).to_be_visible()
        with home.parts.database.writing() as connection:
            connection.execute("DELETE FROM cases")
        press(card(page, case_id), "Claim")
        expect(card(page, case_id).get_by_role("alert")).to_contain_text("no longer here")
        press(card(page, case_id), "Why?")
        expect(page.get_by_role("dialog")).to_contain_text("no longer here")


class TestWhy:
    def test_tells_the_whole_story(self, home: Home, opened: Callable[..., Page]) -> None:
        case_id = home.add(f"{ANGRY}{' …and more' * 200}", "olga")
        page = opened()
        press(card(page, case_id), "Claim")
        expect(card(page, case_id)).to_contain_text("claimed by console")
        press(card(page, case_id), "Why?")
        told = page.get_by_role("dialog", name="The whole story")
        expect(told).to_contain_text("0.910 against 0.50, by starter")
        expect(told).to_contain_text("console: claimed")
        expect(told.locator(".text")).to_have_text(f"{ANGRY}{' …and more' * 200}")
        expect(told).not_to_contain_text("cost")
        expect(told.locator("dt").first).to_have_text("tweet")
        expect(told.locator("dd").first).to_have_text(f"{case_id} by olga")

    def test_tells_what_the_case_cost(self, home: Home, opened: Callable[..., Page]) -> None:
        sent = Effect("reply", "sent", outside_id="7", text="Thanks!", cost=10_000)
        case_id = home.add(CALM, route="reply", effects=(sent,), read_cost=1_000)
        page = opened()
        press(card(page, case_id), "Why?")
        expect(page.get_by_role("dialog")).to_contain_text("$0.011 (reading $0.001, reply $0.01)")

    def test_closes_by_button_and_escape_and_gives_the_keyboard_back(
        self, home: Home, opened: Callable[..., Page]
    ) -> None:
        case_id = home.add(ANGRY)
        page = opened()
        shown = card(page, case_id)
        for close in ("Escape", "Close"):
            press(shown, "Why?")
            expect(page.get_by_role("dialog")).to_be_visible()
            # Drawn anew behind the dialog: the button that opened it is gone.
            home.parts.store.change(case_id, partial(replace, reasons=(close,)))
            expect(shown).to_contain_text(close)
            if close == "Escape":
                page.keyboard.press("Escape")
            else:
                press(page.get_by_role("dialog"), "Close")
            expect(page.get_by_role("dialog")).to_have_count(0)
            expect(shown.get_by_role("button", name="Why?")).to_be_focused()

    def test_is_asked_by_the_keyboard(self, home: Home, opened: Callable[..., Page]) -> None:
        case_id = home.add(ANGRY)
        page = opened()
        card(page, case_id).get_by_role("button", name="Why?").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_be_visible()
        assert page.evaluate("document.querySelector('dialog').contains(document.activeElement)")
