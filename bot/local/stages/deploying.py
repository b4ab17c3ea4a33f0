"""The verb that deploys a stage: shows what it will make and cost, asks, does it."""

import shutil
import subprocess
from argparse import Namespace
from collections.abc import Mapping

from bot import amazon
from bot.errors import Refused
from bot.local.stages import inventory, prices, stacks, stage, stagefile
from bot.local.stages.asking import agreed, ask, can_ask, say
from bot.local.stages.inventory import Template
from bot.local.stages.osls import Osls, check_setup
from bot.settings import HOUSE
from bot.wiring import now

Environment = Mapping[str, str]


def deploy(arguments: Namespace, environment: Environment) -> int:
    """Makes the stage, or brings it to what is here."""
    name = stagefile.stage_name(arguments.stage)
    again = f"make deploy STAGE={name}"
    check_setup(again)
    values = _values(name, environment, asks=can_ask(arguments))
    account = _entered(name, values[stagefile.REGION], environment)
    deployed = stacks.deployed(name)
    osls = Osls(name, values[stagefile.REGION], stagefile.parameters(values) | _release())
    packaged = osls.package()
    say(f"Stage {name} in {osls.region}, account {account}, stack {stage.stack_name(name)}.")
    say(*_makes(deployed, packaged), "", *_costs(packaged))
    if not agreed(arguments, again):
        return 1
    began = now()
    if not osls.deploy():
        say(*stacks.failed(name, began))
        return 1
    say("", *_addresses(name), "", *_next(name, values, first=deployed is None))
    return 0


def _values(name: str, environment: Environment, *, asks: bool) -> dict[str, str]:
    """The settings of the stage's file, which is made or completed by what is asked."""
    file = stage.FILES / f"{name}.env"
    values = stagefile.read(file) or {}
    region = environment.get("AWS_DEFAULT_REGION") or environment.get("AWS_REGION")
    with stage.asking():
        region = region or amazon.session().get_config_variable("region")
    given: dict[str, str] = {}
    if asks:
        asked = stagefile.questions(values, region or "us-east-1")
        given = stagefile.answered(asked, ask, name)
    elif stagefile.REGION not in values:
        if not region:
            raise Refused(
                f"It is not known where: write REGION=us-east-1, say, into {_short(name)}, or set "
                "AWS_DEFAULT_REGION."
            )
        given = {stagefile.REGION: region}
    if given:
        values |= given
        stagefile.check(values, name)
        stagefile.add(file, given)
        say(f"These settings stand in {_short(name)} from now on.")
    return values


def _entered(name: str, region: str, environment: Environment) -> str:
    """The account, once credentials and region are found to work. Raises `Refused`."""
    stage.enter(Namespace(stage=name, region=region), environment)
    with stage.asking():
        return str(stage.client("sts").get_caller_identity()["Account"])


def _release() -> dict[str, str]:
    """Which commit this is, for the list of releases."""
    git = shutil.which("git")
    if git is None:
        return {}
    done = subprocess.run(  # noqa: S603
        [git, "-C", str(HOUSE), "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
    )
    return {stagefile.RELEASE: done.stdout.strip()} if done.returncode == 0 else {}


def _makes(deployed: Template | None, packaged: Template) -> list[str]:
    if deployed is None:
        return [f"It makes {', '.join(inventory.counted(packaged))}."]
    return inventory.differences(deployed, packaged)


def _costs(packaged: Template) -> list[str]:
    stack = prices.stack_of(packaged)
    idle, used = prices.idle(stack), prices.per_million(stack)
    x = prices.x_per_million(polled=False)
    return [
        "A month in which nothing comes in costs, in dollars by AWS's list prices:",
        prices.table(idle),
        (
            f"A million tweets, {prices.ESCALATED_SHARE:.0%} escalated, "
            f"{prices.ANSWERED_SHARE:.0%} answered, cost on top of that:"
        ),
        prices.table([*used, *x]),
        "docs/aws.md (Costs) has the prices' dates and what else was assumed.",
    ]


def _addresses(name: str) -> list[str]:
    found = stage.addresses(name)
    return [f"{key:<30}  {value}" for key, value in sorted(found.items())]


def _next(name: str, values: Mapping[str, str], *, first: bool) -> list[str]:
    steps = [
        ("python -m bot doctor --stage {}", "what is missing, and how to mend it"),
        ("python -m bot smoke --stage {}", "a test tweet through to its card"),
    ]
    if first:
        steps[:0] = [
            ("python -m bot slack manifest --stage {}", "from which Slack makes the app"),
            ("python -m bot secret set slack --stage {}", "its keys; cards wait for them"),
            ("python -m bot secret set x --stage {}", "X's keys; answers wait for them"),
            ("python -m bot x webhook add --stage {}", "where X reaches the bot"),
            ("python -m bot x subscribe --stage {}", "what X tells it"),
        ]
    mail = values.get("ALARM_EMAIL")
    told = [f"AWS mails {mail}: follow its link, or no alarm is mailed."] if first and mail else []
    return [*told, "Next:", *(f"  {step.format(name):<52}{why}" for step, why in steps)]


def _short(name: str) -> str:
    return str((stage.FILES / f"{name}.env").relative_to(HOUSE))
