"""Cards in the channel and answers to commands, over Slack's stand-in."""

import logging
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
from slack_sdk import WebClient

from bot.cases import Case, Effect, State
from bot.delivery import Task
from bot.errors import Failure, Permanent, Refused, Retryable, Unknown
from bot.slack import client
from bot.slack.client import CardOutlet, UpdateOutlet, answer, connect, failure_of, whoami
from tests.examples import NOON, case, parts
from tests.standins.server import Fault
from tests.standins.slack import SlackStandin, rate_limited, refused

CARD = Effect("card", "sending")
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def slack() -> Iterator[SlackStandin]:
    with SlackStandin(clock=NOON.timestamp) as standin:
        yield standin


@pytest.fixture
def web(slack: SlackStandin) -> WebClient:
    return connect(slack.bot_token, slack.api_url)


@pytest.fixture
def cards(slack: SlackStandin, web: WebClient) -> CardOutlet:
    return CardOutlet(web, slack.channel, nobody)


def nobody(case_id: str) -> Case | None:  # noqa: ARG001
    """There is no other case."""
    return None


def carded(sent_as: str | None, state: State = "sent") -> Case:
    return case(effects=(Effect("card", state, outside_id=sent_as),))


def chatter(slack: SlackStandin, many: int) -> list[dict[str, Any]]:
    """What others say in the channel."""
    second = int(NOON.timestamp()) + 1
    said = {"type": "message", "user": "U0AGENT", "text": "coffee?", "channel": slack.channel}
    return [{**said, "ts": f"{second}.{number:06}"} for number in range(many)]


class TestCards:
    def test_are_posted_with_what_finds_them_again(
        self, slack: SlackStandin, cards: CardOutlet
    ) -> None:
        sent = cards.send(case(), CARD)
        [message] = slack.messages
        assert message["ts"] == sent
        assert message["metadata"] == {
            "event_type": "tweet_escalator_card",
            "event_payload": {"case": case().id},
        }
        assert (message["unfurl_links"], message["unfurl_media"]) == (False, False)

    def test_are_drawn_anew_in_place(
        self, slack: SlackStandin, cards: CardOutlet, web: WebClient
    ) -> None:
        sent = cards.send(case(), CARD)
        update = Effect("update", "sending")
        resolved = case(resolved=True, effects=(Effect("card", "sent", outside_id=sent),))
        assert UpdateOutlet(web, slack.channel, nobody).send(resolved, update) == sent
        [message] = slack.messages
        assert message["text"].startswith("Resolved.")
        assert UpdateOutlet(web, slack.channel, nobody).find(resolved, update) is None

    @pytest.mark.parametrize("changed", [case(), carded(None, "failed")])
    def test_are_not_drawn_anew_where_there_is_none(self, web: WebClient, changed: Case) -> None:
        with pytest.raises(Permanent, match="no card"):
            UpdateOutlet(web, "C0SUPPORT", nobody).send(changed, Effect("update", "sending"))

    def test_are_drawn_anew_later_where_they_are_still_on_their_way(self, web: WebClient) -> None:
        with pytest.raises(Retryable) as failed:
            UpdateOutlet(web, "C0SUPPORT", nobody).send(carded(None, "sending"), CARD)
        assert failed.value.after == 10


class TestLookingUp:
    def test_finds_a_card_whose_answer_was_lost(
        self, slack: SlackStandin, cards: CardOutlet
    ) -> None:
        slack.faults.append(Fault("lost"))
        with pytest.raises(Unknown):
            cards.send(case(), CARD)
        assert cards.find(case(), CARD) == slack.messages[0]["ts"]

    def test_finds_it_behind_pages_of_chatter(self, slack: SlackStandin, cards: CardOutlet) -> None:
        sent = cards.send(case(), CARD)
        slack.messages += chatter(slack, 450)
        assert cards.find(case(), CARD) == sent
        assert len(slack.calls("conversations.history")) == 3

    def test_stops_after_so_many_pages(self, slack: SlackStandin, cards: CardOutlet) -> None:
        slack.messages += chatter(slack, 1_200)
        assert cards.find(case(), CARD) is None
        assert len(slack.calls("conversations.history")) == client.PAGES

    @pytest.mark.parametrize(
        "metadata",
        [
            None,
            {},
            {"event_type": "tweet_escalator_card", "event_payload": {"case": "another"}},
            {"event_type": "another_app", "event_payload": {"case": case().id}},
        ],
    )
    def test_takes_no_other_message_for_it(
        self, slack: SlackStandin, cards: CardOutlet, metadata: object
    ) -> None:
        slack.messages += [{**chatter(slack, 1)[0], "metadata": metadata}]
        assert cards.find(case(), CARD) is None


