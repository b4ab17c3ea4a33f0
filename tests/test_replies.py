import copy
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Misconfigured
from bot.settings import HOUSE
from bot.tweets import Author, Tweet
from bot.twitter.lengths import links, weighted_length
from bot.twitter.names import handle_of, name_of
from bot.twitter.replies import (
    FEWEST,
    LONGEST,
    Chosen,
    Replies,
    price_of,
    refused_text,
    replies_from,
)

MONDAY = datetime(2026, 11, 2, 12, tzinfo=UTC)
POST = Tweet("1", "@HarborHelp well", "1", Author("55", "mira", "Mira Example"), lang="en")


FIELDS = ["default", "variables", "hours", "en", "intents", "stop", "drafts", "when_open"]
FIELDS += ["name", "words", "texts", "alone", "anywhere", "unless", "fillers"]


def four(text: str) -> list[str]:
    return [f"{word} {text}" for word in ("One,", "Two,", "Three,", "Four,")]


def file(**changes: Any) -> dict[str, Any]:
    """A small file of texts."""
    english = {
        "intents": [
            {"name": "parcel", "words": ["my parcel", "❤️"], "texts": four("parcels, {name}.")},
            {"name": "thanks", "words": ["Thanks!"], "texts": four("welcome, {name}.")},
            {"name": "general", "texts": four("well, {name}.")},
        ],
        "stop": {"alone": ["stop"], "anywhere": ["opt out"]},
    }
    return {"default": "en", "en": english, **changes}


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    data = copy.deepcopy(file())
    change(data)
    return data


def with_texts(*texts: Any, **changes: Any) -> dict[str, Any]:
    """The small file with these general texts."""
    data = file(**changes)
    data["en"]["intents"][2]["texts"] = list(texts)
    return data


def problems(data: dict[str, Any], *, allow_links: bool = False) -> list[str]:
    with pytest.raises(Misconfigured) as raised:
        replies_from(data, allow_links=allow_links)
    assert all(problem.startswith("replies.toml: ") for problem in raised.value.problems)
    assert all(problem.endswith(".") for problem in raised.value.problems)
    return [problem.removeprefix("replies.toml: ") for problem in raised.value.problems]


def choose(replies: Replies, post: Tweet, *used: str) -> Chosen:
    chosen = replies.choose(post, MONDAY, used)
    assert chosen
    return chosen


def said(template: str, author: Author) -> str:
    """What one text becomes for an author."""
    replies = replies_from(with_texts(*(template + "!" * n for n in range(4))))
    return replies.text(replace(POST, author=author), MONDAY).rstrip("!")


class TestTheIntent:
    replies = replies_from(file())

    @pytest.mark.parametrize(
        ("text", "intent"),
        [
            ("Where is my parcel?", "parcel"),
            ("thanks for MY PARCEL", "parcel"),
            ("❤️", "parcel"),
            ("Thanks", "thanks"),
            ("@HarborHelp thanks!!", "thanks"),
            ("thanksgiving is near", "general"),
            ("my old parcel", "general"),
            ("", "general"),
        ],
    )
    def test_is_the_first_whose_words_stand_in_the_post(self, text: str, intent: str) -> None:
        assert choose(self.replies, replace(POST, text=text)).intent == intent

    def test_is_told_by_the_words_of_the_posts_language(self) -> None:
        german = {
            "intents": [
                {"name": "dank", "words": ["danke"], "texts": four("gern, {name}.")},
                {"name": "general", "texts": four("nun, {name}.")},
            ],
            "stop": {"alone": ["halt"], "anywhere": ["lass mich in ruhe"]},
        }
        replies = replies_from(file(de=german))
        assert choose(replies, replace(POST, text="Danke", lang="de")).intent == "dank"
        assert choose(replies, replace(POST, text="Thanks", lang="de")).intent == "general"
        assert "nun" in replies.text(replace(POST, lang="DE"), MONDAY)

    @pytest.mark.parametrize("lang", [None, "", "und", "zxx", "qme", "fr", "nl"])
    def test_is_of_the_default_language_where_the_posts_has_no_texts(
        self, lang: str | None
    ) -> None:
        replies = replies_from(file(nl={"stop": {"alone": ["hou op"]}}))
        assert replies.text(replace(POST, lang=lang), MONDAY) == replies.text(POST, MONDAY)


