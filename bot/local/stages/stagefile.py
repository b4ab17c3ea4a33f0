"""What a stage is deployed with: lines NAME=value in `aws/stages/<stage>.env`, none secret."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Final

from dotenv import dotenv_values

from bot import settings
from bot.classifier.variants import ID_DIGITS, described
from bot.errors import Misconfigured, Refused
from bot.frozen import frozen
from bot.local.serverless import WIRING
from bot.settings import SECRETS, AwsStorage

REGION: Final = "REGION"
RELEASE: Final = "RELEASE"
"""What deploying itself tells the framework: the commit."""
MODEL_FILE: Final = "MODEL_FILE"
"""The archive, from this folder, that is packaged for a stage which judges inside its functions;
`publish` writes the line and aws/dependencies.sh reads it."""
LONGEST_STAGE: Final = 35
"""Characters, so that `tweet-escalator-<stage>-slackActions` has at most Lambda's 64."""

_NAME: Final = re.compile(rf"[a-z][a-z0-9-]{{0,{LONGEST_STAGE - 1}}}")
_PARAMETER: Final = re.compile(r"\bparam:([A-Z][A-Z0-9_]*),")
"""A parameter with a default; those without are the framework's own, set by stage."""
_REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_MAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
ENDPOINT: Final = re.compile(r"[A-Za-z0-9](-*[A-Za-z0-9]){0,62}")
"""A name on SageMaker, of an endpoint or a variant."""
_ARCHIVE: Final = re.compile(r"(?!/)[\w./-]+\.tar\.gz")
_VARIANT: Final = ENDPOINT
_ARTIFACT: Final = re.compile(r"s3://[a-z0-9][a-z0-9.-]+/[^*?$\s]+\.tar\.gz")
_STORAGE: Final = dict.fromkeys(
    (field.name.upper() for field in fields(AwsStorage)), "made by the stack"
)

_HEAD: Final = "# What the stage {} is deployed with; no secrets (docs/settings.md)."

Ask = Callable[[str], str]
"""Shows a question and returns what was typed."""


@frozen
class Question:
    """What a person is asked who deploys a stage first; `name` is the setting it is about."""

    name: str
    asks: str
    default: str = ""


def stage_name(name: str) -> str:
    """The name. Raises `Refused` for one that AWS would not take everywhere."""
    if not _NAME.fullmatch(name):
        raise Refused(
            f"A stage's name begins with a small letter, has small letters, digits and hyphens, "
            f"and at most {LONGEST_STAGE} of them: {name} is none."
        )
    return name


def known() -> frozenset[str]:
    """The settings that a stage may be given: the parameters that the wiring asks for."""
    files = (WIRING, *sorted((WIRING.parent / "aws").glob("*.yml")))
    found = (_PARAMETER.findall(file.read_text("utf-8")) for file in files)
    return frozenset({REGION, MODEL_FILE, *(name for names in found for name in names)} - {RELEASE})


def read(file: Path) -> dict[str, str] | None:
    """What the file says, None where there is none. Raises `Misconfigured` as `check` does."""
    if not file.is_file():
        return None
    try:
        found = dotenv_values(file, interpolate=False, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{file} cannot be read: {error}.") from None
    values = {name: value or "" for name, value in found.items()}
    check(values, file.stem)
    return values


def add(file: Path, values: Mapping[str, str]) -> None:
    """Puts more lines into the file, or makes it; what stands in it stays as it is."""
    try:
        before = file.read_text("utf-8") if file.exists() else _HEAD.format(file.stem)
    except OSError as error:
        raise Refused(f"{file} cannot be read: {error.strerror}.") from None
    _write(file, [before.rstrip("\n")], values)


def change(file: Path, values: Mapping[str, str | None]) -> None:
    """Puts these lines in place of those of the same name, or adds them; None takes one out.

    What else stands in the file stays as it is. Raises `Refused` where it cannot be written, and
    `Misconfigured` as `check` does, before anything is changed.
    """
    before = read(file) or {}
    check({k: v for k, v in {**before, **values}.items() if v is not None}, file.stem)
    try:
        lines = file.read_text("utf-8").splitlines() if file.exists() else []
    except OSError as error:
        raise Refused(f"{file} cannot be read: {error}.") from None
    kept = [line for line in lines if _named(line) not in values]
    _write(file, kept or [_HEAD.format(file.stem)], {k: v for k, v in values.items() if v})


def _named(line: str) -> str:
    return line.partition("=")[0].removeprefix("export ").strip()


def _write(file: Path, lines: Sequence[str], values: Mapping[str, str]) -> None:
    told = (f"{name}={_quoted(value)}" for name, value in values.items())
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join([*lines, *told, ""]), "utf-8")
    except OSError as error:
        raise Refused(f"{file} cannot be written: {error.strerror}.") from None


def _quoted(value: str) -> str:
    plain = re.fullmatch(r"[\w@%+=:,./-]*", value)
    return value if plain else "'" + value.replace("'", "\\'") + "'"


