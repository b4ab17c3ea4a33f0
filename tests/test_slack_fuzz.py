"""A thousand requests of Slack's, each changed in one way: none is a crash."""

import copy
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from bot import cases, deeds
from bot.cases import Case, Effect
from bot.slack.app import ASKED
from bot.slack.looks.cards import BUTTONS, card
from bot.slack.looks.home import home_view
from bot.slack.looks.views import preview_view, reply_view
from tests.examples import NOON, case
from tests.standins.slack_requests import FORM, Delivery
from tests.test_cards import HOSTILE, tweeted
from tests.workspace import ADMIN, AGENT, OTHER, Workspace, event, workspace

REQUESTS = 1_000
SIGNATURE, TIMESTAMP = "x-slack-signature", "x-slack-request-timestamp"
ODD: tuple[Any, ...] = (
    *(None, True, 5, -1, "", "x", "\x00", "\ud800", "x" * 5_000),
    *([], {}, ["x"], {"id": 5}),
)
OUT = (Effect("card", "sent", outside_id="1730548800.000100"),)
MENTION = {"source": "webhook", "kind": "mention", "answer": True}
OPEN = tweeted(case(effects=OUT), id="1", root_id="1", **MENTION)
RESOLVED = deeds.resolved(tweeted(OPEN, id="2", root_id="2"), OTHER, NOON)
ERASED = cases.erased(tweeted(OPEN, id="3", root_id="3"), NOON)
GONE = tweeted(OPEN, id="4", root_id="4")
STANDING = (OPEN, RESOLVED, ERASED, GONE)
WORDS = (
    *("", "help", "status", "open", "open mine", "pause", "resume", "find", "find 1", "dance"),
    *("find @river_example", "threshold", "threshold 0.6", "threshold x", "\x00", *HOSTILE),
)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Workspace]:
    with workspace(tmp_path) as made:
        made.bot.store.add([OPEN, RESOLVED, ERASED])
        yield made