class TestTheVariant:
    replies = replies_from(file())

    def test_is_the_same_for_the_same_post_and_its_edits(self) -> None:
        edit = replace(POST, id="2", text="@HarborHelp well, well")
        assert len({choose(self.replies, post) for post in (POST, POST, edit)}) == 1

    def test_differs_from_post_to_post(self) -> None:
        posts = [replace(POST, id=str(n), root_id=str(n)) for n in range(60)]
        assert len({self.replies.text(post, MONDAY) for post in posts}) == 4

    @given(st.text("0123456789", min_size=1), st.integers(0, 3))
    def test_is_none_of_those_sent_before_while_there_are_others(
        self, root: str, rounds: int
    ) -> None:
        post = replace(POST, root_id=root)
        used: list[str] = []
        for _ in range(rounds):
            used += choose(self.replies, post, *used).marks
        assert not set(choose(self.replies, post, *used).marks) & set(used)
        assert choose(self.replies, post, *used) == choose(self.replies, post, *reversed(used))

    def test_is_another_one_for_another_author_too(self) -> None:
        used = list(choose(self.replies, POST).marks)
        other = replace(POST, author=Author("56", "otto", "Otto"))
        assert choose(self.replies, other).marks[1] in used
        assert choose(self.replies, other, *used).marks[1] not in used

    def test_comes_again_for_another_author_once_all_were_sent(self) -> None:
        used = [mark for number in range(4) for mark in self._marks(number)]
        assert "@mira" in choose(self.replies, POST, *used).text
        used += [mark for number in range(4, 8) for mark in self._marks(number)]
        assert self.replies.choose(POST, MONDAY, used) is None
        other = replace(POST, author=Author("56", "otto", "Otto"))
        assert choose(self.replies, other, *used).text.endswith("well, Otto.")
        assert choose(self.replies, other, *used).marks[0] not in used

    def _marks(self, number: int) -> tuple[str, str]:
        used: list[str] = []
        for _ in range(number):
            used += choose(self.replies, POST, *used).marks
        return choose(self.replies, POST, *used).marks

    def test_tells_authors_of_the_same_name_apart_by_their_handles(self) -> None:
        own, used = replies_from(file()), set[str]()
        said = []
        for number in range(8):
            post = replace(POST, author=Author(str(number), f"mira_{number}", "Mira"))
            chosen = own.choose(post, MONDAY, used)
            assert chosen is not None
            used |= set(chosen.marks)
            said.append(chosen.text)
        assert ["@mira_" in text for text in said] == [False] * 4 + [True] * 4
        assert len(set(said)) == 8

    def test_leaves_marks_that_say_nothing_of_the_author(self) -> None:
        first, other = (
            choose(self.replies, replace(POST, author=Author(handle=one))) for one in ("a", "b")
        )
        assert first.marks[0] != other.marks[0]
        assert first.marks[1] == other.marks[1]
        assert all(re.fullmatch("[0-9a-f]{16}", mark) for mark in first.marks)


