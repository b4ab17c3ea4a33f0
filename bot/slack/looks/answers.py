"""Answers to `/classify` and `/triage`: pure functions to what Slack shows to whoever asked."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import Any, Final

from bot.cases import Case
from bot.errors import Refused
from bot.policy import Route
from bot.slack.looks.blocks import (
    JsonObject,
    actions,
    bullets,
    button,
    context,
    cut,
    header,
    heard,
    link,
    moment,
    one_line,
    paragraph,
    person,
    post,
    quote,
    rich,
    sentence,
    words,
)
from bot.slack.looks.carried import LONGEST_VALUE, packed, unpacked
from bot.slack.looks.notices import HEADLINES, counted
from bot.slack.looks.phrases import (
    LONGEST_REASON,
    Link,
    age,
    confidence,
    quoted,
    standing,
    sureness,
    whom,
)
from bot.standing import Counts, Status
from bot.thresholds import Changed
from bot.tryouts import came_in
from bot.twitter.ledger import DOLLAR
from bot.twitter.optouts import OptedOutBy
from bot.verdicts import Verdict, Weight

MISSED: Final = "missed"
NEEDLESS: Final = "needless"
"""Under a case that has no card: it did need a person, and it needed nobody."""
MOST_OPEN: Final = 20
MOST_FOUND: Final = 10
MOST_EXAMPLES: Final = 3
MOST_REASONS: Final = 5
"""What a list shows at most."""
_ESCALATE: Final = "escalate"
LONGEST_EXCERPT: Final = 140
LONGEST_WORD: Final = 40
LONGEST_TOKENS: Final = 1_000
LONGEST_ANSWER: Final = 600

_CLASSIFY: Final = (
    ("/classify TEXT", "what would become of a post that says TEXT; only you see the answer"),
    ("/classify help", "this list"),
)
_TRIAGE: Final = (
    ("status", "queues, rates, model, last tweet, whether replies are paused"),
    ("open", "what waits for a person"),
    ("open mine", "what waits for you"),
    ("find ID", "the case of a post; one without a card can be labelled there"),
    ("find @handle", "those of an author, and whether agents muted or opted them out"),
    ("pause", "automatic replies are held back"),
    ("resume", "automatic replies go out again"),
    ("threshold 0.6", "what that threshold would have changed; then it asks"),
    ("threshold usual", "back to that of the settings, or the model's own"),
    ("help", "this list"),
)


def said(text: str) -> JsonObject:
    """A sentence in which nothing has a meaning."""
    return _message(rich(paragraph(words(cut(text, LONGEST_TOKENS)))))


def told(text: str) -> JsonObject:
    """A sentence in which people stand by their ids: they are mentioned."""
    return _message(rich(paragraph(*sentence(text))))


# /classify


def classify_help() -> JsonObject:
    """What `/classify` alone says."""
    return _message(
        rich(
            paragraph(words("Try it on a text, such as /classify I am very angry")),
            bullets(*_verbs(_CLASSIFY)),
        ),
        context(
            "Right and Wrong under the answer are kept as labels; Share here shows the answer "
            "to this channel."
        ),
    )


def verdict_answer(
    text: str,
    verdict: Verdict,
    *,
    unsure: bool,
    answer: str | None,
    reasons: Sequence[str] = (),
    route: Route | None = None,
) -> JsonObject:
    """The answer to `/classify TEXT`, for its caller alone.

    `answer` is what the bot would answer, None where it would not, for these `reasons`. `route`
    is where such a post would go, by rules too; without it the verdict stands.
    """
    blocks = list(_judged(text, verdict, unsure=unsure, reasons=reasons, route=route))
    escalate = _escalates(verdict, route)
    blocks.append(rich(*_would_answer(answer, escalate=escalate)))
    return _message(*blocks, _verdict_buttons(text, escalate=escalate))


def shared_answer(
    text: str,
    verdict: Verdict,
    who: str,
    *,
    unsure: bool = False,
    answer: str | None = None,
    reasons: Sequence[str] = (),
    route: Route | None = None,
) -> JsonObject:
    """The same for the channel, without buttons; of the answer only where there is one."""
    asked = rich(paragraph(person(who), words(" asked about:")))
    blocks = list(_judged(text, verdict, unsure=unsure, reasons=reasons, route=route))
    if answer:
        blocks.append(rich(*_would_answer(answer, escalate=False)))
    return _message(asked, *blocks)


def judged(action: Mapping[str, Any]) -> tuple[str, bool]:
    """The text under whose verdict a button was pressed, and whether that said to escalate.

    Raises `Refused` for any other press.
    """
    text, shown = unpacked(action, "value", "text", "shown")
    return text, shown == _ESCALATE


def _judged(
    text: str, verdict: Verdict, *, unsure: bool, reasons: Sequence[str], route: Route | None
) -> Iterator[JsonObject]:
    yield header(f"Escalate: {'yes' if _escalates(verdict, route) else 'no'}")
    yield rich(paragraph(words(confidence(verdict, unsure=unsure))))
    yield rich(post(text, verdict.words))
    if moved := [*_moved(verdict.words, "For a person", 1), *_moved(verdict.words, "Against", -1)]:
        yield rich(*moved)
    if reasons:
        yield rich(bullets(*(_reason(reason) for reason in reasons[:MOST_REASONS])))
    read = cut(verdict.tokens, LONGEST_TOKENS) or "nothing"
    yield context(f"{verdict.model} · read as: {read}")


def _escalates(verdict: Verdict, route: Route | None) -> bool:
    return verdict.escalate if route is None else route == "escalate"


def _moved(found: Sequence[Weight], title: str, sign: int) -> Iterator[JsonObject]:
    named = [cut(one.words, LONGEST_WORD) for one in found if one.weight * sign > 0]
    if named:
        yield paragraph(words(f"{title}: "), words(", ".join(named)))


def _reason(reason: str) -> JsonObject:
    return paragraph(words(one_line(reason, LONGEST_REASON)))


def _would_answer(answer: str | None, *, escalate: bool) -> Iterator[JsonObject]:
    if answer is None:
        sees = "A person would see it: the bot" if escalate else "The bot"
        yield paragraph(words(f"{sees} would not answer."))
        return
    yield paragraph(words("The bot would answer:"))
    yield quote(words(cut(answer, LONGEST_ANSWER)))


def _verdict_buttons(text: str, *, escalate: bool) -> JsonObject:
    try:
        carried = packed(LONGEST_VALUE, text=text, shown=_ESCALATE if escalate else "answer")
    except Refused:
        return context("The text is too long to be called right or wrong, or shared, from here.")
    return actions(
        "verdict",
        button("right", "Right", carried),
        button("wrong", "Wrong", carried),
        button("share", "Share here", carried),
    )


# /triage


def triage_help() -> JsonObject:
    """What `/triage` alone says."""
    return _message(
        rich(
            paragraph(words("Behind /triage:")),
            bullets(*_verbs(_TRIAGE)),
        ),
        context("pause, resume and threshold are for those in SLACK_ADMINS."),
    )


def hint(word: str) -> JsonObject:
    """What is said to a word that stands for nothing."""
    known = list(dict.fromkeys(command.split()[0] for command, _ in _TRIAGE))
    near = get_close_matches(word.lower(), known, 1)
    meant = f"did you mean {near[0]}?" if near else f"use {', '.join(known)}."
    return said(f"I do not know «{one_line(word, LONGEST_WORD)}»: {meant}")


def status_answer(status: Status) -> JsonObject:
    """How the bot stands."""
    lines = (_tweets(status), _waiting(status), _deciding(status), _sending(status))
    items = [paragraph(*parts) for group in lines for parts in group]
    return _message(header("How it stands"), rich(bullets(*items)))


def _tweets(status: Status) -> Iterator[list[JsonObject]]:
    found = status.counts
    yield [words(f"Last hour: {_routes(found.hour, found)}")]
    yield [words(f"Last day: {_routes(found.day, found)}")]
    if found.last_at is None:
        yield [words("No tweet has come yet.")]
        return
    since = age(found.last_at, status.at)
    yield [words("The last tweet came "), moment(found.last_at), words(f", {since} ago.")]


def _routes(routes: Mapping[Route, int], found: Counts) -> str:
    came = sum(routes.values())
    if not came:
        return "no tweets."
    escalated = routes.get("escalate", 0)
    least = "at least " if found.floor and came == sum(found.day.values()) else ""
    return (
        f"{least}{counted(came, 'tweet')}, {escalated:,} for a person ({escalated / came:.0%}), "
        f"{routes.get('reply', 0):,} for the bot, {routes.get('skip', 0):,} skipped."
    )


def _waiting(status: Status) -> Iterator[list[JsonObject]]:
    if status.open_cases:
        open_cases = counted(status.open_cases, "open case")
        yield [words(f"{open_cases}, {status.unclaimed:,} of them unclaimed.")]
    else:
        yield [words("No case is open.")]
    waiting = {name: wait for name, (wait, _) in status.queues.items() if wait}
    dead = {name: gone for name, (_, gone) in status.queues.items() if gone}
    yield [words(f"Queues: {_listed(waiting) or 'nothing'} waiting.")]
    if dead:
        yield [
            words(f"Dead letters: {_listed(dead)}.", bold=True),
            words(" the log says why, python -m bot redrive sends them again."),
        ]
    if status.incident:
        since = moment(status.incident.since)
        yield [words(f"{HEADLINES[status.incident.cause][0]}, since "), since, words(".")]


def _deciding(status: Status) -> Iterator[list[JsonObject]]:
    state = {True: ", which answers", False: ", which does not answer now", None: ""}
    yield [words(f"Model: {one_line(status.model, 100)}{state[status.classifier_up]}.")]
    by = status.threshold_by
    value = words(f"Threshold: {status.threshold:g}, ")
    if by == "setting":
        yield [value, words("as ESCALATION_THRESHOLD says.")]
    elif by == "model":
        yield [value, words("the model's own.")]
    else:
        yield [value, words("set by "), person(by.who), words(" "), moment(by.at), words(".")]


def _sending(status: Status) -> Iterator[list[JsonObject]]:
    if status.paused:
        who, at = person(status.paused.who), moment(status.paused.at)
        paused = words("Automatic replies are paused", bold=True)
        yield [paused, words(" by "), who, words(" since "), at, words(".")]
    else:
        yield [words("Automatic replies are not held back.")]
    if status.cost is not None:
        left = ", ".join(_left(status))
        yield [words(f"X this month: ${status.cost / DOLLAR:,.2f}{left and f'; left: {left}'}.")]


def _left(status: Status) -> Iterator[str]:
    if status.budget_left is not None:
        yield f"${status.budget_left / DOLLAR:,.2f}"
    if status.reads_left is not None:
        yield f"{counted(status.reads_left, 'post')} to read"


def open_answer(
    cases: Sequence[Case],
    mine: bool,  # noqa: FBT001
    card: Link,
    now: datetime,
) -> JsonObject:
    """What waits for a person, or for whoever asks, longest waiting first."""
    if not cases:
        return said("You have no open case." if mine else "No case is open: all is done.")
    whose = "with you" if mine else "waiting for a person"
    shown = sorted(cases, key=lambda case: case.received_at)
    lines = [paragraph(*_open(case, card, now)) for case in shown[:MOST_OPEN]]
    more = _and_more(len(cases) - MOST_OPEN)
    return _message(
        header(f"{counted(len(cases), 'open case')} {whose}"), rich(bullets(*lines), *more)
    )


def _open(case: Case, card: Link, now: datetime) -> Iterator[JsonObject]:
    sure = sureness(case.verdict, unsure=case.unsure)
    yield words(f"{age(case.received_at, now)} · {sure} · {_excerpt(case)}")
    if case.assignee:
        yield words(" · with ")
        yield person(case.assignee)
    yield from _to_card(case, card)


def threshold_question(value: float, before: float | None, changed: Changed) -> JsonObject:
    """What another threshold would have changed, and whether it shall be set.

    `before` is the one in force, None where it is the model's own.
    """
    now = f"It is {before:g} now." if before is not None else "It is the model's own now."
    tried = f"Tried on the newest judged cases ({changed.looked_at:,}):"
    blocks = [
        header(f"Threshold {value}?"),
        rich(paragraph(words(f"{now} {tried}")), *_changes(changed)),
        actions(
            "threshold",
            button("threshold", f"Set it to {value}", str(value), style="primary"),
            button("leave", "Leave it", "leave"),
        ),
    ]
    return _message(*blocks)


def _changes(changed: Changed) -> Iterator[JsonObject]:
    if not (changed.more or changed.fewer):
        yield paragraph(words("It would have changed nothing."))
    for cases, became in (
        (changed.more, "more for a person"),
        (changed.fewer, "no longer for a person"),
    ):
        if cases:
            yield paragraph(words(f"{len(cases):,} {became}, such as", bold=True))
            yield bullets(*(paragraph(*_example(case)) for case in cases[:MOST_EXAMPLES]))


def _example(case: Case) -> Iterator[JsonObject]:
    yield words(_excerpt(case))
    if case.verdict:
        yield words(f" ({case.verdict.probability:.2f})")


def found_answer(
    cases: Sequence[Case],
    card: Link,
    muted: bool | None,  # noqa: FBT001
    opted_out: OptedOutBy | None,
    handle: str | None,
    now: datetime,
) -> JsonObject:
    """The cases of a post or of an author, newest first, with what became of each.

    `muted` and `opted_out` (by whom) are the author's; `muted` is None where no author was asked
    for.
    """
    blocks = [rich(paragraph(words(_found(cases, handle))))]
    for case in sorted(cases, key=lambda case: case.received_at, reverse=True)[:MOST_FOUND]:
        blocks.append(rich(bullets(paragraph(*_became(case, card, now)))))
        if not case.erased and _without_card(case):
            blocks.append(_labels(case, handle or case.id))
    if more := _and_more(len(cases) - MOST_FOUND):
        blocks.append(rich(*more))
    if handle and len(handle) <= LONGEST_WORD:
        blocks += _author(handle, muted=bool(muted), opted_out=opted_out)
    return _message(*blocks)


def _found(cases: Sequence[Case], handle: str | None) -> str:
    author = cut(handle, LONGEST_WORD) if handle else None
    if not cases:
        gone = f"{author} is among the newest" if author else "has that id"
        return f"No case {gone}: it may be gone by now, or it never came."
    return f"The newest cases of {author}:" if author else "Found:"


def _became(case: Case, card: Link, now: datetime) -> Iterator[JsonObject]:
    yield words(f"{age(case.received_at, now)} ago · ")
    yield from standing(case)
    yield words(f" · {quoted(case, LONGEST_EXCERPT)}")
    if case.tweet.url and not case.erased:
        yield words(" ")
        yield link(case.tweet.url, "see it on X")
    yield from _to_card(case, card)
    if case.label:
        yield words(" · ")
        yield person(case.label.who)
        yield words(f" says that it needs {'a person' if case.label.escalate else 'nobody'}")


def _without_card(case: Case) -> bool:
    """Whether agents see a post nowhere else, so that they can say nothing of it."""
    sent = case.effect("card")
    return came_in(case) and case.route != "escalate" and (not sent or sent.state == "failed")


def _labels(case: Case, find: str) -> JsonObject:
    carried = packed(LONGEST_VALUE, case=case.id, find=cut(find, LONGEST_EXCERPT))
    return actions(
        f"label {case.id}",
        button(MISSED, "It did need a person", carried),
        button(NEEDLESS, "Right: it needed nobody", carried),
    )


def labelled(action: Mapping[str, Any]) -> tuple[str, str]:
    """The case under which a label was pressed, and what was asked for when it was found.

    Raises `Refused` for any other press.
    """
    case_id, find = unpacked(action, "value", "case", "find")
    return case_id, find


def _author(handle: str, *, muted: bool, opted_out: OptedOutBy | None) -> Iterator[JsonObject]:
    pressed = []
    if muted:
        yield rich(paragraph(words(f"{handle} is muted: only a rule makes cards of their posts.")))
        pressed.append(button("unmute", "Unmute", handle))
    if opted_out == "author":
        so = "they asked for it, so nobody here can undo it."
        yield rich(paragraph(words(f"The bot never answers {handle}: {so}")))
    if opted_out == "agent":
        yield rich(paragraph(words(f"The bot never answers {handle}: an agent opted them out.")))
        pressed.append(button("opt in", "Let the bot answer again", handle))
    if pressed:
        yield actions("found", *pressed)


# What several say.


def _verbs(listed: Iterable[tuple[str, str]]) -> Iterator[JsonObject]:
    return (paragraph(words(verb, bold=True), words(f": {does}")) for verb, does in listed)


def _excerpt(case: Case) -> str:
    return f"{whom(case.tweet.author)}: {quoted(case, LONGEST_EXCERPT)}"


def _to_card(case: Case, card: Link) -> Iterator[JsonObject]:
    if url := card(case):
        yield words(" ")
        yield link(url, "its card")


def _and_more(left_out: int) -> list[JsonObject]:
    return [paragraph(words(f"… and {left_out:,} more."))] if left_out > 0 else []


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} of {name}" for name, count in counts.items())


def _message(*blocks: JsonObject) -> JsonObject:
    return {"text": heard(blocks), "blocks": list(blocks)}
