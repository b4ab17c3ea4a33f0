"""The app's webhooks and subscriptions over X's stand-in, which checks the bot's address itself."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.errors import Failure, Permanent, Retryable, Unknown
from bot.local.host import InProcess
from bot.local.http import Application
from bot.settings import XKeys
from bot.triage import arrival_of
from bot.tweets import Tweet
from bot.twitter import registration
from bot.twitter.failures import KEYS_WRONG
from bot.twitter.registration import KINDS, PRIVATE_KINDS, Registered, Subscription, XApp
from tests.examples import NOON, noon
from tests.serving import serving
from tests.standins.server import Fault
from tests.standins.x import XStandin
from tests.test_x_client import keys_of

URL = "https://bot.example/x/webhook"
ELSEWHERE = "https://elsewhere.example/x/webhook"


def no_console(_route: str, _event: dict[str, Any]) -> dict[str, Any]:
    return {"statusCode": 404}


@contextmanager
def bot_at(folder: Path, secret: str) -> Iterator[tuple[str, InProcess]]:
    """The bot's own web server, and the functions behind it."""
    invoke = InProcess({"DATA_DIR": str(folder), "X_CONSUMER_SECRET": secret})
    with serving(Application(invoke, no_console, ())) as address:
        yield f"http://{address}", invoke


@pytest.fixture
def x() -> Iterator[XStandin]:
    with XStandin(clock=noon) as standin:
        yield standin


@pytest.fixture
def bot(x: XStandin, tmp_path: Path) -> Iterator[InProcess]:
    with bot_at(tmp_path, x.keys.consumer_secret) as (address, invoke):
        x.webhooks.hosts = {"bot.example": address, "elsewhere.example": address}
        yield invoke


@contextmanager
def app_at(x: XStandin, token: str | None = None, keys: XKeys | None = None) -> Iterator[XApp]:
    client = registration.connect(token or x.bearer_token, keys, x.url)
    with client.session:
        yield XApp(client, noon)


@pytest.fixture
def app(x: XStandin) -> Iterator[XApp]:
    with app_at(x, keys=keys_of(x)) as made:
        yield made


def refusal(call: Callable[[], object]) -> Failure:
    with pytest.raises(Failure) as failed:
        call()
    return failed.value


def came(bot: InProcess) -> list[str]:
    """The posts on the bot's queue."""
    arrivals = [arrival_of(message.body).what for message in bot.parts().tweets.receive(10)]
    return [what.id for what in arrivals if isinstance(what, Tweet)]


