"""The verbs that roll a stage back and remove it.

Each shows what it is about to do, asks, does it, and returns its exit code.
"""

from argparse import Namespace
from collections.abc import Iterator, Mapping

from bot.local.stages import inventory, releases, stacks, stage, stagefile
from bot.local.stages.asking import agreed, ask, say
from bot.local.stages.osls import Osls, check_setup
from bot.wiring import now

Environment = Mapping[str, str]


def rollback(arguments: Namespace, environment: Environment) -> int:
    """Puts a stage back to an earlier release, settings included."""
    name = stagefile.stage_name(arguments.stage)
    again = f"make rollback STAGE={name}"
    check_setup(again)
    osls = _existing(name, environment)
    deployed = stacks.template(name)
    found = releases.kept(stage.output(name, releases.BUCKET), name)
    current = inventory.release_folder(deployed)
    say(*(f"{one.told}{'  (deployed)' if one.folder == current else ''}" for one in found))
    target = releases.chosen(found, current, arguments.to)
    say(
        "",
        f"Back to {target.told}, and to its settings until the next deployment.",
        *inventory.differences(deployed, target.template),
        "Messages of a form that it does not know wait on their queues, and at last among the dead "
        f"letters: `python -m bot redrive --stage {name}`, once a release is there that does.",
    )
    if not agreed(arguments, again):
        return 1
    began = now()
    if not osls.roll_back(target.timestamp):
        say(*stacks.failed(name, began))
        return 1
    say("", f"Now `python -m bot doctor --stage {name}`, and `python -m bot smoke --stage {name}`.")
    return 0


def remove(arguments: Namespace, environment: Environment) -> int:
    """Takes the stage off AWS, but for what is protected."""
    name = stagefile.stage_name(arguments.stage)
    check_setup(f"make remove STAGE={name}")
    osls = _existing(name, environment)
    template = stacks.template(name)
    stays = stacks.physical(name, inventory.kept(template))
    goes = ", ".join(inventory.counted(template))
    say(
        f"Of {stage.stack_name(name)} in {osls.region} go {goes}.",
        _stays(stays),
        "What waits on the queues is lost. The secrets go; Secrets Manager may keep them some days "
        "(`aws secretsmanager restore-secret`).",
        f"X goes on calling the webhook: see `python -m bot x webhook list --stage {name}`, then "
        f"`python -m bot x webhook remove ID --stage {name}`, before you go on here.",
    )
    if ask(f"Type {name} to remove it: ").strip() != name:
        say("Nothing was removed.")
        return 1
    began = now()
    if not osls.remove():
        say(*stacks.failed(name, began))
        return 1
    say(*_by_hand(stays))
    return 0


def _existing(name: str, environment: Environment) -> Osls:
    """The framework for a stage that is there. Raises `Refused` where it is not."""
    values = stagefile.read(stage.FILES / f"{name}.env") or {}
    stage.enter(Namespace(stage=name, region=values.get(stagefile.REGION)), environment)
    stage.stack(name)
    region = stage.client("cloudformation").meta.region_name
    return Osls(name, region, stagefile.parameters(values))


def _stays(stays: Mapping[str, str]) -> str:
    if not stays:
        return "Nothing stays: the cases are lost with their table."
    return f"There stays, protected, {', '.join(f'{one} ({its})' for one, its in stays.items())}."


def _by_hand(stays: Mapping[str, str]) -> Iterator[str]:
    for table in stays.values():
        yield f"{table} is still there and costs what it stores. To delete it, cases and all:"
        yield f"  aws dynamodb update-table --table-name {table} --no-deletion-protection-enabled"
        yield f"  aws dynamodb delete-table --table-name {table}"
