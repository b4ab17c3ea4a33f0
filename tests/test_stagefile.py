from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.errors import Misconfigured, Refused
from bot.local.stages import stagefile
from bot.settings import HOUSE, SECRETS


def problems(**values: str) -> list[str]:
    try:
        stagefile.check(values, "prod")
    except Misconfigured as error:
        return error.problems
    return []


def typed(*answers: str) -> Callable[[str], str]:
    """Somebody who types these, and nothing more."""
    left: Iterator[str] = iter(answers)
    return lambda _: next(left)


def test_what_the_wiring_asks_for_may_be_set() -> None:
    names = stagefile.known()
    assert {"REGION", "ALARM_EMAIL", "AUTO_REPLY", "SAGEMAKER_ENDPOINT", "MODEL_DATA_URL"} <= names
    held = {name for secret in SECRETS.values() for name in secret.names}
    assert not names & {*held, "CASES_TABLE", "API_PASSWORD"}
    assert "CASES_PROTECTED" not in names, "the framework's own, by stage"


def test_the_settings_page_names_every_setting_of_a_stage() -> None:
    page = (HOUSE / "docs/settings.md").read_text("utf-8")
    deploying = (HOUSE / "docs/aws.md").read_text("utf-8")
    assert [name for name in stagefile.known() if f"`{name}`" not in page + deploying] == []


@pytest.mark.parametrize("name", ["prod", "dev", "eu-2", "a" * 35])
def test_a_stages_name_is_one_that_aws_takes_everywhere(name: str) -> None:
    assert stagefile.stage_name(name) == name


@pytest.mark.parametrize("name", ["", "Prod", "2nd", "a_b", "../x", "a" * 36, "x\n"])
def test_another_name_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="A stage's name"):
        stagefile.stage_name(name)


def test_a_file_that_is_not_there_says_nothing(tmp_path: Path) -> None:
    assert stagefile.read(tmp_path / "prod.env") is None


def test_what_is_added_is_read_again_and_leaves_the_rest_alone(tmp_path: Path) -> None:
    file = tmp_path / "stages/prod.env"
    stagefile.add(file, {"REGION": "eu-central-1"})
    file.write_text(file.read_text() + "# why\nAUTO_REPLY=off")
    stagefile.add(file, {"ALARM_EMAIL": "o'neil@example.com", "CLASSIFIER": ""})
    assert stagefile.read(file) == {
        "REGION": "eu-central-1",
        "AUTO_REPLY": "off",
        "ALARM_EMAIL": "o'neil@example.com",
        "CLASSIFIER": "",
    }
    assert "# why\n" in file.read_text()


def test_what_is_changed_takes_the_place_of_its_line_and_leaves_the_rest_alone(
    tmp_path: Path,
) -> None:
    file = tmp_path / "prod.env"
    file.write_text(
        "# mine\nREGION=us-east-1\nAUTO_REPLY='off'\nexport CLASSIFIER=embedded\n# end\n"
    )
    stagefile.change(
        file, {"AUTO_REPLY": "dry-run", "CLASSIFIER": None, "ALARM_EMAIL": "a@b.example"}
    )
    assert file.read_text() == (
        "# mine\nREGION=us-east-1\n# end\nAUTO_REPLY=dry-run\nALARM_EMAIL=a@b.example\n"
    )


def test_what_is_changed_may_begin_a_file(tmp_path: Path) -> None:
    stagefile.change(tmp_path / "stages/prod.env", {"REGION": "us-east-1"})
    assert stagefile.read(tmp_path / "stages/prod.env") == {"REGION": "us-east-1"}


def test_a_change_that_cannot_be_is_refused_before_it_is_made(tmp_path: Path) -> None:
    file = tmp_path / "prod.env"
    file.write_text("REGION=us-east-1\nSAGEMAKER_ENDPOINT=harbor\n")
    with pytest.raises(Misconfigured, match="both set"):
        stagefile.change(file, {"MODEL_DATA_URL": "s3://bucket/own.tar.gz"})
    assert "MODEL_DATA_URL" not in file.read_text()


def test_the_model_that_is_packaged_is_no_parameter_of_the_stack() -> None:
    given = {"REGION": "us-east-1", "MODEL_FILE": "models/own.tar.gz", "AUTO_REPLY": "off"}
    assert stagefile.parameters(given) == {"AUTO_REPLY": "off"}


def test_a_variant_belongs_to_the_archive_that_has_its_id() -> None:
    variant, url = "te1-plain-tnone-1a2b3c4d-own", "s3://bucket/models/own-1a2b3c4d.tar.gz"
    assert problems(MODEL_VARIANT=variant, MODEL_DATA_URL=url) == []
    assert problems(MODEL_VARIANT="AllTraffic", MODEL_DATA_URL="s3://bucket/else.tar.gz") == []