class TestTheName:
    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("Mira", "Mira"),
            ("Mira Example", "Mira Example"),
            ("Mira Van Example", "Mira Van"),
            ("🌸 Mira 🌸", "Mira"),
            ("Mira 🌸 Example", "Mira"),
            ("Mira | she/her", "Mira"),
            ("Mira_Example", "Mira"),
            ("Dr. Mira Example", "Dr. Mira"),
            ("Anne-Marie O'Neil", "Anne-Marie O'Neil"),
            ("  Mira\t", "Mira"),
            ("José", "José"),
            ("Jose\u0301", "José"),
            ("𝓜𝓲𝓻𝓪", "Mira"),
            ("ＭＩＲＡ", "MIRA"),
            ("山田太郎", "山田太郎"),
            ("मीरा", "मीरा"),
            ("Bartholomew Featherstone", "Bartholomew"),
            ("- Mira -", "Mira"),
            ("Mira 2", "Mira 2"),
            ("\u202eMira", "Mira"),
            ("Mi\u200cra", "Mira"),
        ],
    )
    def test_is_the_first_word_or_two_of_what_may_be_repeated(self, name: str, shown: str) -> None:
        assert name_of(Author(handle="mira", name=name)) == shown

    @pytest.mark.parametrize(
        "name",
        [
            "Mira van der Berg",
            "half the cheese",
            "The Best Of Cheese",
            "@evil",
            "#win $TSLA",
            "https://example.com",
        ],
    )
    def test_is_the_handle_where_it_is_a_phrase(self, name: str) -> None:
        assert name_of(Author(handle="mira", name=name)) == "@mira"
        assert name_of(Author(name=name)), "the phrase is better than nothing"

    @pytest.mark.parametrize(
        "name", [None, "", " ", "🌸", "...", "2026", "x" * 21, "\u200b", "\u0301"]
    )
    def test_is_the_handle_where_there_is_none(self, name: str | None) -> None:
        assert name_of(Author(handle="mira", name=name)) == "@mira"
        assert name_of(Author(name=name)) == ""

    @pytest.mark.parametrize("handle", [None, "", "x" * 16, "evil.example", "a b", "é", "@mira"])
    def test_is_no_handle_that_x_would_not_give(self, handle: str | None) -> None:
        assert handle_of(Author(handle=handle)) == ""

    @given(st.text(max_size=60) | st.text("ab.-'@#$: /｡．\u0301日", max_size=30))
    def test_becomes_neither_link_nor_mention_nor_tag(self, name: str) -> None:
        shown = name_of(Author(name=name))
        assert len(shown) <= 20
        assert weighted_length(shown) <= 40
        assert not re.search(r"[@＠#＃$_/:{}\n]|\.\S", shown)
        assert links(f"Hello {shown}, well.") == []
        assert shown == shown.strip("'’-. ")


class TestAText:
    @pytest.mark.parametrize(
        ("template", "named", "unnamed"),
        [
            ("Hello {name}, thanks.", "Hello Mira, thanks.", "Hello, thanks."),
            ("Hello {handle}, thanks.", "Hello @mira, thanks.", "Hello, thanks."),
            ("Thank you, {name}. Bye.", "Thank you, Mira. Bye.", "Thank you. Bye."),
            ("Thanks {name} for this", "Thanks Mira for this", "Thanks for this"),
            ("{name}, thank you.", "Mira, thank you.", "Thank you."),
            ("Hi! {name}: well", "Hi! Mira: well", "Hi! Well"),
            ("Well, {name}, or {handle}?", "Well, Mira, or @mira?", "Well, or?"),
        ],
    )
    def test_names_its_reader_or_does_without(
        self, template: str, named: str, unnamed: str
    ) -> None:
        assert said(template, Author(handle="mira", name="Mira")) == named
        assert said(template, Author()) == unnamed

    def test_names_who_has_only_a_handle_by_it(self) -> None:
        assert said("Hello {name}.", Author(handle="mira")) == "Hello @mira."

    def test_without_a_handle_keeps_the_name(self) -> None:
        assert said("Hello {name} {handle}.", Author(name="Mira")) == "Hello Mira."

    def test_holds_the_files_variables_and_the_languages_own(self) -> None:
        data = with_texts(
            *four("{name}: {team}, {desk}."),
            variables={"team": "the team", "desk": "the desk"},
        )
        data["en"]["variables"] = {"desk": "your desk"}
        assert replies_from(data).text(POST, MONDAY).endswith("Mira Example: the team, your desk.")

    def test_is_not_filled_twice(self) -> None:
        data = with_texts(*four("{name} {team}"), variables={"team": "the team"})
        post = replace(POST, author=Author(name="{team}"))
        assert replies_from(data).text(post, MONDAY).endswith(" team the team")


