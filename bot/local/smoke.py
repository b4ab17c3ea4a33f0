"""`smoke`: one signed test tweet through a running bot to its card; then nothing of it is left."""

import json
import secrets
from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

import requests

from bot import probes, settings
from bot.cases import Case, Effect
from bot.errors import Conflict, Failure, Misconfigured, Refused
from bot.frozen import frozen
from bot.local.stages.staged import hints
from bot.local.terminal import show
from bot.local.x_verbs import PATH
from bot.tweets import SNOWFLAKE_EPOCH_MS
from bot.twitter import signatures
from bot.wiring import Parts

Environment = Mapping[str, str]

MOST_SECONDS: Final = 900
"""Of waiting for the card: until then a tweet may wait for a classifier that is down."""
ANSWERED_IN: Final = 30.0
"""Seconds: an HTTP API gives its function up after them."""
SETTLED_IN: Final = timedelta(seconds=30)
"""How long a card that is being sent is waited for, before it is taken away."""
FIRST_LOOK: Final = 0.2
SELDOM: Final = 3.0
"""Seconds between two looks at the case: the first, and what they grow to by half each time."""
_RANDOM_BITS: Final = 22
"""Of an id: what X counts the posts of a millisecond in."""
_REFUSALS: Final = range(400, 500)


def smoke(arguments: Namespace, environment: Environment) -> int:
    """One signed test tweet through a running bot to its card."""
    if not 1 <= arguments.within <= MOST_SECONDS:
        raise Refused(f"--within must be from 1 to {MOST_SECONDS} seconds.")
    parts = Parts(settings.read(environment))
    home = Home(parts, _webhook(arguments.stage, parts), arguments.stage)
    within = timedelta(seconds=arguments.within)
    return Trial(home, within, lambda step: _show(arguments, step)).run()


def _webhook(stage: str | None, parts: Parts) -> str:
    if stage is None:
        from bot.local.http import ADDRESS  # noqa: PLC0415

        return f"http://{ADDRESS}:{parts.settings.port}{PATH}"
    from bot.local.stages.stage import output  # noqa: PLC0415

    return output(stage, "XWebhookUrl")


@frozen
class Step:
    """One step of the test: whether it went well, how long it took, what is to be said of it."""

    step: str
    tweet_id: str
    well: bool
    seconds: float
    says: str


def _show(arguments: Namespace, step: Step) -> None:
    word = "ok" if step.well else "mend"
    show(arguments, asdict(step), f"{word:<5} {step.step:<8} {step.seconds:6.2f} s  {step.says}")


@frozen
class Home:
    """A running bot: its parts, where X's webhook is, and its stage on AWS, None elsewhere."""

    parts: Parts
    webhook: str
    stage: str | None

    def set_keys(self, secret: str, names: str) -> str:
        """How these keys of a secret are set here."""
        if self.stage:
            return f"set {names} with `python -m bot secret set {secret}`."
        return f"set {names} in .env, and start the bot again."


class _Failed(Exception):
    """A step went wrong; the message is one sentence or two."""


_PROBLEMS: Final = (_Failed, Failure, Conflict, Refused, Misconfigured)


