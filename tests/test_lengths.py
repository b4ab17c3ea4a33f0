"""How X counts (developer documentation, "Counting characters"; twitter-text, configuration v3)."""

import subprocess
import sys
from types import ModuleType

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.settings import HOUSE
from bot.twitter import lengths
from bot.twitter.lengths import LINK, fits, links, weighted_length

AWKWARD = [
    *("a", " ", "1", ".", "..", ":", "/", "-", "_", "@", "#", "?", "(", ")", "\n", "\r", "\r\n"),
    *(".de", "x.com", "http://", "https://x.com/a", "t.co/abc", ".みんな", "e.g. "),
    *(
        "é",
        "e\u0301",
        "\u0958",
        "日",
        "か",
        "か\u3099",
        "한",
        "。",
        "．",
        "…",
        "€",
        "‼",
        "™",
        "©",
        "®",
    ),
    *("👍", "👍🏽", "👩‍👩‍👧‍👦", "❤️", "1️⃣", "🇩🇪", "\u200d", "\ufe0f", "\u20e3", "\U0001f3fd", "🫨"),
]
TEXTS = st.lists(st.sampled_from(AWKWARD), max_size=9).map("".join) | st.text(max_size=40)


class TestTheLength:
    @pytest.mark.parametrize(
        ("text", "length"),
        [
            ("", 0),
            ("Thank you. All is well!", 23),
            ("né ж ა", 6),
            ("“quoted” – and ‘so’", 19),
            ("日本語", 6),
            ("かな", 4),
            ("한국", 4),
            ("…", 2),
            ("€", 2),
            ("™", 2),
        ],
    )
    def test_counts_latin_and_its_neighbours_once_and_all_else_twice(
        self, text: str, length: int
    ) -> None:
        assert weighted_length(text) == length

    @pytest.mark.parametrize(
        "emoji", ["😡", "👍🏽", "👩‍👩‍👧‍👦", "🏳️‍🌈", "❤️", "❤", "1️⃣", "🇩🇪", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "©", "®️", "‼️"]
    )
    def test_counts_every_emoji_twice_however_it_is_made(self, emoji: str) -> None:
        assert weighted_length(emoji) == 2
        assert weighted_length(f"so {emoji}") == 5

    @pytest.mark.parametrize(
        "link",
        [
            "https://example.com",
            "http://example.com/a/very/long/path/that/goes/on?and=on#and-on",
            "HTTPS://EXAMPLE.COM",
            "www.example.com",
            "example.com",
            "example.com/help",
            "exämple.com",
            "example.co.uk",
        ],
    )
    def test_counts_a_link_as_23(self, link: str) -> None:
        assert weighted_length(link) == LINK
        assert weighted_length(f"see {link} now") == LINK + 8

    def test_counts_composed_characters(self) -> None:
        assert weighted_length("cafe\u0301") == weighted_length("café") == 4
        assert weighted_length("\u1112\u1161\u11ab") == weighted_length("한") == 2

    def test_counts_a_line_end_once_in_whatever_form(self) -> None:
        assert weighted_length("a\nb") == weighted_length("a\r\nb") == weighted_length("a\rb") == 3

    @given(TEXTS)
    @example("\n\r\r\n\r")
    @example("a.x")
    def test_is_what_the_library_says_also_where_it_is_not_asked(self, text: str) -> None:
        assert weighted_length(text) == lengths._library().parse_tweet(text).weightedLength

    @pytest.mark.parametrize(
        "text", ["a." * 12_500, "a-" * 12_000 + ".b", "http://" * 3_000, "👍" * 9_000, ".a" * 200]
    )
    def test_of_what_no_post_can_hold_is_a_quick_bound(self, text: str) -> None:
        assert weighted_length(text) >= 280
        assert not fits(text, 280)
        assert links(text) == []


class TestWhetherATextFits:
    @given(TEXTS, st.integers(0, 60))
    def test_follows_from_its_length(self, text: str, limit: int) -> None:
        assert fits(text, limit) == (weighted_length(text) <= limit)

    @pytest.mark.parametrize("character", ["a", "日", "👩‍👩‍👧‍👦"])
    def test_is_decided_by_one_character(self, character: str) -> None:
        most = 280 // weighted_length(character)
        assert fits(character * most, 280)
        assert not fits(character * most + "a", 280)

    def test_counts_a_short_link_in_full(self) -> None:
        assert fits("x" * 256 + " example.de", 280)
        assert not fits("x" * 257 + " example.de", 280)


class TestTheLinks:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("see https://example.com/help.", ["https://example.com/help"]),
            ("see example.com or www.example.org/x", ["example.com", "www.example.org/x"]),
            ("See HTTP://EXAMPLE.COM", ["HTTP://EXAMPLE.COM"]),
            ("done.So next", ["done.So"]),
        ],
    )
    def test_are_what_x_makes_links(self, text: str, found: list[str]) -> None:
        assert links(text) == found

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "Hello. Thanks!",
            "e.g. this",
            "Open 9.30 to 5",
            "So…yes",
            "me@example.com",
            "@example.com",
            "a.invalidending",
            "https://localhost",
        ],
    )
    def test_are_not_what_only_looks_like_one(self, text: str) -> None:
        assert links(text) == []

    def test_end_as_they_like_after_https(self) -> None:
        assert links("see https://harbor.example/help now") == ["https://harbor.example/help"]
        assert links("see harbor.example") == []

    @given(TEXTS)
    def test_are_the_librarys_or_begin_with_http(self, text: str) -> None:
        known = lengths._library().extract_urls(lengths._composed(text))
        assert links(text) == known or all(one.lower().startswith("http") for one in links(text))


def process(code: str) -> list[str]:
    """What a fresh process prints that knows the module and takes every warning as an error."""
    run = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            "-c",
            f"import sys\nfrom bot.twitter import lengths\n{code}",
        ],
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.split()


class TestTheLibrary:
    def test_needs_no_setuptools_and_leaves_no_trace_of_it(self) -> None:
        code = "print(lengths.weighted_length('👍🏽'), 'pkg_resources' in sys.modules)"
        assert process(code) == ["2", "False"]

    def test_puts_back_the_pkg_resources_that_was_there(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = ModuleType("pkg_resources")
        monkeypatch.setitem(sys.modules, "pkg_resources", real)
        lengths._library.__wrapped__()
        assert sys.modules["pkg_resources"] is real

    def test_is_loaded_only_where_a_look_cannot_tell(self) -> None:
        code = """
lengths.weighted_length('Danke. Größe zählt… 日本')
lengths.links('Open 9.30. Thanks!')
lengths.fits('👍 example.com', 280)
print('twitter_text' in sys.modules)
lengths.links('example.com')
print('twitter_text' in sys.modules)
"""
        assert process(code) == ["False", "True"]
