"""The routes that judge a text for whoever asks."""

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

from bot.errors import Refused
from bot.frozen import frozen
from bot.tweets import LONGEST_TEXT, json_kind
from bot.verdicts import Classifier, Verdict, judge
from bot.web.access import turned_away
from bot.web.messages import Answer, Request, found, refused
from bot.web.pages import page

LONGEST_ADDRESS_TEXT: Final = 2_000
MOST_TEXTS: Final = 1_000
LARGEST_BODY: Final = 1_000_000
LARGEST_ANSWER: Final = 4_500_000
"""Characters; with its quotes escaped once more it stays below what Lambda returns (6 MB)."""


@frozen
class Judging:
    """Answers `GET /`, `/health`, `/tweet` and `POST /classify`.

    `console` is where the page leads on to, None where there is no console.
    """

    classifier: Classifier
    threshold: Callable[[], float | None]
    password: str | None
    console: str | None

    def answer(self, request: Request) -> Answer:
        """The answer to a request. Raises `Refused` and the classifier's failures."""
        if request.route == "GET /health":
            return found({"status": "ok"})
        away = turned_away(request, self.password)
        if away:
            return away
        match request.route:
            case "GET /":
                return page("bot.web", "judge.html", {"console": self.console or ""})
            case "GET /tweet" | "GET /tweet/{tweet}":
                return self._tweet(request.path.get("tweet", request.query.get("text")))
            case "POST /classify":
                return self._classify(request.body)
        return refused(404, "There is nothing here: ask GET /tweet/{text} or POST /classify.")

    def _tweet(self, text: str | None) -> Answer:
        if text is None:
            raise Refused("Give the text to judge: GET /tweet?text=…")
        if len(text) > LONGEST_ADDRESS_TEXT:
            raise Refused(
                f"The text has {len(text):,} characters and an address carries "
                f"{LONGEST_ADDRESS_TEXT:,}: use POST /classify."
            )
        [verdict] = judge([text], self.classifier, self.threshold())
        return found(
            {
                "Tweet": text,
                "Tokenized tweet": [verdict.tokens],
                "Escalate": "Yes" if verdict.escalate else "No",
                "Confidence": verdict.confidence,
            }
        )

    def _classify(self, body: bytes) -> Answer:
        texts = _texts(body)
        verdicts = judge(texts, self.classifier, self.threshold())
        pairs = zip(texts, verdicts, strict=True)
        answer = found({"verdicts": [verdict_row(text, verdict) for text, verdict in pairs]})
        if len(answer.body) > LARGEST_ANSWER:
            raise Refused("The answer would be too large to carry: send fewer texts at once.")
        return answer


def verdict_row(text: str, verdict: Verdict) -> dict[str, Any]:
    """A verdict as `POST /classify` and the command line show it."""
    return {
        "text": text,
        "tokens": verdict.tokens,
        "escalate": verdict.escalate,
        "confidence": verdict.confidence,
        "probability": verdict.probability,
        "model": verdict.model,
    }


def _texts(body: bytes) -> Sequence[str]:
    if len(body) > LARGEST_BODY:
        raise Refused(f"The body has {len(body):,} bytes; at most {LARGEST_BODY:,} are read.")
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused('The body is not JSON: send {"texts": ["…"]}.') from None
    texts = value.get("texts") if isinstance(value, dict) else None
    if not isinstance(texts, list):
        raise Refused('The body must be an object with a list: {"texts": ["…"]}.')
    if len(texts) > MOST_TEXTS:
        raise Refused(f"texts has {len(texts):,} elements; send at most {MOST_TEXTS:,} at once.")
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise Refused(f"texts[{number}] must be a string, not {json_kind(text)}.")
        if len(text) > LONGEST_TEXT:
            raise Refused(
                f"texts[{number}] has {len(text):,} characters; at most {LONGEST_TEXT:,} are read."
            )
    return texts