@pytest.mark.usefixtures("bot")
class TestAWebhook:
    def test_is_registered_once_the_bot_has_proved_itself(self, app: XApp) -> None:
        hook = app.add_webhook(URL)
        assert (hook.url, hook.valid) == (URL, True)
        assert app.webhooks() == [hook]

    def test_is_refused_where_the_bot_has_another_secret(
        self, x: XStandin, app: XApp, tmp_path: Path
    ) -> None:
        with bot_at(tmp_path / "other", "another-secret") as (address, _):
            x.webhooks.hosts["bot.example"] = address
            failure = refusal(lambda: app.add_webhook(URL))
        assert isinstance(failure, Permanent)
        assert "X_CONSUMER_SECRET" in str(failure)

    def test_is_refused_where_nobody_answers(self, app: XApp) -> None:
        assert "reachable" in str(refusal(lambda: app.add_webhook("https://nobody.example/x")))

    @pytest.mark.parametrize(
        "url", ["http://bot.example/x/webhook", "https://bot.example:8443/x", f"{URL}{'x' * 200}"]
    )
    def test_is_refused_at_an_address_x_does_not_call(self, app: XApp, url: str) -> None:
        failure = refusal(lambda: app.add_webhook(url))
        assert isinstance(failure, Permanent)
        assert "https://" in str(failure)

    def test_is_registered_once_an_address(self, app: XApp) -> None:
        app.add_webhook(URL)
        assert "already" in str(refusal(lambda: app.add_webhook(URL)))

    def test_is_one_of_as_many_as_the_plan_allows(self, x: XStandin, app: XApp) -> None:
        x.webhooks.most = 1
        app.add_webhook(URL)
        assert "x webhook remove" in str(refusal(lambda: app.add_webhook(ELSEWHERE)))

    def test_that_failed_is_valid_again_once_it_passes(self, x: XStandin, app: XApp) -> None:
        hook = app.add_webhook(URL)
        address = x.webhooks.hosts.pop("bot.example")
        assert "reachable" in str(refusal(lambda: app.check_webhook(hook.id)))
        assert [one.valid for one in app.webhooks()] == [False]
        x.webhooks.hosts["bot.example"] = address
        assert app.check_webhook(hook.id) == hook

    def test_can_be_removed(self, app: XApp) -> None:
        hook = app.add_webhook(URL)
        app.remove_webhook(hook.id)
        assert app.webhooks() == []

    @pytest.mark.parametrize(
        "call",
        [
            lambda app: app.check_webhook("5"),
            lambda app: app.remove_webhook("5"),
            lambda app: app.replay("5", timedelta(hours=1)),
            lambda app: app.subscribe(KINDS[0], "1001", "5"),
        ],
    )
    def test_that_is_not_the_apps_is_refused_in_one_sentence(
        self, app: XApp, call: Callable[[XApp], object]
    ) -> None:
        failure = refusal(lambda: call(app))
        assert isinstance(failure, Permanent)
        assert str(failure) == (
            "The app has no webhook of this id: see `python -m bot x webhook list`."
        )

    def test_that_vanished_while_it_was_checked_is_not_there(self, x: XStandin, app: XApp) -> None:
        x.faults.append(Fault(status=200, body={"data": {"valid": True}}, where="PUT"))
        assert "no webhook of this id" in str(refusal(lambda: app.check_webhook("5")))


class TestAReplay:
    def test_brings_what_the_bot_missed(self, x: XStandin, bot: InProcess, app: XApp) -> None:
        hook = app.add_webhook(URL)
        app.subscribe("post.mention.create", "1001", hook.id)
        address = x.webhooks.hosts.pop("bot.example")
        missed = x.add_mention("is anybody there?", created_at=NOON - timedelta(hours=2))
        assert x.tell(missed) == [0]
        x.webhooks.hosts["bot.example"] = address
        job = app.replay(hook.id, timedelta(hours=24))
        assert (job.webhook_id, job.job_id.isdecimal()) == (hook.id, True)
        assert came(bot) == [missed.id]

    @pytest.mark.parametrize(
        ("span", "since"),
        [
            (timedelta(hours=24), "202611011203"),
            (timedelta(hours=2), "202611021000"),
            (timedelta(minutes=5), "202611021127"),
            (timedelta(days=9), "202611011203"),
        ],
    )
    @pytest.mark.usefixtures("bot")
    def test_asks_for_times_that_x_takes(self, app: XApp, span: timedelta, since: str) -> None:
        job = app.replay(app.add_webhook(URL).id, span)
        assert (job.since, job.until) == (since, "202611021148")

    @pytest.mark.usefixtures("bot")
    def test_waits_for_the_one_before_it(self, x: XStandin, app: XApp) -> None:
        x.refuse_next(409, "ReplayConflictError", where="/2/webhooks/replay")
        assert "wait for the end" in str(refusal(lambda: app.replay("5", timedelta(hours=1))))


@pytest.fixture
def hook(bot: InProcess, app: XApp) -> Registered:  # noqa: ARG001
    """A registered webhook, behind which the bot runs."""
    return app.add_webhook(URL)


