"""The console's tools: trying, posting, the sample feed, files, the search."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.cases import Effect
from bot.local.http import LARGEST_BODY
from tests.browser.chromium import Page, Route, expect
from tests.browser.conftest import Home
from tests.examples import ANGRY, CALM

DROP = """([name, content, type]) => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([content], name));
    const target = document.querySelector("#channel");
    return target.dispatchEvent(
        new DragEvent(type, {dataTransfer, bubbles: true, cancelable: true}));
}"""


class TestTrying:
    def test_decides_while_typing_and_marks_what_moved_it(self, home: Home, page: Page) -> None:
        text, shown = page.get_by_label("The text of a tweet"), page.locator("#preview article")
        text.press_sequentially(ANGRY)
        expect(shown.locator(".route")).to_have_text("Needs a person")
        expect(shown.locator(".text")).to_have_text(ANGRY)
        expect(shown.locator("mark.up").first).to_be_visible()
        mark = shown.locator("mark.up").first
        assert "points towards escalating" in (mark.get_attribute("title") or "")
        expect(shown.get_by_role("img")).to_have_attribute(
            "aria-label", "100% probability of needing a person; the threshold is 50%"
        )
        expect(page.locator("#verdict")).to_contain_text("Needs a person. The model thinks")
        text.fill(CALM)
        expect(shown.locator(".route")).to_have_text("For the bot")
        expect(shown.locator("mark.down").first).to_be_visible()
        expect(shown.locator(".answer")).to_contain_text("The bot would answer: ")
        text.fill("")
        expect(page.locator("#preview")).to_be_empty()
        assert list(home.parts.store.newest()) == []

    def test_says_where_it_is_unsure_or_knows_no_word(self, page: Page) -> None:
        text, shown = page.get_by_label("The text of a tweet"), page.locator("#preview article")
        text.fill("i am")
        expect(shown.locator(".badge")).to_have_text("unsure")
        text.fill("xyzzy")
        expect(shown).to_contain_text("It has no word the model knows.")
        expect(shown).to_contain_text("not judged")
        expect(shown.locator(".confidence")).to_have_count(0)

    def test_answers_in_the_authors_name(self, page: Page) -> None:
        page.get_by_label("From").fill("@olga")
        page.get_by_label("The text of a tweet").fill(CALM)
        expect(page.locator("#preview bdi.author")).to_have_text("@olga")

    def test_shows_the_last_answer_only(self, page: Page) -> None:
        """An answer that comes late is not shown over that to a later text."""
        held: list[Route] = []

        def answer(route: Route) -> None:
            if "angry" in (route.request.post_data or ""):
                held.append(route)
            else:
                route.continue_()

        page.route("**/console/try", answer)
        text = page.get_by_label("The text of a tweet")
        with page.expect_request("**/console/try"):
            text.fill(ANGRY)
        text.fill(CALM)
        expect(page.locator("#preview .text")).to_have_text(CALM)
        with page.expect_response("**/console/try"):
            held[0].continue_()
        expect(page.locator("#preview .text")).to_have_text(CALM)

    def test_makes_a_case_where_it_is_posted(self, home: Home, page: Page) -> None:
        home.start()
        page.get_by_label("From").fill("olga")
        page.get_by_label("The text of a tweet").fill(ANGRY)
        page.get_by_role("button", name="Post it as a tweet").click()
        expect(page.locator("#posted")).to_have_text("Posted: its case appears below.")
        expect(page.get_by_label("The text of a tweet")).to_have_value("")
        made = page.locator("#channel article")
        expect(made.locator("bdi.author")).to_have_text("@olga")
        expect(made.locator(".text")).to_have_text(ANGRY)
        expect(made.locator("mark").first).to_be_visible()
        page.get_by_role("button", name="Post it as a tweet").click()
        expect(page.locator("#posted")).to_have_text("The tweet is empty: type something first.")


class TestTheSampleFeed:
    def test_plays_and_stops(self, home: Home, page: Page) -> None:
        home.start()
        switch = page.get_by_role("switch", name="Sample feed")
        expect(switch).not_to_be_checked()
        switch.click()
        expect(switch).to_be_checked()
        # The small model knows few of its words, so all are for a person or have some it knows.
        expect(page.locator("article").nth(2)).to_be_visible()
        expect(page.locator("#received")).not_to_have_text("0")
        switch.focus()
        page.keyboard.press("Space")
        expect(switch).not_to_be_checked()
        assert home.parts.tweets.depth()[1] == 0

    def test_that_somebody_else_plays_is_seen(
        self, page: Page, opened: Callable[..., Page]
    ) -> None:
        other = opened()
        other.get_by_role("switch", name="Sample feed").click()
        expect(page.get_by_role("switch", name="Sample feed")).to_be_checked()


class TestAFile:
    def test_that_is_chosen_is_judged_and_its_bad_lines_are_named(
        self, home: Home, page: Page, tmp_path: Path
    ) -> None:
        home.start()
        file = tmp_path / "may.csv"
        file.write_text(f'text,author\n{ANGRY},olga\n{"x" * 25_001},\n"{CALM}",river\n')
        page.get_by_label("Drop a file here").set_input_files(file)
        told = page.locator("#dropped")
        expect(told).to_contain_text("2 tweets queued, 1 refused.")
        expect(told.get_by_role("listitem")).to_contain_text("may.csv, row 3 (line 3): ")
        expect(page.locator("#channel article .text")).to_have_text([ANGRY])
        expect(page.locator("#bot article .text")).to_have_text([CALM])

    def test_may_be_dropped_anywhere(self, home: Home, page: Page) -> None:
        home.start()
        lines = f'{{"text": "{ANGRY}"}}\n{{\n'
        assert page.evaluate(DROP, ["may.jsonl", lines, "dragover"]) is False
        expect(page.locator("body")).to_have_class("dragged")
        assert page.evaluate(DROP, ["may.jsonl", lines, "drop"]) is False
        expect(page.locator("body")).not_to_have_class("dragged")
        expect(page.locator("#dropped")).to_contain_text("1 tweets queued, 1 refused.")
        expect(page.locator("#dropped li")).to_contain_text("may.jsonl, line 2: ")
        expect(page.locator("#channel article .text")).to_have_text([ANGRY])

    def test_of_many_bad_lines_names_some_and_counts_the_rest(self, page: Page) -> None:
        page.evaluate(DROP, ["may.jsonl", "{\n" * 30, "drop"])
        expect(page.locator("#dropped li")).to_have_count(20)
        expect(page.locator("#dropped")).to_contain_text("and 10 more.")

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            ("a,b\n1,2", "<b>may</b>.csv has no column named text; it has a, b."),
            ("x" * (LARGEST_BODY + 1), "has more than 6 MB: use the command “ingest” for it."),
        ],
        ids=["without a text", "too large"],
    )
    def test_that_cannot_be_read_says_why(self, page: Page, content: str, sentence: str) -> None:
        page.evaluate(DROP, ["<b>may</b>.csv", content, "drop"])
        sentence = sentence.replace("<b>may</b>", "_b_may__b_")
        expect(page.locator("#dropped")).to_contain_text(sentence)

    def test_is_not_what_a_dragged_text_is(self, page: Page) -> None:
        """Else a word could not be dragged into a field."""
        stopped = """document.querySelector("#text").dispatchEvent(
            new DragEvent(
                "drop", {dataTransfer: new DataTransfer(), bubbles: true, cancelable: true}))"""
        assert page.evaluate(stopped) is True


class TestTheSearch:
    @pytest.fixture(autouse=True)
    def some(self, home: Home) -> None:
        home.add("my parcel is late", "olga")
        home.add("where is my card")
        answered = (Effect("reply", "dry-run", text="Ask at the counter."),)
        home.add("thanks for the parcel", route="reply", effects=answered)

    def test_finds_and_clears(self, home: Home, page: Page) -> None:
        texts = page.locator("article .text")
        search = page.get_by_label("Search")
        expect(texts).to_have_count(3)
        for words, found in [
            ("PARCEL", ["my parcel is late", "thanks for the parcel"]),
            ("@olga", ["my parcel is late"]),
            ("counter", ["thanks for the parcel"]),
            ("<b>", []),
        ]:
            search.fill(words)
            expect(page.locator("#state")).to_have_text(f"{len(found)} found")
            expect(texts).to_have_text(found)
        expect(page.locator("#channel .empty")).to_have_text("None of these is found.")
        home.add("meanwhile")
        search.fill("")
        expect(texts).to_have_count(4)
        expect(page.locator("#state")).to_have_text("Live")

    def test_shows_changes_of_what_was_found_and_nothing_else(self, home: Home, page: Page) -> None:
        page.get_by_label("Search").fill("card")
        expect(page.locator("article .text")).to_have_text(["where is my card"])
        home.add("late too")
        expect(page.locator("#escalated")).to_have_text("3")
        page.get_by_role("button", name="Claim").click()
        expect(page.locator("article")).to_contain_text("claimed by console")
        expect(page.locator("article")).to_have_count(1)

    def test_is_reached_by_a_slash_which_stays_a_sign_elsewhere(self, page: Page) -> None:
        page.keyboard.press("/")
        expect(page.get_by_label("Search")).to_be_focused()
        page.keyboard.type("a/b")
        expect(page.get_by_label("Search")).to_have_value("a/b")
        page.get_by_label("You are").focus()
        page.keyboard.type("/")
        expect(page.get_by_label("You are")).to_have_value("/")
