"""Pages, served with their script and style inside and nothing from anywhere else."""

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from html import escape
from importlib import resources

from bot.web.messages import Answer


def page(
    package: str, name: str, values: Mapping[str, str], inside: Mapping[str, str] | None = None
) -> Answer:
    """A page that lies in `package`, with its values filled in.

    `inside` names the files beside it that stand for its empty elements: `{"style": "page.css"}`.
    """
    folder = resources.files(package)
    html = folder.joinpath(name).read_text("utf-8")
    for tag, file in (inside or {}).items():
        content = folder.joinpath(file).read_text("utf-8")
        html = html.replace(f"<{tag}></{tag}>", f"<{tag}>\n{content}</{tag}>")
    for key, value in values.items():
        html = html.replace("{{" + key + "}}", escape(value))
    headers = {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": policy_of(html),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
    }
    return Answer(200, html, headers)


def policy_of(html: str) -> str:
    """A Content-Security-Policy that allows the page's own inline script and style only."""

    def sources(tag: str) -> str:
        start = html.index(f"<{tag}>") + len(tag) + 2
        content = html[start : html.index(f"</{tag}>")]
        return f"'sha256-{b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"

    return (
        f"default-src 'none'; script-src {sources('script')}; style-src {sources('style')}; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