class TestTheHours:
    def replies(self, **hours: Any) -> Replies:
        table = {"timezone": "UTC", "days": ["mon", "fri"], "from": "09:00", "to": "17:30"}
        data = with_texts(*four("{name}: {when}."), hours={**table, **hours})
        data["en"] |= {"when_open": "open", "when_closed": "closed"}
        return replies_from(data)

    @pytest.mark.parametrize(
        ("moment", "says"),
        [
            ("2026-11-02T09:00", "open"),
            ("2026-11-02T08:59", "closed"),
            ("2026-11-02T17:29", "open"),
            ("2026-11-02T17:30", "closed"),
            ("2026-11-03T12:00", "closed"),
            ("2026-11-06T12:00", "open"),
            ("2026-11-08T12:00", "closed"),
        ],
    )
    def test_are_from_and_to_a_time_of_certain_days(self, moment: str, says: str) -> None:
        now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        assert self.replies().text(POST, now).endswith(f": {says}.")

    def test_are_those_of_their_place_summer_time_and_all(self) -> None:
        there = self.replies(timezone="America/New_York", days=["sun"], to="24:00")
        summer, winter = datetime(2026, 7, 5, tzinfo=UTC), datetime(2026, 12, 6, tzinfo=UTC)
        opens = {
            "summer": [
                hour
                for hour in range(36)
                if "open" in there.text(POST, summer + timedelta(hours=hour))
            ],
            "winter": [
                hour
                for hour in range(36)
                if "open" in there.text(POST, winter + timedelta(hours=hour))
            ],
        }
        assert opens == {"summer": list(range(13, 28)), "winter": list(range(14, 29))}

    def test_need_no_time_zones_of_the_system(self) -> None:
        run = subprocess.run(
            [sys.executable, "-c", "from zoneinfo import ZoneInfo; print(ZoneInfo('Asia/Tokyo'))"],
            env={"PYTHONTZPATH": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.stdout == "Asia/Tokyo\n"

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            ({"timezone": "Europe/Nowhere"}, "timezone «Europe/Nowhere» is not known"),
            ({"timezone": "../etc"}, "is not known"),
            ({"timezone": "Europe"}, "is not known"),
            ({"timezone": 1}, "is not known"),
            ({"days": []}, "days must be a list of mon, tue"),
            ({"days": ["monday"]}, "days must be"),
            ({"days": "mon"}, "days must be"),
            ({"from": "17:30"}, "from must be a time before to"),
            ({"from": "9"}, "from must be"),
            ({"to": "25:00"}, "from must be"),
            ({"to": 17}, "from must be"),
            ({"lunch": "12:00"}, "needs days, from, timezone, to"),
        ],
    )
    def test_that_are_wrong_are_told(self, change: dict[str, Any], says: str) -> None:
        with pytest.raises(Misconfigured) as raised:
            self.replies(**change)
        assert raised.value.problems[0].startswith("replies.toml: [hours] ")
        assert says in raised.value.problems[0]
        assert len(raised.value.problems) == 1


class TestAnAgentsDraft:
    def test_is_not_the_bots_answer(self) -> None:
        data = file()
        data["en"]["drafts"] = ["Hello {name}, I am sorry."]
        assert replies_from(data).draft(POST) == "Hello Mira Example, I am sorry."
        assert replies_from(file()).draft(POST) == ""

    def test_is_in_the_posts_language_where_that_has_one(self) -> None:
        data = file(de={"drafts": ["Hallo {name}."]}, nl={"stop": {"alone": ["hou op"]}})
        data["en"]["drafts"] = ["Hello {name}."]
        replies = replies_from(data)
        assert replies.draft(replace(POST, lang="de")) == "Hallo Mira Example."
        assert replies.draft(replace(POST, lang="nl")) == "Hello Mira Example."
        assert replies.draft(replace(POST, lang="fr")) == "Hello Mira Example."

    def test_is_checked_like_a_text(self) -> None:
        data = file()
        data["en"]["drafts"] = ["fine", "", "see example.com", "{when}"]
        assert [problem.split()[:3] for problem in problems(data)] == [
            ["en,", "draft", "2"],
            ["en,", "draft", "3"],
            ["en,", "draft", "4"],
        ]
        data["en"]["drafts"] = "one"
        assert problems(data) == ["en, drafts must be a list of texts."]


