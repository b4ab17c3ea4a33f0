"""`python -m bot smoke` against running bots: one test tweet to its card, and nothing is left."""

import json
import threading
from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot import probes, settings
from bot.__main__ import parser
from bot.errors import Refused
from bot.local import smoke
from bot.local.smoke import Step, Trial
from bot.local.stages import stage
from bot.settings import Settings
from bot.storage.sqlite import Database
from bot.twitter import signatures
from bot.wiring import Parts, now
from tests.e2e.homes import Home, World, laptop, on_aws, world
from tests.fakes import Clock
from tests.standins.server import Answer as Answered
from tests.standins.server import Fault, Request, Standin, answer_json
from tests.standins.slack import rate_limited, refused

pytest.importorskip("awslambdaric", reason="awslambdaric has wheels for Linux only")

STEPS = ["webhook", "tweet", "judged", "card", "cleaned"]
MINUTE = timedelta(minutes=1)


class Run:
    """A test tweet for a home whose work is done while the test waits; `steps` is what it told."""

    def __init__(
        self, home: Home, chosen: Settings, meanwhile: Callable[[], object] | None = None
    ) -> None:
        self.steps: list[Step] = []
        self._clock = Clock(now())
        self._meanwhile = meanwhile or home.work
        own = Parts(chosen, self._clock, wait=self._wait)
        at = smoke.Home(own, f"{home.url}/x/webhook", None)
        self.trial = Trial(at, MINUTE, self.steps.append)

    def _wait(self, seconds: float) -> None:
        self._clock.wait(seconds)
        self._meanwhile()

    def code(self) -> int:
        return self.trial.run()

    @property
    def well(self) -> dict[str, bool]:
        return {step.step: step.well for step in self.steps}

    def says(self, step: str) -> str:
        [said] = [one.says for one in self.steps if one.step == step]
        return said


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as surroundings:
        yield surroundings


@pytest.fixture
def home(outside: World, tmp_path: Path) -> Iterator[Home]:
    with laptop(outside, tmp_path) as running:
        yield running


def nothing_is_left(home: Home, outside: World) -> bool:
    waits = [depth for queue in home.parts.queues.values() for depth in queue.depth()]
    return not (list(home.store.newest()) or outside.slack.messages or any(waits))


def looks(home: Home, times: int) -> None:
    """Each function looks at its queue so many times, though something may wait on it then."""
    for pump in home._pumps * times:
        pump.once(threading.Event())


def posted(outside: World) -> list[str]:
    return [one.method for one in outside.slack.accepted if one.method.startswith("chat.")]


class TestATestTweet:
    @pytest.fixture(params=["laptop", "aws"])
    def home(
        self, request: pytest.FixtureRequest, outside: World, tmp_path: Path
    ) -> Iterator[Home]:
        made = laptop(outside, tmp_path) if request.param == "laptop" else on_aws(outside)
        with made as running:
            yield running

    def test_comes_to_its_card_and_nothing_of_it_is_left(self, home: Home, outside: World) -> None:
        keys = {**outside.addresses(), **outside.x_keys(), **outside.slack_keys()}
        here = home.parts.settings
        run = Run(home, replace(settings.read(keys), aws=here.aws, data_dir=here.data_dir))
        assert run.code() == 0, run.steps
        assert [step.step for step in run.steps] == STEPS
        assert run.well == dict.fromkeys(STEPS, True)
        assert "asks for a person" in run.says("judged")
        assert run.says("card").startswith(f"{outside.slack.url}/archives/C0SUPPORT/p")
        assert posted(outside) == ["chat.postMessage", "chat.getPermalink", "chat.delete"]
        assert nothing_is_left(home, outside)
        home.minutes_pass(5)
        assert nothing_is_left(home, outside)


