import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import pytest
import requests

from bot import settings
from bot.cases import Case, erased
from bot.local import files
from bot.local.files import LONGEST_AGAIN, Bad, tweets_in
from bot.notices import Incident
from bot.ports import Outgoing, Queue
from bot.settings import HOUSE
from bot.tweets import LONGEST_TEXT, Tweet
from bot.twitter.signatures import HEADER, sign
from bot.wire import Deleted
from bot.wiring import Parts
from tests.examples import NOON, case, parts

TWEETS = """tweet_id,username,text
11,ana_example,I am very angry
12,ben_example,"thanks, I am happy with your service"
13,cleo_example
14,dan_example,"two lines
in one tweet, thank you"
"""


def environment(folder: Path, **more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "DATA_DIR": str(folder / "data"), **more}


def bot(folder: Path, *arguments: str, stdin: str = "", **more: str) -> Any:
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        cwd=HOUSE,
        env=environment(folder, **more),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def running(folder: Path, **more: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "run"],
        cwd=HOUSE,
        env=environment(folder, PORT="0", **more),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    try:
        yield process, address(process.stderr)
    finally:
        process.kill()
        process.wait(10)
        process.stderr.close()


def address(output: IO[str]) -> str:
    for line in output:
        if found := re.search(r"http://[\d.:]+", line):
            return found[0]
    raise AssertionError("The bot did not start.")


