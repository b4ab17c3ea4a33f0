"""Cards and what is said in their threads: pure functions of a case to Slack's messages.

Limits: Slack's "Block Kit reference". Nobody says how long a message may be in all: one with
13,000 characters in its blocks is refused (slackapi/bolt-js, issues 2509 and 2867), so each part
here has a length of its own.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from bot import deeds
from bot.cases import Case, Effect, Entry
from bot.errors import Refused
from bot.frozen import frozen
from bot.notices import Digest, Drift, Incident
from bot.slack.looks import buttons, notices
from bot.slack.looks.blocks import (
    LONGEST_NAME,
    LONGEST_TEXT,
    JsonObject,
    actions,
    bullets,
    button,
    confirm,
    cut,
    escaped,
    header,
    is_user,
    link,
    menu,
    moment,
    one_line,
    paragraph,
    person,
    post,
    rich,
    words,
)
from bot.slack.looks.phrases import LONGEST_REASON, confidence, name, quoted, whom, written_by
from bot.tweets import IDENTITY, Tweet

CARD: Final = "tweet_escalator_card"
LINE: Final = "tweet_escalator_line"
"""The metadata event types by which a card, and lines of its thread, are found again."""
BUTTONS: Final[tuple[str, ...]] = (
    *("reply", "claim", "release", "resolve", "relabel yes", "dismiss", "reopen"),
)
OPEN: Final = "open"
MENU: Final = "more"
CHOICES: Final[tuple[str, ...]] = (
    *("relabel no", "relabel yes", "snooze hour", "snooze morning", "mute", "opt out"),
)
"""Action ids, and what the menu's choices ask for, those of older cards included."""
LONGEST_ANSWER: Final = 300
LONGEST_EARLIER: Final = 150
LONGEST_EXAMPLE: Final = 140
LONGEST_FOLDED: Final = 100
LONGEST_SPOKEN: Final = 2_000
LONGEST_LINES: Final = 8_000
"""Characters of all the lines that go to a thread together."""
LONGEST_LINE: Final = 600
MOST_REASONS: Final = 10
MOST_EARLIER: Final = 3
MOST_EXAMPLES: Final = 3
_BLOCK: Final = "case "
_MEDIA: Final = {"photo": "photo", "video": "video", "animated_gif": "GIF"}


@frozen
class Around:
    """What a card shows beside its case.

    `head` is the case whose thread it joins, `incident` the one that collects it, `earlier` are
    those of its conversation, oldest first, `members` the newest that an incident collected.
    `channel_url` is where a browser shows the channel, such as
    `https://acme.slack.com/archives/C0SUPPORT`: other cards are linked there.
    """

    head: Case | None = None
    incident: Case | None = None
    earlier: tuple[Case, ...] = ()
    members: tuple[Case, ...] = ()
    channel_url: str | None = None


ALONE: Final = Around()


def card(case: Case, around: Around = ALONE) -> JsonObject:
    """What `chat.postMessage` and `chat.update` take for a case."""
    text, blocks = _drawn(case, around)
    return _message(text, blocks, CARD, {"case": case.id})