class TestAFile:
    def test_with_more_than_one_problem_has_all_of_them_told(self) -> None:
        data = with_texts("Hi {name}", "", "Hi", 5, "Hi {nmae}", "Hi {name} example.com")
        data["en"]["intents"][0]["texts"] = four("{name}")[:3]
        told = problems(data)
        assert [re.match(r"en, \w+(, text \d)?", one)[0] for one in told] == [  # type: ignore[index]
            "en, parcel",
            "en, general, text 2",
            "en, general, text 3",
            "en, general, text 4",
            "en, general, text 5",
            "en, general, text 5",
            "en, general, text 6",
        ]

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("", "is empty"),
            (" \n", "is empty"),
            (7, "is empty"),
            ("Hello", "holds neither {name} nor {handle}"),
            ("{name}{x}", "holds {x}, which is not known: use {name}, {handle}"),
            ("{name} {when}", "{when} needs [hours], when_open and when_closed"),
            ("{name} {", "holds a brace"),
            ("{name} {}", "holds {}, which is not known"),
            ("{{name}}", "holds a brace"),
            ("Hello{name}", "needs a space or a comma"),
            ("@{handle}", "needs a space or a comma"),
            ("#{name}", "needs a space or a comma"),
            ("{handle}s post", "needs a space or a comma"),
            ("{name} \ufeff", "holds a character that X refuses (U+FEFF)"),
            ("{name} https://example.com", "holds a link (https://example.com), for which X"),
            ("{name} example.com", "holds a link (example.com)"),
            ("{name} HTTPS://X.EXAMPLE", "holds a link"),
            ("{name}.com", "holds a link"),
        ],
    )
    def test_with_a_wrong_text_is_refused_in_a_sentence(self, text: Any, says: str) -> None:
        told = problems(with_texts(*four("{name}"), text))
        assert told[0].startswith("en, general, text 5 ")
        assert says in " ".join(told)

    @pytest.mark.parametrize("text", ["x" * 239, "日" * 119 + "x", "…" * 119 + "x"])
    def test_takes_280_characters_with_the_longest_name(self, text: str) -> None:
        assert replies_from(with_texts(*four("{name}"), "{name} " + text))
        [told] = problems(with_texts(*four("{name}"), "{name} !" + text))
        assert told.startswith("en, general, text 5 may reach 281 of 280 characters")

    def test_counts_the_longest_handle_variable_and_hours(self) -> None:
        data = with_texts(
            *four("{name}"),
            "{handle} {team} {when}" + "x" * 222,
            variables={"team": "t" * 20},
            hours={"timezone": "UTC", "days": ["mon"], "from": "09:00", "to": "17:00"},
        )
        data["en"] |= {"when_open": "o", "when_closed": "c" * 20}
        replies_from(data)
        data["en"]["when_closed"] += "c"
        assert "may reach 281" in problems(data)[0]

    def test_with_too_few_texts_is_refused(self) -> None:
        assert FEWEST == 4
        texts = four("{name}")
        [told] = problems(with_texts(*texts[:3]))
        assert told.startswith("en, general has 3 different texts and needs at least 4")
        [told] = problems(with_texts(*texts[:3], texts[0]))
        assert told.startswith("en, general has 3 different texts")

    def test_may_hold_links_where_they_are_allowed(self) -> None:
        data = with_texts(*four("{name} see example.com"))
        assert len(problems(data)) == 4
        replies = replies_from(data, allow_links=True)
        assert price_of(replies.text(POST, MONDAY)) == 200_000
        assert price_of("Hello.") == 10_000

    @pytest.mark.parametrize(
        ("change", "says"),
        [
            (lambda d: d.pop("default"), "default must name the language"),
            (lambda d: d.update(default="de"), "default must name the language"),
            (lambda d: d.update(default=["en"]), "default must name the language"),
            (lambda d: d.update(texts=["old"]), "«texts» is not known"),
            (lambda d: d.update(english={}), "«english» is not known"),
            (lambda d: d.update(de=["x"]), "«de» is not known"),
            (lambda d: d["en"].update(greeting="x"), "[en] holds «greeting»"),
            (lambda d: d.update(variables={"Team": "x"}), "[variables] must give"),
            (lambda d: d.update(variables={"name": "x"}), "[variables] must give"),
            (lambda d: d.update(variables={"team": "{x}"}), "[variables] must give"),
            (lambda d: d.update(variables={"team": 5}), "[variables] must give"),
            (lambda d: d.update(variables="x"), "[variables] must give"),
            (lambda d: d["en"].update(variables={"when": "x"}), "[en.variables] must give"),
            (lambda d: d["en"].update(when_open="x"), "[en] when_open and when_closed"),
            (lambda d: d["en"].update(when_open="x", when_closed="{x}"), "[en] when_open"),
            (lambda d: d["en"].update(intents={}), "[[en.intents]], once for each"),
            (lambda d: d["en"]["intents"].pop(), "en has no intent general"),
            (lambda d: d["en"]["intents"].append(d["en"]["intents"][0]), "more than one intent"),
            (lambda d: d["en"]["intents"][0].pop("name"), "en, intent 1 needs a name"),
            (lambda d: d["en"]["intents"][0].update(name=5), "en, intent 1 needs a name"),
            (lambda d: d["en"]["intents"][0].pop("words"), "en, parcel needs a name and a list"),
            (lambda d: d["en"]["intents"][0].update(words=["!"]), "en, parcel needs a name"),
            (lambda d: d["en"]["intents"][0].update(words="my parcel"), "en, parcel needs"),
            (lambda d: d["en"]["intents"][0].update(word=[]), "en, parcel holds «word»"),
            (lambda d: d["en"]["intents"][0].update(texts="x"), "en, parcel, texts must be a list"),
            (lambda d: d["en"]["intents"][0].pop("texts"), "en, parcel has 0 different texts"),
            (lambda d: d["en"].pop("stop"), "en has texts but not both lists of stop words"),
            (lambda d: d["en"]["stop"].update(alone=[]), "en has texts but not both lists"),
            (lambda d: d["en"]["stop"].update(alone=["!"]), "[en.stop] alone must be a list"),
            (lambda d: d["en"]["stop"].update(anywhere="x"), "[en.stop] anywhere must be a list"),
            (lambda d: d["en"]["stop"].update(never=[]), "[en.stop] holds the lists"),
            (lambda d: d["en"]["stop"].update(fillers="x"), "[en.stop] fillers must be a list"),
            (lambda d: d["en"]["stop"].update(fillers=["Stop!"]), "alone holds «stop», which is"),
            (lambda d: d.update(de={"stop": ["halt"]}), "[de.stop] holds the lists"),
            (lambda d: d.update(hours="always"), "[hours] needs"),
        ],
    )
    def test_that_is_put_together_wrongly_is_refused(
        self, change: Callable[[dict[str, Any]], object], says: str
    ) -> None:
        assert says in " ".join(problems(changed(change)))

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text("{}an.e ", max_size=6),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(FIELDS),
                    inner,
                    max_size=4,
                )
            ),
            max_leaves=12,
        )
    )
    def test_of_whatever_make_is_refused_in_sentences(self, table: Any) -> None:
        for data in ({"default": "en", "en": table}, table):
            if isinstance(data, dict):
                assert problems(data)


