import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from bot import process, settings
from bot.agents import Deed
from bot.breaker import SparedClassifier
from bot.classifier import sagemaker
from bot.classifier.embedded import EmbeddedClassifier
from bot.errors import Misconfigured, Refused, Retryable
from bot.process import SECRETS_DOUBTED, SECRETS_READ_AGAIN
from bot.slack.outlets import CardOutlet, LineOutlet, UpdateOutlet
from bot.storage import clients, secrets
from bot.storage.dynamodb import DynamoCases
from bot.storage.sqlite import SqliteCases, SqliteQueue
from bot.storage.sqs import SqsQueue
from bot.triage import Arrival, triage
from bot.tweets import Author, Tweet
from bot.twitter import ACCOUNT
from bot.twitter.optouts import names
from bot.twitter.rules import STOPPED
from bot.web.messages import Answer
from bot.wiring import Parts
from tests.examples import NOON, case
from tests.fakes import Clock
from tests.standins import aws
from tests.test_settings import AWS, SLACK, X

QUEUES = ("tweets", "cards", "replies", "actions")
CLIENTS = (clients.dynamodb, clients.sqs, clients.secretsmanager, sagemaker.client)


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An AWS account as a function finds it, and clients made for no other test."""
    for name, value in {**aws.CREDENTIALS, "AWS_DEFAULT_REGION": aws.REGION}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    for client in CLIENTS:
        client.cache_clear()
    yield
    for client in CLIENTS:
        client.cache_clear()


def parts(**environment: str) -> Parts:
    return Parts(settings.read(environment))


class TestWhatIsChosen:
    def test_without_settings_is_one_sqlite_file_for_cases_and_queues(self, tmp_path: Path) -> None:
        own = parts(DATA_DIR=str(tmp_path))
        assert isinstance(own.store, SqliteCases)
        assert all(isinstance(getattr(own, name), SqliteQueue) for name in QUEUES)
        assert [path.name for path in tmp_path.glob("*.sqlite")] == ["bot.sqlite"]

    @pytest.mark.usefixtures("account")
    def test_with_the_five_names_of_aws_is_dynamodb_and_sqs(self) -> None:
        own = parts(**AWS)
        assert isinstance(own.store, DynamoCases)
        assert all(isinstance(getattr(own, name), SqsQueue) for name in QUEUES)

    @pytest.mark.usefixtures("account")
    def test_is_the_embedded_model_or_the_endpoint(self) -> None:
        endpoint = parts(SAGEMAKER_ENDPOINT="slugify", NORMALIZER="emoji-1").classifier
        assert isinstance(endpoint, SparedClassifier)
        assert (endpoint.model, endpoint.normalizer) == ("slugify", "emoji-1")
        embedded = parts(SAGEMAKER_ENDPOINT="slugify", CLASSIFIER="embedded").classifier
        assert isinstance(embedded, EmbeddedClassifier)

    def test_for_slack_and_x_is_nobody_without_their_keys(self, tmp_path: Path) -> None:
        own = parts(DATA_DIR=str(tmp_path))
        assert (own.slack, own.x) == (None, None)
        assert own.card_courier.outlets == {"card": None, "update": None, "line": None}
        assert own.reply_courier.outlets == {"reply": None}
        with pytest.raises(Misconfigured, match="SLACK_BOT_TOKEN"):
            own.slack_app  # noqa: B018

    def test_for_slack_and_x_are_their_clients_with_their_keys(self, tmp_path: Path) -> None:
        own = parts(DATA_DIR=str(tmp_path), **SLACK, **X, X_USER_ID="1")
        assert isinstance(own.card_courier.outlets["card"], CardOutlet)
        assert isinstance(own.card_courier.outlets["update"], UpdateOutlet)
        assert isinstance(own.card_courier.outlets["line"], LineOutlet)
        assert own.card_courier.workers == {"cards": own.cards}, "what follows a line goes at once"
        assert own.reply_courier.outlets == {"reply": own.x}
        assert own.x
        assert own.x.account_id() == "1"
        assert own.slack_app.name == "tweet-escalator"

    def test_names_each_queue(self, tmp_path: Path) -> None:
        own = parts(DATA_DIR=str(tmp_path))
        assert own.queues == {name: getattr(own, name) for name in QUEUES}

    def test_for_the_console_is_the_file_that_holds_the_cases(self, tmp_path: Path) -> None:
        own = parts(DATA_DIR=str(tmp_path))
        made = case()
        own.store.add([made])
        assert own.overview.newest("channel", 1) == [made]

    @pytest.mark.usefixtures("account")
    def test_for_the_console_is_nothing_where_cases_lie_on_aws(self) -> None:
        with pytest.raises(Misconfigured, match=r"use Slack, or `python -m bot cases`\.$"):
            parts(**AWS).overview  # noqa: B018

    def test_is_made_once(self, tmp_path: Path) -> None:
        own = parts(DATA_DIR=str(tmp_path), **SLACK, **X)
        for name in ("store", "classifier", "desk", "agents", "overview", "slack", "x", *QUEUES):
            assert getattr(own, name) is getattr(own, name)
        again = parts(DATA_DIR=str(tmp_path))
        assert again.classifier is own.classifier, "a model is loaded once for all environments"


class TestCards:
    @pytest.mark.parametrize(
        ("environment", "queued"),
        [({}, False), (SLACK, True), (AWS, True)],
        ids=["shown by the console", "sent to Slack", "kept until Slack's keys come"],
    )
    def test_are_queued_where_slack_is_the_channel(
        self, environment: Mapping[str, str], queued: bool
    ) -> None:
        assert parts(**environment).channels.cards_queued is queued


def test_a_post_for_a_person_is_decided_without_the_texts_of_answers(tmp_path: Path) -> None:
    own = parts(DATA_DIR=str(tmp_path), **SLACK)
    arrival = Arrival(Tweet("1", "I am angry, call a lawyer", "1"), NOON)
    triage([arrival], own.desk, own.store, own.workers, NOON)
    [found] = own.store.newest()
    assert (found.route, found.remind_at is None) == ("escalate", False)
    assert "reply_texts" not in vars(own)


class TestAFileThatIsWrong:
    @pytest.mark.parametrize(
        ("name", "content", "sentence"),
        [
            ("RULES_PATH", None, r"There is no file .*own\.toml: see RULES_PATH"),
            ("REPLIES_PATH", b"[[", r"own\.toml is not TOML: "),
            ("RULES_PATH", b"\xff", r"own\.toml is not TOML: "),
        ],
    )
    def test_stops_the_start_with_a_sentence(
        self, tmp_path: Path, name: str, content: bytes | None, sentence: str
    ) -> None:
        path = tmp_path / "own.toml"
        if content is not None:
            path.write_bytes(content)
        own = parts(DATA_DIR=str(tmp_path), **{name: str(path)})
        with pytest.raises(Misconfigured, match=sentence):
            own.desk, own.reply_texts  # noqa: B018


class TestTheAccount:
    OWN = Tweet("1", "@77 hi", "1", Author(id="77"), kind="mention", mentions=frozenset({"77"}))

    def test_is_never_answered_once_polling_has_noted_who_it_is(self, tmp_path: Path) -> None:
        own = parts(DATA_DIR=str(tmp_path))
        assert own.desk.may_reply(self.OWN, NOON, NOON) is None
        own.store.set_note(ACCOUNT, "77")
        refusal = own.desk.may_reply(self.OWN, NOON, NOON)
        assert refusal == "The account does not answer itself."

    def test_may_become_another_while_the_process_lives(self, tmp_path: Path) -> None:
        clock = Clock()
        own = Parts(settings.read({"DATA_DIR": str(tmp_path)}), clock)
        own.store.set_note(ACCOUNT, "77")
        assert own.desk.may_reply(self.OWN, NOON, NOON) == "The account does not answer itself."
        own.store.set_note(ACCOUNT, "78")
        clock.wait(61)
        assert "does not mention the account" in (own.desk.may_reply(self.OWN, NOON, NOON) or "")

    def test_is_the_one_that_was_set_whatever_was_noted(self, tmp_path: Path) -> None:
        own = parts(DATA_DIR=str(tmp_path), X_USER_ID="77")
        own.store.set_note(ACCOUNT, "78")
        refusal = own.desk.may_reply(self.OWN, NOON, NOON)
        assert refusal == "The account does not answer itself."


class TestAPostThatAsksToBeLeftAlone:
    STOP = Tweet(
        "1",
        "@77 please stop",
        "1",
        Author("5", "mira"),
        kind="mention",
        mentions=frozenset({"77"}),
        created_at=NOON,
        source="webhook",
        answer=True,
    )

    def test_is_heeded_when_it_is_decided_and_not_answered(self, tmp_path: Path) -> None:
        own = parts(DATA_DIR=str(tmp_path), X_USER_ID="77")
        assert own.desk.may_reply(self.STOP, NOON, NOON) == STOPPED
        own.desk.heed([self.STOP], NOON)
        assert set(own.store.notes(names(self.STOP.author))) == {"opted-out-5", "opted-out-@mira"}


class TestWhomTheRulesLeaveUnanswered:
    def test_is_nobody_by_default_and_whoever_is_listed(self, tmp_path: Path) -> None:
        rules = tmp_path / "rules.toml"
        rules.write_text('unanswered = ["@Mira"]', "utf-8")
        own = parts(DATA_DIR=str(tmp_path), X_USER_ID="77", RULES_PATH=str(rules))
        post = replace(TestAPostThatAsksToBeLeftAlone.STOP, text="@77 hello")
        assert "on the list" in (own.desk.may_reply(post, NOON, NOON) or "")
        assert (
            parts(DATA_DIR=str(tmp_path), X_USER_ID="77").desk.may_reply(post, NOON, NOON) is None
        )


class TestWhatAgentsMaySay:
    MENTION = Tweet(
        "1", "@77 hi", "1", Author("5"), kind="mention", mentions=frozenset({"77"}), answer=True
    )

    def refusal(self, folder: Path, tweet: Tweet, text: str = "Sorry, we call you.") -> str | None:
        own = parts(DATA_DIR=str(folder), X_USER_ID="77")
        own.store.add([case(tweet=tweet)])
        try:
            own.agents.act(Deed("reply", tweet.root_id, "console", text))
        except Refused as refusal:
            return str(refusal)
        return None

    def test_is_any_short_text_to_a_post_that_mentions_the_account(self, tmp_path: Path) -> None:
        assert self.refusal(tmp_path, self.MENTION) is None
        assert self.refusal(tmp_path / "2", replace(self.MENTION, sensitive=True)) is None

    @pytest.mark.parametrize(
        ("text", "says"),
        [("", "empty"), ("x" * 281, "shorten"), ("See https://harbor.example", "a link")],
    )
    def test_is_no_empty_long_or_linking_text(self, tmp_path: Path, text: str, says: str) -> None:
        assert says in (self.refusal(tmp_path, self.MENTION, text) or "")

    def test_is_nothing_to_a_post_that_x_takes_no_answer_to(self, tmp_path: Path) -> None:
        unasked = replace(self.MENTION, mentions=frozenset({"9"}))
        assert "does not mention the account" in (self.refusal(tmp_path, unasked) or "")

    def test_is_anything_to_a_post_whose_answer_stays_here(self, tmp_path: Path) -> None:
        unasked = replace(self.MENTION, mentions=frozenset(), answer=False)
        assert self.refusal(tmp_path, unasked) is None


class TestHosting:
    def test_gives_the_host_s_parts_within_and_only_there(self, tmp_path: Path) -> None:
        own = parts(DATA_DIR=str(tmp_path))
        with process.hosting(own):
            assert process.parts() is own
            other = parts(DATA_DIR=str(tmp_path), PORT="1")
            with process.hosting(other):
                assert process.parts() is other
            assert process.parts() is own


class Hours:
    """In place of `bot.process`'s `time`: it goes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def perf_counter(self) -> float:
        return self.seconds