class TestAThread:
    """The card of a post that goes on with a conversation whose first card is out."""

    @pytest.fixture
    def head(self, cards: CardOutlet) -> Case:
        return carded(cards.send(case(), CARD))

    @pytest.fixture
    def second(self) -> Case:
        return numbered("1985000000000000002", thread=case().id)

    @staticmethod
    def outlet(web: WebClient, head: Case | None) -> CardOutlet:
        return CardOutlet(web, "C0SUPPORT", {case().id: head}.get)

    def test_takes_the_card_and_tells_who_has_the_conversation(
        self, slack: SlackStandin, web: WebClient, head: Case, second: Case
    ) -> None:
        second = replace(second, assignee="U0AGENT")
        sent = self.outlet(web, head).send(second, CARD)
        [answered] = slack.thread(slack.messages[0]["ts"])
        assert answered["ts"] == sent
        assert answered["metadata"]["event_payload"] == {"case": second.id}
        assert mentions(answered) == ["U0AGENT"]
        assert "reply_broadcast" not in answered

    def test_takes_the_card_while_its_own_post_is_not_claimed(
        self, slack: SlackStandin, web: WebClient, head: Case, second: Case
    ) -> None:
        self.outlet(web, replace(head, assignee="U0AGENT")).send(second, CARD)
        assert mentions(slack.messages[1]) == ["U0AGENT"]

    @pytest.mark.parametrize(
        ("assignee", "hours", "threaded"),
        [(None, 24, True), (None, 25, False), ("U0AGENT", 25, True), ("console", 25, False)],
    )
    def test_of_an_old_card_is_joined_only_where_somebody_has_it(
        self,
        slack: SlackStandin,
        web: WebClient,
        head: Case,
        second: Case,
        assignee: str | None,
        hours: int,
        *,
        threaded: bool,
    ) -> None:
        later = replace(second, received_at=head.received_at + timedelta(hours=hours))
        self.outlet(web, replace(head, assignee=assignee)).send(later, CARD)
        assert ("thread_ts" in slack.messages[1]) is threaded

    def test_holds_the_card_as_it_is_drawn_anew(
        self, slack: SlackStandin, web: WebClient, head: Case, second: Case
    ) -> None:
        sent = self.outlet(web, head).send(second, CARD)
        second = replace(second, effects=(Effect("card", "sent", outside_id=sent),))
        update = UpdateOutlet(web, slack.channel, {head.id: replace(head, assignee="U0AGENT")}.get)
        update.send(second, Effect("update", "sending"))
        [drawn] = slack.thread(slack.messages[0]["ts"])
        assert mentions(drawn) == ["U0AGENT"]

    @pytest.mark.parametrize("state", ["pending", "sending", "unknown"])
    def test_is_waited_for(self, slack: SlackStandin, web: WebClient, state: State) -> None:
        waiting = numbered("1985000000000000002", thread=case().id)
        with pytest.raises(Retryable, match="still on its way") as failed:
            self.outlet(web, carded(None, state)).send(waiting, CARD)
        assert failed.value.after == 10
        assert slack.messages == []

    @pytest.mark.parametrize(
        "head",
        [
            None,
            case(),
            carded(None, "failed"),
            carded(None, "sent"),  # at the console
            carded("1985.000001", "sent"),
        ],
    )
    def test_that_is_not_there_leaves_the_card_to_the_channel(
        self, slack: SlackStandin, web: WebClient, second: Case, head: Case | None
    ) -> None:
        outlet = self.outlet(web, head)
        sent = outlet.send(second, CARD)
        [message] = slack.messages
        assert "thread_ts" not in message
        assert outlet.find(second, CARD) == sent

    @pytest.mark.parametrize("erased", [True, False])
    def test_of_a_post_that_was_erased_takes_no_more_and_of_a_resolved_one_does(
        self, slack: SlackStandin, web: WebClient, head: Case, second: Case, erased: bool
    ) -> None:
        self.outlet(web, replace(head, resolved=True, erased=erased)).send(second, CARD)
        assert len(slack.messages) == 2
        assert len(slack.thread(slack.messages[0]["ts"])) == (not erased)

    def test_of_a_damaged_record_leaves_the_card_to_the_channel(
        self, slack: SlackStandin, web: WebClient, second: Case
    ) -> None:
        def damaged(case_id: str) -> Case:
            raise Refused(f"The record of case {case_id} is damaged.")

        CardOutlet(web, slack.channel, damaged).send(second, CARD)
        [message] = slack.messages
        assert "thread_ts" not in message

    @pytest.mark.parametrize(
        "reason",
        [
            "cannot_reply_to_message",
            "restricted_action_thread_locked",
            "restricted_action_non_threadable_channel",
        ],
    )
    def test_that_takes_no_answer_leaves_the_card_to_the_channel(
        self, slack: SlackStandin, web: WebClient, head: Case, second: Case, reason: str
    ) -> None:
        slack.faults.append(refused(reason))
        outlet = self.outlet(web, head)
        sent = outlet.send(second, CARD)
        assert [message["ts"] for message in slack.messages if "thread_ts" not in message] == [
            slack.messages[0]["ts"],
            sent,
        ]
        assert outlet.find(second, CARD) == sent

    def test_is_looked_through_for_a_card_whose_answer_was_lost(
        self, slack: SlackStandin, web: WebClient, head: Case, second: Case
    ) -> None:
        outlet = self.outlet(web, head)
        assert outlet.find(second, CARD) is None
        slack.faults.append(Fault("lost"))
        with pytest.raises(Unknown):
            outlet.send(second, CARD)
        assert len(slack.messages) == 2
        assert outlet.find(second, CARD) == slack.messages[1]["ts"]
        gone = self.outlet(web, replace(head, erased=True))
        assert gone.find(second, CARD) == slack.messages[1]["ts"]

    def test_whose_first_card_somebody_deleted_is_looked_for_in_the_channel(
        self, slack: SlackStandin, web: WebClient, head: Case, second: Case
    ) -> None:
        slack.messages.clear()
        outlet = self.outlet(web, head)
        slack.faults.append(Fault("lost"))
        with pytest.raises(Unknown):
            outlet.send(second, CARD)
        assert outlet.find(second, CARD) == slack.messages[0]["ts"]

    def test_of_great_length_is_not_looked_through_forever(
        self, slack: SlackStandin, web: WebClient, head: Case, second: Case
    ) -> None:
        parent = slack.messages[0]["ts"]
        slack.messages += [{**said, "thread_ts": parent} for said in chatter(slack, 1_200)]
        assert self.outlet(web, head).find(second, CARD) is None
        assert len(slack.calls("conversations.replies")) == client.THREAD_PAGES
        calls = client.THREAD_PAGES + client.PAGES
        assert calls * client.SECONDS < 60


