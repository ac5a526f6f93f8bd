"""axe finds nothing wrong with any page, light and dark; the keyboard reaches what the mouse does."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.workbench import Workbench

ROOT = Path(__file__).resolve().parent.parent.parent
AXE = ROOT / "node_modules/axe-core/axe.min.js"


def faults(page):
    """What axe objects to: rule, element, what it measured."""
    page.evaluate(AXE.read_text())
    # a card's name says what it is; the hundred numbers drawn in it are no label that one could speak
    rules = {"label-content-name-mismatch": {"enabled": False}}
    found = page.evaluate("rules => axe.run(document, {rules}).then(said => said.violations)", rules)
    return [
        f"{fault['id']}: {node['target']} {node.get('failureSummary', '').splitlines()[-1:]}"
        for fault in found
        for node in fault["nodes"][:3]
    ]


def opened(page, address, theme, language="en"):
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.goto(f"{address}{'&' if '?' in address else '?'}theme={theme}&lang={language}")
    page.wait_for_load_state("networkidle")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("lesson", ["heat_map", "two_layer_net", "broadcasting_fails"])
def test_workbench_is_accessible(page, lesson, theme):
    opened(page, f"/?lesson={lesson}&step=0&event=9", theme)
    expect(page.locator("header .status.good, header .status.bad")).to_be_visible(timeout=30_000)
    page.locator("[role=treeitem]").first.wait_for()
    page.wait_for_timeout(500)
    assert faults(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("address", ["/broadcast", "/lessons", "/ops", "/docs"])
def test_page_is_accessible(page, address, theme):
    opened(page, address, theme)
    assert faults(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("address", ["/broadcast?shape=2x3&shape=2", "/lessons", "/ops/mul"])
def test_page_is_accessible_in_chinese_on_a_narrow_screen(page, address, theme):
    page.set_viewport_size({"width": 360, "height": 740})
    opened(page, address, theme, "zh")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert faults(page) == []


def test_workbench_is_accessible_in_chinese_on_a_narrow_screen(page):
    page.set_viewport_size({"width": 360, "height": 740})
    opened(page, "/?lesson=one_weight&step=1&event=6", "light", "zh")
    page.locator("[role=treeitem]").first.wait_for()
    assert faults(page) == []


def test_nothing_is_asked_of_another_origin(page, server):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    Workbench(page)
    page.wait_for_load_state("networkidle")
    assert [url for url in asked if not url.startswith((server, "data:", "blob:"))] == []
    assert len(asked) > 10, json.dumps(asked)
