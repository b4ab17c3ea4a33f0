"""What the log tells beside its sentences: fields, metrics, and nobody's words."""

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot import cases, records
from bot.agents import Deed
from bot.cases import Case, Label
from bot.classifier.timed import TimedClassifier
from bot.errors import Conflict, Failure, Neighbour, Permanent, Retryable, Unknown
from bot.housekeeping import MOST_LOOKED_AT
from bot.observability.functions import JsonLines
from bot.observability.readable import Readable
from bot.ports import Outgoing
from bot.process import observed
from bot.slack.client import failure_of as slack_failure
from bot.telemetry import METRIC, Metric
from bot.triage import Arrival, arrival_of, message, unread
from bot.tweets import Author, Tweet
from bot.twitter.failures import failure_of as x_failure
from bot.verdicts import judge
from bot.wire import Deleted
from tests.examples import NOON, case, parts
from tests.fakes import WordClassifier
from tests.simulation import ANGRY, CALM, Simulation

TRACE = "1-5bef4de7-ad49b0e87f6ef6c87fc2e700"
SERVICE = {"service": "tweet-escalator-test"}
AS_DEPLOYED = {
    "POWERTOOLS_SERVICE_NAME": SERVICE["service"],
    "POWERTOOLS_METRICS_NAMESPACE": "TweetEscalator",
    "AWS_LAMBDA_FUNCTION_NAME": "tweet-escalator-test-triage",
}
MENTION = replace(ANGRY, source="webhook", created_at=NOON - timedelta(seconds=10))


@pytest.fixture(autouse=True)
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG, "bot")
    return caplog


def metrics(log: pytest.LogCaptureFixture) -> list[Metric]:
    """All that was told, first to last."""
    return [vars(record)[METRIC] for record in log.records if METRIC in vars(record)]


def named(log: pytest.LogCaptureFixture, name: str) -> list[float]:
    return [metric.value for metric in metrics(log) if metric.name == name]


def failures(log: pytest.LogCaptureFixture) -> list[str | None]:
    return [metric.kind for metric in metrics(log) if metric.name == "Failures"]


def bot_with(*tweets: Tweet) -> Simulation:
    """A bot that has decided on these."""
    bot = Simulation()
    bot.arrive(*tweets)
    bot.triage()
    return bot


class TestADecision:
    def test_is_told_on_one_line_with_all_one_searches_by(
        self, log: pytest.LogCaptureFixture
    ) -> None:
        bot = Simulation()
        bot.tweets.send([message(Arrival(MENTION, NOON - timedelta(seconds=2), TRACE))])
        bot.triage()
        [line] = [vars(record) for record in log.records if "route" in vars(record)]
        told = {name: line[name] for name in ("case", "tweet", "trace", "route", "waited_ms")}
        assert told == {
            "case": "101",
            "tweet": "101",
            "trace": TRACE,
            "route": "escalate",
            "waited_ms": 2_000,
        }
        assert [line[name] for name in ("probability", "threshold", "model")] == [
            0.95,
            0.5,
            "words",
        ]
        assert "reasons" not in line

    def test_counts_where_it_leads_to_and_a_redelivery_counts_nothing(
        self, log: pytest.LogCaptureFixture
    ) -> None:
        unanswered = replace(CALM, id="103", root_id="103", answer=False)
        quiet = replace(CALM, id="104", root_id="104", text="stop")
        bot = bot_with(ANGRY, CALM, unanswered, quiet)
        bot.arrive(ANGRY, CALM)
        bot.triage()
        routes = [found.route for found in bot.store.newest()]
        assert len(named(log, "Escalated")) == routes.count("escalate")
        assert len(named(log, "Skipped")) == routes.count("skip")

    def test_after_an_edit_is_told_once_more_and_counted_no_more(
        self, log: pytest.LogCaptureFixture
    ) -> None:
        bot = bot_with(CALM)
        bot.arrive(replace(CALM, id="105", text="I am angry"))
        bot.triage()
        assert [line.message for line in log.records if "route" in vars(line)] == [
            "Decided: reply.",
            "Decided anew after an edit: escalate.",
        ]
        assert metrics(log) == []