class Trial:
    """One test tweet. `told` hears of each step once it is over."""

    def __init__(self, home: Home, within: timedelta, told: Callable[[Step], object]) -> None:
        """Raises `Refused` where the key is not there that X would sign with."""
        secret = home.parts.settings.x_consumer_secret
        if secret is None:
            how = home.set_keys("x", "X_CONSUMER_SECRET")
            raise Refused(f"Without X_CONSUMER_SECRET no test tweet can be signed: {how}")
        self._home = home
        self._parts = home.parts
        self._secret = secret
        self._within = within
        self._told = told
        self._begun = self._sent_at = self._parts.clock()
        self._step = ""
        self._sent = False
        self.id = new_id(self._begun)

    def run(self) -> int:
        """Sends it, follows it, and takes it away whatever comes; returns the exit code."""
        well = clean = False
        try:
            self._do("webhook", self._check)
            self._do("tweet", self._send)
            self._do("judged", self._judged)
            self._do("card", self._carded)
            well = True
        except _PROBLEMS as problem:
            self._tell(self._step, str(problem), well=False)
        finally:
            clean = not self._sent or self._clean()
        return 0 if well and clean else 1

    def _do(self, step: str, work: Callable[[], str]) -> None:
        self._step, self._begun = step, self._parts.clock()
        self._tell(step, work(), well=True)

    def _tell(self, step: str, says: str, *, well: bool) -> None:
        seconds = round((self._parts.clock() - self._begun).total_seconds(), 3)
        stage = self._home.stage
        self._told(Step(step, self.id, well, seconds, hints(says, stage) if stage else says))

    def _check(self) -> str:
        token = secrets.token_urlsafe(24)
        answer = self._asked("GET", params={"crc_token": token})
        if answer.status_code != requests.codes.ok:
            raise _Failed(self._refusal(answer))
        if _field(answer, "response_token") != signatures.challenge_answer(self._secret, token):
            raise _Failed(
                f"What answers at {self._home.webhook} does not sign with our X_CONSUMER_SECRET: "
                "another bot, or one that has not read a new secret yet (five minutes at most)."
            )
        return f"{self._home.webhook} answers X's check."

    def _send(self) -> str:
        at = self._sent_at = self._parts.clock()
        body = json.dumps(probes.event(self.id, at)).encode()
        headers = {
            "content-type": "application/json",
            signatures.HEADER: signatures.sign(self._secret, body),
        }
        self._sent = True  # for all we know, until it is refused
        answer = self._asked("POST", data=body, headers=headers)
        self._sent = answer.status_code not in _REFUSALS
        if answer.status_code != requests.codes.ok:
            raise _Failed(self._refusal(answer))
        if _field(answer, "queued") != 1:
            raise _Failed(f"It did not queue the test tweet: {answer.text:.200}")
        return f"The test tweet {self.id} is queued."

    def _asked(self, method: str, **content: object) -> requests.Response:
        with requests.Session() as session:
            # A proxy knows no way to this machine.
            session.trust_env = urlsplit(self._home.webhook).scheme == "https"
            try:
                return session.request(
                    method,
                    self._home.webhook,
                    timeout=ANSWERED_IN,
                    allow_redirects=False,
                    **content,  # type: ignore[arg-type]
                )
            except requests.RequestException as error:
                look = "deploy the stage anew" if self._home.stage else "start `python -m bot run`"
                raise _Failed(
                    f"{self._home.webhook} does not answer ({type(error).__name__}): {look}."
                ) from None

    def _refusal(self, answer: requests.Response) -> str:
        said = _field(answer, "error") or "no reason that can be read"
        return f"{self._home.webhook} refuses it ({answer.status_code}): {said}"

    def _judged(self) -> str:
        case = self._followed(lambda case: case is not None)
        if case is None:
            raise _Failed(
                f"No decision within {self._within.total_seconds():g} s: look at the queue tweets "
                "and the log of triage; `python -m bot doctor` checks what it needs."
            )
        if case.route != "escalate":
            raise _Failed(f"It was not escalated, see rules.toml: {' '.join(case.reasons)}")
        return f"escalate: {' '.join(case.reasons)}"

    def _carded(self) -> str:
        chosen = self._parts.settings
        if chosen.slack is None and chosen.slack_awaited:
            names = "SLACK_BOT_TOKEN, SLACK_SIGNING_SECRET and SLACK_SUPPORT_CHANNEL"
            raise _Failed(
                "All works up to the card, which waits for Slack's keys: "
                f"{self._home.set_keys('slack', names)}"
            )
        card = _card(self._followed(_decided))
        if card is None or card.state != "sent":
            state = f"{card.state}: {card.problem or 'nobody has tried it'}" if card else "no card"
            raise _Failed(
                f"No card within {self._within.total_seconds():g} s ({state}): look at the queue "
                "cards and the log of notify."
            )
        return self._shown(card)

    def _shown(self, card: Effect) -> str:
        if card.outside_id is None:
            return "The console is the channel, and shows it under /console/."
        from bot.slack.outlets import Place  # noqa: PLC0415

        try:
            return self._parts.slack_channel.link(Place.of(card.outside_id).ts)
        except Failure as failure:
            return f"Posted as {card.outside_id}; Slack gives no link to it. {failure}"

    def _case(self) -> Case | None:
        return self._parts.store.get([self.id]).get(self.id)

    def _followed(self, arrived: Callable[[Case | None], bool]) -> Case | None:
        """The case once it has come so far, or as it is when the time is over."""
        return self._looked(arrived, self._sent_at + self._within)

    def _looked(self, arrived: Callable[[Case | None], bool], until: datetime) -> Case | None:
        seconds = FIRST_LOOK
        while not arrived(case := self._case()) and self._parts.clock() < until:
            self._parts.wait(seconds)
            seconds = min(seconds * 1.5, SELDOM)
        return case

    def _clean(self) -> bool:
        """Takes everything away; says what is left, and what to do about it."""
        self._begun = self._parts.clock()
        try:
            says = self._taken_away()
        except _PROBLEMS as problem:
            self._tell("cleaned", f"{problem} {self._by_hand()}", well=False)
            return False
        except KeyboardInterrupt:
            self._tell("cleaned", f"Interrupted. {self._by_hand()}", well=False)
            raise
        self._tell("cleaned", says, well=True)
        return True

    def _by_hand(self) -> str:
        return f"Delete its card in Slack if there is one, then `python -m bot erase {self.id}`."

    def _taken_away(self) -> str:
        store = self._parts.store
        if self.id in store.add([probes.stone(self.id, self._parts.clock())]):
            return self._never_read()
        store.change(self.id, probes.called_off)
        case = self._looked(_settled, self._parts.clock() + SETTLED_IN)
        if case is not None:
            self._uncarded(case)
        store.delete([self.id])
        return "Nothing of it is left."

    def _never_read(self) -> str:
        """The tweet still waits; whoever reads it finds an empty case in its place."""
        backlog = self._parts.eraser.backlog
        if backlog is None or not backlog.take_out(lambda body: self.id in body):
            return (
                f"It may still wait on its queue, so an empty case {self.id} stays in its place "
                "until its time is over; nothing is to be done."
            )
        self._parts.wait(SELDOM)  # somebody may hold it in hand
        self._parts.store.delete([self.id])
        return "Nothing of it is left."

    def _uncarded(self, case: Case) -> None:
        card = _card(case)
        if card is None or (card.state == "failed" and card.outside_id is None):
            return
        if card.state == "sent" and card.outside_id is None:  # the console draws the case itself
            return
        outside_id = card.outside_id or self._found(case, card)
        if outside_id is None:
            raise _Failed(f"Whether its card was posted is not known ({card.state}).")
        from bot.slack.outlets import Place, take_away  # noqa: PLC0415

        at = card.begun_at or self._sent_at
        take_away(self._parts.slack_channel, case, Place.of(outside_id), at)

    def _found(self, case: Case, card: Effect) -> str | None:
        outlet = self._parts.card_courier.outlets["card"]
        return outlet.find(case, card) if outlet and card.state == "unknown" else None


def new_id(at: datetime) -> str:
    """An id as X would give at that moment, and as good as nobody else's."""
    milliseconds = round(at.timestamp() * 1000) - SNOWFLAKE_EPOCH_MS
    return str(milliseconds << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS))


def _card(case: Case | None) -> Effect | None:
    return case.effect("card") if case else None


def _decided(case: Case | None) -> bool:
    """Whether its card is there, or will not come."""
    card = _card(case)
    return card is None or card.state in {"sent", "failed"} or card.stuck


def _settled(case: Case | None) -> bool:
    return case is None or all(effect.state != "sending" for effect in case.effects)


def _field(answer: requests.Response, name: str) -> object:
    try:
        content = answer.json()
    except ValueError:
        return None
    return content.get(name) if isinstance(content, dict) else None