def test_a_value_is_never_taken_from_the_surroundings(tmp_path: Path) -> None:
    file = tmp_path / "prod.env"
    file.write_text("SLACK_ADMINS=${HOME}\n")
    with pytest.raises(Misconfigured, match="HOME"):
        stagefile.read(file)


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "stages").write_text("")
    with pytest.raises(Refused, match="cannot be written"):
        stagefile.add(tmp_path / "stages/prod.env", {"REGION": "us-east-1"})


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("X_CONSUMER_KEY", "a-key", "`python -m bot secret set x --stage prod`"),
        ("SLACK_BOT_TOKEN", "xoxb-1", "`python -m bot secret set slack --stage prod`"),
        ("API_PASSWORD", "long enough", "`python -m bot secret set web --stage prod`"),
        ("AWS_PROFILE", "mine", "yours and not the stage's"),
        ("AUTOREPLY", "on", "AUTOREPLY is no setting of a stage"),
        ("REGION", "Frankfurt", "a region of AWS"),
        ("ALARM_EMAIL", "nobody", "a mail address"),
        ("MODEL_DATA_URL", "s3://bucket/model.bin", "s3://BUCKET/KEY.tar.gz"),
        ("SAGEMAKER_ENDPOINT", "arn:aws:sagemaker:x", "an endpoint's name"),
        ("MODEL_VARIANT", "no_variant", "what `publish` wrote"),
        ("MODEL_VARIANT", "te1-plain-tnone-1a2b3c4d-own", "another archive than that of"),
        ("MODEL_FILE", "/somewhere/own.tar.gz", "an archive below this folder"),
        ("AUTO_REPLY", "maybe", "AUTO_REPLY must be"),
        ("CLASSIFIER", "sagemaker", "SAGEMAKER_ENDPOINT"),
    ],
)
def test_what_a_stage_could_not_start_with_is_one_sentence(
    name: str, value: str, says: str
) -> None:
    [problem] = problems(**{name: value})
    assert says in problem


def test_a_secret_is_not_repeated_in_what_is_said_of_it() -> None:
    [problem] = problems(SLACK_BOT_TOKEN="xoxb-of-somebody")
    assert "xoxb" not in problem


def test_every_problem_is_named_at_once() -> None:
    assert len(problems(X_CONSUMER_KEY="k", UNSURE_MARGIN="much", REGION="here")) == 3


def test_an_endpoint_and_an_artifact_exclude_each_other() -> None:
    [problem] = problems(SAGEMAKER_ENDPOINT="mine", MODEL_DATA_URL="s3://bucket/m.tar.gz")
    assert "both set" in problem


def test_an_endpoint_that_is_to_be_made_needs_no_name() -> None:
    assert problems(CLASSIFIER="sagemaker", MODEL_DATA_URL="s3://bucket/m.tar.gz") == []


def test_the_framework_is_given_what_is_set_but_the_region() -> None:
    values = {"REGION": "us-east-1", "AUTO_REPLY": "off", "ALARM_EMAIL": ""}
    assert stagefile.parameters(values) == {"AUTO_REPLY": "off"}


def test_enter_accepts_what_is_proposed() -> None:
    asked = stagefile.questions({}, "eu-west-1")
    assert stagefile.answered(asked, typed("", "", ""), "prod") == {
        "REGION": "eu-west-1",
        "ALARM_EMAIL": "",
        "CLASSIFIER": "",
    }


@pytest.mark.parametrize(
    ("answer", "means"),
    [
        ("embedded", {"CLASSIFIER": "embedded"}),
        ("my-endpoint", {"SAGEMAKER_ENDPOINT": "my-endpoint"}),
        ("s3://bucket/m.tar.gz", {"MODEL_DATA_URL": "s3://bucket/m.tar.gz"}),
    ],
)
def test_one_question_settles_the_classifier(answer: str, means: dict[str, str]) -> None:
    asked = stagefile.questions({"REGION": "us-east-1", "ALARM_EMAIL": ""}, "us-east-1")
    assert stagefile.answered(asked, typed(answer), "prod") == means


def test_what_was_answered_once_is_not_asked_again() -> None:
    for classifier in ("CLASSIFIER", "SAGEMAKER_ENDPOINT", "MODEL_DATA_URL"):
        values = {"REGION": "us-east-1", "ALARM_EMAIL": "", classifier: ""}
        assert stagefile.questions(values, "us-east-1") == []


def test_an_answer_that_cannot_be_is_asked_for_again_and_says_why() -> None:
    questions: list[str] = []
    answers = iter(["Frankfurt", "eu-central-1"])

    def ask(question: str) -> str:
        questions.append(question)
        return next(answers)

    asked = stagefile.questions({"ALARM_EMAIL": "", "CLASSIFIER": ""}, "us-east-1")
    assert stagefile.answered(asked, ask, "prod") == {"REGION": "eu-central-1"}
    assert questions[1].startswith("REGION must be a region of AWS")