@pytest.fixture
def hours(monkeypatch: pytest.MonkeyPatch) -> Hours:
    passing = Hours()
    monkeypatch.setattr(process, "time", passing)
    monkeypatch.setattr(process, "_own", {})
    return passing


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with aws.moto_server() as url:
        yield url


@pytest.fixture
def manager(moto: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Secrets Manager with one secret, of which the environment knows."""
    aws.reset(moto)
    manager = aws.client("secretsmanager", moto)
    manager.create_secret(Name="slack", SecretString=json.dumps(SLACK))
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("SLACK_SECRET_ID", "slack")
    return manager


@pytest.mark.usefixtures("account", "manager", "hours")
class TestSecrets:
    def put(self, manager: Any, content: str) -> None:
        manager.put_secret_value(SecretId="slack", SecretString=content)

    def test_are_read_as_settings(self) -> None:
        assert process.parts().settings.slack == settings.Slack(*SLACK.values())

    def test_are_read_again_after_five_minutes(self, manager: Any, hours: Hours) -> None:
        before = process.parts()
        self.put(manager, json.dumps({**SLACK, "SLACK_BOT_TOKEN": "xoxb-new"}))
        hours.seconds = SECRETS_READ_AGAIN
        assert process.parts() is before
        hours.seconds += 1
        slack = process.parts().settings.slack
        assert slack
        assert slack.bot_token == "xoxb-new"

    def test_that_say_the_same_keep_the_parts(self, manager: Any, hours: Hours) -> None:
        before = process.parts()
        hours.seconds = SECRETS_READ_AGAIN + 1
        assert process.parts() is before
        self.put(manager, "{}")
        assert process.parts() is before, "it was read a moment ago"

    def test_stay_in_use_while_they_cannot_be_read(self, manager: Any, hours: Hours) -> None:
        before = process.parts()
        manager.delete_secret(SecretId="slack", ForceDeleteWithoutRecovery=True)
        hours.seconds = SECRETS_READ_AGAIN + 1
        assert process.parts() is before

    def test_that_were_never_read_may_be_read_later(self, manager: Any) -> None:
        manager.delete_secret(SecretId="slack", ForceDeleteWithoutRecovery=True)
        with pytest.raises(Retryable, match="The secret slack could not be read"):
            process.parts()

    @pytest.mark.parametrize("content", ["xoxb-token", "[]", "null", '"text"'])
    def test_that_are_no_json_object_count_as_empty_and_are_not_shown(
        self, manager: Any, content: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.put(manager, content)
        assert process.parts().settings.slack is None
        assert "must be a JSON object" in caplog.text
        assert "xoxb-token" not in caplog.text

    def test_that_become_illegible_leave_those_read_before_in_use(
        self, manager: Any, hours: Hours
    ) -> None:
        before = process.parts()
        self.put(manager, "xoxb-token")
        hours.seconds = SECRETS_READ_AGAIN + 1
        assert process.parts() is before

    def test_set_nothing_but_the_keys_that_belong_there(self, manager: Any) -> None:
        self.put(manager, json.dumps({**SLACK, "CASES_TABLE": "mine", "API_PASSWORD": "mine"}))
        chosen = process.parts().settings
        assert (chosen.aws, chosen.api_password) == (None, None)
        assert chosen.slack

    def test_have_keys_that_are_null_until_somebody_sets_them(self, manager: Any) -> None:
        self.put(manager, json.dumps({**SLACK, "SLACK_BOT_TOKEN": None}))
        assert process.parts().settings.slack is None

    def test_that_are_half_filled_are_told_of_once_and_not_by_their_values(
        self, manager: Any, hours: Hours, caplog: pytest.LogCaptureFixture
    ) -> None:
        self.put(manager, json.dumps({"SLACK_BOT_TOKEN": "xoxb-token"}))
        process.parts()
        hours.seconds = SECRETS_READ_AGAIN + 1
        process.parts()
        [told] = caplog.messages
        assert told.startswith("SLACK_BOT_TOKEN set but SLACK_SIGNING_SECRET, ")
        assert "xoxb-token" not in told


@pytest.mark.usefixtures("account", "manager", "hours")
class TestSomebodyWhoIsTurnedAway:
    """The signing secret stands for whatever a request is verified by."""

    def put(self, manager: Any, signing_secret: str) -> None:
        content = json.dumps({**SLACK, "SLACK_SIGNING_SECRET": signing_secret})
        manager.put_secret_value(SecretId="slack", SecretString=content)

    def ask(self, signed_with: str) -> int:
        def answer(own: Parts) -> Answer:
            if own.settings.slack is None:
                raise Misconfigured(["Slack is not connected."])
            return Answer(200 if own.settings.slack.signing_secret == signed_with else 401)

        return process.answered(answer).status

    def test_by_an_old_key_is_let_in_by_the_new_one(self, manager: Any, hours: Hours) -> None:
        assert self.ask("signing-secret") == 200
        self.put(manager, "new")
        hours.seconds = SECRETS_DOUBTED + 1
        assert self.ask("new") == 200
        assert self.ask("signing-secret") == 401

    def test_makes_us_read_the_keys_twice_a_minute_at_most(
        self, hours: Hours, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reads = list[float]()

        def read(*_: Any) -> secrets.Contents:
            reads.append(hours.seconds)
            return secrets.Contents(SLACK, NOON)

        monkeypatch.setattr(secrets, "read", read)
        for second in range(61):
            hours.seconds = second
            assert self.ask("forged") == 401
        assert reads == [0, 31]

    def test_for_want_of_keys_is_let_in_once_they_are_there(
        self, manager: Any, hours: Hours
    ) -> None:
        manager.put_secret_value(SecretId="slack", SecretString="{}")
        with pytest.raises(Misconfigured):
            self.ask("signing-secret")
        manager.put_secret_value(SecretId="slack", SecretString=json.dumps(SLACK))
        hours.seconds = SECRETS_DOUBTED + 1
        assert self.ask("signing-secret") == 200

    def test_stays_so_while_the_keys_cannot_be_read_anew(self, manager: Any, hours: Hours) -> None:
        assert self.ask("signing-secret") == 200
        manager.delete_secret(SecretId="slack", ForceDeleteWithoutRecovery=True)
        hours.seconds = SECRETS_DOUBTED + 1
        assert self.ask("forged") == 401


@pytest.mark.usefixtures("account", "manager", "hours")
@pytest.mark.parametrize("failed", [True, False])
def test_what_failed_is_tried_again_by_keys_read_anew(
    manager: Any, hours: Hours, failed: bool
) -> None:
    before = process.parts()
    changed = json.dumps({**SLACK, "SLACK_BOT_TOKEN": "xoxb-new"})
    manager.put_secret_value(SecretId="slack", SecretString=changed)
    hours.seconds = SECRETS_DOUBTED + 1
    answer = {"batchItemFailures": [{"itemIdentifier": "1"}] if failed else []}
    assert process.doubting(answer) is answer
    assert (process.parts() is before) is not failed
