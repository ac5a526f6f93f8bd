"""Takes the pictures of the documents from the running app: docs/img/*.png. `screenshots.py [name …]` takes some.

A picture is a row: which program, how the reader got to the moment, how the window looks. Nothing is staged: the
server is the product's own, the browser is the tests'.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import chromium
from playwright.sync_api import Browser, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "docs" / "img"


@dataclass(frozen=True)
class Shot:
    """address: of the page, with what the reader chose; keys: pressed one after the other before the picture."""

    name: str
    address: str
    keys: tuple[str, ...] = ()
    theme: str = "light"
    language: str = "en"
    width: int = 1440
    height: int = 900


SUMMED = ("]", *["ArrowRight"] * 12)  # to what the stretched w gets back, with the broadcast lens where its edge is selected
BACKWARD = ("]", *["ArrowRight"] * 6)  # from the step's first event into its backward pass

SHOTS = (
    Shot("workbench-light", "/?lesson=heat_map&step=8&event=0&select=o2:1", SUMMED),
    Shot("workbench-dark", "/?lesson=heat_map&step=8&event=0", SUMMED, theme="dark"),
    Shot("workbench-zh", "/?lesson=heat_map&step=8&event=0", SUMMED, language="zh"),
    Shot("linear-model", "/?lesson=linear_model&step=12&event=0", BACKWARD),
    Shot("cubic", "/?lesson=cubic_autograd&step=640&event=0", BACKWARD, width=1920, height=1080),
    Shot("layers", "/?lesson=two_layer_net&step=40&event=0", BACKWARD),
    Shot("shape-error", "/?lesson=broadcasting_fails"),
    Shot("narrow", "/?lesson=one_weight&step=3&event=0", BACKWARD, width=400, height=860),
    Shot("tablet", "/?lesson=two_layer_net&step=40&event=0", BACKWARD, width=820, height=1180),
)


def take(browser: Browser, server: str, shot: Shot) -> None:
    context = browser.new_context(
        base_url=server,
        viewport={"width": shot.width, "height": shot.height},
        color_scheme="dark" if shot.theme == "dark" else "light",
        locale="zh-CN" if shot.language == "zh" else "en-GB",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(f"{shot.address}&theme={shot.theme}&lang={shot.language}")
    expect(page.locator("header .status.good, header .status.bad")).to_be_visible(timeout=60_000)
    page.locator("[role=treeitem]").first.wait_for(timeout=30_000)
    for key in shot.keys:
        page.keyboard.press(key)
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(1200)  # the layout of a new structure, the camera's way to the card
    page.screenshot(path=OUT / f"{shot.name}.png")
    context.close()


def main(names: list[str]) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    path = chromium.find()
    if path is None:
        raise SystemExit(chromium.REMEDY)
    env = {**os.environ, "BACKSTEP_STORE": "memory", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "app", "serve", "--port", "0"]
    server = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None
        address = "http://" + server.stdout.readline().decode().split("http://")[1].split("/")[0]
        wait_for(f"{address}/readyz")
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=path, args=list(chromium.FLAGS))
            for shot in SHOTS:
                if not names or shot.name in names:
                    take(browser, address, shot)
                    print(f"docs/img/{shot.name}.png", flush=True)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)


def wait_for(url: str, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


if __name__ == "__main__":
    main(sys.argv[1:])
