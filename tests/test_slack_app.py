"""What Slack sends to the bot, through the functions that take it, as API Gateway delivers it."""

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.cases import Case, Effect
from bot.errors import Permanent, Retryable
from bot.local.events import sqs_event
from bot.ports import Outgoing
from bot.wiring import Parts, hosting
from handlers import slack as function
from handlers import slack_actions
from tests.examples import ANGRY, archive, case, parts
from tests.fakes import WordClassifier
from tests.standins.gateway import http_event
from tests.standins.slack import SlackStandin
from tests.standins.slack_requests import FORM, Delivery

MESSAGE = {"ts": "1.2", "channel": "C0SUPPORT"}


@pytest.fixture(scope="module")
def slack() -> Iterator[SlackStandin]:
    with SlackStandin() as standin:
        yield standin


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archive(tmp_path_factory.mktemp("model"))


@pytest.fixture
def bot(slack: SlackStandin, model: Path, tmp_path: Path) -> Parts:
    slack.heal()
    slack.responses.clear()
    return parts(
        tmp_path,
        MODEL_PATH=str(model),
        SLACK_BOT_TOKEN=slack.bot_token,
        SLACK_SIGNING_SECRET=slack.signing_secret,
        SLACK_SUPPORT_CHANNEL=slack.channel,
        SLACK_API_URL=slack.api_url,
    )


def event(delivery: Delivery, **changes: Any) -> dict[str, Any]:
    headers, body = delivery
    route = "POST /slack/events"
    return {**http_event("POST", "/slack/events", headers, body, route=route), **changes}


def told(bot: Parts, happening: dict[str, Any]) -> dict[str, Any]:
    with hosting(bot):
        return function.handler(happening, None)


def queued(bot: Parts) -> list[dict[str, Any]]:
    return [json.loads(message.body) for message in bot.actions.receive(10)]


def works(bot: Parts) -> dict[str, Any]:
    """The worker takes what is queued; what it returns are the messages that come again."""
    received = bot.actions.receive(10)
    with hosting(bot):
        answer = slack_actions.handler(sqs_event(received, "actions"), None)
    failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
    bot.actions.delete([message.receipt for message in received if message.id not in failed])
    return answer


class TestWhoGetsIn:
    @pytest.mark.parametrize(
        "changed",
        [
            {"x-slack-signature": "v0=" + "0" * 64},
            {"x-slack-signature": "v0=é"},
            {"x-slack-signature": ""},
            {"x-slack-request-timestamp": "noon"},
            {"x-slack-request-timestamp": "1.5"},
            {"x-slack-request-timestamp": "-1"},
            {"x-slack-request-timestamp": "²"},
            {"x-slack-request-timestamp": "9" * 5_000},
            {"x-slack-request-timestamp": ""},
            {"x-slack-request-timestamp": "0"},
        ],
    )
    def test_nobody_whose_signature_does_not_fit(
        self, slack: SlackStandin, bot: Parts, changed: dict[str, str]
    ) -> None:
        headers, body = slack.command("I am angry")
        assert told(bot, event(({**headers, **changed}, body)))["statusCode"] == 401
        assert queued(bot) == []

    def test_nobody_who_does_not_sign(self, slack: SlackStandin, bot: Parts) -> None:
        _, body = slack.command("I am angry")
        assert told(bot, event(({"content-type": FORM}, body)))["statusCode"] == 401
        assert queued(bot) == []

    @pytest.mark.parametrize("seconds", [-301, 302])
    def test_nobody_whose_request_is_from_another_time(
        self, slack: SlackStandin, bot: Parts, seconds: float
    ) -> None:
        replayed = slack.command("I am angry", now=time.time() + seconds)
        assert told(bot, event(replayed))["statusCode"] == 401
        assert queued(bot) == []

    def test_nobody_who_changed_the_body(self, slack: SlackStandin, bot: Parts) -> None:
        headers, body = slack.button("resolve", "1", MESSAGE)
        assert told(bot, event((headers, body + b"&x=1")))["statusCode"] == 401

    def test_slack_itself_when_it_looks_at_the_certificate(
        self, slack: SlackStandin, bot: Parts
    ) -> None:
        assert told(bot, event(slack.ssl_check()))["statusCode"] == 200

    def test_slack_itself_when_it_asks_whether_the_address_is_ours(
        self, slack: SlackStandin, bot: Parts
    ) -> None:
        answer = told(bot, event(slack.url_verification("a-challenge")))
        assert (answer["statusCode"], json.loads(answer["body"])) == (
            200,
            {"challenge": "a-challenge"},
        )


