"""Cards and answers as Slack blocks: pure functions of a case or a verdict.

Limits: Slack's "Block Kit reference". Foreign text stands only in `rich_text` and `plain_text`,
where nothing in it is a command, a link or a mention.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from bot.cases import Case
from bot.explanation import marked
from bot.verdicts import Verdict, Weight

LONGEST_QUOTE: Final = 2_900
LONGEST_TEXT: Final = 3_900
LONGEST_REASON: Final = 300
MOST_REASONS: Final = 10
LONGEST_NAME: Final = 50
CARD: Final = "tweet_escalator_card"
"""The metadata event type by which a card is found again."""
_USER: Final = re.compile(r"[UW][A-Z0-9]{2,}")

JsonObject = dict[str, Any]


def escaped(text: str, most: int = LONGEST_TEXT) -> str:
    """`text` for a message's `text` field: inert, and cut without splitting an entity."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if len(safe) <= most:
        return safe
    cut = safe[: most - 1]
    entity = cut.rfind("&")
    if entity != -1 and ";" not in cut[entity:]:
        cut = cut[:entity]
    return cut + "…"


def card(case: Case, head: Case | None = None) -> JsonObject:
    """What `chat.postMessage` and `chat.update` take for a case.

    `head` is the case whose conversation it goes on with: whoever has that one is mentioned.
    """
    handle = case.tweet.author.handle
    author = f"@{_cut(handle, LONGEST_NAME)}" if handle else "someone"
    blocks = [
        _section(_headline(case)),
        _quote(
            case.tweet.text or ("(its text was erased)" if case.erased else "(no text)"),
            case.verdict.words if case.verdict else (),
        ),
        _context([f"{author} · {_confidence(case)}"]),
        *_list(case.reasons),
    ]
    if case.assignee:
        blocks.append(_person("Claimed by ", case.assignee))
    elif head and head.assignee:
        blocks.append(_person("The conversation is with ", head.assignee))
    if not case.resolved:
        blocks.append(_actions(case))
    return {
        "text": escaped(f"{_headline(case)} {author}: {case.tweet.text}"),
        "blocks": blocks,
        "metadata": {"event_type": CARD, "event_payload": {"case": case.id}},
        "unfurl_links": False,
        "unfurl_media": False,
    }


def mentions_somebody(case: Case, head: Case | None) -> bool:
    """Whether `card` mentions a person of Slack, who is notified of it even in a thread."""
    return bool(_USER.fullmatch(case.assignee or (head.assignee if head else None) or ""))


def verdict_answer(text: str, verdict: Verdict, *, unsure: bool) -> JsonObject:
    """The answer to `/classify TEXT`."""
    said = "Escalate: yes" if verdict.escalate else "Escalate: no"
    hedge = ", unsure" if unsure else ""
    headline = f"{said} ({verdict.confidence:.0%} confident{hedge})"
    if not verdict.known:
        headline = "Escalate: yes (the text has no word the model knows)"
    return {
        "text": escaped(f"{headline}: {text}"),
        "blocks": [
            _section(headline),
            _quote(text),
            _context([f"{verdict.model} · read as: {verdict.tokens or 'nothing'}"[:1_900]]),
        ],
    }


def _headline(case: Case) -> str:
    if case.erased:
        return "This post was deleted."
    if case.resolved:
        return "Resolved."
    return "A conversation goes on." if case.thread else "A post needs a person."


def _confidence(case: Case) -> str:
    if case.verdict is None or not case.verdict.known:
        return "not judged by the model"
    hedge = ", unsure" if case.unsure else ""
    return f"{case.verdict.confidence:.0%} confident{hedge}"


def _section(text: str) -> JsonObject:
    return {"type": "section", "text": _plain(text)}


def _plain(text: str) -> JsonObject:
    return {"type": "plain_text", "text": text, "emoji": False}


def _context(texts: list[str]) -> JsonObject:
    return {"type": "context", "elements": [_plain(text) for text in texts]}


def _quote(text: str, words: Sequence[Weight] = ()) -> JsonObject:
    """The post; words that spoke for a person are bold, those against are slanted."""
    parts: list[JsonObject] = []
    for part in marked(_cut(text, LONGEST_QUOTE), words):
        style = {} if part.weight is None else {"bold" if part.weight > 0 else "italic": True}
        parts.append({"type": "text", "text": part.text, **({"style": style} if style else {})})
    quoted = {"type": "rich_text_quote", "elements": parts}
    return {"type": "rich_text", "elements": [quoted]}


def _list(sentences: tuple[str, ...]) -> list[JsonObject]:
    shown = [_cut(sentence, LONGEST_REASON) for sentence in sentences[:MOST_REASONS] if sentence]
    if len(sentences) > MOST_REASONS:
        shown.append(f"… and {len(sentences) - MOST_REASONS} more.")
    if not shown:  # Slack refuses an empty list
        return []
    items = [
        {"type": "rich_text_section", "elements": [{"type": "text", "text": sentence}]}
        for sentence in shown
    ]
    bullets = {"type": "rich_text_list", "style": "bullet", "elements": items}
    return [{"type": "rich_text", "elements": [bullets]}]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _person(before: str, who: str) -> JsonObject:
    elements = [{"type": "text", "text": before}, {"type": "user", "user_id": who}]
    if not _USER.fullmatch(who):  # someone who is not of Slack, such as the console
        elements[1] = {"type": "text", "text": who}
    section = {"type": "rich_text_section", "elements": elements}
    return {"type": "rich_text", "elements": [section]}


def _actions(case: Case) -> JsonObject:
    buttons: list[JsonObject] = [
        {**_button("claim", "Claim", case.id), "style": "primary"},
        _button("resolve", "Resolve", case.id),
    ]
    if case.tweet.url:
        buttons.append({**_button("open", "Open on X", case.id), "url": case.tweet.url})
    return {"type": "actions", "block_id": "case", "elements": buttons}


def _button(action: str, label: str, case_id: str) -> JsonObject:
    return {"type": "button", "action_id": action, "text": _plain(label), "value": case_id}