def line(case: Case, effect: Effect, channel_url: str | None = None) -> JsonObject:
    """The message that tells a card's thread the lines which `effect` carries.

    Where the card itself is in another's thread it is linked, as far as `channel_url` is known.
    """
    told = case.lines[: effect.carries] or (Entry(case.decided_at, "bot", "Nothing new."),)
    most = min(LONGEST_LINE, LONGEST_LINES // len(told))
    shown = [paragraph(*_told(entry, most)) for entry in told]
    card_url = card_link(case, channel_url)
    if card_url and "?" in card_url:
        shown.append(paragraph(link(card_url, "its card")))
    heard = min(LONGEST_LINE, LONGEST_TEXT // len(told)) - LONGEST_NAME - 2
    said = " ".join(_said(entry, heard) for entry in told)
    return _message(said, [rich(*shown)], LINE, {"case": case.id, "line": effect.token or ""})


def mentions_somebody(case: Case, head: Case | None) -> bool:
    """Whether `card` mentions a person of Slack, who is notified of it even in a thread."""
    return is_user(case.assignee or (head.assignee if head else None))


def card_link(case: Case, channel_url: str | None) -> str | None:
    """Where a browser shows the case's card in the channel at `channel_url`, as in `Around`."""
    sent = case.effect("card")
    root, _, ts = ((sent and sent.outside_id) or "").rpartition("/")
    stamp, channel = ts.replace(".", ""), (channel_url or "").rstrip("/")
    if not (channel and stamp.isdecimal()):
        return None
    within = f"?thread_ts={root}&cid={channel.rpartition('/')[2]}" if root else ""
    return f"{channel}/p{stamp}{within}"


def deed_of(action: Mapping[str, Any]) -> tuple[str, str]:
    """What a click on a card asks for, one of `BUTTONS` or `CHOICES`, and the id of its case.

    `action` is one of a `block_actions` payload. A button has the case's id as its value. A choice
    of the menu has no room for it (Slack's "Option object": 150 characters): there it stands in
    the `block_id`. Raises `Refused` where no card sends such a thing.
    """
    if action.get("action_id") == MENU:
        option = action.get("selected_option")
        offered, do = CHOICES, _text(option.get("value")) if isinstance(option, Mapping) else ""
        case_id = _text(action.get("block_id")).partition(_BLOCK)[2]
    else:
        offered, do = BUTTONS, _text(action.get("action_id"))
        case_id = _text(action.get("value"))
    if do not in offered or not IDENTITY.fullmatch(case_id):
        raise Refused("No card offers that any more: use the buttons it has now.")
    return do, case_id


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _message(
    text: str, blocks: Iterable[JsonObject], event: str, payload: Mapping[str, str]
) -> JsonObject:
    """`text` is escaped."""
    return {
        "text": text,
        "blocks": list(blocks),
        "metadata": {"event_type": event, "event_payload": dict(payload)},
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _drawn(case: Case, around: Around) -> tuple[str, Iterable[JsonObject]]:
    if isinstance(case.notice, Incident):
        told = [member for member in around.members if not member.erased]
        examples = [_example(member, around) for member in told[:MOST_EXAMPLES]]
        return notices.incident(case.notice, told, examples)
    if isinstance(case.notice, Digest):
        return notices.digest(case.notice)
    if isinstance(case.notice, Drift):
        return notices.drift(case.notice)
    if case.erased:
        return _headline(case), _erased(case)
    if case.resolved:
        return _spoken(case), _folded(case)
    return _spoken(case), _full(case, around)


# The whole card.


def _full(case: Case, around: Around) -> Iterator[JsonObject]:
    yield header(_headline(case))
    yield rich(*_post(case))
    if reasons := _reasons(case):
        yield rich(bullets(*(paragraph(words(reason)) for reason in reasons)))
    if around.earlier:
        yield rich(*_earlier(around))
    if standing := list(_standing(case, around.head)):
        yield rich(*standing)
    if answer := case.effect("reply"):
        yield rich(*_answer(answer))
    yield actions(_BLOCK + case.id, *_elements(case))


def _headline(case: Case) -> str:
    reply = case.effect("reply")
    if case.erased:
        return "This post was deleted."
    if case.label and not case.label.escalate:
        return "Marked as needing nobody"
    if case.thread:
        return "A conversation goes on"
    if case.route != "escalate" and reply and reply.state == "failed":
        return "The bot's answer failed: a person should look"
    return "Unsure: a person should look" if case.unsure else "Needs a person"


def _post(case: Case) -> Iterator[JsonObject]:
    tweet, verdict = case.tweet, case.verdict
    yield paragraph(*written_by(tweet.author))
    yield post(tweet.text, verdict.words if verdict else ())
    if tweet.media:
        yield paragraph(words(_media_note(tweet)))
    yield paragraph(words(confidence(verdict, unsure=case.unsure)))
    written = tweet.written_at
    verb = "Written " if written else "Came in "
    yield paragraph(words(verb), moment(written or case.received_at))


def _media_note(tweet: Tweet) -> str:
    counts = Counter(_MEDIA.get(kind, "attachment") for kind in tweet.media)
    listed = [f"{count} {kind}s" if count > 1 else _one(kind) for kind, count in counts.items()]
    *others, last = listed
    said = f"{', '.join(others)} and {last}" if others else last
    them = "it" if len(tweet.media) == 1 else "them"
    return f"With {said}: look at {them} on X." if tweet.url else f"With {said}."


def _one(kind: str) -> str:
    return f"an {kind}" if kind == "attachment" else f"a {kind}"


def _reasons(case: Case) -> list[str]:
    given = [reason for reason in case.reasons if reason.strip()]
    shown = [one_line(reason, LONGEST_REASON) for reason in given[:MOST_REASONS]]
    more = len(given) - len(shown)
    return [*shown, f"… and {more} more."] if more else shown


def _earlier(around: Around) -> Iterator[JsonObject]:
    shown = around.earlier[-MOST_EARLIER:]
    left_out = len(around.earlier) - len(shown)
    title = "Earlier in this conversation"
    more = f" ({left_out} more before)" if left_out else ""
    yield paragraph(words(title + more, bold=True))
    yield bullets(*(paragraph(*_brief(case, around)) for case in shown))


def _brief(case: Case, around: Around) -> Iterator[JsonObject]:
    yield moment(case.tweet.written_at or case.received_at)
    yield words(f": {quoted(case, LONGEST_EARLIER)}")
    reply = case.effect("reply")
    if reply and reply.state == "sent" and reply.text:
        whose = "answered" if reply.by else "the bot answered"
        yield words(f" – {whose}: “{one_line(reply.text, LONGEST_EARLIER)}”")
    yield from _link_to_card(case, around)


def _example(case: Case, around: Around) -> JsonObject:
    return paragraph(words(_excerpt(case, LONGEST_EXAMPLE)), *_link_to_card(case, around))


def _excerpt(case: Case, most: int) -> str:
    return f"{whom(case.tweet.author)}: {quoted(case, most)}"


def _link_to_card(case: Case, around: Around) -> Iterator[JsonObject]:
    if url := card_link(case, around.channel_url):
        yield words(" ")
        yield link(url, "its card")


def _standing(case: Case, head: Case | None) -> Iterator[JsonObject]:
    if case.assignee:
        since = moment(deeds.since(case))
        yield paragraph(
            words("Claimed by "), person(case.assignee), words(" since "), since, words(".")
        )
    elif head and head.assignee:
        yield paragraph(words("The conversation is with "), person(head.assignee), words("."))
    if case.snoozed_until:
        entry = case.last(deeds.SNOOZED)
        by = [words(" by "), person(entry.who)] if entry else []
        until = moment(case.snoozed_until)
        yield paragraph(words("Snoozed"), *by, words(" until "), until, words("."))
    if case.label:
        needs = "a person" if case.label.escalate else "nobody"
        yield paragraph(person(case.label.who), words(f" says that it needs {needs}."))
    for what, said in (
        (deeds.MUTED, " muted its author."),
        (deeds.OPTED_OUT, " keeps the bot from answering its author."),
    ):
        if entry := case.last(what):
            yield paragraph(person(entry.who), words(said))


def _answer(reply: Effect) -> Iterator[JsonObject]:
    yield paragraph(*_whose(reply), *_outcome(reply))
    if reply.text:
        yield post(reply.text, most=LONGEST_ANSWER)


def _whose(reply: Effect) -> Iterator[JsonObject]:
    if reply.by:
        yield words("The answer by ")
        yield person(reply.by)
    else:
        yield words("The bot's answer")


def _outcome(reply: Effect) -> Iterator[JsonObject]:
    problem = one_line(reply.problem or "", LONGEST_REASON)
    match reply.state:
        case "sent":
            yield from _public(reply)
        case "dry-run":
            yield words(" is recorded, not sent.")
        case "failed":
            yield words(f" failed: {problem or 'nobody knows why.'}")
        case "unknown":
            yield words(" may be public: that is being looked up.")
        case _:
            yield words(f" is on its way. {problem}".rstrip())


def _public(reply: Effect) -> Iterator[JsonObject]:
    if reply.outside_id and reply.outside_id.isdecimal():
        yield words(" is public: ")
        yield link(f"https://x.com/i/status/{reply.outside_id}", "see it on X")
    else:
        yield words(" is public.")


def _elements(case: Case) -> Iterator[JsonObject]:
    yield from buttons.reply(case, style="primary")
    yield buttons.release(case) if case.assignee else button("claim", "Claim", case.id)
    yield buttons.resolve(case)
    yield button("relabel yes", "Needed", case.id)
    needless = confirm(
        "Did it need nobody?",
        "This resolves it, with the label that it needed nobody. It can be reopened.",
        "Not needed",
    )
    yield button("dismiss", "Not needed", case.id, confirm=needless)
    if case.tweet.url:
        yield button(OPEN, "Open on X", case.id, url=case.tweet.url)
    yield menu(MENU, *_choices(case))


def _choices(case: Case) -> Iterator[tuple[str, str]]:
    word = "Wrong label" if case.route == "escalate" else "Right"
    yield f"{word}: it needs nobody", "relabel no"
    yield "Snooze for 1 hour", "snooze hour"
    yield "Snooze until tomorrow morning", "snooze morning"
    if case.tweet.author.known_by:
        yield "Mute this author", "mute"
        yield "Never let the bot answer this author", "opt out"


# What is left of a card.


def _folded(case: Case) -> Iterator[JsonObject]:
    shown = [paragraph(*_done(case)), paragraph(words(_excerpt(case, LONGEST_FOLDED)))]
    reply = case.effect("reply")
    if reply and reply.state == "sent":
        shown.append(paragraph(*_whose(reply), *_public(reply)))
    yield rich(*shown)
    yield actions(_BLOCK + case.id, button("reopen", "Reopen", case.id))


def _done(case: Case) -> Iterator[JsonObject]:
    entry = case.last(deeds.RESOLVED, deeds.DISMISSED)
    if entry is None:
        yield words("Resolved.")
        return
    yield words("Resolved by ")
    yield person(entry.who)
    yield words(" ")
    yield moment(entry.at)
    yield words(": it needed nobody." if entry.what == deeds.DISMISSED else ".")


def _erased(case: Case) -> Iterator[JsonObject]:
    yield header(_headline(case))
    reply = case.effect("reply")
    if reply and reply.state == "sent":  # the author's words are gone, ours are still there
        yield rich(paragraph(words("Our answer"), *_public(reply)))


# What screen readers say.


def _spoken(case: Case) -> str:
    author = case.tweet.author
    who = escaped(name(author) or whom(author))
    text = escaped(case.tweet.text.strip(), LONGEST_SPOKEN) or "(no text)"
    sure = confidence(case.verdict, unsure=case.unsure)
    return f"{_state(case)} {who} wrote: “{text}” {sure}"


def _state(case: Case) -> str:
    if case.resolved:
        entry = case.last(deeds.RESOLVED, deeds.DISMISSED)
        return f"Resolved by {_mention(entry.who)}." if entry else "Resolved."
    claimed = f", claimed by {_mention(case.assignee)}" if case.assignee else ""
    return f"{_headline(case)}{claimed}."


def _told(entry: Entry, most: int) -> Iterator[JsonObject]:
    if entry.who == "bot":
        yield words(cut(entry.what, most))
    else:
        yield person(entry.who)
        yield words(" " + cut(entry.what, most))


def _said(entry: Entry, most: int) -> str:
    if entry.who == "bot":
        return escaped(entry.what, most)
    return f"{_mention(entry.who)} {escaped(entry.what, most)}"


def _mention(who: str) -> str:
    return f"<@{who}>" if is_user(who) else escaped(who, LONGEST_NAME)
