"""Cards, their updates and lines in the channel, over Slack's stand-in."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from slack_sdk import WebClient

from bot.cases import Case, Effect, Entry, State
from bot.delivery import Task
from bot.errors import Permanent, Refused, Retryable, Unknown
from bot.notices import Incident
from bot.slack import outlets
from bot.slack.client import SECONDS, Turns, connect
from bot.slack.outlets import (
    CardOutlet,
    Channel,
    LineOutlet,
    Place,
    UpdateOutlet,
    take_away,
)
from bot.slack.surroundings import Surroundings
from bot.triage import erase
from tests.examples import NOON, case, parts
from tests.fakes import Clock, MemoryCases
from tests.standins.server import Fault
from tests.standins.slack import SlackStandin, refused

CARD = Effect("card", "sending")


@pytest.fixture
def slack() -> Iterator[SlackStandin]:
    with SlackStandin(clock=NOON.timestamp) as standin:
        yield standin


@pytest.fixture
def web(slack: SlackStandin) -> WebClient:
    return connect(slack.bot_token, slack.api_url)


@pytest.fixture
def cards(web: WebClient) -> CardOutlet:
    return cards_in(web)


def channel(web: WebClient) -> Channel:
    clock = Clock()
    return Channel(web, "C0SUPPORT", Turns(clock, clock.wait, 0))


def nowhere() -> None:
    """Nobody knows where the channel is shown."""


def shown() -> str:
    """Where a browser shows the channel."""
    return "https://harbor.example/archives/C0SUPPORT"


def around(*others: Case | None) -> Surroundings:
    store = MemoryCases()
    store.add([other for other in others if other])
    return Surroundings(store, nowhere)


def cards_in(web: WebClient, *others: Case | None) -> CardOutlet:
    return CardOutlet(channel(web), around(*others))


def updates(web: WebClient, *others: Case | None) -> UpdateOutlet:
    return UpdateOutlet(channel(web), around(*others))


class Damaged(MemoryCases):
    """A store whose records nobody can read."""

    def get(self, ids: Sequence[str]) -> dict[str, Case]:
        raise Refused(f"The record of case {ids[0]} is damaged.")


def carded(sent_as: str | None, state: State = "sent") -> Case:
    due_at = NOON if state in {"pending", "unknown"} else None
    return case(effects=(Effect("card", state, due_at, outside_id=sent_as),))


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
        assert updates(web).send(resolved, update) == sent
        [message] = slack.messages
        assert message["text"].startswith("Resolved.")
        assert updates(web).find(resolved, update) is None

    @pytest.mark.parametrize("changed", [case(), carded(None, "failed")])
    def test_are_not_drawn_anew_where_there_is_none(self, web: WebClient, changed: Case) -> None:
        with pytest.raises(Permanent, match="no card"):
            updates(web).send(changed, Effect("update", "sending"))

    def test_are_drawn_anew_later_where_they_are_still_on_their_way(self, web: WebClient) -> None:
        with pytest.raises(Retryable) as failed:
            updates(web).send(carded(None, "sending"), CARD)
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
        assert len(slack.calls("conversations.history")) == outlets.PAGES

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
        return cards_in(web, head)

    def test_takes_the_card_and_tells_who_has_the_conversation(
        self, slack: SlackStandin, web: WebClient, head: Case, second: Case
    ) -> None:
        second = replace(second, assignee="U0AGENT")
        sent = self.outlet(web, head).send(second, CARD)
        [answered] = slack.thread(slack.messages[0]["ts"])
        assert Place.of(sent) == Place(answered["ts"], slack.messages[0]["ts"])
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
        update = updates(web, replace(head, assignee="U0AGENT"))
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
            carded("1985.000001", "sent"),  # somebody deleted it
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
        CardOutlet(channel(web), Surroundings(Damaged(), nowhere)).send(second, CARD)
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
        first, found = (message["ts"] for message in slack.messages)
        assert outlet.find(second, CARD) == str(Place(found, first))
        gone = self.outlet(web, replace(head, erased=True))
        assert gone.find(second, CARD) == str(Place(found, first))

    def test_whose_first_card_somebody_deleted_is_looked_for_in_the_channel(
        self, slack: SlackStandin, web: WebClient, head: Case, second: Case
    ) -> None:
        slack.messages.clear()
        outlet = self.outlet(web, head)
        slack.faults.append(Fault("lost"))
        with pytest.raises(Unknown):
            outlet.send(second, CARD)
        assert outlet.find(second, CARD) == slack.messages[0]["ts"]

    def test_of_great_length_is_looked_through_where_the_card_must_be(
        self, slack: SlackStandin, web: WebClient, head: Case, second: Case
    ) -> None:
        parent = slack.messages[0]["ts"]
        hour = int(NOON.timestamp()) - 3_600
        before = [{**said, "ts": f"{hour}.{n:06}"} for n, said in enumerate(chatter(slack, 900))]
        slack.messages[1:1] = [{**said, "thread_ts": parent} for said in before]
        outlet = self.outlet(web, head)
        slack.faults.append(Fault("lost"))
        with pytest.raises(Unknown):
            outlet.send(second, CARD)
        assert outlet.find(second, replace(CARD, begun_at=NOON))

    def test_of_great_length_is_not_looked_through_forever(
        self, slack: SlackStandin, web: WebClient, head: Case, second: Case
    ) -> None:
        parent = slack.messages[0]["ts"]
        slack.messages += [{**said, "thread_ts": parent} for said in chatter(slack, 1_200)]
        assert self.outlet(web, head).find(second, CARD) is None
        assert len(slack.calls("conversations.replies")) == outlets.THREAD_PAGES
        calls = outlets.THREAD_PAGES + outlets.PAGES
        assert calls * SECONDS < 60


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
    pending = (Effect("card", "pending", NOON),)
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


class TestLines:
    """What happens to a case, told in its card's thread."""

    SAID = Entry(NOON, "U0AGENT", "claimed it.")
    LINE = Effect("line", "sending", token="token-1", carries=1)

    @pytest.fixture
    def carried(self, cards: CardOutlet) -> Case:
        return replace(carded(cards.send(case(), CARD)), lines=(self.SAID,))

    def test_are_told_in_its_thread_and_nowhere_else(
        self, slack: SlackStandin, web: WebClient, carried: Case
    ) -> None:
        sent = LineOutlet(channel(web), shown).send(carried, self.LINE)
        [first, told] = slack.messages
        assert Place.of(sent) == Place(told["ts"], first["ts"])
        assert told["thread_ts"] == first["ts"]
        assert mentions(told) == ["U0AGENT"]
        assert "reply_broadcast" not in told

    def test_of_a_card_in_a_thread_stand_beside_it(
        self, slack: SlackStandin, web: WebClient, carried: Case
    ) -> None:
        root = slack.messages[0]["ts"]
        second = numbered("1985000000000000002", thread=case().id, lines=(self.SAID,))
        sent = cards_in(web, carried).send(second, CARD)
        second = replace(second, effects=(Effect("card", "sent", outside_id=sent),))
        LineOutlet(channel(web), shown).send(second, self.LINE)
        assert len(slack.thread(root)) == 2

    def test_whose_answer_was_lost_are_found_again_and_no_others_for_them(
        self, slack: SlackStandin, web: WebClient, carried: Case
    ) -> None:
        outlet = LineOutlet(channel(web), shown)
        assert outlet.find(carried, self.LINE) is None
        slack.faults.append(Fault("lost"))
        with pytest.raises(Unknown):
            outlet.send(carried, self.LINE)
        first, told = (message["ts"] for message in slack.messages)
        assert outlet.find(carried, self.LINE) == str(Place(told, first))
        assert outlet.find(carried, replace(self.LINE, token="token-2")) is None

    def test_wait_for_a_card_that_is_on_its_way(self, web: WebClient, carried: Case) -> None:
        waiting = replace(carried, effects=(Effect("card", "sending"),))
        with pytest.raises(Retryable):
            LineOutlet(channel(web), shown).send(waiting, self.LINE)