class TestAnAnswerThatAPersonWrote:
    @pytest.mark.parametrize(
        "text",
        ["Sorry, we call you today.", "x" * LONGEST, "😡" * 140, "a.b", "👩‍👩‍👧‍👦" * 140, "Øk"],
    )
    def test_may_say_what_x_takes(self, text: str) -> None:
        assert refused_text(text) is None

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("", "is empty"),
            (" \n\t", "is empty"),
            ("\u200b\u2060 \u00ad", "is empty"),
            ("x" * (LONGEST + 1), "has 281 characters as X counts them: shorten it to 280"),
            ("😡" * 141, "has 282 characters"),
            ("x" * 25_000, "has 25,000 characters"),
            ("a." * 12_000, "has 24,000 characters"),
            ("Well\ufffe", "holds a character that X refuses (U+FFFE)"),
            ("Well\ud800", "holds a character that X refuses (U+D800)"),
            ("See https://example.com", "holds a link (https://example.com)"),
            ("See example.com/help", "20 times as much ($0.20 instead of $0.010)"),
        ],
    )
    def test_is_refused_with_what_to_do(self, text: str, says: str) -> None:
        problem = refused_text(text)
        assert problem is not None
        assert says in problem
        assert problem.startswith("The answer ")
        assert problem.endswith(".")

    def test_may_hold_a_link_where_links_are_allowed(self) -> None:
        assert refused_text("See https://example.com", allow_links=True) is None
        assert "shorten it" in (refused_text("x" * 257 + " example.com", allow_links=True) or "")


OWN = replies_from(tomllib.loads((HOUSE / "replies.toml").read_text("utf-8")))