class TestOnALaptop:
    def test_it_leaves_no_note(self, home: Home) -> None:
        home.run("housekeeping")
        before = notes(home)
        assert Run(home, home.parts.settings).code() == 0
        assert notes(home) == before

    def test_two_at_once_do_not_meet(self, home: Home, outside: World) -> None:
        second = Run(home, home.parts.settings)
        codes: list[int] = []

        def meanwhile() -> None:
            if not codes:
                codes.append(second.code())
            home.work()

        assert Run(home, home.parts.settings, meanwhile).code() == 0
        assert codes == [0]
        assert nothing_is_left(home, outside)

    def test_without_slack_the_console_is_its_channel(self, outside: World, tmp_path: Path) -> None:
        none = dict.fromkeys(outside.slack_keys(), "")
        with laptop(outside, tmp_path, **none) as home:
            run = Run(home, home.parts.settings)
            assert run.code() == 0
            assert "/console/" in run.says("card")
            assert nothing_is_left(home, outside)

    def test_it_takes_the_lines_of_its_thread_along_and_leaves_what_people_wrote(
        self, home: Home, outside: World
    ) -> None:
        def meanwhile() -> None:
            home.work()
            cards = [one for one in outside.slack.messages if "thread_ts" not in one]
            if cards:
                delivery = outside.slack.press("claim", cards[0], user="U0AGENT")
                assert home.post("/slack/events", *delivery).status_code == 200
                home.work()
                person = {"ts": "1900000000.000001", "user": "U0AGENT", "text": "A test?"}
                outside.slack.messages.append({**person, "thread_ts": cards[0]["ts"]})

        run = Run(home, home.parts.settings, meanwhile)
        assert run.code() == 0, run.steps
        assert [one["text"] for one in outside.slack.messages] == ["A test?"]
        assert len([one for one in posted(outside) if one == "chat.delete"]) == 2


class TestACardThatDoesNotCome:
    def test_is_said_with_what_slack_says_and_never_comes(self, home: Home, outside: World) -> None:
        outside.slack.faults += [rate_limited(60, "chat.postMessage")] * 20
        run = Run(home, home.parts.settings)
        assert run.code() == 1
        assert run.well == {**dict.fromkeys(STEPS, True), "card": False}
        assert "pending: Slack asks to slow down." in run.says("card")
        outside.slack.heal()
        home.minutes_pass(5)
        assert nothing_is_left(home, outside)

    def test_for_want_of_slacks_keys_is_said_with_how_to_set_them(
        self, home: Home, outside: World
    ) -> None:
        outside.slack.faults += [rate_limited(60, "chat.postMessage")] * 20
        run = Run(home, replace(home.parts.settings, slack=None, slack_awaited=True))
        assert run.code() == 1
        assert run.says("card").startswith("All works up to the card, which waits for Slack's keys")
        assert list(home.store.newest()) == []

    def test_that_was_refused_for_good_is_not_waited_for(self, home: Home, outside: World) -> None:
        outside.slack.faults.append(refused("is_archived", "chat.postMessage"))
        run = Run(home, home.parts.settings, lambda: looks(home, 1))
        assert run.code() == 1
        assert "unarchive the channel" in run.says("card")
        assert list(home.store.newest()) == []

    def test_whose_answer_was_lost_is_found_and_taken_away(
        self, home: Home, outside: World
    ) -> None:
        outside.slack.fail_every(1, "lost", where="chat.postMessage")
        run = Run(home, home.parts.settings)
        assert run.code() == 1
        assert "unknown" in run.says("card")
        assert nothing_is_left(home, outside)

    def test_that_cannot_be_taken_away_is_said_with_what_to_do(
        self, home: Home, outside: World
    ) -> None:
        outside.slack.faults.append(refused("cant_delete_message", "chat.delete"))
        run = Run(home, home.parts.settings)
        assert run.code() == 1
        assert f"`python -m bot erase {run.trial.id}`" in run.says("cleaned")
        home.parts.eraser.posts([run.trial.id])
        home.work()
        [card] = outside.slack.messages[:1]
        assert probes.TEXT not in json.dumps(card)