class TestASubscription:
    @pytest.mark.parametrize("kind", KINDS)
    def test_is_made_for_each_kind_the_bot_reads(
        self, app: XApp, hook: Registered, kind: str
    ) -> None:
        made = app.subscribe(kind, "1001", hook.id)
        assert (made.kind, made.user_id, made.webhook_id) == (kind, "1001", hook.id)
        assert app.subscriptions() == [made]

    def test_brings_events_to_the_bot(
        self, x: XStandin, bot: InProcess, app: XApp, hook: Registered
    ) -> None:
        mention = x.add_mention("where is my parcel?")
        assert x.tell(mention) == []
        app.subscribe("post.mention.create", "1001", hook.id)
        assert x.tell(mention) == [200]
        assert came(bot) == [mention.id]

    @pytest.mark.parametrize("kind", PRIVATE_KINDS)
    @pytest.mark.usefixtures("bot")
    def test_to_what_is_private_takes_the_accounts_own_keys(self, x: XStandin, kind: str) -> None:
        with app_at(x) as stranger:
            hook = stranger.add_webhook(URL)
            failure = refusal(lambda: stranger.subscribe(kind, "1001", hook.id))
            stranger.subscribe("post.delete", "1001", hook.id)
        assert isinstance(failure, Permanent)
        assert "X_ACCESS_TOKEN" in str(failure)

    def test_to_another_account_is_refused(self, app: XApp, hook: Registered) -> None:
        failure = refusal(lambda: app.subscribe("post.mention.create", "5", hook.id))
        assert "that very account" in str(failure)

    def test_made_before_is_not_made_again(self, app: XApp, hook: Registered) -> None:
        app.subscribe(KINDS[0], "1001", hook.id)
        assert "exists already" in str(refusal(lambda: app.subscribe(KINDS[0], "1001", hook.id)))

    def test_can_be_moved_to_another_webhook(self, app: XApp, hook: Registered) -> None:
        made = app.subscribe("post.delete", "1001", hook.id)
        other = app.add_webhook(ELSEWHERE)
        moved = app.redirect(made, other.id)
        assert moved.webhook_id == other.id
        assert app.subscriptions() == [moved]

    def test_can_be_ended(self, app: XApp, hook: Registered) -> None:
        made = app.subscribe("post.delete", "1001", hook.id)
        app.unsubscribe(made.id)
        assert app.subscriptions() == []
        assert "Could not find" in str(refusal(lambda: app.unsubscribe(made.id)))

    def test_is_found_on_whichever_page_it_stands(self, x: XStandin, app: XApp) -> None:
        x.webhooks.subscriptions = {
            str(number): {
                "subscription_id": str(number),
                "event_type": "post.delete",
                "filter": {"user_id": "1001"},
            }
            for number in range(250)
        }
        assert [one.id for one in app.subscriptions()] == [str(number) for number in range(250)]
        assert len(x.calls("GET /2/activity/subscriptions")) == 3

    def test_is_looked_for_no_longer_than_makes_sense(self, x: XStandin, app: XApp) -> None:
        again = {"data": [], "meta": {"next_token": "again"}}
        x.fail_every(1, status=200, body=again)
        assert app.subscriptions() == []
        assert len(x.requests) == registration.MOST_PAGES


HOOK = {"id": "5", "url": URL, "valid": True, "created_at": "2026-11-02T12:00:00.000Z"}
MADE = {
    "subscription_id": "7",
    "event_type": "post.delete",
    "filter": {"user_id": "1001"},
    "webhook_id": "5",
}


