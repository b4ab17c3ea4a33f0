"""What `doctor` finds out about X, from X's stand-in."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot import deeds, settings
from bot.cases import Case, Effect
from bot.local.doctor import Finding, examine
from bot.ports import Outgoing
from bot.triage import REVOKED
from bot.twitter import client
from bot.twitter.failures import MAY_ONLY_READ
from bot.twitter.polling import BUDGET_USED
from bot.wiring import Parts, now
from tests.examples import NOON, case
from tests.standins.server import Fault
from tests.standins.x import XStandin
from tests.standins.x_webhooks import Hook
from tests.test_cards import tweeted

Environment = dict[str, str]
X_LINES = ("x", "x webhook", "x events")


@pytest.fixture
def x() -> Iterator[XStandin]:
    with XStandin(clock=now) as standin:
        yield standin


@pytest.fixture
def connected(x: XStandin, tmp_path: Path) -> Environment:
    """The account's keys, and not the app's token."""
    return {
        "DATA_DIR": str(tmp_path),
        "X_API_URL": x.url,
        "X_CONSUMER_KEY": x.keys.consumer_key,
        "X_CONSUMER_SECRET": x.keys.consumer_secret,
        "X_ACCESS_TOKEN": x.keys.access_token,
        "X_ACCESS_TOKEN_SECRET": x.keys.access_token_secret,
    }


@pytest.fixture
def registered(x: XStandin, connected: Environment) -> Environment:
    """The app's token too, and a webhook subscribed to all that the bot reads."""
    x.webhooks.registered["5"] = Hook("5", "https://bot.example/x/webhook", "")
    for kind in ("mention.create", "reply.create", "quote.create", "delete"):
        subscribe(x, f"post.{kind}")
    return {**connected, "X_BEARER_TOKEN": x.bearer_token}


def subscribe(x: XStandin, kind: str, user_id: str = "1001", hook: str = "5") -> None:
    x.webhooks.subscriptions[kind] = {
        "subscription_id": "7",
        "event_type": kind,
        "filter": {"user_id": user_id},
        "webhook_id": hook,
    }


def found(environment: Environment) -> dict[str, Finding]:
    return {one.what: one for one in examine(environment)}


class TestWithoutKeys:
    def test_nothing_of_x_has_to_be_mended(self, tmp_path: Path) -> None:
        lines = found({"DATA_DIR": str(tmp_path)})
        assert [lines[what].well for what in X_LINES] == [None, None, None]
        assert "X_CONSUMER_SECRET" in lines["x webhook"].says


def test_dead_letters_are_to_be_mended_and_then_redriven(tmp_path: Path) -> None:
    environment = {"DATA_DIR": str(tmp_path)}
    assert found(environment)["dead letters"] == Finding("dead letters", well=True, says="None.")
    queue = Parts(settings.read(environment)).queues["actions"]
    queue.send([Outgoing("poison")])
    while received := queue.receive(1):
        queue.postpone([one.receipt for one in received], 0)
    line = found(environment)["dead letters"]
    assert line.well is False
    assert line.says.startswith("1 of actions: ")
    assert "`python -m bot redrive`" in line.says


class TestCards:
    @pytest.fixture
    def alone(self, tmp_path: Path) -> Environment:
        return {"DATA_DIR": str(tmp_path)}

    def test_that_wait_to_be_sent_are_well(self, alone: Environment) -> None:
        waits = Effect("card", "pending", NOON, problem="Slack asks to slow down.")
        Parts(settings.read(alone)).store.add([with_card(waits)])
        assert found(alone)["cards"] == Finding("cards", well=True, says="None is stuck.")

    def test_that_are_stuck_are_counted_and_say_why(self, alone: Environment) -> None:
        stuck = Effect("card", "pending", problem="Slack refuses (is_archived): unarchive it.")
        made = [with_card(stuck, str(number)) for number in (1, 2)]
        done = deeds.resolved(with_card(stuck, "3"), "U0AGENT", NOON)
        Parts(settings.read(alone)).store.add([*made, done])
        line = found(alone)["cards"]
        assert line.well is False
        assert line.says == (
            "2 open cases wait for a card that cannot be sent. Slack refuses (is_archived): "
            "unarchive it. Once that is mended, `python -m bot redrive` sends them."
        )


def with_card(card: Effect, number: str = "1") -> Case:
    return replace(tweeted(case(), id=number, root_id=number), effects=(card,))


