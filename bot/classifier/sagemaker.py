"""A BlazingText model behind a SageMaker endpoint.

Contract: Amazon SageMaker developer guide, "BlazingText algorithm", "Model hosting for text
classification"; failures: SageMaker Runtime API reference, InvokeEndpoint, "Errors".
"""

import json
import math
from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    IncompleteReadError,
    NoRegionError,
)
from botocore.exceptions import ConnectionError as NotConnected

from bot import amazon
from bot.classifier.artifact import ANSWER, ESCALATE, Description
from bot.classifier.calibration import calibrated
from bot.classifier.variants import described
from bot.errors import Failure, Misconfigured, Permanent, Retryable, Unknown
from bot.frozen import frozen

if TYPE_CHECKING:
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient

LARGEST_REQUEST: Final = 3_900_000
"""Bytes of one request; a serverless endpoint takes 4 MB ("Serverless Inference")."""

# Two tries of at most 2 + 8 s: a hiccup is over with the second, and keeps nobody from the endpoint
# (`bot.breaker`). They end before the shortest function that classifies (29 s), and twice, for the
# verdicts and for their words, before that which triages (60 s).
_PATIENCE: Final = Config(
    connect_timeout=2, read_timeout=8, retries={"mode": "standard", "total_max_attempts": 2}
)
_ROUNDS: Final = 4
_NO_REGION: Final = "SAGEMAKER_ENDPOINT is set but no AWS region: set AWS_DEFAULT_REGION."
_RETRYABLE: Final = frozenset(
    {
        "InternalDependencyException",
        "InternalFailure",
        "InternalServerException",
        "ModelNotReadyException",
        "RequestTimeout",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


@cache
def client() -> "SageMakerRuntimeClient":
    """The process's SageMaker runtime client."""
    try:
        made: SageMakerRuntimeClient = amazon.client("sagemaker-runtime", _PATIENCE)
    except NoRegionError:
        raise Misconfigured([_NO_REGION]) from None
    return made


@frozen
class _Answer:
    """One request's answer, read as the model behind it asks for."""

    model: Description
    probabilities: list[float | None]


class SageMakerClassifier:
    """`bot.verdicts.Classifier` over an endpoint.

    A variant that `publish` made says in its name how its model is read (`bot.classifier.variants`)
    and what `model`, `normalizer` and `threshold` are from that answer on. Before the first answer,
    and of any other variant, nothing is known: it is called as the endpoint is, takes `normalizer`,
    and has neither threshold nor calibration.
    """

    def __init__(self, runtime: "SageMakerRuntimeClient", endpoint: str, normalizer: str) -> None:
        self._runtime = runtime
        self._endpoint = endpoint
        self._unknown = self._serving = Description(name=endpoint, normalizer=normalizer)

    @property
    def model(self) -> str:
        """See `bot.verdicts.Classifier`."""
        return self._serving.name

    @property
    def normalizer(self) -> str:
        """See `bot.verdicts.Classifier`."""
        return self._serving.normalizer

    @property
    def threshold(self) -> float | None:
        """See `bot.verdicts.Classifier`."""
        return self._serving.threshold

    def probabilities(self, texts: Sequence[str]) -> list[float | None]:
        """See `bot.verdicts.Classifier`. One request for each batch the endpoint can take."""
        batches = [texts[first:last] for first, last in pairwise(_bounds(texts))]
        answers = [self._ask(batch) for batch in batches]
        # While an endpoint goes over to another model both answer: what is not by the one that
        # answered last is asked once more, for all have one threshold.
        for _ in range(_ROUNDS):
            others = [n for n, answer in enumerate(answers) if answer.model != self._serving]
            if not others:
                return [one for answer in answers for one in answer.probabilities]
            for place in others:
                answers[place] = self._ask(batches[place])
        raise Retryable(f"The endpoint {self._endpoint} answers now by one model, now by another.")

    def _ask(self, texts: Sequence[str]) -> _Answer:
        body, variant = self._invoke(texts)
        raw = _read(body, len(texts))
        model = self._serving = described(variant) or self._unknown
        scale = model.calibration
        return _Answer(model, [calibrated(one, *scale) if scale else one for one in raw])

    def _invoke(self, texts: Sequence[str]) -> tuple[bytes, str]:
        body = json.dumps({"instances": list(texts), "configuration": {"k": 2}})
        try:
            answer = self._runtime.invoke_endpoint(
                EndpointName=self._endpoint,
                ContentType="application/json",
                Accept="application/json",
                Body=body.encode(),
            )
            return answer["Body"].read(), answer.get("InvokedProductionVariant", "")
        except (BotoCoreError, ClientError) as error:
            raise failure_of(error, self._endpoint) from None


def failure_of(error: BotoCoreError | ClientError, endpoint: str) -> Failure:
    """What an exception of botocore means for asking the endpoint again."""
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        original: Any = error.response.get("OriginalStatusCode")
        if code == "ModelError":
            refused = isinstance(original, int) and original < 500  # noqa: PLR2004
            kind = Permanent if refused else Retryable
            return kind(f"The model behind {endpoint} failed with status {original}.")
        if code in _RETRYABLE or status >= 500 or status == 429:  # noqa: PLR2004
            return Retryable(
                f"The endpoint {endpoint} is not answering now ({code or status}).",
                _asked_to_wait(error),
            )
        return Permanent(
            f"The endpoint {endpoint} refuses our calls ({code}): check SAGEMAKER_ENDPOINT, the "
            "region and the permission sagemaker:InvokeEndpoint.",
            mendable=True,
        )
    if isinstance(error, NotConnected):
        return Retryable(f"The endpoint {endpoint} cannot be reached.")
    if isinstance(error, HTTPClientError | IncompleteReadError):
        return Unknown(f"The answer of endpoint {endpoint} was lost ({type(error).__name__}).")
    return Permanent(f"The endpoint {endpoint} cannot be asked: {error}", mendable=True)


def _asked_to_wait(error: ClientError) -> float | None:
    """Seconds of a `Retry-After`, which no page of SageMaker's promises (RFC 9110, 10.2.3)."""
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    said = headers.get("retry-after", "")
    return float(said) if said.isascii() and said.isdecimal() else None


def _bounds(texts: Sequence[str]) -> list[int]:
    bounds, size = [0], 0
    for number, text in enumerate(texts):
        length = len(text) + 4
        if size + length > LARGEST_REQUEST and number > bounds[-1]:
            bounds.append(number)
            size = 0
        size += length
    return [*bounds, len(texts)] if texts else [0]


def _read(body: bytes, asked: int) -> list[float]:
    try:
        answers = json.loads(body)
        if len(answers) != asked:
            said = f"The endpoint answered {len(answers)} of {asked} texts."
            raise Permanent(said, mendable=True)
        return [_escalate(answer["label"], answer["prob"]) for answer in answers]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Permanent(
            f"The endpoint's answer is not BlazingText's: {error!r:.100}.", mendable=True
        ) from None


def _escalate(labels: Sequence[str], probabilities: Sequence[float]) -> float:
    pairs = dict(zip(labels, map(float, probabilities), strict=True))
    if not all(map(math.isfinite, pairs.values())):
        raise ValueError(f"no numbers: {probabilities}")
    if ESCALATE in pairs:
        return pairs[ESCALATE]
    if list(pairs) == [ANSWER]:  # k was ignored: only the top label came back
        return 1 - pairs[ANSWER]
    raise ValueError(f"no {ESCALATE} among {sorted(pairs)}")