class TestOddRequests:
    @pytest.mark.parametrize("missing", [{"headers": None}, {"headers": {}}, {"body": None}])
    def test_without_headers_or_body_are_refused(
        self, slack: SlackStandin, bot: Parts, missing: dict[str, Any]
    ) -> None:
        assert told(bot, event(slack.command("hi"), **missing))["statusCode"] in {400, 401}

    def test_may_lack_the_word_on_their_encoding(self, slack: SlackStandin, bot: Parts) -> None:
        happening = event(slack.url_verification("plain"))
        del happening["isBase64Encoded"]
        assert told(bot, happening)["statusCode"] == 200

    def test_may_come_in_base64_or_not(self, slack: SlackStandin, bot: Parts) -> None:
        headers, body = slack.command("wütend 😡")
        encoded = event((headers, body))
        assert encoded["isBase64Encoded"]
        plain = {
            **encoded,
            "isBase64Encoded": False,
            "body": base64.b64decode(body and encoded["body"]).decode(),
        }
        for happening in (encoded, plain):
            assert told(bot, happening)["statusCode"] == 200
        assert [action["text"] for action in queued(bot)] == ["wütend 😡"] * 2

    @pytest.mark.parametrize(
        "body",
        [b"{", b"[]", b"5", b"null", b"{" * 5_000, b"payload=5", b"payload={", b"\xff\xfe",
         b'{"authorizations": 5}'],
    )  # fmt: skip
    @pytest.mark.parametrize("signed", [True, False])
    def test_with_a_body_slack_would_never_send_are_no_crash(
        self, slack: SlackStandin, bot: Parts, body: bytes, signed: bool
    ) -> None:
        headers, _ = slack.signed(body, "application/json")
        happening = event(({} if not signed else headers, b""))
        happening |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
        assert 400 <= told(bot, happening)["statusCode"] < 500
        assert queued(bot) == []

    @given(body=st.binary(max_size=200), headers=st.dictionaries(st.text(), st.text()))
    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    def test_of_any_kind_are_no_crash(
        self, bot: Parts, body: bytes, headers: dict[str, str]
    ) -> None:
        happening = event(({}, b""), headers=headers)
        happening |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
        assert told(bot, happening)["statusCode"] in {400, 401}


class TestCommands:
    def test_are_queued_and_acknowledged(self, slack: SlackStandin, bot: Parts) -> None:
        answer = told(bot, event(slack.command(f"  {ANGRY} ")))
        assert (answer["statusCode"], answer["body"]) == (200, "")
        [response] = slack.responses
        assert queued(bot) == [
            {"do": "classify", "text": ANGRY, "response_url": f"{slack.url}/response/{response}"}
        ]

    @pytest.mark.parametrize("text", ["", "   "])
    def test_without_a_text_are_told_what_to_type(
        self, slack: SlackStandin, bot: Parts, text: str
    ) -> None:
        answer = told(bot, event(slack.command(text)))
        assert answer["statusCode"] == 200
        assert "/classify I am very angry" in answer["body"]
        assert queued(bot) == []

    def test_that_could_not_be_queued_are_not_acknowledged(
        self, slack: SlackStandin, bot: Parts
    ) -> None:
        class Full:
            def send(self, messages: list[Outgoing]) -> None:
                raise Retryable(f"{len(messages)} messages could not be queued.")

        bot.actions = Full()  # type: ignore[assignment]
        assert told(bot, event(slack.command("hi")))["statusCode"] == 500

    def test_are_answered_where_only_their_caller_sees_it(
        self, slack: SlackStandin, bot: Parts
    ) -> None:
        told(bot, event(slack.command(ANGRY)))
        assert works(bot) == {"batchItemFailures": []}
        [[answer]] = slack.responses.values()
        assert answer["response_type"] == "ephemeral"
        assert answer["text"].startswith("Escalate: yes")
        assert bot.actions.depth() == (0, 0)

    def test_that_the_classifier_refuses_for_good_are_told_so(
        self, slack: SlackStandin, bot: Parts
    ) -> None:
        refusing = WordClassifier(failures=[Permanent("The model cannot read it.")])
        bot.classifier = refusing
        told(bot, event(slack.command(ANGRY)))
        assert works(bot) == {"batchItemFailures": []}
        [[answer]] = slack.responses.values()
        assert answer["text"] == "It could not be judged. The model cannot read it."