def test_a_card_that_overtakes_its_conversations_first_one_waits_and_joins_it(
    slack: SlackStandin, tmp_path: Path
) -> None:
    bot = parts(
        tmp_path,
        SLACK_BOT_TOKEN=slack.bot_token,
        SLACK_SIGNING_SECRET="secret",
        SLACK_SUPPORT_CHANNEL=slack.channel,
        SLACK_API_URL=slack.api_url,
    )
    pending = (Effect("card", "pending"),)
    first = numbered("101", effects=pending, assignee="U0AGENT")
    second = numbered("102", effects=pending, assignee="U0AGENT", thread="101")
    bot.store.add([first, second])
    waiting = bot.card_courier.deliver(Task("102", "card", 1))
    assert waiting
    assert waiting.due_at == NOON + timedelta(seconds=10)
    bot.card_courier.deliver(Task("101", "card", 1))
    bot.card_courier.deliver(Task("102", "card", 2))
    [head] = [message for message in slack.messages if "parent_user_id" not in message]
    assert head["metadata"]["event_payload"] == {"case": "101"}
    [answered] = slack.thread(head["ts"])
    assert answered["metadata"]["event_payload"] == {"case": "102"}
    assert mentions(answered) == ["U0AGENT"]


def numbered(case_id: str, **changes: Any) -> Case:
    made = case(**changes)
    return replace(made, tweet=replace(made.tweet, id=case_id, root_id=case_id))


def mentions(message: dict[str, Any]) -> list[str]:
    """The users whom a message mentions in blocks of ours."""
    return [
        element["user_id"]
        for block in message["blocks"]
        if block["type"] == "rich_text"
        for section in block["elements"]
        if section["type"] == "rich_text_section"
        for element in section["elements"]
        if element["type"] == "user"
    ]


FAILURES: list[tuple[Fault, type[Failure]]] = [
    (rate_limited(7), Retryable),
    (refused("ratelimited"), Retryable),
    (Fault("html", 429), Retryable),
    (Fault(status=503, body={"ok": False, "error": "service_unavailable"}), Retryable),
    (refused("channel_not_found"), Retryable),
    (refused("not_in_channel"), Retryable),
    (refused("invalid_auth"), Retryable),
    (refused("missing_scope"), Retryable),
    (refused("invalid_blocks"), Permanent),
    (refused("msg_too_long"), Permanent),
    (refused("internal_error"), Unknown),
    (Fault(status=500, body={"ok": False, "error": "whatever"}), Unknown),
    (Fault(status=500), Unknown),
    (Fault("html", 502), Unknown),
    (Fault("html", 503), Unknown),
    (Fault("html", 200, performs=True), Unknown),
    (Fault(status=200, body=b"", performs=True), Unknown),
    (Fault(status=200, body=b"null", headers=JSON, performs=True), Unknown),
    (Fault(status=200, body=b"[1]", headers=JSON, performs=True), Unknown),
    (Fault(status=200, body={"ok": True}, performs=True), Unknown),
    (Fault(status=200, body={"ok": False}), Unknown),
    (Fault(status=200, body=b'{"ok": t', headers={"Content-Length": "99"}), Unknown),
    (Fault("lost"), Unknown),
    (Fault("drop"), Unknown),
]


