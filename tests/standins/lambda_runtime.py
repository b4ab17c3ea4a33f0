"""A Lambda function: AWS's own runtime client in a process of its own, fed by its HTTP API.

API: docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html; environment:
configuration-envvars.html there. The client (`awslambdaric`) exists for Linux alone.
"""

import json
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from queue import Empty, Queue
from subprocess import DEVNULL, STDOUT, Popen
from threading import Lock, Thread
from types import TracebackType
from typing import IO, Any

from tests.standins.server import Action, Answer, Request, Standin, answer_json

API = "/2018-06-01/runtime"
REGION = "us-east-1"
ARN = f"arn:aws:lambda:{REGION}:123456789012:function:test"
INIT_SECONDS = 10  # what Lambda allows a cold start
LARGEST = 6 * 1024 * 1024

Outcome = tuple[bool, Any]  # whether it worked; the answer or the error


class FunctionFailed(Exception):
    """The function answered with an error, ran out of time, or its process died."""

    def __init__(self, error: Mapping[str, Any], output: str) -> None:
        trace = "".join(error.get("stackTrace", []))
        said = f"{error.get('errorType')}: {error.get('errorMessage')}"
        super().__init__(f"{said}\n{trace}\n{output[-4000:]}")
        self.error = dict(error)


class LambdaFunction(Standin):
    """One function, one process, one call at a time; after a crash the next call starts afresh.

    `handler` is a dotted name (`handlers.triage.handler`) that is found from `cwd`; `python` is
    the command that starts an interpreter.
    """

    def __init__(
        self,
        handler: str,
        environ: Mapping[str, str] | None = None,
        cwd: str | Path = ".",
        *,
        memory: int = 512,
        python: Sequence[str] = (sys.executable,),
    ) -> None:
        super().__init__()
        self.starts = 0
        self._python = python
        self._handler = handler
        self._root = Path(cwd).resolve()
        self._memory = memory
        self._environ = self._environment(environ or {})
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed on exit
        self._sandbox: _Sandbox | None = None
        self._one_at_a_time = Lock()
        self._open_routes()

    def _open_routes(self) -> None:
        self.route("GET", f"{API}/invocation/next", self._next)
        self.route("POST", f"{API}/invocation/{{id}}/response", self._response)
        self.route("POST", f"{API}/invocation/{{id}}/error", self._error)
        self.route("POST", f"{API}/init/error", self._init_error)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        super().__exit__(kind, error, trace)
        self._log.close()

    @property
    def output(self) -> str:
        """What the function wrote to stdout and stderr so far."""
        descriptor = self._log.fileno()
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode(errors="replace")

    @property
    def process_id(self) -> int | None:
        """The process that runs or ran last."""
        return self._sandbox.process_id if self._sandbox else None

    def invoke(self, event: object, timeout: float = 30) -> Any:
        """Calls the function; event and answer pass through JSON as they do on AWS."""
        body = json.dumps(event).encode()
        if len(body) > LARGEST:
            raise ValueError(f"Lambda takes events of {LARGEST} bytes, this one has {len(body)}")
        with self._one_at_a_time:
            cold, sandbox = self._running()
            worked, content = sandbox.run(body, timeout, INIT_SECONDS if cold else 0)
        if not worked:
            raise FunctionFailed(content, self.output)
        return content

    def stop(self) -> None:
        """Kills the process; the next call is a cold start."""
        if self._sandbox:
            self._sandbox.kill()

    def deploy(self, environ: Mapping[str, str]) -> None:
        """After the call that is under way the function starts afresh, with this environment."""
        with self._one_at_a_time:
            self.stop()
            self._environ = self._environment(environ)

    def _environment(self, environ: Mapping[str, str]) -> dict[str, str]:
        return {**lambda_environ(self._handler, self._root, self._memory), **environ}

    def perform(self, action: Action, request: Request) -> Answer:
        """Without the lock: a runtime waits for its next event while others are answered."""
        return action(request)

    def _running(self) -> tuple[bool, "_Sandbox"]:
        if self._sandbox and self._sandbox.alive:
            return False, self._sandbox
        command = [*self._python, "-m", "awslambdaric", self._handler]
        environ = {**self._environ, "AWS_LAMBDA_RUNTIME_API": self.address}
        self.starts += 1
        self._sandbox = _Sandbox()
        self._sandbox.start(command, self._root, environ, self._log)
        return True, self._sandbox

    def _next(self, _: Request) -> Answer:
        assert self._sandbox
        return self._sandbox.next()

    def _response(self, request: Request) -> Answer:
        if len(request.body) > LARGEST:
            said = f"Response payload size exceeded maximum allowed payload size ({LARGEST} bytes)."
            error = {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": said}
            return self._finish((False, error), request.parts["id"])
        return self._finish((True, request.json()), request.parts["id"])

    def _error(self, request: Request) -> Answer:
        return self._finish((False, request.json()), request.parts["id"])

    def _init_error(self, request: Request) -> Answer:
        return self._finish((False, request.json()))

    def _finish(self, outcome: Outcome, request_id: str | None = None) -> Answer:
        assert self._sandbox
        if request_id in (None, self._sandbox.request_id):
            self._sandbox.outcomes.put(outcome)
        return answer_json({"status": "OK"}, 202)


class _Sandbox:
    """One process and the event it works on."""

    _process: Popen[bytes]

    def __init__(self) -> None:
        self.request_id = self.trace = ""
        self.outcomes: Queue[Outcome] = Queue()
        self._events: Queue[bytes] = Queue()
        self._timeout = 0.0

    def start(
        self, command: list[str], cwd: Path, environ: Mapping[str, str], log: IO[bytes]
    ) -> None:
        """Starts the process, which asks for its first event before this may have returned."""
        self._process = Popen(
            command, cwd=cwd, env=environ, stdin=DEVNULL, stdout=log, stderr=STDOUT
        )
        Thread(target=self._watch, daemon=True).start()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def process_id(self) -> int:
        return self._process.pid

    def run(self, body: bytes, timeout: float, init: float) -> Outcome:
        self.request_id, self._timeout = str(uuid.uuid4()), timeout
        self.trace = f"1-5bef4de7-{uuid.uuid4().hex[:24]}"
        self._events.put(body)
        try:
            return self.outcomes.get(timeout=timeout + init)
        except Empty:
            self.kill()
            said = f"{self.request_id} Task timed out after {timeout:.2f} seconds"
            return False, {"errorType": "Sandbox.Timedout", "errorMessage": said}

    def next(self) -> Answer:
        """Waits for an event; Lambda counts the function's time from here."""
        body = self._events.get()
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": self.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + self._timeout) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": ARN,
            "Lambda-Runtime-Trace-Id": f"Root={self.trace};Sampled=0",
        }
        return Answer(200, body, headers)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def _watch(self) -> None:
        code = self._process.wait()
        said = f"RequestId: {self.request_id} Error: Runtime exited with error: exit status {code}"
        self.outcomes.put((False, {"errorType": "Runtime.ExitError", "errorMessage": said}))
        self._events.put(b"")  # frees the long poll of the process that is gone


def lambda_environ(handler: str, root: Path, memory: int) -> dict[str, str]:
    """The variables Lambda sets, and of ours only what Python needs to start."""
    name = handler.replace(".", "-")
    ours = {key: os.environ[key] for key in ("PATH", "LD_LIBRARY_PATH") if key in os.environ}
    return {
        **ours,
        "_HANDLER": handler,
        "LAMBDA_TASK_ROOT": str(root),
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/22/[$LATEST]0123456789abcdef",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info[0]}.{sys.version_info[1]}",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_SESSION_TOKEN": "testing",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
    }