class TestButtons:
    @pytest.fixture
    def shown(self, bot: Parts) -> Case:
        made = case(effects=(Effect("card", "sent", outside_id="1.2"),))
        bot.store.add([made])
        return made

    @pytest.mark.parametrize("deed", ["claim", "resolve"])
    def test_are_queued_with_who_pressed_them(
        self, slack: SlackStandin, bot: Parts, deed: str
    ) -> None:
        answer = told(bot, event(slack.button(deed, "19", MESSAGE, user="U0MARA")))
        assert answer["statusCode"] == 200
        [action] = queued(bot)
        assert action.pop("response_url").startswith(slack.url)
        assert action == {"do": deed, "case": "19", "who": "U0MARA"}

    def test_that_open_a_page_are_acknowledged_and_ask_nothing(
        self, slack: SlackStandin, bot: Parts
    ) -> None:
        assert told(bot, event(slack.button("open", "19", MESSAGE)))["statusCode"] == 200
        assert queued(bot) == []

    def test_of_an_older_release_are_no_crash(self, slack: SlackStandin, bot: Parts) -> None:
        assert told(bot, event(slack.button("dance", "19", MESSAGE)))["statusCode"] == 404
        assert queued(bot) == []

    @pytest.mark.parametrize(
        ("deed", "assignee", "resolved"), [("claim", "U0MARA", False), ("resolve", None, True)]
    )
    def test_change_the_case_and_have_its_card_drawn_anew_once(
        self,
        slack: SlackStandin,
        bot: Parts,
        shown: Case,
        deed: str,
        assignee: str | None,
        resolved: bool,
    ) -> None:
        for _ in ("once", "delivered again"):
            told(bot, event(slack.button(deed, shown.id, MESSAGE, user="U0MARA")))
            assert works(bot) == {"batchItemFailures": []}
        changed = bot.store.get([shown.id])[shown.id]
        assert (changed.assignee, changed.resolved) == (assignee, resolved)
        assert [entry.who for entry in changed.history] == ["U0MARA"]
        [task] = [json.loads(message.body) for message in bot.cards.receive(10)]
        assert task == {"case": shown.id, "effect": "update", "attempt": 1}

    def test_know_no_answer_without_its_text(self, bot: Parts, shown: Case) -> None:
        bot.actions.send([Outgoing(json.dumps({"do": "reply", "case": shown.id, "who": "U0"}))])
        assert len(works(bot)["batchItemFailures"]) == 1
        assert bot.store.get([shown.id])[shown.id] == shown

    def test_on_a_card_whose_case_is_gone_tell_the_one_who_pressed(
        self, slack: SlackStandin, bot: Parts
    ) -> None:
        told(bot, event(slack.button("claim", "404", MESSAGE)))
        assert works(bot) == {"batchItemFailures": []}
        [[answer]] = slack.responses.values()
        assert "no longer here" in answer["text"]

    @pytest.mark.parametrize(
        "body",
        ["", "[]", "5", '{"do": "classify"}', '{"do": "claim", "case": 5, "who": "U"}',
         '{"do": "dance", "case": "1", "who": "U"}'],
    )  # fmt: skip
    def test_whose_message_makes_no_sense_end_among_the_dead_letters_alone(
        self, slack: SlackStandin, bot: Parts, shown: Case, body: str
    ) -> None:
        bot.actions.send([Outgoing(body)])
        told(bot, event(slack.button("claim", shown.id, MESSAGE)))
        assert len(works(bot)["batchItemFailures"]) == 1
        assert bot.store.get([shown.id])[shown.id].assignee == "U0AGENT"
