"""A real-time endpoint of SageMaker: made, or brought to another model and back where that fails.

SageMaker API reference: CreateEndpoint, UpdateEndpoint, DescribeEndpoint. An update that fails
leaves the endpoint in service with the configuration it had, and may not even say why: so the
configuration's name is what tells.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, Final

from bot.errors import Failure, Refused
from bot.frozen import frozen
from bot.learning.publishing import configs
from bot.learning.publishing.cloud import Cloud
from bot.learning.publishing.configs import TAGS, Kept, Serving
from bot.learning.publishing.roles import Wait
from bot.local.stages.stage import asking

POLLED: Final = 15.0
"""Seconds between two looks at what SageMaker does."""
MOST_LOOKS: Final = 240
INSTANCE: Final = "ml.m5.large"
"""What a new endpoint runs on; BlazingText needs an x86 machine."""
_UNDER_WAY: Final = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack"})

Tell = Callable[[str], object]
Check = Callable[[], str | None]
"""Asks the endpoint, and says in a sentence what is wrong with its answers."""


@frozen
class Hosting:
    """An endpoint, by name, and who works at it; `tell` is given each new state in a few words."""

    cloud: Cloud
    endpoint: str
    wait: Wait
    tell: Tell
    now: datetime

    def found(self) -> dict[str, Any] | None:
        """What SageMaker tells of the endpoint; None where there is none. Raises `Refused`."""
        try:
            with asking():
                return dict(self.cloud.sagemaker.describe_endpoint(EndpointName=self.endpoint))
        except Refused as refusal:
            if "Could not find" in str(refusal):
                return None
            raise

    def create(self, serving: Serving, instance: str, check: Check) -> None:
        """A new endpoint; what was made of one that fails is taken away. Raises `Refused`."""
        made = self._made(serving, configs.fresh(instance))
        with self._used(made):
            self.cloud.sagemaker.create_endpoint(
                EndpointName=self.endpoint, EndpointConfigName=made, Tags=TAGS
            )
        wrong = self._awaited(made) or self._checked(check)
        if wrong:
            with suppress(Refused), asking():
                self.cloud.sagemaker.delete_endpoint(EndpointName=self.endpoint)
            configs.forget(self.cloud, made)
            raise Refused(f"{wrong} The endpoint {self.endpoint} was taken away again.")

    def update(self, before: Mapping[str, Any], serving: Serving, like: Kept, check: Check) -> None:
        """The endpoint that is there over to the artifact, or back to what it was.

        Machines, data capture and all else stay as they are. Raises `Refused`, once it is back.
        """
        made = self._made(serving, like)
        with self._used(made):
            self._over_to(made)
        wrong = self._awaited(made) or self._checked(check)
        if wrong:
            stuck = self._back_from(made, before["EndpointConfigName"])
            if stuck is None:
                configs.forget(self.cloud, made)
            raise Refused(f"{wrong} {stuck or f'{self.endpoint} serves what it did before.'}")

    def check_state(self, status: str) -> None:
        """Raises `Refused` where an endpoint in that state takes no other model."""
        if status == "Failed":
            raise Refused(
                f"The endpoint {self.endpoint} is Failed, and can only be deleted: "
                f"`aws sagemaker delete-endpoint --endpoint-name {self.endpoint}`; then publish."
            )
        if status != "InService":
            raise Refused(
                f"The endpoint {self.endpoint} is {status}: publish once it is in service."
            )

    def _made(self, serving: Serving, like: Kept) -> str:
        return configs.made(self.cloud, self.endpoint, serving, like, self.now, self.wait)

    @contextmanager
    def _used(self, made: str) -> Iterator[None]:
        """Within it, the endpoint is given what was made; where that is refused, it goes.

        What is under way may be what was asked for, all the same: then it stays.
        """
        try:
            with asking():
                yield
        except Refused:
            with suppress(Refused):
                if (self.found() or {}).get("EndpointStatus") not in _UNDER_WAY:
                    configs.forget(self.cloud, made)
            raise

    def _over_to(self, config: str) -> None:
        self.cloud.sagemaker.update_endpoint(EndpointName=self.endpoint, EndpointConfigName=config)

    def _awaited(self, config: str) -> str | None:
        """Waits until SageMaker has done what it does; a sentence where it failed."""
        told = ""
        for _ in range(MOST_LOOKS):
            found = self.found() or {"EndpointStatus": "gone"}
            status = found["EndpointStatus"]
            if status not in _UNDER_WAY:
                break
            if status != told:
                self.tell(f"{self.endpoint}: {status}")
            told = status
            self.wait(POLLED)
        else:
            return f"The endpoint {self.endpoint} was still {told} after an hour."
        if status == "InService" and found["EndpointConfigName"] == config:
            return None
        why = found.get("FailureReason") or "SageMaker does not say why; its log may."
        return f"The endpoint {self.endpoint} did not take the model ({status}): {why}"

    def _back_from(self, made: str, config: str) -> str | None:
        """The endpoint has the earlier configuration again; a sentence where it has not."""
        found = self.found() or {}
        serving = found.get("EndpointConfigName")
        if (found.get("EndpointStatus"), serving) == ("InService", config):
            return None
        if serving not in {None, made, config}:
            return f"Somebody has brought it to {serving} meanwhile, and so it stays."
        self.tell(f"{self.endpoint}: back to {config}")
        try:
            with asking():
                self._over_to(config)
        except Refused as refusal:
            wrong: str | None = str(refusal)
        else:
            wrong = self._awaited(config)
        return wrong and f"It could not go back to {config} either: {wrong}"

    def _checked(self, check: Check) -> str | None:
        """What the check says; an endpoint that fails to answer is asked three times."""
        for left in (2, 1, 0):
            try:
                return check()
            except Failure as failure:
                if not left:
                    return str(failure)
                self.wait(POLLED)
        return None
