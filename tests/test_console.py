"""The laptop's console: what it lists, from whom it takes changes, what its page may do."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from bot import cases, deeds
from bot.cases import Case, Channels, Effect
from bot.delivery import Task
from bot.local import feed
from bot.local.console import MOST_CHANGED, ROUTES, SHOWN, Console
from bot.local.events import http_event
from bot.local.feed import sample_feed
from bot.local.http import LARGEST_BODY
from bot.ports import Outgoing
from bot.triage import arrival_of
from bot.tweets import Author, Tweet
from bot.twitter.polling import BUDGET_USED
from bot.verdicts import Verdict, Weight
from bot.web.pages import page, policy_of
from bot.wiring import Parts
from tests.examples import ANGRY, CALM, NOON, archive, case, parts
from tests.test_settings import X

HERE = "127.0.0.1:8000"
ORIGIN = {"origin": f"http://{HERE}"}
ID = "1985000000000000001"
CHANGES = [route for route in ROUTES if route.startswith("POST")]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(archive(tmp_path_factory.mktemp("model")))


@pytest.fixture
def bot(tmp_path: Path, model: str) -> Parts:
    return parts(tmp_path, MODEL_PATH=model)


@pytest.fixture
def console(bot: Parts) -> Iterator[Console]:
    made = Console(bot)
    yield made
    made.stop()


def ask(
    console: Console,
    route: str,
    headers: dict[str, str] | None = None,
    source: str = "127.0.0.1",
    *,
    query: str = "",
    body: bytes = b"",
) -> dict[str, Any]:
    method, path = route.split(" ")
    sent = {"host": HERE, **(headers or {})}
    request = {"method": method, "path": path, "query": query, "host": sent["host"]}
    request |= {"protocol": "HTTP/1.1", "source": source}
    return console(route, http_event(route, {}, request, sent, body))


def get(console: Console, path: str, **query: str) -> dict[str, Any]:
    asked = "&".join(f"{name}={quote(value)}" for name, value in query.items())
    answer = ask(console, f"GET /console/{path}", query=asked)
    assert answer["statusCode"] == 200, answer["body"]
    found: dict[str, Any] = json.loads(answer["body"])
    return found


def post(console: Console, path: str, body: Any, status: int = 200) -> dict[str, Any]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = ask(console, f"POST /console/{path}", ORIGIN, body=raw)
    assert answer["statusCode"] == status, answer["body"]
    found: dict[str, Any] = json.loads(answer["body"])
    return found


def refusal(answer: dict[str, Any]) -> tuple[int, str]:
    """The status of an answer, and the one sentence it says."""
    assert json.loads(answer["body"]).keys() == {"error"}
    sentence: str = json.loads(answer["body"])["error"]
    assert re.fullmatch(r"[^\n]{20,200}\.", sentence)
    return answer["statusCode"], sentence


def numbered(number: int, **changes: Any) -> Case:
    """A case of its own; greater numbers came later."""
    tweet = Tweet(str(number), f"number {number}", str(number), Author(handle=f"author{number}"))
    at = NOON + timedelta(seconds=number)
    return case(**{"tweet": tweet, "received_at": at, "decided_at": at, **changes})


def ids(answer: dict[str, Any]) -> list[str]:
    return [row["tweet_id"] for row in answer["cases"]]


def queued(bot: Parts) -> list[Tweet]:
    return [
        arrival.what
        for arrival in (arrival_of(message.body) for message in bot.tweets.receive(10))
        if isinstance(arrival.what, Tweet)
    ]


class TestARow:
    def test_has_all_that_the_page_draws(self, bot: Parts, console: Console) -> None:
        effects = (
            Effect("reply", "failed", problem="X refuses.", text="Sorry!"),
            Effect("card", "failed", problem="Slack refuses."),
        )
        verdict = Verdict(0.91, 0.5, "late", "starter", words=(Weight("late", 0.4),))
        bot.store.add([
            case("<b>late</b>", unsure=True, effects=effects, assignee="river", verdict=verdict)
        ])  # fmt: skip
        [row] = get(console, "cases")["cases"]
        assert row["text"] == "<b>late</b>"
        assert row["parts"] == [["<b>", None], ["late", 0.4], ["</b>", None]]
        assert (row["author"], row["name"]) == ("river_example", "River Example")
        assert (row["route"], row["unsure"], row["confidence"]) == ("escalate", True, 0.91)
        assert (row["probability"], row["threshold"]) == (0.91, 0.5)
        assert (row["reply"]["state"], row["reply"]["text"]) == ("failed", "Sorry!")
        assert (row["reply"]["problem"], row["reply"]["by"]) == ("X refuses.", None)
        assert row["problems"] == ["Slack refuses."]
        assert (row["assignee"], row["resolved"], row["label"]) == ("river", False, None)
        assert row["received_at"] == NOON.isoformat()
        assert row["erased"] is False
        assert row["reasons"] == ["The model thinks it needs a person (91% confident)."]

    def test_may_be_without_a_verdict(self, bot: Parts, console: Console) -> None:
        bot.store.add([case(verdict=None)])
        [row] = get(console, "cases")["cases"]
        assert (row["confidence"], row["probability"], row["threshold"]) == (None, None, None)

    def test_shows_no_figure_of_a_model_that_knew_no_word(
        self, bot: Parts, console: Console
    ) -> None:
        bot.store.add([case(verdict=Verdict(0.5, 0.5, "xyzzy", "starter", known=False))])
        assert get(console, "cases")["cases"][0]["probability"] is None

    def test_leads_to_x_only_what_came_from_there(self, bot: Parts, console: Console) -> None:
        tweets = [
            Tweet("1", "typed", "1"),
            Tweet("2", "from X", "2", source="poll"),
            Tweet("file-1", "from a file", "file-1", source="file"),
        ]
        bot.store.add([case(tweet=tweet) for tweet in tweets])
        urls = {row["tweet_id"]: row["url"] for row in get(console, "cases")["cases"]}
        assert urls == {"1": None, "2": "https://x.com/i/status/2", "file-1": None}

    def test_is_cut_where_its_story_is_whole(self, bot: Parts, console: Console) -> None:
        bot.store.add([case("a" * 24_999 + "b")])
        [row] = get(console, "cases")["cases"]
        assert (row["text"], row["cut"]) == ("a" * 1_000, True)
        whole = get(console, "case", id=ID)["case"]
        assert (len(whole["text"]), whole["cut"]) == (25_000, False)

    def test_names_the_post_that_it_goes_on_with(self, bot: Parts, console: Console) -> None:
        bot.store.add([case(thread="1984")])
        assert get(console, "cases")["cases"][0]["thread"] == "1984"

    def test_of_an_erased_post_says_so_and_holds_nothing_of_it(
        self, bot: Parts, console: Console
    ) -> None:
        bot.store.add([cases.erased(case("secret"), NOON)])
        [row] = get(console, "cases")["cases"]
        assert (row["erased"], row["text"], row["author"]) == (True, "", None)
        assert "secret" not in json.dumps(row)


class TestCases:
    def test_are_the_newest_of_each_side_at_first(self, bot: Parts, console: Console) -> None:
        many = SHOWN + 5
        bot.store.add([numbered(n) for n in range(1_000, 1_000 + many)])
        bot.store.add([numbered(n, route="skip") for n in range(2_000, 2_000 + many)])
        bot.store.add([numbered(n, route="reply") for n in range(3_000, 3_003)])
        answer = get(console, "cases")
        assert answer["whole"] is True
        channel = [str(n) for n in range(1_000 + many - 1, 1_004, -1)]
        skipped = [str(n) for n in range(2_000 + many - 1, 2_007, -1)]
        assert ids(answer) == [*channel, "3002", "3001", "3000", *skipped]

    def test_are_then_only_those_that_changed(self, bot: Parts, console: Console) -> None:
        bot.store.add([numbered(n) for n in range(10)])
        since = str(get(console, "cases")["tick"])
        nothing = get(console, "cases", since=since)
        assert (nothing["whole"], nothing["cases"], str(nothing["tick"])) == (False, [], since)
        bot.store.change("3", lambda old: replace(old, assignee="river"))
        bot.store.add([numbered(11, route="skip")])
        changed = get(console, "cases", since=since)
        assert changed["whole"] is False
        assert sorted(ids(changed)) == ["11", "3"]
        assert get(console, "cases", since=str(changed["tick"]))["cases"] == []

    def test_are_read_anew_where_too_many_changed(self, bot: Parts, console: Console) -> None:
        since = str(get(console, "cases")["tick"])
        bot.store.add([numbered(n) for n in range(MOST_CHANGED + 1)])
        answer = get(console, "cases", since=since)
        assert (answer["whole"], len(answer["cases"])) == (True, SHOWN)

    def test_are_read_anew_where_an_older_copy_was_put_back(
        self, bot: Parts, console: Console
    ) -> None:
        bot.store.add([numbered(1)])
        assert get(console, "cases", since="999999")["whole"] is True

    @pytest.mark.parametrize("since", ["x", "-1", "1.5", "9" * 19, "", "१x", "0x1"])
    def test_are_asked_for_since_a_number(self, console: Console, since: str) -> None:
        answer = ask(console, "GET /console/cases", query=f"since={quote(since)}")
        assert refusal(answer) == (400, "since must be the tick of an earlier answer.")

    @pytest.mark.parametrize("period", ["year", "", "DAY", "<script>" * 20])
    def test_are_counted_over_a_known_period(self, console: Console, period: str) -> None:
        status, sentence = refusal(
            ask(console, "GET /console/cases", query=f"period={quote(period)}")
        )
        assert (status, sentence.split(": ")[1]) == (400, "use hour, day, week.")
        assert len(sentence) < 80

    def test_stay_small_to_ask_for_however_many_there_are(
        self, bot: Parts, console: Console
    ) -> None:
        bot.store.add([numbered(n) for n in range(2_000)])
        tick = get(console, "cases")["tick"]
        body = ask(console, "GET /console/cases", query=f"since={tick}")["body"]
        assert len(body) < 5_000


class TestOlderCases:
    def test_follow_page_by_page_without_a_gap(self, bot: Parts, console: Console) -> None:
        # Many of one moment: then their ids decide.
        bot.store.add([numbered(n, received_at=NOON) for n in range(100, 250)])
        seen: list[str] = []
        rows = get(console, "cases")["cases"]
        while rows:
            seen += [row["tweet_id"] for row in rows]
            last = {"before": rows[-1]["received_at"], "id": rows[-1]["tweet_id"]}
            rows = get(console, "older", side="channel", **last)["cases"]
        assert seen == [str(n) for n in range(249, 99, -1)]

    def test_are_of_the_asked_side(self, bot: Parts, console: Console) -> None:
        bot.store.add([numbered(1), numbered(2, route="skip"), numbered(3, route="reply")])
        later = (NOON + timedelta(hours=1)).isoformat()
        assert ids(get(console, "older", side="channel", before=later)) == ["1"]
        assert ids(get(console, "older", side="bot", before=later)) == ["3", "2"]

    def test_may_be_asked_for_in_any_zone(self, bot: Parts, console: Console) -> None:
        bot.store.add([numbered(1)])
        before = "2026-11-02T10:00:00-05:00"
        assert ids(get(console, "older", side="channel", before=before)) == ["1"]

    @pytest.mark.parametrize("before", ["", "yesterday", "2026-99-01", "0001-01-01T00:00:00+23:59"])
    def test_are_asked_for_before_a_time(self, console: Console, before: str) -> None:
        answer = ask(console, "GET /console/older", query=f"side=bot&before={quote(before)}")
        assert refusal(answer) == (400, "before must be the time at which a case was received.")


class TestTheSearch:
    def test_finds_every_word_in_text_author_answer_or_id(
        self, bot: Parts, console: Console
    ) -> None:
        answered = (Effect("reply", "dry-run", text="Ask at the counter."),)
        bot.store.add([
            numbered(1),
            numbered(2, tweet=Tweet("2", "Wütend! 100% late_parcel", "2", Author(handle="Olga"))),
            numbered(3, route="reply", effects=answered),
        ])  # fmt: skip
        for words, found in [
            ("PARCEL wütend", ["2"]),
            ("@olga", ["2"]),
            ("100%", ["2"]),
            ("late_p", ["2"]),
            ("counter", ["3"]),
            ("number", ["3", "1"]),
            ("number counter", ["3"]),
            ("parcel counter", []),
            ("' OR 1=1 --", []),
        ]:
            assert ids(get(console, "search", words=words)) == found, words


class TestACase:
    def test_tells_its_story_and_an_answer_to_begin_with(
        self, bot: Parts, console: Console
    ) -> None:
        bot.store.add([deeds.claimed(case(ANGRY), "river", NOON)])
        answer = get(console, "case", id=ID)
        story = [tuple(line) for line in answer["story"]]
        assert ("verdict", "0.910 against 0.50, by starter") in story
        assert ("2026-11-02 12:00:00", "river: claimed") in story
        assert answer["suggestion"] == bot.reply_texts.draft(case().tweet)

    def test_has_its_words_weighed_when_somebody_looks(self, bot: Parts, console: Console) -> None:
        bot.store.add([case(ANGRY, verdict=Verdict(0.91, 0.5, ANGRY, "small"))])
        assert [part for part in get(console, "cases")["cases"][0]["parts"] if part[1]] == []
        assert [part for part in get(console, "case", id=ID)["case"]["parts"] if part[1]]

    def test_suggests_what_was_written_before(self, bot: Parts, console: Console) -> None:
        bot.store.add([case(effects=(Effect("reply", "failed", text="Sorry!", by="U1"),))])
        assert get(console, "case", id=ID)["suggestion"] == "Sorry!"

    @pytest.mark.parametrize("query", ["id=nobody", "", "id=%00", "id=%F0%9F"])
    def test_that_is_not_there_is_404(self, console: Console, query: str) -> None:
        assert refusal(ask(console, "GET /console/case", query=query))[0] == 404


class TestTheNumbers:
    def test_count_the_period(self, bot: Parts, console: Console) -> None:
        def ago(hours: float, waited: float = 2) -> dict[str, Any]:
            at = NOON - timedelta(hours=hours)
            return {"received_at": at, "decided_at": at + timedelta(seconds=waited)}

        bot.store.add([
            numbered(1, **ago(0.5)), numbered(2, **ago(0.5, 4)),
            numbered(3, route="reply", **ago(0.1, 9)), numbered(4, route="skip", **ago(5)),
            numbered(5, **ago(50)), numbered(6, **ago(500)),
        ])  # fmt: skip
        counted = {}
        for period in ("hour", "day", "week"):
            numbers = get(console, "cases", period=period)["numbers"]
            counted[period] = (numbers["escalated"], numbers["answered"], numbers["skipped"])
            bars = numbers["bars"]
            sums = tuple(sum(bar[kind] for bar in bars) for kind in (1, 2, 3))
            assert sums == counted[period]
        assert counted == {"hour": (2, 1, 0), "day": (2, 1, 1), "week": (3, 1, 1)}
        assert get(console, "cases", period="hour")["numbers"]["median"] == 4

    def test_are_nothing_of_nothing(self, console: Console) -> None:
        numbers = get(console, "cases")["numbers"]
        assert numbers["median"] is None
        assert {numbers[name] for name in ("escalated", "answered", "waiting", "dead")} == {0}

    def test_count_what_waits_and_what_lies_dead(self, bot: Parts, console: Console) -> None:
        bot.tweets.send([Outgoing("one"), Outgoing("two")])
        bot.replies.send([Outgoing("three", group="3", deduplication="3")])
        assert get(console, "cases")["numbers"]["waiting"] == 3
        while bot.tweets.depth()[1] < 2:
            bot.tweets.postpone([message.receipt for message in bot.tweets.receive(10)], 0)
        numbers = get(console, "cases")["numbers"]
        assert (numbers["waiting"], numbers["dead"]) == (1, 2)

    def test_follow_each_new_case(self, bot: Parts, console: Console) -> None:
        assert get(console, "cases")["numbers"]["escalated"] == 0
        bot.store.add([case()])
        assert get(console, "cases")["numbers"]["escalated"] == 1


class TestReplies:
    def test_go_out_or_not_as_it_is_set(self, tmp_path: Path) -> None:
        for mode in ("on", "dry-run", "off"):
            console = Console(parts(tmp_path, **X, AUTO_REPLY=mode))
            assert get(console, "cases")["replies"] == {"mode": mode, "paused": None}

    def test_are_paused_by_a_name_and_go_on(self, bot: Parts, console: Console) -> None:
        paused = {"who": "river", "at": NOON.isoformat()}
        answer = post(console, "pause", {"pause": True, "who": " river\n"})
        assert answer["replies"] == {"mode": "dry-run", "paused": paused}
        post(console, "pause", {"pause": True, "who": "sun"})
        assert get(console, "cases")["replies"]["paused"] == paused
        assert bot.pause.paused()
        assert post(console, "pause", {"pause": False})["replies"]["paused"] is None
        assert bot.pause.paused() is None

    def test_that_are_queued_wait_for_the_pause_to_end(self, bot: Parts, console: Console) -> None:
        tweet = replace(case(CALM).tweet, answer=True, kind="mention", created_at=NOON)
        effect = Effect("reply", "pending", text="Thanks!")
        bot.store.add([case(tweet=tweet, route="reply", effects=(effect,))])
        post(console, "pause", {"pause": True, "who": "river"})
        bot.reply_courier.deliver(Task(ID, "reply", 1))
        [row] = get(console, "cases")["cases"]
        assert (row["reply"]["state"], row["reply"]["problem"]) == (
            "pending",
            "Automatic replies are paused.",
        )
        post(console, "pause", {"pause": False})
        bot.reply_courier.deliver(Task(ID, "reply", 2))
        [row] = get(console, "cases")["cases"]
        assert (row["reply"]["state"], row["reply"]["problem"]) == ("dry-run", None)

    @pytest.mark.parametrize("asked", [{}, {"pause": None}, {"pause": 1}, {"pause": "yes"}])
    def test_are_paused_only_where_that_is_asked(
        self, bot: Parts, console: Console, asked: dict[str, Any]
    ) -> None:
        answer = post(console, "pause", asked, 400)
        assert answer["error"] == "Say whether automatic replies shall pause: pause, true or false."
        assert bot.pause.paused() is None

    @pytest.mark.parametrize(
        ("who", "named"), [(None, "console"), ("\u202eeve\ud800", "eve\ufffd")]
    )
    def test_are_paused_by_a_name_in_one_line(self, console: Console, who: Any, named: str) -> None:
        answer = post(console, "pause", {"pause": True, "who": who})
        assert answer["replies"]["paused"]["who"] == named


class TestTheCosts:
    def test_are_not_told_where_x_is_not_connected(self, console: Console) -> None:
        assert get(console, "cases")["costs"] is None

    def test_are_told_where_there_were_any(self, bot: Parts, console: Console) -> None:
        bot.ledger.charge("mention", 12, NOON)
        bot.ledger.charge("reply", 5, NOON - timedelta(days=1))
        assert get(console, "cases")["costs"] == {
            "today": 12_000,
            "month": 62_000,
            "budget": None,
            "answers_wait": False,
            "reading_ended": False,
        }

    def test_warn_where_a_budget_is_used_up(self, tmp_path: Path) -> None:
        bot = parts(tmp_path, **X, X_MONTHLY_BUDGET_USD="0.5")
        console = Console(bot)
        costs = get(console, "cases")["costs"]
        assert (costs["month"], costs["budget"], costs["answers_wait"]) == (0, 500_000, False)
        bot.ledger.charge("reply", 50, NOON)
        bot.store.set_note(BUDGET_USED, {"month": "2026-11", "day": "2026-11-02"})
        costs = get(console, "cases")["costs"]
        assert (costs["answers_wait"], costs["reading_ended"]) == (True, True)


class TestTrying:
    def test_decides_marks_and_stores_nothing(self, bot: Parts, console: Console) -> None:
        row = post(console, "try", {"text": ANGRY, "handle": " @olga "})["case"]
        assert (row["route"], row["author"]) == ("escalate", "olga")
        assert [part for part, weight in row["parts"] if weight and weight > 0]
        assert "".join(part for part, _ in row["parts"]) == ANGRY
        calm = post(console, "try", {"text": CALM})["case"]
        assert (calm["route"], calm["reply"]["state"]) == ("reply", "dry-run")
        assert list(bot.store.newest()) == []
        assert bot.tweets.depth() == (0, 0)

    @pytest.mark.parametrize("text", ["", " ", "🍊", "xyzzy"])
    def test_of_what_the_model_does_not_know_says_so(self, console: Console, text: str) -> None:
        row = post(console, "try", {"text": text})["case"]
        assert (row["route"], row["probability"]) == ("escalate", None)


class TestPosting:
    def test_puts_a_tweet_on_the_queue(self, bot: Parts, console: Console) -> None:
        answer = post(console, "tweets", {"text": ANGRY, "handle": "@olga"}, 202)
        [tweet] = queued(bot)
        assert (tweet.id, tweet.text, tweet.author.handle) == (answer["id"], ANGRY, "olga")
        assert (tweet.source, tweet.answer, tweet.url is not None) == ("typed", False, True)

    def test_twice_makes_two(self, bot: Parts, console: Console) -> None:
        for _ in range(2):
            post(console, "tweets", {"text": ANGRY}, 202)
        assert len({tweet.id for tweet in queued(bot)}) == 2

    def test_takes_one_line_of_a_name(self, bot: Parts, console: Console) -> None:
        handle = "\u202e@eve\n\x00\ud800" + "x" * 100
        post(console, "tweets", {"text": ANGRY, "handle": handle}, 202)
        [tweet] = queued(bot)
        assert tweet.author.handle is not None
        assert re.fullmatch("eve\ufffdx+", tweet.author.handle)
        assert len(tweet.author.handle) <= 40

    def test_needs_a_text(self, bot: Parts, console: Console) -> None:
        told = post(console, "tweets", {"text": " \n"}, 400)
        assert told == {"error": "The tweet is empty: type something first."}
        assert queued(bot) == []


class TestAnAct:
    @pytest.fixture(autouse=True)
    def some(self, bot: Parts) -> None:
        bot.store.add([case(), numbered(5, route="reply")])

    def test_is_one_of_the_agents_and_answers_with_the_new_card(
        self, bot: Parts, console: Console
    ) -> None:
        claimed = post(console, "acts", {"do": "claim", "id": ID, "who": "river"})["case"]
        assert claimed["assignee"] == "river"
        resolved = post(console, "acts", {"do": "resolve", "id": ID, "who": "sun"})["case"]
        assert resolved["resolved"] is True
        asked = {"do": "reply", "id": ID, "who": "sun", "text": " On our way! "}
        reply = post(console, "acts", asked)["case"]["reply"]
        assert (reply["state"], reply["text"], reply["by"]) == ("dry-run", "On our way!", "sun")
        kept = bot.store.get([ID])[ID]
        assert [entry.who for entry in kept.history] == ["river", "sun", "sun"]

    def test_may_take_a_label_back(self, console: Console) -> None:
        for escalate in (False, True):
            asked = {"do": "relabel", "id": ID, "escalate": escalate}
            assert post(console, "acts", asked)["case"]["label"] is escalate

    @pytest.mark.parametrize("label", [{}, {"escalate": "yes"}, {"escalate": None}])
    def test_needs_the_label_that_it_gives(self, console: Console, label: dict[str, Any]) -> None:
        answer = post(console, "acts", {"do": "relabel", "id": ID, **label}, 400)
        assert answer["error"] == (
            "A relabel says whether a person was needed: escalate, true or false."
        )

    def test_may_make_a_card_of_what_the_bot_answered(self, console: Console) -> None:
        row = post(console, "acts", {"do": "relabel", "id": "5", "escalate": True})["case"]
        assert (row["route"], row["label"]) == ("escalate", True)

    @pytest.mark.parametrize(
        ("who", "named"),
        [
            (None, "console"),
            (" ", "console"),
            ("\u202eeve\ud800", "eve\ufffd"),
            ("x" * 50, "x" * 40),
            (7, "7"),
        ],
    )
    def test_is_done_by_a_name_in_one_line(self, console: Console, who: Any, named: str) -> None:
        row = post(console, "acts", {"do": "claim", "id": ID, "who": who})["case"]
        assert row["assignee"] == named

    @pytest.mark.parametrize(
        ("asked", "words"),
        [
            ({"do": "claim", "id": "nobody"}, "no longer here"),
            ({"do": "claim"}, "no longer here"),
            ({"do": "claim", "id": "\ud800"}, "no longer here"),
            ({"do": "delete", "id": ID}, "use claim, release, resolve"),
            ({"id": ID}, "use claim, release, resolve"),
            ({"do": "reply", "id": ID}, "empty"),
            ({"do": "reply", "id": ID, "text": "x" * 281}, "281 characters"),
            ({"do": "reply", "id": ID, "text": "x" * 25_001}, "25,001 characters"),
            ({"do": "reply", "id": ID, "text": "see https://evil.example"}, "link"),
            ({"do": "reply", "id": ID, "text": ["x"]}, "must be a string"),
        ],
    )
    def test_that_cannot_be_says_why_and_changes_nothing(
        self, bot: Parts, console: Console, asked: dict[str, Any], words: str
    ) -> None:
        before = bot.store.get([ID])
        raw = json.dumps(asked).encode()
        status, sentence = refusal(ask(console, "POST /console/acts", ORIGIN, body=raw))
        assert status == 400
        assert words in sentence
        assert bot.store.get([ID]) == before


class TestWhatIsAsked:
    @pytest.mark.parametrize("path", ["try", "tweets", "acts", "feed", "pause"])
    @pytest.mark.parametrize(
        "body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 100_000]
    )
    def test_must_be_a_json_object(self, console: Console, path: str, body: bytes) -> None:
        answer = ask(console, f"POST /console/{path}", ORIGIN, body=body)
        assert refusal(answer) == (400, "The body must be a JSON object.")

    @pytest.mark.parametrize("path", ["try", "tweets"])
    @pytest.mark.parametrize("text", [None, 7, ["x"], {"x": 1}, True, "x" * 25_001])
    def test_must_hold_a_text_that_x_would_take(
        self, bot: Parts, console: Console, path: str, text: Any
    ) -> None:
        body = json.dumps({"text": text}).encode()
        assert refusal(ask(console, f"POST /console/{path}", ORIGIN, body=body))[0] == 400
        assert queued(bot) == []


class TestAFile:
    def send(self, console: Console, name: str, body: str | bytes) -> dict[str, Any]:
        raw = body if isinstance(body, bytes) else body.encode()
        query = f"name={quote(name)}"
        return ask(console, "POST /console/files", ORIGIN, query=query, body=raw)

    def test_of_csv_is_queued_and_its_bad_rows_are_named(
        self, bot: Parts, console: Console
    ) -> None:
        rows = ["text,handle", "one,olga", "two,", f"{'x' * 25_001},", "three,"]
        answer = self.send(console, "tweets of may.csv", "\n".join(rows))
        assert answer["statusCode"] == 202
        told = json.loads(answer["body"])
        assert (told["queued"], told["refused"]) == (3, len(told["problems"]))
        assert [line.split(": ")[0] for line in told["problems"]] == [
            "tweets of may.csv, row 4 (line 4)"
        ]
        assert [tweet.text for tweet in queued(bot)] == ["one", "two", "three"]

    def test_of_json_lines_is_queued_too(self, bot: Parts, console: Console) -> None:
        lines = ['{"text": "one"}', "", "{", '{"id": "5", "text": "two"}', '"three"']
        told = json.loads(self.send(console, "x.jsonl", "\n".join(lines))["body"])
        assert told["queued"] + told["refused"] == 4
        assert any(line.startswith("x.jsonl, line 3: ") for line in told["problems"])
        tweets = queued(bot)
        assert {"one", "two"} <= {tweet.text for tweet in tweets}
        assert not any(tweet.answer for tweet in tweets)
        assert {tweet.source for tweet in tweets} == {"file"}

    def test_twice_makes_the_same_cases(self, bot: Parts, console: Console) -> None:
        for _ in range(2):
            self.send(console, "x.csv", "text\nsame")
        assert len({tweet.id for tweet in queued(bot)}) == 1

    def test_with_many_bad_lines_names_the_first(self, console: Console) -> None:
        told = json.loads(self.send(console, "x.jsonl", "{\n" * 50)["body"])
        assert (told["queued"], told["refused"], len(told["problems"])) == (0, 50, 20)

    @pytest.mark.parametrize("body", ["", "tweet,author\na,b", "\n\n"])
    def test_without_texts_is_refused_by_its_own_name(self, console: Console, body: str) -> None:
        status, sentence = refusal(self.send(console, "mine.csv", body))
        assert status == 400
        assert sentence.startswith("mine.csv has no column named text")

    @pytest.mark.parametrize(
        "name",
        [
            *["", " ", ".", "..", "../../evil.csv", "/etc/passwd", "a/b", "C:\\x.csv"],
            *["a\0b.csv", "\u202egpj.csv", "😀" * 99, "x" * 300 + ".csv", "x." + "y" * 300],
        ],
    )
    def test_may_have_any_name(self, bot: Parts, console: Console, name: str) -> None:
        body = b'text\n"{""text"": 1}"' if name.endswith(".csv") else b'{"text": "hi"}'
        answer = ask(console, "POST /console/files", ORIGIN, query=f"name={quote(name)}", body=body)
        assert answer["statusCode"] == 202, answer["body"]
        assert json.loads(answer["body"])["queued"] == 1
        assert len(queued(bot)) == 1

    def test_of_a_long_name_is_still_a_csv(self, bot: Parts, console: Console) -> None:
        self.send(console, "x" * 60 + ".csv", "text\nhi")
        assert [tweet.text for tweet in queued(bot)] == ["hi"]

    def test_of_other_bytes_is_refused_line_by_line(self, console: Console) -> None:
        told = json.loads(self.send(console, "picture.png", bytes(range(256)))["body"])
        assert told["queued"] == 0
        assert told["refused"] > 0


class TestTheSampleFeed:
    def test_plays_until_it_is_switched_off(self, bot: Parts, console: Console) -> None:
        assert get(console, "cases")["playing"] is False
        assert post(console, "feed", {"play": True}) == {"playing": True}
        assert post(console, "feed", {"play": True}) == {"playing": True}, "it plays on"
        assert get(console, "cases")["playing"] is True
        assert post(console, "feed", {"play": False}) == {"playing": False}
        assert get(console, "cases")["playing"] is False
        sent = bot.tweets.depth()[0]
        assert 1 <= sent < 150
        assert queued(bot)[0].text == next(sample_feed(NOON)).text

    def test_ends_by_itself(
        self, bot: Parts, console: Console, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(feed, "PACE", 0)
        post(console, "feed", {"play": True})
        thread = console._feed._thread
        assert thread
        thread.join(60)
        assert get(console, "cases")["playing"] is False
        assert bot.tweets.depth()[0] == 150

    @pytest.mark.parametrize("play", [None, 1, "yes", False])
    def test_plays_only_where_that_is_asked(self, console: Console, play: Any) -> None:
        assert post(console, "feed", {"play": play}) == {"playing": False}

    def test_brings_new_tweets_each_time_that_all_may_be_judged(self) -> None:
        tweets = list(sample_feed(NOON))
        assert len({tweet.id for tweet in tweets}) == len(tweets) == 150
        assert [int(tweet.id) for tweet in tweets] == sorted(int(tweet.id) for tweet in tweets)
        assert all(tweet.root_id == tweet.id and not tweet.answer for tweet in tweets)


class TestWhoGetsIn:
    @pytest.mark.parametrize("site", ["cross-site", "same-site"])
    def test_reads_are_for_the_consoles_own_page_too(self, console: Console, site: str) -> None:
        """A picture on another page could otherwise keep the bot busy searching."""
        answer = ask(console, "GET /console/search", headers={"sec-fetch-site": site})
        assert answer["statusCode"] == 403
        own = ask(console, "GET /console/cases", headers={"sec-fetch-site": "same-origin"})
        linked = ask(console, "GET /console/", headers={"sec-fetch-site": site})
        assert own["statusCode"] == linked["statusCode"] == 200

    @pytest.mark.parametrize("route", CHANGES)
    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"origin": ""},
            {"origin": "null"},
            {"origin": "http://evil.example"},
            {"origin": "http://127.0.0.1:9000"},
            {"origin": "http://127.0.0.1"},
            {"origin": "http://["},
            {"origin": f"http://{HERE}.evil.example"},
            {"origin": f"http://evil.example@{HERE}"},
            {"origin": f"ftp://{HERE}"},
            {"referer": f"http://{HERE}/console/"},
        ],
    )
    def test_changes_come_from_the_consoles_own_page_only(
        self, bot: Parts, console: Console, route: str, headers: dict[str, str]
    ) -> None:
        bot.store.add([case()])
        answer = ask(console, route, headers, body=deed_of(route))
        assert refusal(answer) == (403, "Changes are taken only from the console's own page.")
        self.nothing_happened(bot, console)

    @pytest.mark.parametrize("route", [route for route in ROUTES if route != "GET /console"])
    @pytest.mark.parametrize(
        ("headers", "source"),
        [
            ({"host": "bot.example", "origin": "http://bot.example"}, "127.0.0.1"),
            ({"host": "rebound.evil.example:8000"}, "127.0.0.1"),
            ({"x-forwarded-for": "203.0.113.7"}, "127.0.0.1"),
            ({"forwarded": "for=203.0.113.7"}, "127.0.0.1"),
            ({}, "203.0.113.7"),
        ],
    )
    def test_nobody_off_this_machine(
        self, bot: Parts, console: Console, route: str, headers: dict[str, str], source: str
    ) -> None:
        bot.store.add([case()])
        answer = ask(console, route, {**ORIGIN, **headers}, source, body=deed_of(route))
        status, sentence = refusal(answer)
        assert (status, "API_PASSWORD" in sentence) == (403, True)
        self.nothing_happened(bot, console)

    @staticmethod
    def nothing_happened(bot: Parts, console: Console) -> None:
        assert bot.tweets.depth() == (0, 0)
        assert bot.store.get([ID])[ID] == case()
        assert bot.pause.paused() is None
        assert console._feed.playing is False

    @pytest.mark.parametrize("route", [route for route in ROUTES if route != "GET /console"])
    def test_through_a_tunnel_whoever_knows_the_password(
        self, tmp_path: Path, model: str, route: str
    ) -> None:
        guarded = Console(parts(tmp_path, MODEL_PATH=model, API_PASSWORD="secret"))
        away = {"host": "bot.example", "origin": "https://bot.example"}
        word = "Basic " + base64.b64encode(b"triage:secret").decode()
        assert ask(guarded, route, away)["statusCode"] == 401
        inside = ask(guarded, route, {**away, "authorization": word}, body=b'{"text": "x"}')
        assert inside["statusCode"] not in {401, 403}
        guarded.stop()


def deed_of(route: str) -> bytes:
    """A body with which the route would change something."""
    if not route.startswith("POST"):
        return b""
    deed = {"do": "claim", "id": ID, "play": True, "pause": True, "text": "hi"}
    return json.dumps(deed).encode()


class TestThePage:
    def test_is_found_without_its_slash_too(self, console: Console) -> None:
        answer = ask(console, "GET /console")
        assert (answer["statusCode"], answer["headers"]["location"]) == (308, "/console/")

    def test_may_run_exactly_its_own_script_and_style(self, console: Console) -> None:
        served = ask(console, "GET /console/")
        front = page("bot.web", "judge.html", {"console": "/console/"})
        for headers, body in [(served["headers"], served["body"]), (front.headers, front.body)]:
            rules = dict(
                rule.strip().split(" ", 1) for rule in headers["content-security-policy"].split(";")
            )
            for tag, rule in (("script", "script-src"), ("style", "style-src")):
                [content] = [part.split(f"</{tag}>")[0] for part in body.split(f"<{tag}>")[1:]]
                assert len(content) > 500, "a hash of nothing would do no harm and no good"
                digest = hashlib.sha256(content.encode()).digest()
                assert rules[rule] == f"'sha256-{base64.b64encode(digest).decode()}'"
            assert rules["default-src"] == rules["frame-ancestors"] == rules["base-uri"] == "'none'"
            assert rules["form-action"] == "'none'"
            assert rules["connect-src"] == "'self'"
            assert not re.search(r"\s(style|on\w+)=\"", body), "its policy would not allow that"

    def test_needs_nothing_from_anywhere_else(self, console: Console) -> None:
        body = ask(console, "GET /console/")["body"]
        named = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w[^\s\"']*", body))
        assert named == {"http://www.w3.org/2000/svg"}, "a name, which nothing loads"
        assert "innerHTML" not in body

    def test_is_filled_in(self, console: Console) -> None:
        body = ask(console, "GET /console/")["body"]
        assert f'data-largest="{LARGEST_BODY}"' in body
        assert "{{" not in body.partition("<script>")[0]

    def test_that_changes_gets_another_policy(self) -> None:
        html = "<style>a</style><script>b</script>"
        assert policy_of(html) != policy_of(html.replace("b", "c"))

    def test_is_not_kept_by_browsers_and_read_as_what_it_is(self, console: Console) -> None:
        headers = ask(console, "GET /console/")["headers"]
        assert headers["cache-control"] == "no-store"
        assert headers["content-type"] == "text/html; charset=utf-8"
        assert headers["x-content-type-options"] == "nosniff"


def test_a_bots_answer_that_waits_may_be_replaced_by_an_agents(
    bot: Parts, console: Console
) -> None:
    channels = Channels(cards_queued=False, replies="dry-run")
    waiting = numbered(5, route="reply", effects=(Effect("reply", "dry-run", text="Thanks!"),))
    bot.store.add([deeds.relabelled(waiting, True, "sun", channels, NOON)])
    asked = {"do": "reply", "id": "5", "who": "sun", "text": "On our way!"}
    row = post(console, "acts", asked)["case"]
    assert (row["reply"]["text"], row["reply"]["by"]) == ("On our way!", "sun")
