"""AWS that answers at once: what a function's time is then counted for is its own.

DynamoDB without an item, SQS that takes everything, Secrets Manager. All three speak JSON to `/`
(`X-Amz-Target` names the operation). A server of a thread a connection, and no more of HTTP than
botocore needs, for a call to it is to take a tenth of what the caller does for it.
"""

import json
import re
import socketserver
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import takewhile
from typing import Any

from bot.twitter import ACCOUNT

SECRET = "bench"  # noqa: S105
SECRETS = {"x": {"X_CONSUMER_SECRET": SECRET}, "web": {"API_PASSWORD": SECRET}}
QUEUES = {name: name for name in ("tweets", "actions")}
QUEUES |= {name: f"{name}.fifo" for name in ("cards", "replies")}

_TARGET = re.compile(rb"\nx-amz-target: *[\w.]+\.(\w+)", re.IGNORECASE)
_LENGTH = re.compile(rb"\ncontent-length: *(\d+)", re.IGNORECASE)
Given = dict[str, Any]


def _get_item(given: Given) -> Given:
    # Whose account it is, the poller found out long ago.
    name = given["Key"]["id"]["S"]
    noted = name == f"note#{ACCOUNT}"
    return {"Item": {"id": {"S": name}, "body": {"S": '"1001"'}}} if noted else {}


def _get_secret_value(given: Given) -> Given:
    name = given["SecretId"]
    content = json.dumps(SECRETS[name])
    return {"Name": name, "SecretString": content, "CreatedDate": 1_790_000_000.0}


def _send_message_batch(given: Given) -> Given:
    sent = [{"Id": one["Id"], "MessageId": one["Id"]} for one in given["Entries"]]
    return {"Successful": [{**one, "MD5OfMessageBody": ""} for one in sent]}


ANSWERS: Mapping[str, Callable[[Given], Given]] = {
    "BatchGetItem": lambda _: {"Responses": {}, "UnprocessedKeys": {}},
    "GetItem": _get_item,
    "GetSecretValue": _get_secret_value,
    "PutItem": lambda _: {},
    "SendMessage": lambda _: {"MessageId": "1", "MD5OfMessageBody": ""},
    "SendMessageBatch": _send_message_batch,
}


class InstantAws(socketserver.ThreadingTCPServer):
    """`asked` counts the operations."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.asked: Counter[str] = Counter()

    @property
    def environment(self) -> dict[str, str]:
        """What every function is told of it."""
        host, port = self.server_address[:2]
        url = f"http://{host!s}:{port}"
        queues = {
            f"{name.upper()}_QUEUE_URL": f"{url}/123456789012/{called}"
            for name, called in QUEUES.items()
        }
        return {"CASES_TABLE": "cases", "AWS_ENDPOINT_URL": url, **queues}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that gives up is no error of ours."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Connection(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self) -> None:
        assert isinstance(self.server, InstantAws)
        while head := self._head():
            target, length = _TARGET.search(head), _LENGTH.search(head)
            assert target, head
            operation = target[1].decode()
            given = json.loads(self.rfile.read(int(length[1]) if length else 0))
            self.server.asked[operation] += 1
            body = json.dumps(ANSWERS[operation](given)).encode()
            kind = b"Content-Type: application/x-amz-json-1.0\r\n"
            self.wfile.write(b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n" % (kind, len(body)))
            self.wfile.write(body)

    def _head(self) -> bytes:
        """The lines of the next request up to the empty one; nothing where the caller is gone."""
        lines = iter(self.rfile.readline, b"")
        return b"".join(takewhile(lambda line: line != b"\r\n", lines))


@contextmanager
def instant_aws() -> Iterator[InstantAws]:
    with InstantAws() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
