"""Whether an endpoint says of texts what the artifact says that was published to it."""

from collections.abc import Sequence
from typing import Final

from bot.classifier import sagemaker
from bot.classifier.sagemaker import SageMakerClassifier
from bot.learning.publishing.artifacts import Artifact
from bot.learning.publishing.hosted import AsHosted
from bot.normalize import tokens

TOLERANCE: Final = 1e-3
"""By how much a probability may differ; fastText differs by less from machine to machine."""
TEXTS: Final = (
    "I am very angry, nobody answers and my order never arrived!",
    "Thank you, that was quick and friendly :)",
    "Where is my refund? Three weeks and still nothing.",
    "Good morning, what a lovely day",
    "My account is locked and I cannot log in 😡",
    "Can't wait for the new one",
    "worst service ever, I want my money back",
    "Is the shop open on Sunday?",
)


def difference(artifact: Artifact, endpoint: str, texts: Sequence[str] = ()) -> str | None:
    """A sentence where the endpoint's answers are not the artifact's.

    Raises what `Classifier.probabilities` raises.
    """
    own = AsHosted(artifact)
    asked = [token for text in (*TEXTS, *texts) if (token := tokens(text, own.normalizer))]
    hosted = SageMakerClassifier(sagemaker.client(), endpoint, own.normalizer)
    found, expected = hosted.probabilities(asked), own.probabilities(asked)
    if hosted.model != artifact.name:
        return f"The endpoint {endpoint} answers by {hosted.model}, not by {artifact.name}."
    gaps = [abs((one or 0) - (said or 0)) for one, said in zip(found, expected, strict=True)]
    if max(gaps) > TOLERANCE:
        return (
            f"The endpoint {endpoint} gives other probabilities than the artifact: they differ by "
            f"up to {max(gaps):.3f} over {len(gaps)} texts."
        )
    return None
