"""The Bolt app: verifies, acknowledges, and puts the work on the actions queue.

Slack wants its acknowledgement within 3 s ("Acknowledgement response"), so nothing here calls a
neighbour besides the queue; only *Reply* reads its case, and opens a modal while the press's
trigger lives.
"""

import json
import logging
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from slack_bolt import Ack, App, BoltRequest, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot import envelopes
from bot.agents import Agents, Deed
from bot.errors import Conflict, Failure, Misconfigured, Refused, Unknown
from bot.frozen import frozen
from bot.ports import Outgoing, Queue
from bot.slack.client import failure_of
from bot.slack.looks import answers, views
from bot.slack.looks.cards import BUTTONS, MENU, deed_of
from bot.tweets import Tweet
from bot.web.messages import Answer, Request, refused

log = logging.getLogger(__name__)

ASKED: Final = (
    *("right", "wrong", "share", "threshold", "leave", "unmute", "opt in"),
    *(answers.MISSED, answers.NEEDLESS),
)
"""Buttons under an answer to a command."""
TRIGGER_LIVES: Final = 1
"""Seconds for a call that opens a modal: the press's trigger lives 3, and what is read before and
queued after it must find its time within them too (`handlers.slack`)."""
_STAMP: Final = re.compile(r"[0-9]{1,12}")
_ANY: Final = re.compile(".*", re.DOTALL)
_EXPIRED: Final = frozenset({"expired_trigger_id", "trigger_expired"})
"""Slack's names for a press that was too long ago: "views.open", "Errors"; "dialog.open"."""
_LATE: Final = "Slack was too slow to open it: press the button once more."
_STALE: Final = "This form is of another release: close it and press Reply once more."
_TRIPPED: Final = (LookupError, TypeError, AttributeError, ValueError)
"""What is raised over a body that Slack would not send, mostly by Bolt."""

Body = dict[str, Any]


@frozen
class Front:
    """What *Reply* needs at once, made when first asked for; `draft` is what a text begins with."""

    agents: Callable[[], Agents]
    draft: Callable[[Tweet], str]


def build(signing_secret: str, client: WebClient, actions: Queue, front: Front) -> App:
    """The app of one workspace; it makes no call when built, and none to say who asks."""

    def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id=None, bot_token=client.token)

    # Below this Bolt repeats, at each start, that we pass a client and a token of our own.
    logging.getLogger("bot.slack.bolt").setLevel(logging.ERROR)
    own = WebClient(client.token, client.base_url, timeout=TRIGGER_LIVES, retry_handlers=[])
    app = App(
        name="tweet-escalator",
        logger=logging.getLogger("bot.slack.bolt"),
        signing_secret=signing_secret,
        client=own,
        authorize=authorize,
        token_verification_enabled=False,
        process_before_response=True,
    )
    desk = _Desk(actions, front, own)
    app.command("/classify")(desk.classify)
    app.command("/triage")(desk.triage)
    app.event("app_home_opened")(desk.home)
    app.event(_ANY)(desk.nothing)  # one of a message too: what is typed there asks for nothing
    app.action("reply")(desk.reply)
    for name in (*BUTTONS, MENU):
        app.action(name)(desk.deed)
    for name in ASKED:
        app.action(name)(desk.asked)
    app.action(_ANY)(desk.nothing)  # a link, or a card of another release
    app.view(views.REPLY)(desk.preview)
    app.view(views.SEND)(desk.send)
    app.view(_ANY)(desk.stale)
    app.error(_raised)
    return app


def _raised(error: Exception) -> BoltResponse:
    """What Slack is answered where something raised: only our own failures are a 5xx.

    Slack then tells whoever pressed that it did not work, and delivers an event again.
    """
    if isinstance(error, Refused):
        log.error("Slack sent what cannot be read: %s", error)
        return BoltResponse(status=400)
    if isinstance(error, _TRIPPED):
        log.error("Slack sent what cannot be read.", exc_info=error)
        return BoltResponse(status=400)
    if isinstance(error, Failure | Conflict | Misconfigured):
        log.error("A request of Slack's could not be taken: %s", error)
    else:
        log.error("A request of Slack's could not be taken.", exc_info=error)
    return BoltResponse(status=503)