class TestAnIncident:
    """Its card's thread takes the cards that it collects."""

    @pytest.fixture
    def incident(self, cards: CardOutlet) -> Case:
        made = numbered("incident-20261101T120000", route="notice")
        made = replace(made, notice=Incident("burst", NOON))
        sent = cards.send(made, CARD)
        return replace(made, effects=(Effect("card", "sent", outside_id=sent),))

    def test_takes_single_cards_and_their_lines_into_its_thread(
        self, slack: SlackStandin, web: WebClient, incident: Case
    ) -> None:
        root = slack.messages[0]["ts"]
        single = numbered("7", incident=incident.id, lines=(TestLines.SAID,))
        sent = cards_in(web, incident).send(single, CARD)
        assert Place.of(sent).root == root
        single = replace(single, effects=(Effect("card", "sent", outside_id=sent),))
        LineOutlet(channel(web), shown).send(single, TestLines.LINE)
        [_, told] = slack.thread(root)
        assert f"{shown()}/p{Place.of(sent).ts.replace('.', '')}?thread_ts={root}" in str(told)
        assert cards_in(web, incident).find(single, CARD) == sent

    def test_holds_the_whole_conversation_of_a_card_in_it(
        self, slack: SlackStandin, web: WebClient, incident: Case
    ) -> None:
        root = slack.messages[0]["ts"]
        first = numbered("7", incident=incident.id)
        sent = cards_in(web, incident).send(first, CARD)
        first = replace(first, effects=(Effect("card", "sent", outside_id=sent),))
        cards_in(web, incident, first).send(numbered("8", thread="7"), CARD)
        assert len(slack.thread(root)) == 2

    def test_whose_card_is_on_its_way_is_waited_for(
        self, slack: SlackStandin, web: WebClient, incident: Case
    ) -> None:
        waiting = replace(incident, effects=(Effect("card", "pending", NOON),))
        with pytest.raises(Retryable, match="still on its way"):
            cards_in(web, waiting).send(numbered("7", incident=incident.id), CARD)
        assert len(slack.messages) == 1

    @pytest.mark.parametrize("state", ["pending", "unknown"])
    def test_whose_card_slack_refuses_leaves_single_cards_to_the_channel(
        self, slack: SlackStandin, web: WebClient, incident: Case, state: State
    ) -> None:
        stuck = replace(incident, effects=(Effect("card", state, problem="Archived."),))
        cards_in(web, stuck).send(numbered("7", incident=incident.id), CARD)
        assert "thread_ts" not in slack.messages[1]

    def test_shows_some_of_those_it_collected(
        self, slack: SlackStandin, web: WebClient, incident: Case
    ) -> None:
        members = [numbered(str(number), incident=incident.id) for number in range(1, 5)]
        gathered = Incident("burst", NOON, 4, ("1", "2", "3", "4"))
        drawn = replace(incident, notice=gathered)
        updates(web, *members).send(drawn, Effect("update", "sending"))
        assert "4 cases" in str(slack.messages[0]["blocks"])
        assert case().tweet.text in str(slack.messages[0]["blocks"])