class TestACard:
    def test_that_is_sent_tells_how_long_it_took_from_the_post_itself(
        self, log: pytest.LogCaptureFixture
    ) -> None:
        bot = bot_with(MENTION)
        bot.clock.wait(5)
        bot.notify()
        assert named(log, "PostToCard") == [15_000.0]

    def test_of_a_post_from_a_file_tells_how_long_it_took_since_it_came(
        self, log: pytest.LogCaptureFixture
    ) -> None:
        bot = bot_with(replace(MENTION, source="file"))
        bot.clock.wait(5)
        bot.notify()
        assert named(log, "PostToCard") == [5_000.0]

    def test_that_was_found_after_its_answer_was_lost_counts_like_any(
        self, log: pytest.LogCaptureFixture
    ) -> None:
        bot = bot_with(MENTION)
        bot.slack.after = [Unknown("Lost.").of("slack")]
        bot.run_on(4)
        assert len(named(log, "PostToCard")) == 1
        assert failures(log) == ["slack"]

    def test_that_came_of_an_answer_that_failed_says_nothing_of_our_pace(
        self, log: pytest.LogCaptureFixture
    ) -> None:
        bot = bot_with(CALM)
        bot.x.before = [Permanent("X refuses.").of("x")]
        bot.run_on(1)
        assert bot.slack.happened == {"102": 1}
        assert named(log, "PostToCard") == []
        assert failures(log) == ["x"]


class TestAnAnswer:
    def test_of_the_bots_is_counted_and_one_of_an_agents_is_not(
        self, log: pytest.LogCaptureFixture
    ) -> None:
        bot = bot_with(CALM, ANGRY)
        bot.run_on(1)
        bot.agents.act(Deed("reply", "101", "U1", text="Sorry!"))
        bot.run_on(1)
        assert bot.x.happened == {"101": 1, "102": 1}
        assert named(log, "Answered") == [1]

    def test_that_nobody_could_give_is_nobodys_failure(self, log: pytest.LogCaptureFixture) -> None:
        bot = bot_with(CALM)
        bot.x.before = [Permanent("It is deleted.", person=False).of("x")]
        bot.run_on(1)
        assert failures(log) == []


class TestAFailure:
    @pytest.mark.parametrize(
        "failure", [Retryable("Busy."), Unknown("Lost."), Permanent("No.", mendable=True)]
    )
    def test_of_a_neighbour_is_counted_once_for_each_call(
        self, failure: Failure, log: pytest.LogCaptureFixture
    ) -> None:
        bot = bot_with(MENTION)
        bot.slack.before = [failure.of("slack")]
        bot.notify()
        assert failures(log) == ["slack"]

    def test_that_is_no_neighbours_is_not_counted(self, log: pytest.LogCaptureFixture) -> None:
        bot = bot_with(MENTION)
        bot.slack.before = [Retryable("The card whose thread it joins is on its way.")]
        bot.notify()
        assert failures(log) == []

    def test_of_the_classifier_is_counted_once_for_a_batch(
        self, log: pytest.LogCaptureFixture
    ) -> None:
        bot = Simulation()
        down = WordClassifier(failures=[Retryable("It is down.")])
        bot.desk = replace(bot.desk, classifier=TimedClassifier(down, lambda: 0.0))
        bot.arrive(ANGRY, CALM)
        bot.triage()
        assert failures(log) == ["classifier"]

    @pytest.mark.parametrize("error", [Retryable("Throttled.").of("storage"), Conflict("Raced.")])
    def test_of_the_storage_is_counted_for_each_message_it_brings_back(
        self, error: Exception, log: pytest.LogCaptureFixture
    ) -> None:
        bot = bot_with(ANGRY)

        def fails(ids: Sequence[str]) -> dict[str, Case]:  # noqa: ARG001
            raise error

        bot.store.get = fails  # type: ignore[method-assign]
        bot.notify()
        assert failures(log) == ["storage"]

    def test_to_read_a_message_is_counted_when_it_first_came(
        self, log: pytest.LogCaptureFixture
    ) -> None:
        bot = Simulation()
        bot.tweets.send([Outgoing("no JSON")])
        for _ in range(3):
            bot.triage()
            bot.clock.wait(3600)
        assert failures(log) == ["message"]

    @pytest.mark.parametrize(
        ("failure", "whose"),
        [
            (slack_failure(OSError("reset")), "slack"),
            (x_failure(ValueError("no JSON"), NOON, writing=True), "x"),
        ],
    )
    def test_is_marked_by_whoever_made_the_call(self, failure: Failure, whose: Neighbour) -> None:
        assert failure.neighbour == whose


