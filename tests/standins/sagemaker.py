"""SageMaker's runtime with a BlazingText text classification endpoint.

The answers come from a real model: BlazingText reads and writes fastText's `model.bin`.
Formats: docs.aws.amazon.com/sagemaker/latest/dg/blazingtext.html; errors:
API_runtime_InvokeEndpoint and CommonErrors in docs.aws.amazon.com/sagemaker/latest/APIReference.
"""

import json
from pathlib import Path
from typing import Any

import fasttext

from tests.standins.server import Answer, Fault, Request, Standin, answer_json

REFERENCE_ENDPOINT = "customer-support-slugify"
LARGEST = 6 * 1024 * 1024
LINES = "application/jsonlines"


def throttled(where: str = "") -> Fault:
    """Too many calls at once: SageMaker sends 400 and an empty message."""
    return _fault("ThrottlingException", 400, {"message": None}, where)


def not_ready(where: str = "") -> Fault:
    """A serverless endpoint is still loading its model."""
    return _fault("ModelNotReadyException", 429, {"Message": "Model is not ready."}, where)


def model_error(original: int = 500, where: str = "") -> Fault:
    """The model's container answered with an error."""
    body = {
        "Message": f"Received server error ({original}) from primary with message",
        "OriginalStatusCode": original,
        "OriginalMessage": "the model broke",
        "LogStreamArn": "arn:aws:logs:us-east-1:123456789012:log-group:test",
    }
    return _fault("ModelError", 424, body, where)


def unavailable(where: str = "") -> Fault:
    """The service is down for a moment."""
    return _fault("ServiceUnavailable", 503, {"Message": "Try your call again."}, where)


def garbage(body: bytes = b"\x00 not json", where: str = "") -> Fault:
    """A 200 whose body makes no sense."""
    return Fault("status", 200, body, {"Content-Type": "application/json"}, where)


def wrong_number(n: int = 1, where: str = "") -> Fault:
    """A 200 with `n` verdicts, however many texts were sent."""
    verdict = {"label": ["__label__0", "__label__1"], "prob": [0.9, 0.1]}
    return Fault("status", 200, [verdict] * n, where=where)


def _fault(code: str, status: int, body: object, where: str) -> Fault:
    return Fault("status", status, body, {"x-amzn-errortype": code}, where)


class BlazingTextStandin(Standin):
    """An endpoint that serves one model. `batch_sizes` has the number of texts of each call.

    `variant` answers; `goes_over` puts another model and variant in its place, as an update does.
    """

    def __init__(
        self,
        model_bin_path: str | Path,
        endpoint: str = REFERENCE_ENDPOINT,
        variant: str = "AllTraffic",
    ) -> None:
        super().__init__()
        self.endpoint = endpoint
        self.variant = variant
        self.batch_sizes: list[int] = []
        self._model = fasttext.load_model(str(model_bin_path))
        self.route("POST", "/endpoints/{name}/invocations", self._invoke)

    def goes_over(self, model_bin_path: str | Path, variant: str) -> None:
        """From the next call on that model answers."""
        with self.lock:
            self._model, self.variant = fasttext.load_model(str(model_bin_path)), variant

    def _invoke(self, request: Request) -> Answer:
        name = request.parts["name"]
        if name != self.endpoint:
            return _refused(f"Endpoint {name} of account 123456789012 not found.")
        if len(request.body) > LARGEST:
            return _refused(f"Body is {len(request.body)} bytes; {LARGEST} are allowed.")
        lines = request.headers.get("Content-Type", "").startswith(LINES)
        asked = _from_lines(request.body) if lines else _from_json(request.json())
        self.batch_sizes.append(len(asked))
        verdicts = [self._verdict(text, k) for text, k in asked]
        headers = {"x-Amzn-Invoked-Production-Variant": self.variant}
        if lines:
            body = "\n".join(map(json.dumps, verdicts)).encode()
            return Answer(200, body, {"Content-Type": LINES, **headers})
        return answer_json(verdicts, 200, headers)

    def _verdict(self, text: str, k: int) -> dict[str, list[Any]]:
        """One text a call: the lists of the package that only predicts are broken."""
        labels, probabilities = self._model.predict(text, k=k)
        return {"label": list(labels), "prob": [float(value) for value in probabilities]}


def _from_json(content: dict[str, Any]) -> list[tuple[str, int]]:
    k = content.get("configuration", {}).get("k", 1)
    return [(text, k) for text in content["instances"]]


def _from_lines(body: bytes) -> list[tuple[str, int]]:
    rows = [json.loads(line) for line in body.decode().splitlines() if line]
    return [(row["source"], row.get("k", 1)) for row in rows]


def _refused(message: str) -> Answer:
    return answer_json({"Message": message}, 400, {"x-amzn-errortype": "ValidationError"})
