"""Chromium, driven by Playwright: one browser per file, one fresh page per test, no console error forgiven."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.workbench import watched

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import chromium  # noqa: E402

sys.path.pop(0)

expect.set_options(timeout=20_000)  # a machine with other things to do


# per file: Playwright's event loop would stand in the way of other tests' loops in the same process
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium.find()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail(chromium.REMEDY)
        pytest.skip(chromium.REMEDY)
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=list(chromium.FLAGS))
        yield found
        found.close()


@pytest.fixture
def page(browser: Browser, server: str) -> Iterator[Page]:
    """A page whose relative addresses are the server's; it fails the test for any error that it logged."""
    with watched(browser, server) as opened:
        yield opened


@pytest.fixture(scope="module")
def shared(browser: Browser, server: str) -> Iterator[Page]:
    """A page for all tests of a file, which leave it as they found it: opening one is most of a test's time."""
    with watched(browser, server) as opened:
        yield opened
