"""The workbench as a person sees it: type, run, step, read. Tests speak of cards and numbers, not of elements."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect

# the browser itself logs what a test lets fail on purpose
REFUSED = ("status of 429", "ERR_INTERNET_DISCONNECTED")


def reproach(message: ConsoleMessage) -> bool:
    return message.type == "error" and not any(each in message.text for each in REFUSED)


@contextmanager
def watched(browser: Browser, server: str, **options: Any) -> Iterator[Page]:
    """A fresh page of the server's; any error that it logs is raised in the end."""
    settings: dict[str, Any] = {"viewport": {"width": 1440, "height": 900}, "locale": "en-GB", **options}
    context = browser.new_context(base_url=server, **settings)
    opened = context.new_page()
    opened.set_default_timeout(15_000)
    errors: list[str] = []
    opened.on("console", lambda message: errors.append(message.text) if reproach(message) else None)
    opened.on("pageerror", lambda error: errors.append(f"{error}\n{error.stack or ''}"))
    yield opened
    context.close()
    assert not errors, "\n".join(errors)


class Workbench:
    """One open page. Numbers are read from what is drawn, never from the page's memory."""

    def __init__(self, page: Page, address: str = "/") -> None:
        self.page = page
        page.goto(address)
        expect(page.locator(".cm-content")).to_be_visible(timeout=20_000)

    @classmethod
    def at(cls, page: Page, address: str) -> Workbench:
        """The page opened at a moment of an example, drawn, with nothing in flight."""
        page.emulate_media(reduced_motion="reduce")
        bench = cls(page, address)
        expect(page.locator("header .status.good, header .status.bad")).to_be_visible(timeout=30_000)
        page.locator("svg.graph [role=treeitem]").first.wait_for(timeout=30_000)
        return bench

    def write(self, code: str) -> None:
        """Replaces the program in the editor."""
        editor = self.page.locator(".cm-content")
        editor.click()
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.insert_text(code)

    def run(self, code: str | None = None) -> None:
        """Writes the program, presses Run and waits for its end."""
        if code is not None:
            self.write(code)
        self.page.locator("button.run").click()
        expect(self.page.locator("header .status.good, header .status.bad")).to_be_visible(timeout=30_000)
        self.page.locator("body").click(position={"x": 700, "y": 3})  # leave the editor: keys belong to the page

    def press(self, key: str, times: int = 1) -> None:
        for _ in range(times):
            self.page.keyboard.press(key)

    def panel(self, name: str) -> Locator:
        """A panel at the right, by its title."""
        return self.page.locator("section.panel").filter(has=self.page.get_by_role("heading", name=name))

    def asked(self, name: str) -> str:
        """What the address says of something the reader chose, once it has settled."""
        address = self.page.evaluate("location.href")  # page.url lags behind replaceState
        return parse_qs(urlsplit(address).query).get(name, [""])[0]

    @property
    def step(self) -> int:
        """The training step on the timeline."""
        return int(self.page.locator(".lane .trk[role=slider]").get_attribute("aria-valuenow") or -1)

    @property
    def event(self) -> tuple[int, int]:
        """(number of the event, how many there are) in the step, counted from 1."""
        text = self.page.locator(".lane.ev .lr").inner_text()
        at, of = re.findall(r"\d+", text)
        return int(at), int(of)

    def seek(self, name: str | re.Pattern[str]) -> None:
        """Clicks the event of the step whose words match."""
        self.page.locator(".lane.ev").get_by_role("button", name=name).first.click()

    def card(self, name: str) -> Locator:
        """The card of the tensor with this name."""
        return self.page.locator(f'g[data-key]:has(> [role=treeitem][aria-label^="{name} "])')

    def value(self, name: str) -> list[float]:
        return numbers(self.card(name).locator('.heat:has([data-cell^="v"])'))

    def grad(self, name: str) -> list[float]:
        """The gradient on the card; [] while there is none (what only arrives at a leaf is not in .grad yet)."""
        return numbers(self.card(name).locator(':not(.pending) > .heat:has([data-cell^="g"])'))

    @property
    def output(self) -> str:
        return "\n".join(self.page.locator(".out .line").all_inner_texts())


def shows(read: Callable[[], Any], wanted: Any, seconds: float = 20) -> None:
    """Until what is read equals what is wanted: the page draws when the browser has time."""
    end = time.monotonic() + seconds
    while (found := read()) != wanted and time.monotonic() < end:
        time.sleep(0.02)
    assert found == wanted, f"{found!r}, not {wanted!r}"


def numbers(heat: Locator) -> list[float]:
    """What stands in the cells of a heat-map, as numbers: the page writes a real minus sign."""
    return [float(text.replace("−", "-").replace(",", "")) for text in heat.locator("text.num").all_text_contents()]