class _Desk:
    """The listeners. Bolt gives them what their arguments are named after."""

    def __init__(self, actions: Queue, front: Front, client: WebClient) -> None:
        self._actions = actions
        self._front = front
        self._client = client

    def classify(self, ack: Ack, command: Body) -> None:
        text = _text(command, "text").strip()
        if text in {"", "help"}:
            ack(answers.classify_help())
            return
        self._queue("classify", command, text=text)
        ack()

    def triage(self, ack: Ack, command: Body) -> None:
        words = _text(command, "text").strip()
        if words in {"", "help"}:
            ack(answers.triage_help())
            return
        self._queue("triage", command, words=words)
        ack()

    def home(self, ack: Ack, event: Body) -> None:
        ack()
        who = _text(event, "user")
        if who and event.get("tab", "home") == "home":
            self._send(do="home", who=who)

    def deed(self, ack: Ack, action: Body, body: Body) -> None:
        ack()
        try:
            deed, case_id = deed_of(action)
        except Refused as refusal:
            self._queue("say", body, text=str(refusal))
            return
        self._queue("act", body, deed=deed, case=case_id, at=str(action.get("action_ts", "")))

    def asked(self, ack: Ack, action: Body, body: Body) -> None:
        ack()
        button, value, at = action["action_id"], _text(action, "value"), _text(action, "action_ts")
        self._queue("answer", body, button=button, value=value, at=at)

    def nothing(self, ack: Ack) -> None:
        ack()

    def reply(self, ack: Ack, action: Body, body: Body) -> None:
        ack()
        case_id = _text(action, "value")
        try:
            case = self._front.agents().case(case_id)
            view = views.reply_view(case, self._front.draft(case.tweet), who=_who(body))
        except Refused as refusal:
            view = views.said_view("Reply", str(refusal))
        except (Failure, Conflict) as failure:
            log.warning("Case %s cannot be answered now: %s", case_id, failure)
            view = views.said_view("Reply", "Its case cannot be read right now: try again.")
        try:
            self._client.views_open(trigger_id=_text(body, "trigger_id"), view=view)
        except Exception as error:  # noqa: BLE001  failure_of raises what it does not know
            problem = failure_of(error)
            log.warning("The modal of case %s did not open: %s", case_id, problem)
            late = isinstance(problem, Unknown) or _expired(error)
            self._queue("say", body, text=_LATE if late else f"It did not open. {problem}")

    def preview(self, ack: Ack, body: Body, view: Body) -> None:
        try:
            case_id, text = views.asked(view)
            deed = Deed("reply", case_id, _who(body), text=text)
            case = self._front.agents().check(deed)
        except Refused as refusal:
            ack(**views.errors(str(refusal)))
        except (Failure, Conflict) as failure:
            log.warning("An answer cannot be checked now: %s", failure)
            ack(**views.errors("It cannot be checked right now: try again."))
        else:
            ack(response_action="push", view=views.preview_view(case, text))

    def send(self, ack: Ack, body: Body, view: Body) -> None:
        try:
            case_id, text = views.confirmed(view)
        except Refused as refusal:
            ack(response_action="update", view=views.said_view("Reply", str(refusal)))
            return
        self._queue("act", body, deed="reply", case=case_id, text=text, view=_text(view, "id"))
        ack(response_action="clear")

    def stale(self, ack: Ack) -> None:
        ack(response_action="update", view=views.said_view("Reply", _STALE))

    def _queue(self, do: str, body: Mapping[str, Any], **more: str) -> None:
        """`body` is that of a command or of an interaction."""
        view = body.get("view")
        place = "home" if isinstance(view, Mapping) and view.get("type") == "home" else ""
        url = _text(body, "response_url")
        self._send(do=do, who=_who(body), place=place, response_url=url, **more)

    def _send(self, **action: str) -> None:
        self._actions.send([Outgoing(json.dumps(envelopes.stamped(action)))])


def _expired(error: Exception) -> bool:
    told = error.response.data if isinstance(error, SlackApiError) else None
    return isinstance(told, dict) and told.get("error") in _EXPIRED


def _who(body: Mapping[str, Any]) -> str:
    """Who typed a command, pressed or submitted. Raises `Refused` where it is not said."""
    user = body.get("user")
    who = _text(user, "id") if isinstance(user, Mapping) else _text(body, "user_id")
    if not who:
        raise Refused("The request does not say who asks.")
    return who


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    return value if isinstance(value, str) else ""


def dispatch(app: App, request: Request) -> Answer:
    """Bolt's answer to an HTTP request; what Bolt would trip over is refused before."""
    headers: Mapping[str, str] = request.headers
    if not _STAMP.fullmatch(headers.get("x-slack-request-timestamp", "0")):
        return refused(401, "The request's timestamp is not a number.")
    if not headers.get("x-slack-signature", "").isascii():
        return refused(401, "The request's signature is not Slack's.")
    try:
        body = request.body.decode("utf-8")
        asked_for = BoltRequest(body=body, query=request.raw_query, headers=dict(headers))
        answer = app.dispatch(asked_for)
    except Exception as error:  # noqa: BLE001
        # Bolt trips over much: before it verifies, and once more when it tells of that.
        log.warning("The body is nothing that Slack sends (%s).", type(error).__name__)
        return refused(400, "The body is nothing that Slack sends.")
    return Answer(
        answer.status, answer.body, {name: str(v) for name, v in answer.first_headers().items()}
    )