class TestATestTweetThatIsNotDecided:
    def test_in_time_leaves_the_queue(self, home: Home, outside: World) -> None:
        run = Run(home, home.parts.settings, lambda: None)
        assert run.code() == 1
        assert run.says("judged").startswith("No decision within 60 s")
        assert nothing_is_left(home, outside)
        home.work()
        assert nothing_is_left(home, outside)

    def test_and_cannot_be_taken_from_its_queue_finds_an_empty_case_in_its_place(
        self, home: Home, outside: World
    ) -> None:
        run = Run(home, home.parts.settings, lambda: None)
        run.trial._parts.eraser = replace(home.parts.eraser, backlog=None)
        assert run.code() == 1
        assert f"an empty case {run.trial.id} stays" in run.says("cleaned")
        home.work()
        home.minutes_pass(5)
        assert outside.slack.messages == []
        [left] = home.store.newest()
        assert (left.effects, left.open, left.erased) == ((), False, True)


class TestCtrlC:
    @pytest.mark.parametrize("after", [0, 1, 2])
    def test_leaves_nothing_either(self, home: Home, outside: World, after: int) -> None:
        waited: list[int] = []

        def meanwhile() -> None:
            if len(waited) == after:
                waited.append(after)
                raise KeyboardInterrupt
            waited.append(0)
            home.work()

        slow = {0: 0, 1: 0, 2: 20}[after]
        outside.slack.faults += [rate_limited(60, "chat.postMessage")] * slow
        run = Run(home, home.parts.settings, meanwhile)
        if after == 1:
            assert run.code() == 0, "it was done before"
            return
        with pytest.raises(KeyboardInterrupt):
            run.code()
        assert run.steps[-1].step == "cleaned"
        assert nothing_is_left(home, outside)

    def test_while_it_is_taken_away_says_what_is_left(self, home: Home) -> None:
        run = Run(home, home.parts.settings)

        class Interrupted:
            def __getattr__(self, name: str) -> Any:
                if name == "delete":
                    raise KeyboardInterrupt
                return getattr(home.store, name)

        run.trial._parts.store = Interrupted()
        with pytest.raises(KeyboardInterrupt):
            run.code()
        assert run.says("cleaned").startswith("Interrupted. Delete its card")
        assert run.trial.id in run.says("cleaned")


class Impostor(Standin):
    """Something else at the webhook's address: it answers checks with `secret`."""

    def __init__(self, secret: str, status: int, body: object) -> None:
        super().__init__()
        self._secret = secret
        self._answer = answer_json(body, status)
        self.route("GET", "/x/webhook", self._checked)
        self.route("POST", "/x/webhook", lambda _: self._answer)

    def _checked(self, request: Request) -> Answered:
        token = request.queries()["crc_token"]
        return answer_json({"response_token": signatures.challenge_answer(self._secret, token)})


