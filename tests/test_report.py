"""The report of an evaluation: its page and its JSON, whatever the posts are."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from bot.learning.evaluating.evaluation import Promise
from bot.learning.evaluating.measuring import Candidate, measured
from bot.learning.evaluating.slices import share
from bot.learning.labelled import Labelled
from bot.learning.reporting.page import html
from bot.learning.reporting.report import record, write
from bot.learning.reporting.told import Report
from bot.learning.training.card import Source
from bot.tweets import clean
from tests.test_evaluation import MIXED, Numbered, posts

HOSTILE = (
    "<script>document.title = 'pwned'</script>",
    '</blockquote><img src="https://evil.example/x" onerror=alert(1)>',
    "$title ${short} {{model}} %s \\",
    "\ud800 half a pair \x00\x07\x1b[31m",
    "\u202eesrever",
    "x" * 5_000,
)


def report(rows: Sequence[Labelled] = MIXED, *candidates: Any) -> Report:
    sources = [Source("posts.csv", "ab" * 32)]
    return measured(rows, sources, candidates or [Candidate(Numbered())], 10)


@cache
def page_of_mixed() -> str:
    """Drawing takes a while."""
    return html(report())


class Reader(HTMLParser):
    """The tags of a page, and its text without its styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_the_page_says_in_plain_words_what_a_support_lead_asks() -> None:
    text = Reader(page_of_mixed()).text
    assert "How well numbered judges" in text
    assert "6 labelled posts from posts.csv; 3 of them needed a person." in text
    assert "67 %of those who needed a person got a card (21 to 94)" in text
    assert "500cards of 1,000 such posts" in text
    assert "167people missed in 1,000 posts" in text
    assert "10 needless cards" in text
    assert "There are only 6 posts." in text


def test_the_page_needs_nothing_from_anywhere() -> None:
    page = html(report(MIXED, Candidate(Numbered()), Candidate(Numbered("other"))))
    reader = Reader(page)
    assert not {"script", "iframe", "object", "embed", "img"} & {tag for tag, _ in reader.tags}
    assert re.findall(r"https?:|//[a-z]|@import|url\((?!#)", page) == []
    [policy] = [one["content"] for one in reader.named("meta") if "http-equiv" in one]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def test_every_plot_has_words_and_a_table_beside_it() -> None:
    reader = Reader(page_of_mixed())
    plots = [one for one in reader.named("div") if one.get("role") == "img"]
    assert len(plots) == len(reader.named("svg")) == 5
    assert all(one["aria-label"] for one in plots)
    assert "By length" in reader.text
    assert "People caught, by characters: 0 to 20: 67 % (21 to 94)" in str(plots[-1])
    assert reader.text.count("The same in numbers") == 3


def test_plots_take_the_colours_of_the_page_by_day_and_by_night() -> None:
    page = page_of_mixed()
    drawn = "".join(re.findall(r"<svg.*?</svg>", page, re.DOTALL))
    assert re.findall(r"#[0-9a-f]{6}\b", drawn) == []
    used = set(re.findall(r"var\((--[a-z]+)\)", page))
    assert all(page.count(f"{name}:") == 2 for name in used), "each is set for light and dark"


def test_the_same_input_makes_the_same_bytes(tmp_path: Path) -> None:
    found = []
    for name in ("one", "two"):
        beside = write(report(), tmp_path / name / "report.html")
        found.append(((tmp_path / name / "report.html").read_bytes(), beside.read_bytes()))
    assert found[0] == found[1]


def test_the_json_beside_has_the_same_figures(tmp_path: Path) -> None:
    made = report(MIXED, Candidate(Numbered()), Candidate(Numbered("other", 0.75)))
    told = json.loads(write(made, tmp_path / "report.html").read_text())
    assert told == json.loads(json.dumps(record(made)))
    figures = told["result"]["evaluation"]["figures"]
    assert (figures["hits"], figures["misses"], figures["alarms"]) == (2, 1, 1)
    assert told["comparison"]["better"] is None
    assert told["against"]["evaluation"]["figures"]["threshold"] == 0.75
    assert [one["text"] for one in told["mistakes"]] == ["post 40", "post 70"]