class TestAnAnswer:
    @pytest.mark.parametrize("body", [HOOK, {"data": HOOK}, {"data": [HOOK]}, [HOOK]])
    def test_with_a_webhook_is_read_in_each_form(
        self, x: XStandin, app: XApp, body: object
    ) -> None:
        x.faults += [Fault(status=200, body=body)] * 2
        expected = Registered("5", URL, valid=True, created_at="2026-11-02T12:00:00.000Z")
        assert app.add_webhook(URL) == expected
        assert app.webhooks() == [expected]

    @pytest.mark.parametrize(
        "body", [MADE, {"data": MADE}, {"data": [MADE]}, {"data": {"subscription": MADE}}, [MADE]]
    )
    def test_with_a_subscription_is_read_in_each_form(
        self, x: XStandin, app: XApp, body: object
    ) -> None:
        x.faults += [Fault(status=200, body=body)] * 2
        expected = Subscription("7", "post.delete", "1001", "5")
        assert app.subscribe("post.delete", "1001", "5") == expected
        assert app.subscriptions() == [expected]

    @pytest.mark.parametrize("wrapped", [True, False])
    def test_with_a_replay_is_read_in_each_form(
        self, x: XStandin, app: XApp, wrapped: bool
    ) -> None:
        job = {"job_id": "9", "created_at": "2026-11-02T12:00:00.000Z"}
        x.faults.append(Fault(status=200, body={"data": job} if wrapped else job))
        assert app.replay("5", timedelta(hours=1)).job_id == "9"

    def test_that_is_sparse_is_read_as_far_as_it_goes(self, x: XStandin, app: XApp) -> None:
        x.faults.append(Fault(status=200, body=[{"id": 5}, {"url": "nowhere"}, None, "odd"]))
        assert app.webhooks() == [Registered("5", "", valid=False)]
        x.faults.append(Fault(status=200, body={"data": [{"subscription_id": 7, "filter": None}]}))
        assert app.subscriptions() == [Subscription("7", "")]

    @pytest.mark.parametrize(
        "body", [{"meta": {"result_count": 0}}, {"data": []}, {"data": None}, {}, [], b"", b"null"]
    )
    def test_without_anything_lists_nothing(self, x: XStandin, app: XApp, body: object) -> None:
        x.faults.append(Fault(status=200, body=body))
        assert app.webhooks() == []

    @pytest.mark.parametrize(
        "call",
        [
            lambda app: app.add_webhook(URL),
            lambda app: app.subscribe("post.delete", "1001", "5"),
            lambda app: app.replay("5", timedelta(hours=1)),
        ],
    )
    @pytest.mark.parametrize(
        "fault",
        [
            Fault("drop"),
            Fault(status=500),
            Fault("html", 200),
            Fault(status=200, body={"data": {}}),
            Fault(status=204),
        ],
    )
    def test_that_is_lost_says_where_to_look(
        self, x: XStandin, app: XApp, call: Callable[[XApp], object], fault: Fault
    ) -> None:
        x.faults.append(fault)
        failure = refusal(lambda: call(app))
        assert isinstance(failure, Unknown)
        assert "x webhook list" in str(failure)

    @pytest.mark.parametrize(
        ("fault", "kind", "says"),
        [
            (Fault(status=503), Retryable, "not answering"),
            (Fault("drop"), Retryable, "lost"),
            (Fault("html", 200), Retryable, "cannot be read"),
            (Fault(status=402), Retryable, "credit"),
            (Fault(status=429), Retryable, "rate limit"),
            (Fault(status=404, body=b""), Permanent, "404"),
            (Fault(status=200, body={"errors": [{"detail": "Odd."}]}), Permanent, "Odd."),
            (
                Fault(status=403, body={"reason": "client-not-enrolled"}),
                Retryable,
                "project and plan",
            ),
        ],
    )
    def test_that_is_no_list_is_a_failure_like_any_other(
        self, x: XStandin, app: XApp, fault: Fault, kind: type[Failure], says: str
    ) -> None:
        x.faults.append(fault)
        failure = refusal(app.webhooks)
        assert isinstance(failure, kind)
        assert says in str(failure)

    def test_to_a_wrong_token_names_the_setting(self, x: XStandin) -> None:
        with app_at(x, "wrong-token") as app:
            failure = refusal(app.webhooks)
        assert isinstance(failure, Retryable)
        assert failure.after == KEYS_WRONG
        assert "X_BEARER_TOKEN" in str(failure)
        assert "wrong-token" not in str(failure)

    def test_to_wrong_keys_of_the_account_names_their_setting(self, x: XStandin) -> None:
        keys = XKeys("wrong", "wrong", "wrong", "wrong")
        with app_at(x, keys=keys) as app:
            failure = refusal(lambda: app.subscribe(KINDS[0], "1001", "5"))
        assert "X_ACCESS_TOKEN" in str(failure)