class TestAWebhook:
    def run(self, home: Home, url: str) -> Run:
        run = Run(home, home.parts.settings)
        at = smoke.Home(run.trial._parts, url, None)
        run.trial = Trial(at, MINUTE, run.steps.append)
        return run

    def test_that_signs_with_another_secret_is_sent_nothing(
        self, home: Home, outside: World
    ) -> None:
        with Impostor("another-secret", 200, {"queued": 1}) as other:
            run = self.run(home, f"{other.url}/x/webhook")
            assert run.code() == 1
            assert not other.calls("POST")
        assert "does not sign with our X_CONSUMER_SECRET" in run.says("webhook")
        assert [step.step for step in run.steps] == ["webhook"]
        assert nothing_is_left(home, outside)

    @pytest.mark.parametrize(
        ("status", "body", "says", "left"),
        [
            (401, {"error": "It does not fit."}, "refuses it (401): It does not fit.", 0),
            (503, {"error": "The queue is full."}, "refuses it (503): The queue is full.", 1),
            (200, {"queued": 0}, "did not queue", 1),
            (502, "<html>", "refuses it (502): no reason", 1),
        ],
    )
    def test_that_does_not_take_it_is_quoted(
        self, home: Home, outside: World, status: int, body: Any, says: str, left: int
    ) -> None:
        with Impostor(outside.x.keys.consumer_secret, status, body) as other:
            run = self.run(home, f"{other.url}/x/webhook")
            assert run.code() == 1
        assert says in run.says("tweet")
        assert len(list(home.store.newest())) == left, "who knows whether it comes after all"

    def test_whose_answer_is_lost_may_have_taken_it(self, home: Home, outside: World) -> None:
        with Impostor(outside.x.keys.consumer_secret, 200, {"queued": 1}) as other:
            other.faults.append(Fault("lost", where="POST"))
            run = self.run(home, f"{other.url}/x/webhook")
            assert run.code() == 1
        assert "does not answer" in run.says("tweet")
        [left] = home.store.newest()
        assert left == probes.stone(run.trial.id, left.received_at)

    def test_that_nobody_answers_at_is_said(self, home: Home) -> None:
        run = self.run(home, "http://127.0.0.1:9/x/webhook")
        assert run.code() == 1
        assert "does not answer (ConnectionError): start `python -m bot run`." in run.says(
            "webhook"
        )

    def test_whose_secret_is_not_set_is_said(self, home: Home) -> None:
        with Impostor("", 200, {}) as other:
            other._routes.clear()
            other.route("GET", "/x/webhook", lambda _: answer_json({"error": "Not set."}, 503))
            run = self.run(home, f"{other.url}/x/webhook")
            assert run.code() == 1
        assert run.says("webhook").endswith("refuses it (503): Not set.")


class TestTheVerb:
    def typed(self, environment: dict[str, str], **more: Any) -> int:
        given = {"stage": None, "within": 60.0, "json": False, **more}
        return smoke.smoke(Namespace(**given), environment)

    def test_takes_a_stage_and_a_time(self) -> None:
        given = parser().parse_args(["smoke", "--stage", "prod", "--within", "5"])
        assert (given.stage, given.within, given.json) == ("prod", 5.0, False)
        assert parser().parse_args(["smoke"]).within == 60

    @pytest.mark.parametrize("seconds", [0, 0.5, 901, float("nan")])
    def test_waits_neither_for_nothing_nor_for_ever(self, tmp_path: Path, seconds: float) -> None:
        with pytest.raises(Refused, match="from 1 to 900 seconds"):
            self.typed({"DATA_DIR": str(tmp_path)}, within=seconds)

    def test_wants_the_secret_x_signs_with(self, tmp_path: Path) -> None:
        with pytest.raises(Refused, match=r"set X_CONSUMER_SECRET in \.env, and start"):
            self.typed({"DATA_DIR": str(tmp_path)})

    def test_tells_on_a_stage_how_to_set_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(stage, "output", lambda *_: "https://bot.example/x/webhook")
        with pytest.raises(Refused, match="with `python -m bot secret set x`"):
            self.typed({"DATA_DIR": str(tmp_path)}, stage="prod")

    def test_prints_a_line_a_step(
        self, outside: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        environment = {"DATA_DIR": str(tmp_path), **outside.x_keys(), "PORT": "9"}
        assert self.typed(environment) == 1
        word, step, seconds, unit, *_ = capsys.readouterr().out.split()
        assert (word, step, unit) == ("mend", "webhook", "s")
        assert float(seconds) >= 0
        assert self.typed(environment, json=True) == 1
        row = json.loads(capsys.readouterr().out)
        assert row.keys() == {"step", "tweet_id", "well", "seconds", "says"}
        assert (row["step"], row["well"]) == ("webhook", False)


def notes(home: Home) -> list[tuple[str, str]]:
    """The names and values of all that is kept beside the cases."""
    database: Database = home.parts.database
    return database.connection().execute("SELECT name, value FROM notes ORDER BY name").fetchall()
