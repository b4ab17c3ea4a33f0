"""A deployed stage: the functions of the unpacked package, on AWS as moto plays it."""

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from zipfile import ZipFile

from bot import settings
from bot.errors import Failure
from bot.local.host import Pump
from bot.local.serverless import Function
from bot.ports import Message, Queue
from bot.storage.sqs import SqsQueue
from bot.wiring import Parts
from tests import unpacked
from tests.e2e.homes import BY_NAME, Home, World, _aws_of_this_process, _served
from tests.standins.bad_day import BadDay
from tests.standins.lambda_runtime import FunctionFailed, LambdaFunction
from tests.standins.stack import ARCHIVE, Stack, deploy

STAGE = "tweet-escalator-test"
AT_ONCE = {"triage": 2}
"""How many of a function work at the same time; one each of the others."""
BESIDE = {"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "no_proxy"}
"""What is no setting of the bot's: where this test's AWS is."""
PATIENCE = 120.0
ROOM = 60
"""Messages; more only make moto slow, which looks at each for each."""
HIDDEN, LATER = 30, 2
"""Seconds for which a message in flight is hidden, and after which one comes that failed."""
PAUSE = 0.3
"""Seconds from one look into an empty queue to the next: moto's time is what a test takes."""


class Careless:
    """A queue whose visibility timeouts end too early now and then, so messages come again.

    Of every `every` batches one is there again while it is worked on, and one that was worked off
    is not deleted.
    """

    def __init__(self, queue: Queue, every: int) -> None:
        self._queue = queue
        self._every = every
        self._batches, self._done = count(1), count(1)

    def receive(self, limit: int) -> list[Message]:
        batch = self._queue.receive(limit)
        if batch and next(self._batches) % self._every == 0:
            self._queue.postpone([message.receipt for message in batch], 0)
        return batch

    def delete(self, receipts: Sequence[str]) -> None:
        if receipts and next(self._done) % self._every == 0:
            self._queue.postpone(receipts, 0)
        else:
            self._queue.delete(receipts)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queue, name)


class Instance:
    """One of the processes in which a function runs; every `kill_every`-th event is its last.

    What it did not finish is there again at once, what it wants again in seconds: as if the time
    between went by.

    `failures` are the errors of the others.
    """

    def __init__(self, name: str, process: LambdaFunction, queue: Queue, kill_every: int) -> None:
        self.name = name
        self.invocations = 0
        self._process = process
        self._queue = queue
        self._kill_every = kill_every
        self.kills = 0
        self.failures: list[str] = []
        self._chance = random.Random(kill_every)  # noqa: S311

    def __call__(self, function: Function, event: dict[str, Any]) -> Any:
        self.invocations += 1
        killed = self.invocations % self._kill_every == 0
        timeout = self._chance.uniform(0.005, 0.08) if killed else function.timeout
        receipts = {one["messageId"]: one["receiptHandle"] for one in event["Records"]}
        try:
            answer = self._process.invoke(event, timeout)
        except FunctionFailed as failed:
            if killed:
                self.kills += 1
            else:
                self.failures.append(str(failed))
            self._queue.postpone(list(receipts.values()), 0)
            raise
        again = [receipts[one["itemIdentifier"]] for one in answer["batchItemFailures"]]
        self._queue.postpone(again, LATER)
        return answer


@dataclass(frozen=True)
class Machine:
    """Where the functions of a stack run: their code, the runtime, what a test tells them."""

    stack: Stack
    task: Path
    brought: Path
    told: Mapping[str, str]

    def process(self, name: str) -> LambdaFunction:
        """A process for a function as the stack has it."""
        function = self.stack.function(name)
        return LambdaFunction(
            function["Handler"],
            self.environment(name),
            self.task,
            memory=function["MemorySize"],
            python=unpacked.PYTHON,
        )

    def environment(self, name: str) -> dict[str, str]:
        """The function's own environment, with a test's values for settings that stand in it."""
        variables = self.stack.function(name)["Environment"]["Variables"]
        assert self.told.keys() <= variables.keys() | BESIDE, "the template has no such setting"
        paths = {"/var/task": str(self.task), "/var/runtime": str(self.brought)}
        own = {name: variables[name] for name in ("PYTHONPATH", "AWS_DATA_PATH")}
        for there, here in paths.items():
            own = {variable: path.replace(there, here) for variable, path in own.items()}
        return {**variables, **own, **self.told}


