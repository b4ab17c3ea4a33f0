"""A relay between the SDK and moto: one call at a time, with the faults of every stand-in."""

from dataclasses import replace
from http import HTTPStatus

import requests

from tests.standins.server import Answer, Request, Standin

HOP_BY_HOP = {"connection", "content-length", "transfer-encoding", "date", "server"}


class Relay(Standin):
    """Passes calls on to AWS at `target`. Faults match the operation: `POST /PutItem`.

    moto answers several calls at once without a lock of its own; here each is done before the
    next begins, as DynamoDB promises for one item.
    """

    def __init__(self, target: str) -> None:
        super().__init__()
        self._target = target
        self._http = requests.Session()
        self._http.trust_env = False
        self.route("POST", "/{operation}", self._pass_on)

    def respond(self, request: Request) -> Answer | None:
        operation = request.headers["X-Amz-Target"].rpartition(".")[2]
        return super().respond(replace(request, path=f"/{operation}"))

    def start_afresh(self) -> None:
        """Forgets calls and faults of an earlier test."""
        self.heal()
        self.requests.clear()

    def _pass_on(self, request: Request) -> Answer:
        headers = {k: v for k, v in request.headers.items() if k.lower() not in HOP_BY_HOP}
        answer = self._http.post(self._target, data=request.body, headers=headers, timeout=10)
        assert answer.status_code != HTTPStatus.NOT_FOUND, answer.text
        kept = {k: v for k, v in answer.headers.items() if k.lower() not in HOP_BY_HOP}
        return Answer(answer.status_code, answer.content, kept)
