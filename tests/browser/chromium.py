"""Playwright, or a clear word that it is not here; imported instead of it by these tests."""

import pytest

pytest.importorskip(
    "playwright.sync_api",
    reason="no Playwright here (requirements-dev.txt): the pages are not looked at in a browser",
)

from playwright.sync_api import Locator, Page, Response, Route, expect

__all__ = ["Locator", "Page", "Response", "Route", "expect"]
