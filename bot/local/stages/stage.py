"""A deployed stage, for the verbs that take `--stage`.

What it is set to is asked of its functions (AWS Lambda API reference, "GetFunctionConfiguration"),
where it is reached of its stack (AWS CloudFormation API reference, "DescribeStacks"). Of this
machine count only AWS's own settings: no key, channel or file of its `.env`.
"""

import os
import re
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from botocore import exceptions as aws
from botocore.config import Config
from dotenv import dotenv_values

from bot import amazon
from bot.errors import Refused
from bot.frozen import frozen
from bot.local.serverless import functions, service
from bot.local.stages import stagefile
from bot.settings import HOUSE

Environment = Mapping[str, str]

FILES: Final = HOUSE / "aws" / "stages"
"""Where `make deploy` keeps what each stage was deployed with."""

# A person waits: longer than in a function, and no longer than one bears.
_PATIENCE: Final = Config(
    connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 3}
)

_NO_CREDENTIALS: Final = (
    aws.NoCredentialsError,
    aws.PartialCredentialsError,
    aws.CredentialRetrievalError,
    aws.TokenRetrievalError,
    aws.NoAuthTokenError,
    aws.SSOError,
    aws.LoginError,
)
_BAD_CREDENTIALS: Final = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_NO_RIGHT: Final = frozenset(
    {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}
)
_LACKS: Final = re.compile(r"not authorized to perform: ([\w-]+:\w+)")
"""What is lacking may be another right than that to the call, such as iam:PassRole."""
_SIGN_IN: Final = "sign in (`aws sso login`, `aws configure`) or name a profile in AWS_PROFILE"


class Absent(Refused):
    """What was asked for is not there."""


@frozen
class Stack:
    """A stage's stack: how CloudFormation calls its state, and its outputs by their names."""

    status: str
    outputs: Mapping[str, str]


def enter(arguments: Namespace, own: Environment) -> dict[str, str]:
    """`own` with the stage's region, which from now on is this process's too.

    It is the one named, else the one that the stage's file has, else this machine's.
    """
    file = FILES / f"{stagefile.stage_name(arguments.stage)}.env"
    told = dotenv_values(file).get(stagefile.REGION) if file.is_file() else None
    region = arguments.region or told or own.get("AWS_DEFAULT_REGION") or own.get("AWS_REGION")
    if region:
        os.environ["AWS_DEFAULT_REGION"] = region  # botocore looks nowhere else
    return {**own, **({"AWS_DEFAULT_REGION": region} if region else {})}


def environment(stage: str, own: Environment) -> dict[str, str]:
    """What the stage's functions are set to, all together, and AWS's own settings of `own`.

    The secrets are named in it, and not opened. Raises `Refused` where there is no such stage,
    or AWS does not let us ask.
    """
    lambdas = client("lambda")
    found: dict[str, str] = {}
    for function in functions():
        found |= _variables(lambdas, f"{stack_name(stage)}-{function.name}")
    if "CASES_TABLE" not in found:
        raise Refused(_absent(stage))
    return found | {name: value for name, value in own.items() if name.startswith("AWS_")}


def _variables(lambdas: Any, function: str) -> dict[str, str]:
    try:
        with asking():
            answer = lambdas.get_function_configuration(FunctionName=function)
    except Absent:
        return {}
    told = answer.get("Environment", {})
    if "Error" in told:
        raise Refused(f"{function} does not tell its settings: {told['Error'].get('Message')}")
    return dict(told.get("Variables", {}))


def addresses(stage: str) -> Mapping[str, str]:
    """The outputs of the stage's stack. Raises `Refused` as `environment` does."""
    return stack(stage).outputs


def stack(stage: str) -> Stack:
    """The stage's stack. Raises `Refused` as `environment` does."""
    try:
        with asking():
            [found] = client("cloudformation").describe_stacks(StackName=stack_name(stage))[
                "Stacks"
            ]
    except Absent:
        raise Refused(_absent(stage)) from None
    outputs = {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}
    return Stack(found["StackStatus"], outputs)


def output(stage: str, name: str) -> str:
    """One output of the stage's stack. Raises `Refused` where a release did not make it yet."""
    found = addresses(stage).get(name)
    if found is None:
        raise Refused(f"The stack {stack_name(stage)} does not tell its {name}: deploy it anew.")
    return found


def stack_name(stage: str) -> str:
    """What osls calls a stage's stack, and begins the names of its functions with."""
    return f"{service()}-{stage}"


def _absent(stage: str) -> str:
    region = amazon.session().get_config_variable("region")
    return (
        f"There is no stage {stage} in {region}: deploy it (`make deploy STAGE={stage}`), or name "
        "its region with --region."
    )


def client(service_name: str) -> Any:
    """A client of one of AWS's services. Raises `Refused` where this machine is not set up."""
    try:
        return amazon.client(service_name, _PATIENCE)
    except aws.NoRegionError:
        raise Refused(
            "No AWS region is set: name the stage's with --region, for instance us-east-1."
        ) from None
    except aws.BotoCoreError as error:
        raise Refused(f"AWS cannot be asked with the settings of this machine: {error}") from None


@contextmanager
def asking() -> Iterator[None]:
    """Within it, what AWS refuses is `Refused`, in one sentence; `Absent` what is not there."""
    try:
        yield
    except aws.ClientError as error:
        raise _refused(error) from None
    except _NO_CREDENTIALS as error:
        raise Refused(f"There are no AWS credentials that work ({error}): {_SIGN_IN}.") from None
    except (aws.EndpointConnectionError, aws.ConnectTimeoutError) as error:
        raise Refused(f"AWS cannot be reached: check the network and the region. {error}") from None
    except aws.BotoCoreError as error:
        raise Refused(f"AWS did not answer as it should: {error}") from None


def _refused(error: aws.ClientError) -> Refused:
    told = error.response.get("Error", {})
    code, says = told.get("Code", ""), told.get("Message", "")
    if code in {"ResourceNotFoundException", "NotFound"} or (
        code == "ValidationError" and "does not exist" in says
    ):
        return Absent(says)
    if code in _BAD_CREDENTIALS:
        return Refused(f"AWS does not take these credentials ({code}): {_SIGN_IN}.")
    if code in _NO_RIGHT:
        lacks = _LACKS.search(says)
        call = lacks[1] if lacks else error.operation_name
        return Refused(
            f"Your AWS credentials may not call {call}: have it allowed, or name another profile "
            "in AWS_PROFILE."
        )
    return Refused(f"AWS did not answer as it should: {error}")