class TestATrace:
    @pytest.mark.parametrize("what", [MENTION, Deleted("101")])
    def test_travels_on_the_tweets_queue(self, what: Tweet | Deleted) -> None:
        arrival = Arrival(what, NOON, TRACE)
        assert arrival_of(message(arrival).body) == arrival
        assert json.loads(unread({}, NOON, TRACE).body)["trace"] == TRACE

    @pytest.mark.parametrize("trace", [None, 7, "", "two words", {"a": 1}, "x" * 200])
    def test_that_is_none_keeps_no_message_from_being_read(self, trace: object) -> None:
        record = json.loads(message(Arrival(MENTION, NOON)).body)
        assert "trace" not in record
        assert arrival_of(json.dumps({**record, "trace": trace})) == Arrival(MENTION, NOON)

    def test_stays_on_the_case_though_the_post_is_erased(self) -> None:
        made = cases.erased(case(trace=TRACE), NOON)
        assert records.from_json(json.loads(records.body(made))).trace == TRACE

    def test_of_a_deletion_stays_with_the_post_that_never_came(self) -> None:
        bot = Simulation()
        bot.tweets.send([message(Arrival(Deleted("101"), NOON, TRACE))])
        bot.triage()
        assert bot.store.only().trace == TRACE

    def test_is_absent_in_what_an_earlier_release_stored(self) -> None:
        record = json.loads(records.body(case()))
        del record["trace"]
        assert records.from_json(record) == case()

    def test_stands_in_every_line_about_the_case(self, log: pytest.LogCaptureFixture) -> None:
        bot = Simulation()
        bot.tweets.send([message(Arrival(one, NOON, TRACE)) for one in (MENTION, CALM)])
        bot.slack.before = [Retryable("Busy.").of("slack")]
        bot.x.after = [Unknown("Lost.").of("x")]
        bot.run_on(6)
        bot.agents.act(Deed("claim", "101", "U1"))
        about = [
            vars(line) for line in log.records if "101" in line.message or "102" in line.message
        ]
        about += [vars(line) for line in log.records if "case" in vars(line)]
        assert len(about) > 10
        assert {line.get("trace") for line in about} == {TRACE}

    def test_of_a_call_on_lambda_is_x_rays(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: object
    ) -> None:
        own = parts(tmp_path, DATA_DIR=str(tmp_path))  # type: ignore[arg-type]
        monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={TRACE};Parent=53995c3f42cd8ad8;Sampled=0")
        assert own.trace() == TRACE
        monkeypatch.setenv("_X_AMZN_TRACE_ID", "Self=1;Sampled=0")
        assert len({own.trace(), own.trace()}) == 2


class TestTheSilence:
    def hours(self, log: pytest.LogCaptureFixture, *found: Case) -> list[float]:
        bot = Simulation()
        bot.store.add(found)
        bot.housekeeping.work()
        return named(log, "HoursSinceTweet")

    def came(self, hours: float, **changes: object) -> Case:
        made = case(received_at=NOON - timedelta(hours=hours))
        tweet = replace(made.tweet, id=f"{hours}", root_id=f"{hours}", source="poll")
        return replace(made, tweet=replace(tweet, **changes))  # type: ignore[arg-type]

    def test_is_measured_from_the_last_tweet_that_x_brought(
        self, log: pytest.LogCaptureFixture
    ) -> None:
        file = self.came(0.5, source="file")
        assert self.hours(log, self.came(30), self.came(3), file) == [3.0]

    def test_is_not_told_where_x_brought_nothing_for_days(
        self, log: pytest.LogCaptureFixture
    ) -> None:
        assert self.hours(log, self.came(48.1), self.came(1, source="typed")) == []

    def test_is_not_looked_for_among_all_there_is(self, log: pytest.LogCaptureFixture) -> None:
        crowd = [self.came(number / 1000, source="file") for number in range(MOST_LOOKED_AT)]
        assert self.hours(log, self.came(2), *crowd) == []