class TestAnOptOut:
    @pytest.mark.parametrize(
        "text",
        [
            "stop",
            "STOP",
            "Stop.",
            "@HarborHelp stop",
            "@HarborHelp @otter Stop!!! 🛑",
            "STOP STOP STOP",
            "stoooop",
            "please stop",
            "Please, stop it!",
            "stop bot",
            "@HarborHelp stop replying https://t.co/abc",
            "Stop #annoying",
            "#stop",
            "ｓｔｏｐ",
            "leave me alone 😡",
            "Can you please stop?",
            "unsubscribe",
            "how do I unsubscribe from this",
            "Reply stop",
            "stop reply",
            "stop pls",
            "plz stop",
            "Stop thx",
            "please stop now",
            "stop now please",
            "stop already",
            "hey stop",
            "yes stop",
            "no thanks, stop",
            "stop this now",
            "can u stop",
            "please do stop",
            "S.T.O.P",
            "s t o p",
            "st\u200bop",
            "sto\u00adp",
            "🛑",
            "un-subscribe",
            "stop replying, thanks",
            "stop sending me messages",
            "stop sending automated replies",
            "stop auto-replying to me",
            "I don't want automated replies",
            "please " * 200 + "unsubscribe",
            "word " * 2400 + "unsubscribe" + " word" * 2400,
            "s\u0336t\u0336o\u0336p\u0336",
            "reply: stop",
            "could u pls stop",
            "🛑🙏",
            "Stop s.v.p.",
            "Halt, bitte sofort!",
            "arrête s'il te plaît, merci",
            "por favor, para",
            "adesso basta, grazie",
            "stop nu alsjeblieft",
            "I want to opt out.",
            "OPT-OUT",
            "opt me out of this, thanks",
            "could you stop replying to me?",
            "Do not reply to me",
            "don't reply to me",
            "please don’t reply to me ever again",
            "Stop tagging me in these",
            "turn off your bot please",
            "Stopp!",
            "Hör auf damit",
            "bitte aufhören",
            "@HarborHelp Lasst mich bitte in Ruhe.",
            "Keine automatischen Antworten, bitte",
            "Arrêtez",
            "Arre\u0302tez",
            "arrete svp",
            "Arrêtez de m’écrire s'il vous plaît",
            "Laissez-moi tranquille !",
            "¡Basta ya!",
            "Dejen de responderme",
            "déjame en paz",
            "Basta",
            "Smettetela di rispondermi, grazie",
            "lasciatemi in pace",
            "Parem!",
            "pare de me responder",
            "Não me responda mais",
            "Hou op",
            "Stop a.u.b.",
            "laat me met rust, bot",
            "Reageer niet meer op mij",
        ],
    )
    def test_is_seen_in_every_language_of_the_file(self, text: str) -> None:
        assert OWN.opts_out(text)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "@HarborHelp",
            "@stop hello",
            "https://example.com/unsubscribe",
            "stop charging my card",
            "thanks",
            "no thanks",
            "please reply",
            "yes please",
            "no",
            "Just enough!",
            "You already do enough",
            "please don't stop",
            "No basta",
            "no para",
            "ora grazie",
            "where is the next stop",
            "🛑 the road is closed at gate 4",
            "a b c",
            "my train did not stop",
            "Which stop is next?",
            "I can't stop smiling, thank you",
            "Never stop being great",
            "The app stops when I open it",
            "Please stop the noise at gate 4",
            "non-stop flights?",
            "#nonstop",
            "You don't reply to me, why?",
            "why did you stop replying to me",
            "your agents don’t reply to me",
            "thank you for the reply",
            "Do you reply to messages?",
            "I want to talk to a person",
            "Ihr antwortet mir nicht",
            "Warum antworten Sie mir nicht mehr?",
            "Der Zug hält nicht, das muss aufhören",
            "Vous ne me répondez plus depuis lundi",
            "Quand arrêtez-vous la vente ?",
            "Algo para mi hija",
            "¿Por qué no me responden?",
            "Non mi rispondete mai",
            "Basta un clic?",
            "Vocês não me respondem",
            "Isso é para mim?",
            "Waarom reageren jullie niet?",
            "Waar stopt de trein?",
        ],
    )
    def test_is_not_taken_from_other_words(self, text: str) -> None:
        assert not OWN.opts_out(text)

    def test_is_told_without_the_fillers_of_its_own_language_only(self) -> None:
        spanish = {"stop": {"alone": ["para"], "fillers": ["por favor"]}}
        english = file()["en"]
        english["stop"] |= {"fillers": ["yes"]}
        replies = replies_from(file(en=english, es=spanish))
        assert replies.opts_out("yes, STOP, yes")
        assert replies.opts_out("Para, por favor")
        assert not replies.opts_out("yes para")
        assert not replies.opts_out("yes")
        assert not replies.opts_out("por favor")

    def test_may_be_known_without_fillers(self) -> None:
        replies = replies_from(file())
        assert replies.opts_out("stop")
        assert not replies.opts_out("please stop")
        assert not replies.opts_out("")

    @given(st.text(max_size=80) | st.text("stop s.🛑\u200b\u0301#@é", max_size=40))
    def test_is_looked_for_in_any_text(self, text: str) -> None:
        assert OWN.opts_out(text) in {True, False}
        assert OWN.opts_out(f"{text} unsubscribe")

    def test_is_known_by_every_phrase_of_the_file(self) -> None:
        data = tomllib.loads((HOUSE / "replies.toml").read_text("utf-8"))
        languages = [table["stop"] for table in data.values() if "stop" in table]
        assert len(languages) == 7
        for stop in languages:
            for phrase in stop["alone"]:
                assert OWN.opts_out(f"@HarborHelp {phrase.capitalize()}!")
            for phrase in stop["anywhere"]:
                assert OWN.opts_out(f"Well then, {phrase}, and so on")
            for phrase in stop.get("unless", []):
                assert not OWN.opts_out(f"But {phrase}, and so on")


