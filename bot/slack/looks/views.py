"""Modals, in which an agent writes what becomes public: pure functions, and what they send read.

Limits and payloads: docs.slack.dev, "Modal views", "view_submission".
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from bot import deeds
from bot.cases import Case
from bot.errors import Refused
from bot.slack.looks.blocks import (
    JsonObject,
    context,
    cut,
    moment,
    one_line,
    paragraph,
    person,
    plain,
    post,
    quote,
    rich,
    sentence,
    words,
)
from bot.slack.looks.carried import LONGEST_METADATA, packed, unpacked
from bot.slack.looks.phrases import LONGEST_REASON, handle, written_by
from bot.tweets import IDENTITY
from bot.twitter.ledger import DOLLAR
from bot.twitter.lengths import weighted_length
from bot.twitter.replies import LONGEST, price_of

REPLY: Final = "reply"
SEND: Final = "send"
"""Callback ids."""
ANSWER: Final = "answer"
"""The block in which the answer is written: what is wrong with it is said beside it."""
LONGEST_DRAFT: Final = 1_000
"""Characters as Slack counts them: more than X takes, as a link is short there however long."""
LONGEST_TITLE: Final = 24
LONGEST_ERROR: Final = 2_000
"""Slack names none; an input's hint has this one."""
_TEXT: Final = "text"
_FROM_A_FILE: Final = "This post came from a file: the answer is recorded, not sent."
_STALE: Final = "This form is damaged or of another release: press Reply once more."


def reply_view(
    case: Case, draft: str, *, who: str | None = None, account: str | None = None
) -> JsonObject:
    """Where an agent writes an answer, which begins as `draft`.

    `who` writes it: where somebody else has the case, that is said. `account` is the handle in
    whose name it becomes public. Raises `Refused` where the post is gone.
    """
    if case.erased:
        raise Refused("The post was deleted or erased, so there is nothing to answer.")
    blocks = [rich(paragraph(*written_by(case.tweet.author)), post(case.tweet.text))]
    if case.assignee and case.assignee != who:
        since = moment(deeds.since(case))
        has_it = person(case.assignee), words(" has it since "), since, words(".")
        blocks.append(rich(paragraph(*has_it)))
    blocks += [rich(paragraph(words(said))) for said in _before(case)]
    element = {
        "type": "plain_text_input",
        "action_id": _TEXT,
        "multiline": True,
        "max_length": LONGEST_DRAFT,
        "focus_on_load": True,
        **({"initial_value": draft[:LONGEST_DRAFT]} if draft else {}),
    }
    public = "It will be public, once you have seen it again and sent it."
    then = public if case.tweet.answer else _FROM_A_FILE
    answer = {
        "type": "input",
        "block_id": ANSWER,
        "label": plain(f"Your answer, in the name of {_account(account)}"),
        "hint": plain(f"At most {LONGEST} characters as X counts them. {then}"),
        "element": element,
    }
    carried = packed(LONGEST_METADATA, case=case.id)
    return _modal("Reply", [*blocks, answer], REPLY, carried, submit="Preview")


def preview_view(case: Case, text: str, *, account: str | None = None) -> JsonObject:
    """The answer as it will be public; to send it is the next step.

    Raises `Refused` where Slack cannot carry the text to there (as `asked` does before).
    """
    shown = rich(paragraph(words(_what_becomes_of_it(case, account))), quote(words(text)))
    figures = f"{weighted_length(text)} of {LONGEST} characters as X counts them"
    if case.tweet.answer:
        figures += f" · costs ${price_of(text) / DOLLAR:.3f}"
    carried = packed(LONGEST_METADATA, case=case.id, text=text)
    return _modal("Preview", [shown, context(figures)], SEND, carried, submit="Send", close="Back")


def said_view(title: str, said: str) -> JsonObject:
    """A modal that tells one sentence, in which people may stand by their ids."""
    return _modal(title, [rich(paragraph(*sentence(said)))], close="Close")


def asked(view: Mapping[str, Any]) -> tuple[str, str]:
    """The case's id, and what was written in the form of `reply_view`, without blanks around it.

    `view` is that of a `view_submission`. Raises `Refused` where it is none of ours, or the text
    is longer than the next form can carry.
    """
    case_id = _case_of(view)
    try:
        written = view["state"]["values"][ANSWER][_TEXT]["value"]
    except (KeyError, TypeError):
        raise Refused(_STALE) from None
    if not isinstance(written, str | None):
        raise Refused(_STALE)
    text = (written or "").strip()
    packed(LONGEST_METADATA, case=case_id, text=text)
    return case_id, text


def confirmed(view: Mapping[str, Any]) -> tuple[str, str]:
    """The case's id and the text to be sent, of the form of `preview_view`. Raises `Refused`."""
    [text] = unpacked(view, "private_metadata", "text")
    return _case_of(view), text


def errors(said: str, block: str = ANSWER) -> JsonObject:
    """The answer to a submission that says what is wrong beside an input."""
    shown = one_line(said, LONGEST_ERROR) or "This cannot be sent: change it."
    return {"response_action": "errors", "errors": {block: shown}}


def _case_of(view: Mapping[str, Any]) -> str:
    [case_id] = unpacked(view, "private_metadata", "case")
    if not IDENTITY.fullmatch(case_id):
        raise Refused(_STALE)
    return case_id


def _before(case: Case) -> Iterator[str]:
    """What an agent should know of an answer that was tried before."""
    reply = case.effect("reply")
    problem = one_line((reply and reply.problem) or "nobody knows why.", LONGEST_REASON)
    match reply and reply.state:
        case "failed":
            whose = "The last answer" if reply and reply.by else "The bot's answer"
            yield f"{whose} failed: {problem}"
        case "sent":
            yield "An answer is public already: look at the post on X first."
        case "unknown" | "sending":
            yield "An answer may be public already: look at the post on X first."


def _what_becomes_of_it(case: Case, account: str | None) -> str:
    if not case.tweet.answer:
        return _FROM_A_FILE
    at = handle(case.tweet.author)
    under = f"{at}'s post" if at else "the post"
    return f"This will be public, under {under}, in the name of {_account(account)}:"


def _account(account: str | None) -> str:
    return f"@{cut(account.removeprefix('@'), 50)}" if account else "the account"


def _modal(
    title: str,
    blocks: list[JsonObject],
    callback_id: str | None = None,
    carried: str = "",
    *,
    submit: str | None = None,
    close: str = "Cancel",
) -> JsonObject:
    shown = {
        "type": "modal",
        "title": plain(title, LONGEST_TITLE),
        "close": plain(close),
        "blocks": blocks,
    }
    if submit and callback_id:
        shown |= {"callback_id": callback_id, "submit": plain(submit), "private_metadata": carried}
    return shown