def test_the_classifiers_answers_are_timed(log: pytest.LogCaptureFixture) -> None:
    seconds = iter([10.0, 10.25])
    timed = TimedClassifier(WordClassifier(), lambda: next(seconds))
    [verdict] = judge(["I am angry"], timed, None)
    assert verdict.probability == 0.95
    assert named(log, "ClassifierLatency") == [250.0]
    assert (timed.model, timed.normalizer, timed.threshold) == ("words", "emoji-1", None)


def test_the_classifiers_failures_are_marked_as_its_own(log: pytest.LogCaptureFixture) -> None:
    timed = TimedClassifier(WordClassifier(failures=[Unknown("Lost.")]), lambda: 0.0)
    with pytest.raises(Unknown) as raised:
        timed.probabilities(["angry"])
    assert raised.value.neighbour == "classifier"
    assert metrics(log) == []


def test_a_label_given_before_the_card_was_out_takes_it_out_of_the_measure(
    log: pytest.LogCaptureFixture,
) -> None:
    bot = bot_with(MENTION)
    bot.store.change("101", lambda one: replace(one, label=Label(True, "U1", NOON, "words")))
    bot.notify()
    assert named(log, "PostToCard") == []


def test_elsewhere_than_on_lambda_a_handler_is_itself() -> None:
    def handler(_event: object, _context: object) -> None: ...

    assert observed(handler) is handler


class TestALineOnLambda:
    def line(
        self, lines: JsonLines, message: str = "Hello.", **fields: object
    ) -> dict[str, object]:
        record = logging.makeLogRecord({"name": "bot.triage", "msg": message, "levelname": "INFO"})
        vars(record).update({"aws_request_id": "r-1", **fields})
        text = lines.format(record)
        assert text.endswith("\n")
        assert text.count("\n") == 1
        made: dict[str, object] = json.loads(text)
        return made

    def test_is_one_of_json_with_its_fields(self) -> None:
        told = self.line(JsonLines(AS_DEPLOYED), "Two\nlines.", case="101", trace=None)
        assert "_aws" not in told
        assert "trace" not in told
        kept = {name: told[name] for name in ("level", "message", "service", "function", "case")}
        assert kept == {
            "level": "INFO",
            "message": "Two\nlines.",
            **SERVICE,
            "function": "tweet-escalator-test-triage",
            "case": "101",
        }

    def test_says_which_call_was_the_first(self) -> None:
        lines = JsonLines(AS_DEPLOYED)
        told = [self.line(lines, aws_request_id=one)["cold_start"] for one in ("r-1", "r-1", "r-2")]
        assert told == [True, True, False]

    @pytest.mark.parametrize(
        ("metric", "unit", "dimensions"),
        [
            (Metric("Received", "Count", 3), "Count", SERVICE),
            (Metric("PostToCard", "Milliseconds", 1.5), "Milliseconds", SERVICE),
            (Metric("HoursSinceTweet", "None", 0.25), "None", SERVICE),
            (Metric("Failures", "Count", 1, "x"), "Count", {**SERVICE, "kind": "x"}),
        ],
    )
    def test_embeds_its_metric(self, metric: Metric, unit: str, dimensions: dict[str, str]) -> None:
        told = self.line(JsonLines(AS_DEPLOYED), metric=metric)
        embedded = told["_aws"]
        assert isinstance(embedded, dict)
        [directive] = embedded["CloudWatchMetrics"]
        assert directive["Namespace"] == "TweetEscalator"
        assert directive["Metrics"] == [{"Name": metric.name, "Unit": unit}]
        assert [set(names) for names in directive["Dimensions"]] == [set(dimensions)]
        assert told[metric.name] == [metric.value]
        assert {name: told[name] for name in dimensions} == dimensions
        assert METRIC not in told

    def test_shows_its_figure_where_no_namespace_is_set(self) -> None:
        told = self.line(JsonLines({}), metric=Metric("Received", "Count", 3))
        assert (told["Received"], "_aws" in told) == (3, False)

    def test_tells_of_an_exception_where_it_was_raised_and_not_what_it_quotes(self) -> None:
        told = self.line(JsonLines(AS_DEPLOYED), exc_info=raised("my zebra parcel"))
        assert told["exception_name"] == "ValueError"
        assert "int(text)" in str(told["exception"])
        assert "zebra" not in json.dumps(told)