class Deployed(Home):
    """Its queues are worked all the time, as long as the context lasts."""

    def __init__(
        self,
        machine: Machine,
        processes: Mapping[str, Sequence[LambdaFunction]],
        parts: Parts,
        url: str,
        *,
        again_every: int,
        kill_every: int,
    ) -> None:
        super().__init__(self._call, parts, url)
        self._machine = machine
        self.processes = processes
        self._stop = threading.Event()
        self.instances: list[Instance] = []
        self._pumps = list(self._fed(again_every, kill_every))
        self._threads = [
            threading.Thread(target=self._feed, args=(pump,), daemon=True) for pump in self._pumps
        ]

    def _fed(self, again_every: int, kill_every: int) -> Iterator[Pump]:
        for function in BY_NAME.values():
            for trigger in function.triggers:
                queue = self.parts.queues[trigger.queue]
                for process in self.processes[function.name]:
                    self.instances.append(Instance(function.name, process, queue, kill_every))
                    yield Pump(
                        function,
                        replace(trigger, window=0),
                        Careless(queue, again_every),
                        self.instances[-1],
                    )

    def _feed(self, pump: Pump) -> None:
        while not self._stop.is_set():
            worked = 0
            with suppress(Failure):
                worked = pump.once(self._stop)
            if not worked:
                self._stop.wait(PAUSE)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _call(self, function: Function, event: dict[str, Any]) -> Any:
        return self.processes[function.name][0].invoke(event, function.timeout)

    def work(self) -> None:
        """Waits until nothing waits and nothing is in flight."""
        self.wait_until(lambda: all(self._queue(name).waiting() == 0 for name in self.parts.queues))

    def wait_for_room(self) -> None:
        """Waits until few tweets are there to be worked on."""
        self.wait_until(lambda: self._visible("tweets") <= ROOM)

    def wait_until(self, so: Callable[[], bool]) -> None:
        """Waits until it is so."""
        until = time.monotonic() + PATIENCE
        while not so():
            assert time.monotonic() < until, "What was waited for did not come in two minutes."
            self._stop.wait(PAUSE)

    def invocations(self, name: str) -> int:
        """How often a function was called for a batch."""
        return sum(one.invocations for one in self.instances if one.name == name)

    def stored_cases(self) -> int:
        """How many cases the table holds, whatever their ids."""
        return self._machine.stack.count("CasesTable", "day")

    def _visible(self, name: str) -> int:
        return int(self._queue(name)._attributes()["ApproximateNumberOfMessages"])

    def _queue(self, name: str) -> SqsQueue:
        queue = self.parts.queues[name]
        assert isinstance(queue, SqsQueue)
        return queue

    def hide_for(self, name: str, seconds: int) -> None:
        """Of the messages of a batch whose receiver knows nothing, nobody waits six minutes."""
        queue = self._queue(name)
        queue._call("set_queue_attributes", Attributes={"VisibilityTimeout": str(seconds)})

    def deploy(self, **parameters: str) -> None:
        """The same package again, with other parameters of its stack."""
        self._machine.stack.update(**parameters)
        for name, several in self.processes.items():
            for process in several:
                process.deploy(self._machine.environment(name))

    def outputs(self) -> str:
        """What all functions wrote to their logs."""
        return "".join(one.output for several in self.processes.values() for one in several)


@contextmanager
def deployed(
    outside: World,
    day: BadDay,
    package: Path,
    folder: Path,
    *,
    again_every: int,
    kill_every: int,
) -> Iterator[Deployed]:
    """The package at work, asking the model's endpoint: every function in processes of its own."""
    secrets = {"XSecret": outside.x_keys(), "SlackSecret": outside.slack_keys()}
    told = {**outside.addresses(), "AWS_ENDPOINT_URL": day.url}
    endpoint = told.pop("SAGEMAKER_ENDPOINT")  # which the stack tells its functions
    stack = deploy(day.url, STAGE, package, secrets, SagemakerEndpoint=endpoint)
    with ZipFile(package / ARCHIVE) as archive:
        task = unpacked.unpacked(archive, folder)
    machine = Machine(stack, task, unpacked.runtime(folder), told)
    with ExitStack() as running:
        processes = {
            name: [
                running.enter_context(machine.process(name)) for _ in range(AT_ONCE.get(name, 1))
            ]
            for name in BY_NAME
        }

        def call(function: Function, event: dict[str, Any]) -> Any:
            return processes[function.name][0].invoke(event, function.timeout)

        url = running.enter_context(_served(call))
        running.enter_context(_aws_of_this_process({"AWS_ENDPOINT_URL": day.url}))
        variables = stack.function("housekeeping")["Environment"]["Variables"]
        five = {
            name: value
            for name, value in variables.items()
            if name.endswith(("_QUEUE_URL", "_TABLE"))
        }
        home = Deployed(
            machine,
            processes,
            Parts(settings.read(five)),
            url,
            again_every=again_every,
            kill_every=kill_every,
        )
        for queue in home.parts.queues:
            home.hide_for(queue, HIDDEN)
        yield running.enter_context(home)