class TestFailures:
    @pytest.mark.parametrize(("fault", "kind"), FAILURES)
    def test_are_told_apart_and_nothing_is_posted_twice(
        self, slack: SlackStandin, cards: CardOutlet, fault: Fault, kind: type[Failure]
    ) -> None:
        slack.faults.append(fault)
        with pytest.raises(Failure) as failed:
            cards.send(case(), CARD)
        assert type(failed.value) is kind
        assert len(slack.calls("chat.postMessage")) == 1
        assert len(slack.messages) == (fault.performs or fault.kind == "lost")

    def test_bring_slacks_own_pause_with_them(self, slack: SlackStandin, cards: CardOutlet) -> None:
        slack.faults.append(rate_limited(7))
        with pytest.raises(Retryable) as failed:
            cards.send(case(), CARD)
        assert failed.value.after == 7

    def test_say_what_the_owner_must_mend_and_wait_for_it(
        self, slack: SlackStandin, cards: CardOutlet
    ) -> None:
        slack.faults.append(refused("not_in_channel"))
        with pytest.raises(Retryable, match="SLACK_SUPPORT_CHANNEL") as failed:
            cards.send(case(), CARD)
        assert failed.value.after == client.MEND

    def test_of_a_slow_slack_come_in_time(
        self, slack: SlackStandin, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(client, "SECONDS", 0.05)
        slack.faults.append(Fault("hang", performs=True))
        impatient = connect(slack.bot_token, slack.api_url)
        assert impatient.timeout == 0.05
        with pytest.raises(Unknown):
            CardOutlet(impatient, slack.channel, nobody).send(case(), CARD)

    def test_where_nobody_listens_surely_had_no_effect(self) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            nobody = connect("xoxb-x", f"http://127.0.0.1:{unused.getsockname()[1]}/api")
            with pytest.raises(Retryable, match="cannot be reached"):
                whoami(nobody)

    def test_of_an_unknown_name_surely_had_no_effect(self) -> None:
        assert isinstance(failure_of(URLError(socket.gaierror(-2, "unknown"))), Retryable)

    def test_of_our_own_making_are_no_failures_of_slack(self) -> None:
        with pytest.raises(ZeroDivisionError):
            failure_of(ZeroDivisionError())


class TestAnsweringACommand:
    @pytest.fixture
    def response_url(self, slack: SlackStandin) -> str:
        slack.command("hello")
        return f"{slack.url}/response/{next(reversed(slack.responses))}"

    def test_reaches_only_its_caller(self, slack: SlackStandin, response_url: str) -> None:
        answer(response_url, {"text": "Escalate: yes"})
        [[received]] = slack.responses.values()
        assert received == {"response_type": "ephemeral", "text": "Escalate: yes"}

    @pytest.mark.parametrize(
        ("fault", "kind"),
        [
            (Fault("html", 404), Permanent),
            (rate_limited(4), Retryable),
            (Fault("html", 502), Retryable),
            (Fault("drop"), Unknown),
            (Fault("lost"), Unknown),
        ],
    )
    def test_fails_in_one_of_three_ways(
        self, slack: SlackStandin, response_url: str, fault: Fault, kind: type[Failure]
    ) -> None:
        slack.faults.append(fault)
        with pytest.raises(Failure) as failed:
            answer(response_url, {"text": "Escalate: yes"})
        assert type(failed.value) is kind
        assert getattr(failed.value, "after", None) == (4 if fault.status == 429 else None)


def test_the_environments_proxy_is_left_aside_where_no_proxy_says_so(
    slack: SlackStandin, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert whoami(connect(slack.bot_token, slack.api_url)) == "escalator in Harbor Example"
    slack.command("hello")
    answer(f"{slack.url}/response/{next(reversed(slack.responses))}", {"text": "yes"})


def test_the_token_reaches_no_log_even_at_debug_level(
    slack: SlackStandin, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    web = connect(slack.bot_token, slack.api_url)
    slack.faults.append(refused("invalid_auth"))
    with pytest.raises(Retryable):
        whoami(web)
    CardOutlet(web, slack.channel, nobody).send(case(), CARD)
    assert "chat.postMessage" in caplog.text
    assert slack.bot_token not in caplog.text
