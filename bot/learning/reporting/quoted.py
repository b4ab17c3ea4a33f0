"""Posts that were judged wrongly, as the report's page quotes them."""

from collections.abc import Sequence
from typing import Final

from bot.explanation import marked
from bot.learning.evaluating.mistakes import Mistake
from bot.learning.reporting import markup, prose
from bot.learning.reporting.markup import text

LONGEST: Final = 600
"""Characters shown of a post."""
FIRST: Final = 5
"""Mistakes each way that are not folded away."""


def quoted(mistakes: Sequence[Mistake]) -> str:
    """The mistakes of both ways, with the words that moved them marked."""
    if not mistakes:
        return "<p>None.</p>"
    missed = [one for one in mistakes if one.escalate]
    needless = [one for one in mistakes if not one.escalate]
    return _list("Missed: a person should have seen these", "", missed) + _list(
        "Needless: these became cards and need not have", " needless", needless
    )


def _list(title: str, kind: str, mistakes: Sequence[Mistake]) -> str:
    if not mistakes:
        return ""
    shown, more = (
        f'<ol class="mistakes{kind}">{"".join(map(_mistake, part))}</ol>' if part else ""
        for part in (mistakes[:FIRST], mistakes[FIRST:])
    )
    folded = markup.details(more, f"{len(mistakes) - FIRST} more") if more else ""
    return f"<h3>{title}</h3>{shown}{folded}"


def _mistake(one: Mistake) -> str:
    shown = one.text if len(one.text) <= LONGEST else one.text[:LONGEST] + " …"
    parts = "".join(
        text(part.text) if part.weight is None else _marked(part.text, part.weight)
        for part in marked(shown, one.words)
    )
    said = f"The model said {prose.percent(one.probability)}."
    sides = (
        ("towards a card", [word.words for word in one.words if word.weight > 0]),
        ("away from it", [word.words for word in one.words if word.weight < 0]),
    )
    moved = "; ".join(f"{side}: {', '.join(words)}" for side, words in sides if words)
    why = f" What moved it {moved}." if moved else ""
    return f"<li><blockquote dir=auto>{parts}</blockquote><p>{text(said + why)}</p></li>"


def _marked(words: str, weight: float) -> str:
    kind = "" if weight > 0 else ' class="down"'
    return f"<mark{kind}>{text(words)}</mark>"