class TestTheTextsOfTheProject:
    texts = tuple(
        (intent.name, variant)
        for language in OWN.languages.values()
        for intent in language.intents
        for variant in intent.variants
    )

    @given(
        st.text(max_size=50),
        st.from_regex(r"[A-Za-z0-9_]{1,15}", fullmatch=True) | st.none(),
        st.integers(1, 10**19),
        st.datetimes(),
        st.sampled_from(["", "my order", "how much", "thanks", "are you open", "hello", "idea"]),
    )
    def test_can_be_sent_to_everybody_at_any_time(
        self, name: str, handle: str | None, number: int, moment: datetime, text: str
    ) -> None:
        post = Tweet(str(number), text, str(number), Author(handle=handle, name=name))
        answer = OWN.text(post, moment.replace(tzinfo=UTC))
        assert refused_text(answer) is None
        assert not re.search(r"[{}]|\s{2}|\s[,.!?]|^[\s,.]|[,:;]{2}", answer)

    def test_are_read_and_sent_without_the_slow_library(self) -> None:
        code = """
import sys, tomllib
from datetime import UTC, datetime
from bot.tweets import typed
from bot.twitter.replies import price_of, refused_text, replies_from
replies = replies_from(tomllib.load(open('replies.toml', 'rb')))
text = replies.text(typed('hello', '1'), datetime(2026, 11, 2, tzinfo=UTC))
print(refused_text(text), price_of(text), 'twitter_text' in sys.modules)
"""
        run = subprocess.run(
            [sys.executable, "-c", code], cwd=HOUSE, capture_output=True, text=True, check=False
        )
        assert run.stdout == "None 10000 False\n"

    def test_say_that_they_are_automatic(self) -> None:
        assert [text for _, text in self.texts if "automat" not in text.lower()] == []

    def test_offer_a_person(self) -> None:
        offers = re.compile("person|people|somebody")
        assert [text for _, text in self.texts if not offers.search(text)] == []

    def test_tell_in_each_intent_how_to_make_it_stop(self) -> None:
        told = {name for name, text in self.texts if "reply stop" in text.lower()}
        assert told == {name for name, _ in self.texts}

    def test_are_many_and_all_different(self) -> None:
        counts = {name: sum(name == one for one, _ in self.texts) for name, _ in self.texts}
        assert counts.pop("general") >= 10
        assert len(counts) >= 7
        assert min(counts.values()) >= 6
        assert len({text for _, text in self.texts}) == len(self.texts)

    def test_shout_little(self) -> None:
        assert all(text.count("!") <= 1 and text.isprintable() for _, text in self.texts)

    @pytest.mark.parametrize(
        ("text", "intent"),
        [
            ("What time do you open tomorrow?", "hours"),
            ("Will my order be shipped this week?", "order"),
            ("How do I change the password of my account", "account"),
            ("How much is the big one?", "price"),
            ("It would be great if you had dark mode", "idea"),
            ("Could you tell me where the entrance is", "question"),
            ("Love it ❤️", "thanks"),
            ("🙏", "thanks"),
            ("Good morning everybody", "greeting"),
            ("Monday again", "general"),
        ],
    )
    def test_fit_what_was_said(self, text: str, intent: str) -> None:
        assert choose(OWN, replace(POST, text=text)).intent == intent
