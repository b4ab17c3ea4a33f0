"""Hosts the handlers as `serverless.yml` wires them: routes, queues and schedules."""

import importlib
import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from bot import process, settings, wiring
from bot.errors import Failure, Misconfigured
from bot.frozen import frozen
from bot.local.events import schedule_event, sqs_event
from bot.local.serverless import Function, Trigger, functions
from bot.ports import Message, Queue
from bot.wiring import Parts

log = logging.getLogger(__name__)

IDLE: Final = 0.1
"""Seconds between looks into an empty queue."""

Invoke = Callable[[Function, dict[str, Any]], Any]
"""Runs a function on an event and returns its answer."""


@frozen
class Context:
    """What Lambda hands a handler beside its event ("AWS Lambda context object in Python")."""

    function_name: str
    aws_request_id: str
    deadline: float
    invoked_function_arn: str = "arn:aws:lambda:local:000000000000:function:local"

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function's timeout."""
        return max(int((self.deadline - time.monotonic()) * 1000), 0)


class InProcess:
    """Runs functions in this process, each with the parts of its own environment."""

    def __init__(self, environment: Mapping[str, str], make: Callable[..., Parts] = Parts) -> None:
        """Raises `Misconfigured` with every problem of every function's environment."""
        self._environment = environment
        self._made: dict[settings.Settings, Parts] = {}
        self._make = make
        self._handlers: dict[str, Callable[[Any, Any], Any]] = {}
        self._parts = {function.name: self.parts(function) for function in functions()}

    def __call__(self, function: Function, event: dict[str, Any]) -> Any:
        """See `Invoke`."""
        context = Context(function.name, uuid.uuid4().hex, time.monotonic() + function.timeout)
        with process.hosting(self._parts[function.name]):
            return self._handler(function)(event, context)

    def parts(self, function: Function | None = None) -> Parts:
        """The parts of a function's environment, or of the bare one."""
        own = function.environment if function else {}
        chosen = settings.read({**self._environment, **own})
        if chosen not in self._made:
            self._made[chosen] = self._make(chosen)
        return self._made[chosen]

    def _handler(self, function: Function) -> Callable[[Any, Any], Any]:
        if function.handler not in self._handlers:
            module, _, name = function.handler.rpartition(".")
            self._handlers[function.handler] = getattr(importlib.import_module(module), name)
        return self._handlers[function.handler]


class Pump:
    """Feeds a function from its queue, as Lambda's event source mapping does."""

    def __init__(self, function: Function, trigger: Trigger, queue: Queue, invoke: Invoke) -> None:
        self._function = function
        self._trigger = trigger
        self._queue = queue
        self._invoke = invoke

    def run(self, stop: threading.Event) -> None:
        """Works until `stop` is set; a batch that was begun is finished."""
        while not stop.is_set():
            try:
                worked = self.once(stop)
            except Failure as failure:
                log.warning("%s: its queue did not answer: %s", self._function.name, failure)
                worked = 0
            except Exception:
                log.exception("%s: its queue failed.", self._function.name)
                worked = 0
            if not worked:
                stop.wait(IDLE)

    def once(self, stop: threading.Event) -> int:
        """Works off one batch and returns how many messages it held."""
        batch = self._batch(stop)
        if not batch:
            return 0
        if stop.is_set():
            self._queue.postpone([message.receipt for message in batch], 0)
            return 0
        try:
            answer = self._invoke(self._function, sqs_event(batch, self._trigger.queue))
        except Exception:
            log.exception("%s failed; its batch comes again.", self._function.name)
            return len(batch)
        failed = {item["itemIdentifier"] for item in (answer or {}).get("batchItemFailures", [])}
        self._queue.delete([message.receipt for message in batch if message.id not in failed])
        return len(batch)

    def _batch(self, stop: threading.Event) -> list[Message]:
        size = self._trigger.batch_size
        batch = self._queue.receive(size)
        until = time.monotonic() + self._trigger.window
        while batch and len(batch) < size and time.monotonic() < until and not stop.is_set():
            more = self._queue.receive(size - len(batch))
            batch += more
            if not more:
                stop.wait(min(IDLE, max(until - time.monotonic(), 0)))
        return batch


class Host:
    """All functions at work until `stop` is called; HTTP is `bot.local.http`'s."""

    def __init__(self, invoke: Invoke, queues: Mapping[str, Queue]) -> None:
        self._invoke = invoke
        self._queues = queues
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def pumps(self) -> list[Pump]:
        """A pump for each queue that feeds a function."""
        return [
            Pump(function, trigger, self._queues[trigger.queue], self._invoke)
            for function in functions()
            for trigger in function.triggers
        ]

    def start(self) -> None:
        """Starts queues and schedules."""
        for pump in self.pumps():
            self._thread(pump.run, self._stop)
        for function in functions():
            if function.every:
                self._thread(self._scheduled, function, function.every)

    def stop(self) -> None:
        """Stops taking work and waits for what was begun."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _thread(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _scheduled(self, function: Function, every: float) -> None:
        while not self._stop.is_set():
            try:
                self._invoke(function, schedule_event(wiring.now()))
            except (Failure, Misconfigured) as failure:
                log.warning("%s: %s", function.name, failure)
            except Exception:
                log.exception("%s failed; it runs again in %.0f s.", function.name, every)
            self._stop.wait(every)
