"""A case's whole story, for the command line and the console."""

from collections.abc import Iterator

from bot.cases import Case
from bot.errors import Failure
from bot.explanation import explained
from bot.local.costs import dollars
from bot.verdicts import Classifier

MOST_WORDS = 10


def looked_at(case: Case, classifier: Classifier) -> Case:
    """The case with the words that moved its decision, asked for now where nobody did before.

    A classifier that does not answer, or is not the one that decided, leaves the case as it is.
    """
    verdict = case.verdict
    if verdict is None or verdict.words or not verdict.known or not verdict.tokens:
        return case
    if verdict.model != classifier.model:
        return case
    try:
        [told] = explained([verdict], classifier)
    except Failure:
        return case
    return case.with_verdict(told)


def story(case: Case) -> Iterator[tuple[str, str]]:
    """Pairs of what is told and its text, in the order in which things happened."""
    author = case.tweet.author
    yield "tweet", f"{case.id} by {author.handle or author.id or 'someone unknown'}"
    yield "text", case.tweet.text
    verdict = case.verdict
    if verdict:
        unsure = ", unsure" if case.unsure else ""
        judged = f"{verdict.probability:.3f} against {verdict.threshold:.2f}"
        yield "tokens", verdict.tokens
        yield "verdict", f"{judged}, by {verdict.model}{unsure}"
        if verdict.words:
            words = (f"{w.words} {w.weight:+.3f}" for w in verdict.words[:MOST_WORDS])
            yield "words", ", ".join(words)
    yield "route", case.route
    for reason in case.reasons:
        yield "reason", reason
    if case.thread:
        yield "goes on with", f"{case.thread}, an earlier post of its author"
    if case.label:
        yield "label", "a person was needed" if case.label.escalate else "no person was needed"
    for effect in case.effects:
        told = [effect.state, effect.outside_id, effect.text, effect.problem]
        yield "effect", f"{effect.kind}: {' · '.join(part for part in told if part)}"
    if case.cost:
        paid = [("reading", case.read_cost), *((one.kind, one.cost) for one in case.effects)]
        parts = ", ".join(f"{what} {dollars(part)}" for what, part in paid if part)
        yield "cost", f"{dollars(case.cost)} ({parts})"
    if case.trace:
        yield "trace", f"{case.trace}, by which the log's lines about it are found"
    for entry in case.history:
        yield f"{entry.at:%Y-%m-%d %H:%M:%S}", f"{entry.who}: {entry.what}"
