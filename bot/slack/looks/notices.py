"""Messages about no single post: an incident, a digest, a drift. Pure functions of the notice.

Each is a sentence for screen readers and the blocks.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from bot.cases import Case
from bot.notices import Conclusion, Digest, Drift, Incident
from bot.slack.looks.blocks import (
    JsonObject,
    bullets,
    cut,
    header,
    moment,
    paragraph,
    rich,
    spoken,
    words,
)

MOST_WORDS: Final = 8
LONGEST_WORD: Final = 40
HEADLINES: Final = {
    "burst": ("Many tweets need a person", "Many tweets needed a person"),
    "classifier": ("The classifier does not answer", "The classifier did not answer"),
}
"""While it lasts, and when it is over."""
DRIFTS: Final[Mapping[Conclusion, str]] = {
    "fine": "The model fits what comes in",
    "watch": "The model may no longer fit",
    "retrain": "The model is to be trained again",
}


def incident(
    notice: Incident, members: Sequence[Case], examples: Sequence[JsonObject]
) -> tuple[str, list[JsonObject]]:
    """The card that collects others; `examples` are paragraphs on some of its `members`."""
    headline = HEADLINES[notice.cause][notice.until is not None]
    shown = [paragraph(words("Since "), moment(notice.since), words("."))]
    said = [f"{headline}. It began at {spoken(notice.since)}."]
    if notice.until:
        length = lasting((notice.until - notice.since).total_seconds())
        ended = (words("It was over at "), moment(notice.until), words(f", after {length}."))
        shown.append(paragraph(*ended))
        said.append(f"It was over after {length}.")
    for sentence in _counts(notice):
        shown.append(paragraph(words(sentence)))
        said.append(sentence)
    blocks = [header(headline), rich(*shown)]
    if examples:
        blocks.append(rich(paragraph(words("Some of them", bold=True)), bullets(*examples)))
    if often := top_words(members):
        listed = ", ".join(cut(word, LONGEST_WORD) for word in often)
        title = words("Words that often spoke for a person: ", bold=True)
        blocks.append(rich(paragraph(title, words(listed))))
    blocks.append(rich(paragraph(words("Single cards are in this thread."))))
    return " ".join(said), blocks


def top_words(cases: Sequence[Case]) -> list[str]:
    """The words that most often spoke for a person, most often first."""
    found = Counter(
        weight.words
        for case in cases
        if case.verdict
        for weight in case.verdict.words
        if weight.weight > 0
    )
    return sorted(found, key=lambda word: (-found[word], word))[:MOST_WORDS]


def digest(notice: Digest) -> tuple[str, list[JsonObject]]:
    """The numbers of a day."""
    headline = f"Tweets of {notice.since.day} {notice.since:%B %Y}"
    told = list(_numbers(notice))
    period = paragraph(words("From "), moment(notice.since), words(" to "), moment(notice.until))
    listed = bullets(*(paragraph(words(sentence)) for sentence in told))
    return " ".join([f"{headline}.", *told]), [header(headline), rich(period, listed)]


def drift(notice: Drift) -> tuple[str, list[JsonObject]]:
    """Whether the model still fits what comes in."""
    headline = DRIFTS[notice.conclusion]
    judged = f"{notice.model} judged {counted(notice.posts, 'post')}"
    period = paragraph(
        words(f"{judged} from "), moment(notice.since), words(" to "), moment(notice.until)
    )
    listed = bullets(*(paragraph(words(sentence)) for sentence in notice.said))
    return " ".join([f"{headline}.", *notice.said]), [header(headline), rich(period, listed)]


def lasting(seconds: float) -> str:
    """A length of time as one reads it: `4 min`, `2 h 5 min`, `3 days 1 h`."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    units = ((days, counted(days, "day")), (hours, f"{hours} h"), (minutes, f"{minutes} min"))
    return " ".join([text for count, text in units if count][:2])


def _counts(notice: Incident) -> Iterator[str]:
    if notice.count:
        yield f"{counted(notice.count, 'case')} collected."
    if notice.waiting and not notice.until:
        verb = "waits" if notice.waiting == 1 else "wait"
        yield f"{counted(notice.waiting, 'tweet')} {verb} for the classifier."


def _numbers(notice: Digest) -> Iterator[str]:
    if notice.received:
        share = notice.answered_by_bot / notice.received
        more = "More came in than are counted here; these are the last. " if notice.partly else ""
        yield f"{more}{counted(notice.received, 'tweet')} came in."
        yield f"{notice.escalated:,} for a person, {notice.skipped:,} skipped."
        yield f"{notice.answered_by_bot:,} answered by the bot: {share:.0%} of all."
    else:
        yield "No tweets came in."
    if notice.to_claim is not None:
        yield f"Median time until an agent claimed one: {lasting(notice.to_claim)}."
    if notice.to_answer is not None:
        yield f"Median time until an agent's answer was public: {lasting(notice.to_answer)}."
    yield f"{counted(notice.corrected, 'label')} corrected."
    yield f"{counted(notice.waiting, 'case')} open now."
    if notice.cost is not None:
        yield f"${notice.cost / 1_000_000:,.2f} spent."


def counted(count: int, thing: str) -> str:
    """How many there are of a thing, in words."""
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"