def raised(text: str) -> object:
    try:
        int(text)
    except ValueError as error:
        return type(error), error, error.__traceback__
    raise AssertionError


class TestALineOnALaptop:
    def line(self, message: str = "Decided: escalate.", **fields: object) -> str:
        record = logging.makeLogRecord({"name": "bot.triage", "msg": message, "levelname": "INFO"})
        vars(record).update({"created": 0.0, "msecs": 0.0, **fields})
        return Readable().format(record)

    def test_reads_time_level_place_sentence_and_fields(self) -> None:
        fields: dict[str, Any] = {
            "case": "101",
            "trace": None,
            "probability": 0.951234,
            "tweets": ["1", "2"],
        }
        told = self.line(**fields)
        assert told[10:] == (
            told[10:23] + " INFO bot.triage: Decided: escalate.  case=101  probability=0.9512  "
            "tweets=1,2"
        )

    def test_shows_what_was_measured_and_not_what_the_sentence_counts(self) -> None:
        assert self.line(metric=Metric("PostToCard", "Milliseconds", 1234.5)).endswith(
            "escalate.  PostToCard=1234"
        )
        assert self.line(metric=Metric("Escalated", "Count", 1)).endswith("escalate.")

    def test_stays_one_line_and_steers_no_terminal(self) -> None:
        told = self.line("Two\nlines \x1b[31mred", case="1\n2")
        assert told.isprintable()

    def test_tells_of_an_exception_below_it(self) -> None:
        told = self.line(exc_info=raised("my zebra parcel"))
        assert told.splitlines()[1].startswith("  File ")
        assert told.endswith("ValueError")
        assert "zebra" not in told


@contextmanager
def every_line() -> Iterator[list[str]]:
    """What both homes would write of all that the bot logs."""
    written: list[str] = []

    class Both(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.extend((Readable().format(record), JsonLines(AS_DEPLOYED).format(record)))

    handler = Both()
    logging.getLogger("bot").addHandler(handler)
    try:
        yield written
    finally:
        logging.getLogger("bot").removeHandler(handler)


LETTERS = st.characters(codec="utf-8", categories=["L"])
WORDS = st.text(LETTERS, min_size=6, max_size=12).map(lambda word: f"Ž{word}")
TROUBLES = st.lists(
    st.sampled_from([None, Retryable("Busy."), Unknown("Lost."), Permanent("No.")]), max_size=3
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(WORDS, min_size=1, max_size=4), name=WORDS, slack=TROUBLES, x=TROUBLES)
def test_no_line_of_the_whole_way_holds_a_posts_words_or_who_wrote_them(
    words: list[str], name: str, slack: list[Exception | None], x: list[Exception | None]
) -> None:
    author = Author("9876543210", name, f"{name} {name}")
    posts = [
        replace(MENTION, text=" ".join(["angry", *words]), author=author),
        replace(CALM, text=" ".join(["thanks", *words]), author=author, source="poll"),
        replace(MENTION, id="103", root_id="103", text=" ".join(words), author=author),
    ]
    bot = Simulation()
    bot.slack.before, bot.x.before = [*slack], [*x]
    with every_line() as written:
        bot.arrive(*posts)
        bot.tweets.send([Outgoing(" ".join(words)), Outgoing(json.dumps({"tweet": words}))])
        bot.run_on(8)
        with suppress(Failure):
            bot.agents.act(Deed("reply", "101", "U1", text=" ".join(words)))
        bot.run_on(2)
        bot.arrive(Deleted("101"))
        bot.run_on(2)
    assert len(written) > 10
    personal = {*words, name, "9876543210"}
    assert [line for line in written if any(one in line for one in personal)] == []


def test_an_effect_has_its_kind_and_attempt_in_its_lines(log: pytest.LogCaptureFixture) -> None:
    bot = bot_with(MENTION)
    bot.slack.before = [Retryable("Busy.")]
    bot.run_on(2)
    told = [vars(line) for line in log.records if "effect" in vars(line)]
    assert [(line["effect"], line["attempt"]) for line in told] == [("card", 1), ("card", 2)]