class TestAConversation:
    """What was said before, on the card of its next post."""

    def test_is_shown_as_far_as_it_is_known(self, slack: SlackStandin, web: WebClient) -> None:
        reply = Effect("reply", "sent", text="Hello! Have you tried the app?")
        first = said("101", "Where is my parcel?", effects=(reply,))
        cards_in(web, first).send(said("102", "I tried. Nothing!", before="101"), CARD)
        shown = str(slack.messages[0]["blocks"])
        assert "Where is my parcel?" in shown
        assert "Have you tried the app?" in shown

    def test_shows_nothing_that_was_erased_or_came_later(
        self, slack: SlackStandin, web: WebClient
    ) -> None:
        gone = said("101", "Where is my parcel?", erased=True)
        later = said("103", "Never mind.")
        second = said("102", "I tried. Nothing!", before="101")
        second = replace(second, tweet=replace(second.tweet, quoted_id="103"))
        cards_in(web, gone, later).send(second, CARD)
        shown = str(slack.messages[0]["blocks"])
        assert "parcel" not in shown
        assert "Never mind" not in shown

    def test_loses_an_earlier_post_that_is_erased(
        self, slack: SlackStandin, web: WebClient
    ) -> None:
        store = MemoryCases()
        first, second = said("101", "Where is my parcel?"), said("102", "Hello?", before="101")
        store.add([first, second])
        beside = Surroundings(store, nowhere)
        sent = CardOutlet(channel(web), beside).send(second, CARD)
        out = (Effect("card", "sent", outside_id=sent),)
        store.change("102", lambda case: replace(case, effects=out))
        assert "parcel" in str(slack.messages)
        erase("101", store, NOON)
        drawn = store.get(["102"])["102"]
        update = drawn.effect("update")
        assert update
        UpdateOutlet(channel(web), beside).send(drawn, update)
        assert "parcel" not in str(slack.messages)


def said(case_id: str, text: str, before: str | None = None, **changes: Any) -> Case:
    made = numbered(case_id, **changes)
    tweet = replace(made.tweet, text=text, conversation_id=before or case_id, in_reply_to=before)
    return replace(made, tweet=tweet)


class TestTakingACardAway:
    def post(self, web: WebClient, cards: CardOutlet) -> Place:
        """A card with a line in its thread, and beside them another case's card."""
        card = cards.send(case(), CARD)
        told = case(
            effects=(Effect("card", "sent", outside_id=card),),
            lines=(Entry(NOON, "U0AGENT", "claimed it."),),
        )
        LineOutlet(channel(web), nowhere).send(told, Effect("line", "sending", token="t"))
        other = replace(case().tweet, id="2", root_id="2")
        cards.send(case(tweet=other), CARD)
        return Place.of(card)

    def test_takes_its_lines_along_and_nothing_else(
        self, slack: SlackStandin, web: WebClient, cards: CardOutlet
    ) -> None:
        place = self.post(web, cards)
        slack.messages.append({"ts": "1900000000.1", "user": "U1", "thread_ts": place.ts})
        take_away(channel(web), case(), place, NOON)
        payloads = [one.get("metadata", {}).get("event_payload") for one in slack.messages]
        assert payloads == [{"case": "2"}, None]

    def test_may_be_repeated(self, slack: SlackStandin, web: WebClient, cards: CardOutlet) -> None:
        place = self.post(web, cards)
        for _ in "twice":
            take_away(channel(web), case(), place, NOON)
        assert len(slack.messages) == 1

    def test_says_what_slack_says_against_it(
        self, slack: SlackStandin, web: WebClient, cards: CardOutlet
    ) -> None:
        place = self.post(web, cards)
        slack.faults.append(refused("cant_delete_message", "chat.delete"))
        with pytest.raises(Permanent, match="cant_delete_message"):
            take_away(channel(web), case(), place, NOON)


def test_a_message_has_an_address(slack: SlackStandin, web: WebClient, cards: CardOutlet) -> None:
    place = Place.of(cards.send(case(), CARD))
    shown_at = f"{slack.url}/archives/C0SUPPORT/p{place.ts.replace('.', '')}"
    assert channel(web).link(place.ts) == shown_at