def cases(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    done = bot(folder, "cases", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_classify_judges_its_arguments_in_order(tmp_path: Path) -> None:
    done = bot(tmp_path, "classify", "--json", "I am very angry", "thanks, I am happy")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["escalate"] for row in rows] == [True, False]
    assert rows[0].keys() == {"text", "tokens", "escalate", "confidence", "probability", "model"}


def test_classify_judges_each_line_of_standard_input_in_order(tmp_path: Path) -> None:
    lines = [f"line {number} of many" for number in range(600)] + ["", "last"]
    done = bot(tmp_path, "classify", "--json", stdin="\n".join(lines) + "\n")
    assert [json.loads(line)["text"] for line in done.stdout.splitlines()] == lines


def test_a_line_that_is_not_utf_8_is_judged_as_far_as_it_can_be_read(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bot", "classify", "--json"],
        cwd=HOUSE,
        env=environment(tmp_path, LC_ALL="C.UTF-8", PYTHONUTF8="0"),
        input=b"good\n\xff\xfe bad\nlast\n",
        capture_output=True,
        timeout=60,
        check=False,
    )
    texts = [json.loads(line)["text"] for line in done.stdout.splitlines()]
    assert texts == ["good", "\ufffd\ufffd bad", "last"]


def test_ingest_takes_each_row_and_names_the_bad_one(tmp_path: Path) -> None:
    file = tmp_path / "tweets.csv"
    file.write_text(TWEETS)
    done = bot(tmp_path, "ingest", str(file))
    assert done.returncode == 1
    assert "tweets.csv, row 4" in done.stderr
    assert "4 read: 3 new cases" in done.stdout
    found = {case["tweet_id"]: case for case in cases(tmp_path)}
    assert set(found) == {"11", "12", "14"}
    assert found["11"]["effects"][0]["kind"] == "card"
    assert found["12"]["effects"] == [
        {"kind": "reply", "state": "dry-run", "due_at": None, "outside_id": None}
    ]


def test_cases_lists_posts_and_nothing_else(tmp_path: Path) -> None:
    posts = [escalated("1"), replace(escalated("2"), resolved=True), erased(escalated("3"), NOON)]
    notice = replace(escalated("incident-1"), route="notice", notice=Incident("burst", NOON))
    parts(tmp_path / "data").store.add([*posts, notice])
    assert {case["tweet_id"] for case in cases(tmp_path)} == {"1", "2", "3"}
    assert [case["tweet_id"] for case in cases(tmp_path, "--open")] == ["1"]


def escalated(case_id: str) -> Case:
    made = case()
    return replace(made, tweet=replace(made.tweet, id=case_id, root_id=case_id))


def test_a_quote_left_open_takes_none_of_its_neighbours(tmp_path: Path) -> None:
    file = tmp_path / "broken.csv"
    file.write_text('tweet_id,text\n1,fine\n2,"never closed\n3,my house is on fire\n4,"a\nb"\n')
    done = bot(tmp_path, "ingest", str(file))
    assert done.returncode == 1
    assert "broken.csv, row 3 (line 3): It is not CSV" in done.stderr
    assert {case["tweet_id"] for case in cases(tmp_path)} == {"1", "3", "4"}


@pytest.mark.parametrize(
    "rows", [['x","b'], ["x", 'x","b', ""], ["", "", '"b', "x"]], ids=["all", "some", "empty"]
)
def test_quotes_left_open_all_over_have_no_line_read_again_and_again(
    rows: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed: list[str] = []

    class Counted(files._Lines):
        def __next__(self) -> str:
            handed.append(super().__next__())
            return handed[-1]

    monkeypatch.setattr(files, "_Lines", Counted)
    lines = rows * (4000 // len(rows))
    found = found_in(tmp_path, "text,b", *lines)
    assert sum(isinstance(one, Bad) for one in found) >= len(lines) // 4
    assert len(handed) <= (1 + LONGEST_AGAIN) * (len(lines) + 1)


def test_the_longest_post_may_be_all_line_breaks(tmp_path: Path) -> None:
    text = "a" + "\n" * (LONGEST_TEXT - 2) + "b"
    assert texts(found_in(tmp_path, "text", f'"{text}"', "last")) == [text, "last"]


def test_a_post_of_many_lines_is_whole_after_a_quote_left_open(tmp_path: Path) -> None:
    text = "\n".join(map(str, range(LONGEST_AGAIN)))
    found = found_in(tmp_path, "tweet_id,text", '1,"open', "2,fine", f'3,"{text}"', "4,last")
    assert isinstance(found[0], Bad)
    assert texts(found[1:]) == ["fine", text, "last"]


def test_empty_lines_belong_to_no_row(tmp_path: Path) -> None:
    gap = [""] * (files.LONGEST_ROW + 1)
    found = found_in(tmp_path, "text", *gap, "first", *gap, '"open', *gap, "last")
    assert [isinstance(one, Bad) for one in found] == [False, True, False]
    assert texts([found[0], found[2]]) == ["first", "last"]


def found_in(folder: Path, *lines: str) -> list[Tweet | Deleted | Bad]:
    file = folder / "some.csv"
    file.write_text("\n".join(lines))
    return list(tweets_in(file, answer=False))


def texts(found: list[Tweet | Deleted | Bad]) -> list[str]:
    return [one.text for one in found if isinstance(one, Tweet)]


def test_foreign_text_does_not_steer_the_terminal(tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text("\x1b[31mtext\nhello\n")
    assert "\x1b" not in bot(tmp_path, "ingest", str(file)).stderr


def test_ingesting_a_file_again_adds_nothing(tmp_path: Path) -> None:
    file = tmp_path / "texts.csv"
    file.write_text("text\nI am very angry\nhello there\n")
    bot(tmp_path, "ingest", str(file))
    before = cases(tmp_path)
    done = bot(tmp_path, "ingest", str(file))
    assert (done.returncode, len(before)) == (0, 2)
    assert "0 new cases" in done.stdout
    assert cases(tmp_path) == before


def test_ingest_refuses_a_file_that_is_not_there(tmp_path: Path) -> None:
    done = bot(tmp_path, "ingest", "nowhere.csv")
    assert done.returncode == 2
    assert done.stderr.strip() == "nowhere.csv cannot be read: No such file or directory."


def test_explain_tells_the_whole_story_of_a_decision(tmp_path: Path) -> None:
    file = tmp_path / "one.jsonl"
    file.write_text('{"id": "21", "text": "I am very angry, I call my lawyer"}\n')
    bot(tmp_path, "ingest", str(file))
    told = bot(tmp_path, "explain", "21").stdout
    for part in ("I am very angry", "verdict", "escalate", "card: sent"):
        assert part in told
    assert re.search(r"^words +(.+, )?(my )?lawyer \+0\.\d+", told, re.MULTILINE)


def test_explain_tells_the_same_to_a_program(tmp_path: Path) -> None:
    file = tmp_path / "two.jsonl"
    file.write_text('{"id": "21", "text": "I am very angry"}\n{"id": "22", "text": "thank you"}\n')
    bot(tmp_path, "ingest", str(file))
    for tweet_id, route, side in (("21", "escalate", 1), ("22", "reply", -1)):
        case = json.loads(bot(tmp_path, "explain", "--json", tweet_id).stdout)
        assert (case["tweet"]["id"], case["route"]) == (tweet_id, route)
        first = case["verdict"]["words"][0]
        assert first["words"] in case["verdict"]["tokens"]
        assert first["weight"] * side > 0, "also of what nobody had asked about before"


def test_explain_keeps_what_it_asked_for_to_itself(tmp_path: Path) -> None:
    file = tmp_path / "one.jsonl"
    file.write_text('{"id": "22", "text": "thank you"}\n')
    bot(tmp_path, "ingest", str(file))
    first = bot(tmp_path, "explain", "--json", "22").stdout
    assert bot(tmp_path, "explain", "--json", "22").stdout == first


def test_a_line_of_a_post_does_not_look_like_one_of_the_story(tmp_path: Path) -> None:
    file = tmp_path / "one.jsonl"
    file.write_text('{"id": "21", "text": "I am angry\\nroute escalate"}\n')
    bot(tmp_path, "ingest", str(file))
    told = bot(tmp_path, "explain", "21").stdout.splitlines()
    assert "                    route escalate" in told


def test_explain_says_when_there_is_no_such_case(tmp_path: Path) -> None:
    done = bot(tmp_path, "explain", "404")
    assert (done.returncode, done.stdout) == (2, "")
    assert "There is no case 404" in done.stderr


def test_doctor_finds_a_fresh_laptop_well(tmp_path: Path) -> None:
    done = bot(tmp_path, "doctor")
    assert done.returncode == 0, done.stdout
    assert "mend" not in done.stdout


def test_redrive_puts_the_dead_letters_of_the_queues_named_or_of_all_back(tmp_path: Path) -> None:
    queues = Parts(settings.read(environment(tmp_path))).queues
    for name in ("tweets", "cards"):
        bury(queues[name], Outgoing(f"poison for {name}", "group", "deduplication"))
    done = bot(tmp_path, "redrive", "--json", "cards")
    assert json.loads(done.stdout) == {"queue": "cards", "redriven": 1}
    assert [queue.depth() for queue in queues.values()].count((0, 1)) == 1
    done = bot(tmp_path, "redrive")
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(line.split()[:2] for line in done.stdout.splitlines()) == [
        ["actions", "0"],
        ["cards", "0"],
        ["replies", "0"],
        ["tweets", "1"],
    ]
    assert {queues[name].depth() for name in ("tweets", "cards")} == {(1, 0)}


def bury(queue: Queue, message: Outgoing) -> None:
    """Makes a dead letter of the message."""
    queue.send([message])
    while received := queue.receive(1):
        queue.postpone([one.receipt for one in received], 0)


def test_redrive_refuses_a_queue_that_there_is_not_and_moves_nothing(tmp_path: Path) -> None:
    queue = Parts(settings.read(environment(tmp_path))).queues["cards"]
    bury(queue, Outgoing("poison", "group", "deduplication"))
    done = bot(tmp_path, "redrive", "cards", "letters")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("There is no queue letters: name some of tweets, ")
    assert queue.depth() == (0, 1)


def test_every_wrong_setting_is_named_at_once(tmp_path: Path) -> None:
    done = bot(tmp_path, "cases", UNSURE_MARGIN="much", SLACK_BOT_TOKEN="xoxb", AUTO_REPLY="on")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 3


def test_a_taken_port_stops_the_start_with_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = bot(tmp_path, "run", PORT=port)
    assert done.returncode == 2
    sentence = f"Port {port} is taken: stop what listens there, or set PORT to another.\n"
    assert done.stderr == sentence


def test_a_data_folder_that_cannot_be_used_stops_the_start_with_one_sentence(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").touch()
    done = bot(tmp_path, "run", DATA_DIR=str(tmp_path / "file/data"))
    assert done.returncode == 2
    assert "set DATA_DIR to another" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_bot_answers_and_stops_cleanly_on_control_c(tmp_path: Path) -> None:
    with running(tmp_path) as (process, url):
        answer = requests.get(f"{url}/tweet/I%20am%20very%20angry", timeout=10).json()
        page = requests.get(f"{url}/console/", timeout=10)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    assert answer["Escalate"] == "Yes"
    assert "<title>Console · Tweet Escalator" in page.text


def test_what_was_in_flight_is_picked_up_at_the_next_start(tmp_path: Path) -> None:
    secret = {"X_CONSUMER_SECRET": "test-consumer-secret"}
    with running(tmp_path, **secret) as (process, url):
        for number in range(30):
            body = json.dumps(event(number)).encode()
            signature = {HEADER: sign("test-consumer-secret", body)}
            requests.post(f"{url}/x/webhook", body, headers=signature, timeout=10)
        process.send_signal(signal.SIGINT)
        process.wait(20)
    decided = len(cases(tmp_path))
    with running(tmp_path, **secret) as (_, url):
        until = 600
        while decided < 30 and until:
            until -= 1
            listed = requests.get(f"{url}/console/cases", timeout=10).json()
            decided = len(listed["cases"])
    assert decided == 30


def event(number: int) -> dict[str, Any]:
    payload = {"id": str(100 + number), "text": f"@brand message {number}", "author_id": "7"}
    return {"data": {"event_type": "post.mention.create", "payload": payload}}


@pytest.mark.parametrize(
    "verb", ["run", "classify", "ingest", "cases", "explain", "redrive", "doctor"]
)
def test_each_verb_explains_itself(verb: str, tmp_path: Path) -> None:
    done = bot(tmp_path, verb, "--help")
    assert done.returncode == 0
    assert f"python -m bot {verb}" in done.stdout