class Dice(Random):
    """Draws requests and what is wrong with them."""

    def who(self) -> str:
        return self.choice((AGENT, OTHER, ADMIN))

    def request(self, office: Workspace) -> Delivery:
        """Anything that somebody does, with a case that may be done, erased or gone."""
        kinds: tuple[Callable[[Workspace], Delivery], ...] = (
            self._command,
            self._press,
            self._press,
            self._under_an_answer,
            self._submission,
            self._home,
        )
        return self.choice(kinds)(office)

    def _command(self, office: Workspace) -> Delivery:
        command = self.choice(("/classify", "/triage", "/dance"))
        return office.typed(self.choice(WORDS), command, self.who())

    def _press(self, office: Workspace) -> Delivery:
        made, who = self.choice(STANDING), self.who()
        place = self.choice((self._message(office, OPEN), self._message(office, made)))
        button = self.choice((*BUTTONS, "open"))
        choice = self.choice(("relabel no", "snooze hour", "mute", "opt out", "dance"))
        if self.random() < 0.3:
            return office.slack.overflow(
                "more", choice, place, user=who, block_id=f"case {made.id}", now=time.time()
            )
        if self.random() < 0.3:
            place = {**home_view([OPEN], [], None, now=NOON, link=lambda _: None), "id": "V0"}
        return office.slack.button(button, made.id, place, user=who, now=time.time())

    def _message(self, office: Workspace, made: Case) -> dict[str, Any]:
        return {"ts": "1.2", "channel": office.slack.channel, "blocks": card(made)["blocks"]}

    def _under_an_answer(self, office: Workspace) -> Delivery:
        button = self.choice(ASKED)
        found = f'{{"case": "{self.choice(STANDING).id}", "find": "@river_example"}}'
        text = '{"text": "I am angry"}'
        value = self.choice((text, found, "0.6", "@river_example", "{", "2", ""))
        place = office.slack.ephemeral()
        return office.slack.button(button, value, place, user=self.who(), now=time.time())

    def _submission(self, office: Workspace) -> Delivery:
        made = self.choice((OPEN, RESOLVED, GONE))
        text = self.choice(("Sorry!", "", "x" * 300, "see example.com", *HOSTILE))
        if self.random() < 0.5:
            view = {**reply_view(OPEN, "Hello"), "id": "V1"}
            view["private_metadata"] = view["private_metadata"].replace(OPEN.id, made.id)
            return office.submitted(view, text, self.who())
        return office.submitted({**preview_view(made, "Sorry!"), "id": "V2"}, None, self.who())

    def _home(self, office: Workspace) -> Delivery:
        return office.looked_at_home(self.who(), retry=self.choice((0, 2)))

    # Changes after which the signature does not fit.

    def forged(self, office: Workspace, delivery: Delivery) -> dict[str, Any]:
        """The event of a request that was changed on its way."""
        headers, body = delivery
        headers = dict(headers)
        match self.randrange(8):
            case 0:
                body = self._flipped(body)
            case 1:
                digits = headers[SIGNATURE].removeprefix("v0=").encode()
                headers[SIGNATURE] = "v0=" + self._flipped(digits).decode("latin-1")
            case 2:
                del headers[self.choice((SIGNATURE, TIMESTAMP))]
            case 3:
                # A gateway joins headers that come twice.
                doubled = self.choice((SIGNATURE, TIMESTAMP))
                headers[doubled] = ",".join([headers[doubled]] * 2)
            case 4:
                seconds = self.choice((-301, 302, -86_400, 10**9))
                content_type = headers["content-type"]
                headers, body = office.slack.signed(body, content_type, time.time() + seconds)
            case 5:
                headers[TIMESTAMP] = self.choice(("", "noon", "1.5", "²", "9" * 99, "-0"))
            case 6:
                body = self._torn(body)
            case _:
                happening = event((headers, body), isBase64Encoded=True)
                return {**happening, "body": self._no_base64(happening["body"])}
        return event((headers, body))

    def _flipped(self, whole: bytes) -> bytes:
        at, bit = self.randrange(len(whole)), 1 << self.randrange(7)
        changed = whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :]
        return changed if changed.decode("utf-8", "ignore") else whole[::-1]

    def _torn(self, whole: bytes) -> bytes:
        at = self.randrange(1, len(whole))
        return self.choice((whole[:at], whole[at:], whole * 2))

    def _no_base64(self, body: str) -> str:
        at = self.randrange(len(body))
        return self.choice((body[:at] + "!" + body[at:], body[:-1], body[: at // 4 * 4]))

    # Changes that Slack signs.

    def odd(self, office: Workspace, delivery: Delivery) -> dict[str, Any]:
        """The event of a request that is odd in itself."""
        headers, body = delivery
        if self.random() < 0.2:
            happening = event((headers, body))
            cased = {self._cased(name): text for name, text in happening["headers"].items()}
            return {**happening, "headers": cased}
        if headers["content-type"] != FORM:
            changed = self._with_a_change(json.loads(body))
            body = json.dumps(changed).encode()
        else:
            fields: Any = dict(parse_qsl(body.decode(), keep_blank_values=True))
            if "payload" in fields:
                changed = self._with_a_change(json.loads(fields["payload"]))
                fields["payload"] = json.dumps(changed)
            else:
                changed = self._with_a_change(fields)
                fields = changed if isinstance(changed, dict) else {}
            encoded = {name: str(text).encode("utf-8", "replace") for name, text in fields.items()}
            body = urlencode(encoded).encode()
        return event(office.slack.signed(body, headers["content-type"], time.time()))

    def _cased(self, name: str) -> str:
        return "".join(self.choice((letter.upper(), letter)) for letter in name)

    def _with_a_change(self, content: Any) -> Any:
        content = copy.deepcopy(content)
        holder: Any = None
        node, name = content, None
        while isinstance(node, dict | list) and node and (holder is None or self.random() < 0.8):
            names = list(node) if isinstance(node, dict) else range(len(node))
            holder, name = node, self.choice(names)
            node = holder[name]
        if holder is None or self.random() < 0.02:
            return self.choice(ODD)
        if self.random() < 0.3:
            del holder[name]
        else:
            holder[name] = self.choice(ODD)
        return content


def test_a_thousand_changed_requests_are_no_crash_and_what_is_forged_asks_nothing(
    office: Workspace,
) -> None:
    answered: Counter[int] = Counter()
    for seed in range(REQUESTS):
        dice = Dice(seed)
        delivery = dice.request(office)
        before = office.bot.actions.depth()
        forged = seed % 2 == 0
        happening = (dice.forged if forged else dice.odd)(office, delivery)
        status = office.sees(happening)["statusCode"]
        assert status < 500, (seed, happening)
        answered[status] += 1
        if forged:
            assert status in {400, 401}, (seed, happening)
            assert office.bot.actions.depth() == before, (seed, happening)
    assert answered[200] > REQUESTS / 4, "most of the odd ones are still requests"
    assert office.bot.replies.depth() == (0, 0)
    assert office.works() == 0, "whatever got in can be worked off"
    assert office.draws() == 0
    assert office.bot.replies.depth()[0] > 0, "and something comes of it"
    assert office.case(OPEN.id).assignee
