"""Finds a Chromium for the browser tests; installs Debian's where it is missing and we may.

Playwright's own download is not used: a browser from the system's packages is patched with the system.
"""

from __future__ import annotations

import os
import shutil

from setup import apt_install

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome", "microsoft-edge")
MAC = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
REMEDY = "no Chromium for the browser tests. One line helps:  sudo apt-get install chromium"

# Headless, silent (no look-ups of its own), and no sandbox of its own: it opens our pages only, often as root in CI.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--font-render-hinting=none",
    "--force-color-profile=srgb",
)


def find() -> str | None:
    """The path of a browser, $BACKSTEP_BROWSER first."""
    candidates = (os.environ.get("BACKSTEP_BROWSER"), *(shutil.which(name) for name in NAMES), *MAC)
    return next((path for path in candidates if path and os.path.exists(path)), None)


if __name__ == "__main__":
    if find() is None and not (apt_install("chromium") and find()):
        print(REMEDY)
        raise SystemExit(1 if os.environ.get("CI") else 0)