def check(values: Mapping[str, str], stage: str) -> None:
    """Raises `Misconfigured`, a sentence for each, where the functions could not start with them.

    A secret is refused with the command that sets it.
    """
    problems = [*_misplaced(values, stage), *_malformed(values)]
    try:
        # The table and queues are the stack's: anything stands in for them.
        settings.read({**_settings(values), **_STORAGE})
    except Misconfigured as error:
        problems += error.problems
    if problems:
        raise Misconfigured(problems)


def parameters(values: Mapping[str, str]) -> dict[str, str]:
    """What the framework is given: all that is set but what is used before it, or otherwise."""
    return {
        name: value for name, value in values.items() if value and name not in {REGION, MODEL_FILE}
    }


def questions(values: Mapping[str, str], region: str) -> list[Question]:
    """What nobody answered yet; `region` is what to propose."""
    asked = (
        Question(REGION, f"In which region of AWS? [{region}] ", region),
        Question("ALARM_EMAIL", "Who is mailed when something needs a person? [nobody] "),
        Question(
            "CLASSIFIER",
            "What judges the posts: ENTER for the model inside the function, the name of a "
            "SageMaker endpoint, or s3://BUCKET/model.tar.gz to make one? [embedded] ",
        ),
    )
    classifier = {"SAGEMAKER_ENDPOINT", "MODEL_DATA_URL"}
    answered = {*values, *({"CLASSIFIER"} if classifier & values.keys() else ())}
    return [one for one in asked if one.name not in answered]


def answered(asked: Sequence[Question], ask: Ask, stage: str) -> dict[str, str]:
    """The answers as settings; what cannot be is said and asked again."""
    given: dict[str, str] = {}
    for question in asked:
        given |= _answer(question, ask, stage)
    return given


def _answer(question: Question, ask: Ask, stage: str) -> dict[str, str]:
    wrong = ""
    while True:
        values = _meant(question.name, ask(wrong + question.asks).strip() or question.default)
        try:
            check(values, stage)
        except Misconfigured as error:
            wrong = "\n".join([*error.problems, ""])
        else:
            return values


def _meant(name: str, answer: str) -> dict[str, str]:
    if name != "CLASSIFIER" or answer in {"", "embedded"}:
        return {name: answer}
    if answer.startswith("s3://"):
        return {"MODEL_DATA_URL": answer}
    return {"SAGEMAKER_ENDPOINT": answer}


def _settings(values: Mapping[str, str]) -> dict[str, str]:
    """As the functions get them: an endpoint that is to be made has its name by then."""
    made = {"SAGEMAKER_ENDPOINT": "made-by-the-stack"} if values.get("MODEL_DATA_URL") else {}
    held = {name for secret in SECRETS.values() for name in secret.names}
    return {name: value for name, value in {**values, **made}.items() if name not in held}


def _misplaced(values: Mapping[str, str], stage: str) -> Iterator[str]:
    held = {name: called for called, secret in SECRETS.items() for name in secret.names}
    for name in values:
        if name in held:
            yield (
                f"{name} is secret and not kept in a file: take it out, and once the stage is "
                f"there run `python -m bot secret set {held[name]} --stage {stage}`."
            )
        elif name.startswith("AWS_"):
            yield f"{name} is yours and not the stage's: take it out, and set it where you work."
        elif name not in known():
            yield f"{name} is no setting of a stage: docs/settings.md lists them."


def _malformed(values: Mapping[str, str]) -> Iterator[str]:
    forms = (
        (REGION, _REGION, "a region of AWS, such as us-east-1"),
        ("ALARM_EMAIL", _MAIL, "a mail address, or empty"),
        ("SAGEMAKER_ENDPOINT", ENDPOINT, "an endpoint's name, not its ARN or URL"),
        ("MODEL_DATA_URL", _ARTIFACT, "s3://BUCKET/KEY.tar.gz"),
        ("MODEL_VARIANT", _VARIANT, "what `publish` wrote"),
        (MODEL_FILE, _ARCHIVE, "an archive below this folder, such as models/own.tar.gz"),
    )
    for name, form, says in forms:
        value = values.get(name)
        if value and not form.fullmatch(value):
            yield f"{name} must be {says}, not «{value}»."
    if values.get("SAGEMAKER_ENDPOINT") and values.get("MODEL_DATA_URL"):
        yield (
            "SAGEMAKER_ENDPOINT and MODEL_DATA_URL are both set: name an endpoint that exists, or "
            "the artifact from which one is made."
        )
    model = described(values.get("MODEL_VARIANT") or "")
    if model and f"-{model.name[-ID_DIGITS:]}." not in values.get("MODEL_DATA_URL", ""):
        yield (
            "MODEL_VARIANT tells how another archive than that of MODEL_DATA_URL is read: take it "
            "out, or publish the archive (`python -m bot publish`), which writes both."
        )
