"""The verbs of `python -m bot replies`: the texts checked and tried, replies paused and resumed.

Each returns its exit code, as in `commands`.
"""

import hashlib
from argparse import Namespace
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from bot import settings
from bot.cases import Case
from bot.errors import Misconfigured
from bot.local.terminal import show
from bot.triage import preview
from bot.tweets import Author, Tweet, typed
from bot.twitter.ledger import DOLLAR
from bot.twitter.lengths import links, weighted_length
from bot.twitter.replies import LONGEST, Chosen, Intent, Language, price_of
from bot.wiring import Parts

Environment = Mapping[str, str]
Line = tuple[dict[str, Any], str]


def check(arguments: Namespace, environment: Environment) -> int:
    """What the texts are, or everything that is wrong with them."""
    parts = Parts(settings.read(environment))
    try:
        texts = parts.reply_texts
    except Misconfigured as error:
        for problem in error.problems:
            show(arguments, {"problem": problem}, problem)
        return 1
    for code, language in texts.languages.items():
        for row, plain in _told(code, language):
            show(arguments, row, plain)
    return 0


def _told(code: str, language: Language) -> Iterator[Line]:
    for intent in language.intents:
        made = [text for variant in intent.variants for text in language.longest(variant)]
        longest, count = max(map(weighted_length, made)), len(intent.variants)
        row = {"language": code, "intent": intent.name, "texts": count, "longest": longest}
        size = f"{count:>2} texts, at most {longest} of {LONGEST} characters"
        yield row, f"{code:<5} {intent.name:<12} {size}"
        yield from _linked(code, language, intent)
    if not language.intents:
        told = "no texts: the default language answers, these stop words count all the same"
        yield {"language": code, "texts": 0}, f"{code:<5} {told}"


def _linked(code: str, language: Language, intent: Intent) -> Iterator[Line]:
    for number, variant in enumerate(intent.variants, 1):
        text = "\n".join(language.longest(variant))
        if links(text):
            usd = price_of(text) / DOLLAR
            yield (
                {"language": code, "intent": intent.name, "text": number, "usd": usd},
                f"{code:<5} {intent.name:<12} text {number} holds a link: ${usd:.2f} each time",
            )


def attempt(arguments: Namespace, environment: Environment) -> int:
    """What a post would be answered, or why it would not."""
    parts = Parts(settings.read(environment))
    tweet, now = _tweet(arguments), parts.clock()
    case = preview(tweet, parts.desk, now)
    quiet = parts.reply_texts.opts_out(tweet.text)
    if quiet and case.route == "reply":
        case = replace(case, route="skip")
    chosen = parts.reply_texts.choose(tweet, now) if case.route == "reply" else None
    show(arguments, _row(case, chosen, quiet=quiet), "\n".join(_lines(case, chosen, quiet=quiet)))
    return 0


def pause(arguments: Namespace, environment: Environment) -> int:
    """No automatic reply goes out any more, those queued included."""
    parts = Parts(settings.read(environment))
    parts.pause.pause("the command line", parts.clock())
    told = "Automatic replies are paused; what agents write is still sent."
    show(arguments, {"paused": True}, told)
    return 0


def resume(arguments: Namespace, environment: Environment) -> int:
    """Automatic replies go out again."""
    Parts(settings.read(environment)).pause.resume()
    show(arguments, {"paused": False}, "Automatic replies are no longer paused.")
    return 0


def _tweet(arguments: Namespace) -> Tweet:
    # Another text, another variant; the same text, the same.
    drawn = hashlib.sha256(arguments.text.encode(errors="replace")).hexdigest()[:16]
    handle = arguments.handle and arguments.handle.removeprefix("@")
    author = Author(handle=handle, name=arguments.name)
    return replace(typed(arguments.text, drawn), author=author, lang=arguments.lang)


def _row(case: Case, chosen: Chosen | None, *, quiet: bool) -> dict[str, Any]:
    return {
        "text": case.tweet.text,
        "route": case.route,
        "escalate": case.verdict.escalate if case.verdict else None,
        "confidence": case.verdict.confidence if case.verdict else None,
        "reasons": case.reasons,
        "opts_out": quiet,
        "intent": chosen and chosen.intent,
        "answer": chosen and chosen.text,
        "length": chosen and weighted_length(chosen.text),
        "usd": chosen and price_of(chosen.text) / DOLLAR,
    }


def _lines(case: Case, chosen: Chosen | None, *, quiet: bool) -> Iterator[str]:
    yield f"{case.route:<9} {' '.join(case.reasons)}"
    if quiet:
        yield "opts out  The bot never answers its author again; people still see what comes."
    if chosen:
        length, usd = weighted_length(chosen.text), price_of(chosen.text) / DOLLAR
        yield f"{'intent':<9} {chosen.intent}"
        yield f"{'answer':<9} {chosen.text}"
        yield f"{'':<9} {length} of {LONGEST} characters, ${usd:.3f}"