def test_no_post_can_break_out_of_the_page(tmp_path: Path) -> None:
    harmless = {tag for tag, _ in Reader(page_of_mixed()).tags}
    rows = [Labelled(f"{text} {at}", at > 50) for text in HOSTILE for at in (3, 97)]
    rows += [Labelled(f"{text} {at}", at < 50) for text in HOSTILE for at in (2, 98)]
    made = report(rows, Candidate(Numbered(HOSTILE[0])))
    write(made, tmp_path / "report.html")
    reader = Reader((tmp_path / "report.html").read_text("utf-8"))
    assert {tag for tag, _ in reader.tags} <= harmless
    assert not any(name.startswith("on") for _, attrs in reader.tags for name in attrs)
    assert len(made.mistakes) == 2 * len(HOSTILE)
    for text in HOSTILE[1:3]:
        assert reader.text.count(f"{text} ") == 2
    assert f"How well {HOSTILE[0]} judges" in reader.text


def test_a_hostile_name_of_a_language_stays_text() -> None:
    rows = [replace(one, language="<b>$x^2$</b>") for one in MIXED]
    page = html(report(rows))
    assert "<b>" not in page
    shown = "&lt;b&gt;$x^2$&lt;/b&gt;"
    assert f">{shown}</th>" in page
    assert f">{shown}</text>" in page, "in the drawing it is no formula either"


def test_a_language_has_any_name_of_any_length() -> None:
    names = ("日本語", "a language with a name that is far too long to stand at an axis", "a\nb")
    rows = [replace(one, language=names[at % 3]) for at, one in enumerate(MIXED)]
    page = html(report(rows))
    assert ">日本語<" in page
    assert ">a language with a…<" in page
    assert page.count(names[1]) == 2, "whole in the table, and in what is read out"


def test_words_that_moved_a_mistake_are_marked_and_named() -> None:
    page = html(report(posts((90, False), (10, True), (80, True))))
    assert "post <mark>90</mark>" in page
    assert 'post <mark class="down">10</mark>' in page
    assert "What moved it towards a card: 90." in page
    assert "What moved it away from it: 10." in page


def test_without_a_mistake_it_says_so() -> None:
    text = Reader(html(report(posts((90, True), (10, False))))).text
    assert "None." in text[text.index("Its surest mistakes") :]


@pytest.mark.parametrize("escalate", [True, False])
def test_of_one_side_alone_it_says_what_cannot_be_seen(escalate: bool) -> None:
    text = Reader(html(report(posts(*[(90, escalate)] * 3, (10, escalate))))).text
    assert "cannot be seen from one side" in text
    assert text.count("cannot be told") == 2


def test_of_posts_the_model_does_not_know_at_all_it_is_still_a_page() -> None:
    rows = [Labelled("unknown", escalate=True), Labelled("unknown too", escalate=False)]
    text = Reader(html(report(rows))).text
    assert "2 posts have no word that the model knows (1 of them needed a person)." in text


def test_two_models_stand_side_by_side_with_the_outcome_first() -> None:
    found = report(MIXED, Candidate(Numbered()), Candidate(Numbered("other", 0.75)))
    text = Reader(html(found)).text
    part = text[text.index("Against other") : text.index("What became of the posts")]
    assert part.index("No difference is shown.") < part.index("numbered alone is right about")
    assert "Threshold0.5000.750" in part


def test_an_interval_of_rounded_figures_is_drawn_all_the_same() -> None:
    found = report()
    true = share(1, 1)
    assert true is not None
    evaluation = replace(
        found.result.evaluation, promises=(Promise(1.0, replace(true, high=1 - 1e-16)),)
    )
    assert "<svg" in html(replace(found, result=replace(found.result, evaluation=evaluation)))


def test_a_post_is_shown_as_it_was_written() -> None:
    text = clean("Füße 😡 “quoted” & <b>bold</b>\nsecond line 99")
    page = html(report([*MIXED, Labelled(text, escalate=False)]))
    assert "Füße 😡 “quoted” &amp; &lt;b&gt;bold&lt;/b&gt;\nsecond line" in page
