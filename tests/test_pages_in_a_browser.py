"""Both pages in a real browser: a hostile post stays a text, and a typed text is judged."""

import html
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.cases import Effect
from bot.local.console import ROUTES, Console
from bot.local.host import InProcess
from bot.local.http import Application
from bot.tweets import Author, Tweet
from tests.examples import archive, case
from tests.serving import serving

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--enable-logging=stderr",
    "--virtual-time-budget=5000",
]
PWNED = "document.title = 'pwned'"
HOSTILE = [
    f"<script>{PWNED}</script>",
    f'<img src=x onerror="{PWNED}">',
    f"</p></li></ol><svg onload={PWNED.replace(' ', '')}>",
    "{{console}} ${alert(1)} `x` \u202eesrever\u202c &lt;b&gt; \u2028",
    "<!channel> <style>body { display: none }</style>",
]

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="no Chromium here: the pages are not looked at in a browser"
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("bot")
    invoke = InProcess({"DATA_DIR": str(folder), "MODEL_PATH": str(archive(folder))})
    bot = invoke.parts()
    bot.store.add(
        [
            case(
                tweet=Tweet(str(n), text, str(n), Author("7", text, text)),
                reasons=(text,),
                effects=(Effect("reply", "failed", text=text, problem=text),),
            )
            for n, text in enumerate(HOSTILE, 1)
        ]
    )
    console = Console(bot)
    with serving(Application(invoke, console, ROUTES)) as where:
        yield where
    console.stop()


def looked_at(url: str, folder: Path) -> tuple[str, str]:
    """The page's document once it has settled, and what its scripts complained of."""
    assert BROWSER
    done = subprocess.run(
        [BROWSER, *QUIET, f"--user-data-dir={folder}", "--dump-dom", url],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    said = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return done.stdout, "\n".join(said)


def test_the_console_lists_hostile_posts_as_the_texts_they_are(
    address: str, tmp_path: Path
) -> None:
    document, complaints = looked_at(f"http://{address}/console/", tmp_path)
    assert complaints == ""
    assert re.findall("<title>(.*?)</title>", document) == ["Cases · Tweet Escalator"]
    texts = re.findall('<p class="text">(.*?)</p>', document, re.DOTALL)
    assert [html.unescape(text) for text in texts] == HOSTILE[::-1]
    listed = document.partition("<ol")[2].partition("</ol>")[0]
    assert set(re.findall(r"<(\w+)", listed)) == {"li", "div", "span", "p"}
    assert f"{len(HOSTILE)} newest: {len(HOSTILE)} escalated" in document


def test_the_front_page_judges_what_stands_in_its_field(address: str, tmp_path: Path) -> None:
    document, complaints = looked_at(f"http://{address}/", tmp_path)
    assert complaints == ""
    assert "A person should see it" in document
    assert "small reads: i am very angry my parcel never came" in document
    assert re.search('<p id="lead" data-console="/console/"><a href="/console/">', document)