class TestTheAccount:
    def test_is_named_and_may_post(self, connected: Environment) -> None:
        line = found(connected)["x"]
        assert line.well is True
        assert "@HarborSupport (account 1001); may post; automatic replies: on" in line.says

    def test_that_can_only_be_read_is_to_be_mended(
        self, x: XStandin, connected: Environment
    ) -> None:
        x.access_level = "read"
        line = found(connected)["x"]
        assert line.well is False
        assert MAY_ONLY_READ in line.says

    def test_may_be_one_of_which_x_does_not_tell_what_it_may(
        self, x: XStandin, connected: Environment
    ) -> None:
        body = {"data": {"id": "1001", "username": "HarborSupport"}}
        x.faults.append(Fault(status=200, body=body, where="/users/me"))
        line = found(connected)["x"]
        assert line.well is True
        assert "does not say" in line.says

    def test_must_be_the_one_that_is_set(self, connected: Environment) -> None:
        line = found({**connected, "X_USER_ID": "5"})["x"]
        assert line.well is False
        assert "X_USER_ID is 5" in line.says
        assert found({**connected, "X_USER_ID": "1001"})["x"].well is True

    @pytest.mark.parametrize(
        ("fault", "says"),
        [
            (Fault(status=401), "X_ACCESS_TOKEN"),
            (Fault(status=402), "credit"),
            (Fault(status=429), "rate limit"),
            (Fault(status=503), "not answering"),
            (Fault("html", 200), "cannot be read"),
            (Fault(status=200, body=b"null"), "which account"),
            (Fault(status=403, body={"detail": "Odd."}), "Odd."),
            (Fault("drop"), "lost"),
        ],
    )
    def test_that_x_does_not_answer_for_is_a_finding(
        self, x: XStandin, connected: Environment, fault: Fault, says: str
    ) -> None:
        x.faults.append(fault)
        line = found(connected)["x"]
        assert line.well is False
        assert says in line.says

    def test_whose_keys_are_wrong_is_a_finding(self, connected: Environment) -> None:
        line = found({**connected, "X_ACCESS_TOKEN_SECRET": "wrong"})["x"]
        assert line.well is False
        assert "401" in line.says

    def test_is_not_waited_for_in_vain(
        self, x: XStandin, connected: Environment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(client, "CONNECT_AND_READ", (1, 0.05))
        x.faults.append(Fault("hang"))
        assert found(connected)["x"].well is False

    def test_that_took_its_access_back_needs_new_tokens(
        self, x: XStandin, connected: Environment
    ) -> None:
        store = Parts(settings.read(connected)).store
        store.set_note(REVOKED, {"at": "2026-11-02T12:00:00+00:00", "user_id": "1001"})
        assert found(connected)["x"].well, "it has made new ones since"
        x.refuse_next(401, title="Unauthorized", where="GET /2/users/me")
        finding = found(connected)["x"]
        assert not finding.well
        assert "took its access back from the app on 2026-11-02: make new" in finding.says


class TestReplies:
    def test_are_as_they_are_set(self, connected: Environment) -> None:
        assert found(connected)["replies"] == Finding("replies", True, "Automatic replies: on.")

    def test_that_are_paused_say_by_whom(self, connected: Environment) -> None:
        Parts(settings.read(connected)).pause.pause("mira", NOON)
        finding = found(connected)["replies"]
        assert finding.well is None
        assert finding.says.startswith("Paused by mira since 2026-11-02 12:00 UTC")

    def test_that_cost_more_than_they_may_are_to_be_mended(self, connected: Environment) -> None:
        finding = found({**connected, "X_MONTHLY_BUDGET_USD": "0"})["replies"]
        assert not finding.well
        assert "X_MONTHLY_BUDGET_USD is used up" in finding.says

    def test_have_nothing_to_answer_once_the_reading_is_paid_out(
        self, connected: Environment
    ) -> None:
        store = Parts(settings.read(connected)).store
        store.set_note(BUDGET_USED, {"month": f"{now():%Y-%m}", "day": "1"})
        assert not found(connected)["replies"].well
        store.set_note(BUDGET_USED, {"month": "2025-01", "day": "1"})
        assert found(connected)["replies"].well


class TestTheWebhook:
    def test_cannot_be_told_of_without_the_apps_token(self, connected: Environment) -> None:
        lines = found(connected)
        assert lines["x webhook"].well is True
        assert lines["x events"].well is None
        assert all("X_BEARER_TOKEN" in lines[what].says for what in ("x webhook", "x events"))

    def test_is_well_once_it_is_valid_and_told_everything(self, registered: Environment) -> None:
        lines = found(registered)
        assert [lines[what].well for what in X_LINES] == [True, True, True]
        assert "https://bot.example/x/webhook" in lines["x webhook"].says
        assert "post.mention.create" in lines["x events"].says

    def test_need_not_be_there(self, x: XStandin, registered: Environment) -> None:
        x.webhooks.registered.clear()
        lines = found(registered)
        assert (lines["x webhook"].well, lines["x events"].well) == (None, None)
        assert "x webhook add URL" in lines["x webhook"].says

    def test_that_x_found_invalid_is_to_be_mended(
        self, x: XStandin, registered: Environment
    ) -> None:
        x.webhooks.registered["5"] = Hook("5", "https://bot.example/", "", valid=False)
        line = found(registered)["x webhook"]
        assert line.well is False
        assert "5 (https://bot.example/)" in line.says
        assert "x webhook check" in line.says

    @pytest.mark.parametrize("what", ["missing", "for another account", "at another webhook"])
    def test_that_is_not_told_everything_is_to_be_mended(
        self, x: XStandin, registered: Environment, what: str
    ) -> None:
        del x.webhooks.subscriptions["post.quote.create"]
        if what == "for another account":
            subscribe(x, "post.quote.create", user_id="5")
        if what == "at another webhook":
            subscribe(x, "post.quote.create", hook="6")
        line = found(registered)["x events"]
        assert line.well is False
        assert line.says == "X does not tell of post.quote.create: `python -m bot x subscribe`."

    def test_of_an_unknown_account_is_a_finding(self, registered: Environment) -> None:
        for name in ("X_CONSUMER_KEY", "X_ACCESS_TOKEN", "X_ACCESS_TOKEN_SECRET"):
            del registered[name]
        line = found(registered)["x events"]
        assert line.well is False
        assert "set X_USER_ID" in line.says

    def test_that_the_token_does_not_open_is_a_finding(self, registered: Environment) -> None:
        lines = found({**registered, "X_BEARER_TOKEN": "wrong"})
        for what in ("x webhook", "x events"):
            assert lines[what].well is False
            assert "X_BEARER_TOKEN" in lines[what].says
