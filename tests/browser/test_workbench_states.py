"""What the page is when there is nothing, no server, a full queue, another language, or little room; sheets and keys."""

import json
import re

import pytest
from playwright.sync_api import expect

from app.sandbox.single_user import banner
from tests.browser.workbench import Workbench, shows, watched


@pytest.fixture(scope="module")
def opened(shared):
    return Workbench.at(shared, "/?lesson=heat_map&step=5&event=8")


@pytest.fixture
def bench(opened):
    yield opened
    opened.press("Escape")


def test_help_lists_every_key_and_gives_the_focus_back(bench):
    button = bench.page.get_by_role("button", name="Keys and help")
    button.focus()
    bench.press("?")
    sheet = bench.page.get_by_role("dialog", name="Keys")
    expect(sheet).to_contain_text("Next event of the selected tensor")
    assert sheet.locator("kbd").count() > 20
    bench.press("Escape")
    expect(sheet).to_have_count(0)
    expect(button).to_be_focused()


def test_palette_does_what_a_few_letters_say(bench):
    bench.press("ControlOrMeta+k")
    sheet = bench.page.get_by_role("dialog", name="Do anything")
    expect(sheet.get_by_role("combobox")).to_be_focused()
    bench.page.keyboard.type("training st")
    expect(sheet.get_by_role("option")).to_have_count(2)
    bench.press("ArrowDown")
    expect(sheet.get_by_role("option", name="Previous training step")).to_have_attribute("aria-selected", "true")
    bench.press("ArrowUp")
    bench.press("Enter")
    expect(sheet).to_have_count(0)
    shows(lambda: bench.step, 6)


def test_language_and_theme_switch_and_are_remembered(page):
    bench = Workbench.at(page, "/?lesson=heat_map&step=1&event=0")
    page.get_by_role("button", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.get_by_role("heading", name="损失", exact=False).first).to_be_visible()
    expect(page.locator(".told .phase")).to_have_text("前向")
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    bench.press("t")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator("body")).not_to_have_css("background-color", ground)
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.get_by_role("button", name="运行").first).to_be_visible()


def test_hint_beside_pytorchs_own_message_is_in_the_readers_language(page):
    bench = Workbench.at(page, "/?lesson=one_weight&lang=zh")
    bench.write("import torch\na = torch.ones(3, 2)\nb = torch.ones(4, 2)\nprint(a @ b)\n")
    page.locator("button.run").click()
    failed = page.locator(".out .fail")
    expect(failed).to_contain_text("mat1 and mat2 shapes cannot be multiplied (3x2 and 4x2)", timeout=20_000)
    expect(failed.locator(".hint-box")).to_contain_text("x @ W.T 就是 (3, 2) @ (2, 4) -> (3, 4)")
    expect(page.locator(".told .hint-box")).to_contain_text("x @ W.T 就是 (3, 2) @ (2, 4) -> (3, 4)")
    page.get_by_role("button", name="EN", exact=False).first.click()
    expect(failed.locator(".hint-box")).to_contain_text("x @ W.T would be (3, 2) @ (2, 4) -> (3, 4)")


def test_refusal_is_in_the_readers_language_and_unknown_words_as_they_came(page):
    refused = {"title": "Too many requests", "status": 429, "detail": "7 programs wait already", "hint": "Wait a moment."}
    page.route("**/api/v1/runs", lambda route: route.fulfill(json=refused, status=429))
    Workbench(page, "/?lang=zh")
    expect(page.get_by_role("alert")).to_contain_text("已有 7 个程序在排队")
    expect(page.get_by_role("alert")).to_contain_text("Wait a moment.")


def test_everything_is_reachable_at_360_pixels(browser, server):
    with watched(browser, server, viewport={"width": 360, "height": 740}, has_touch=True) as page:
        page.goto("/?lesson=heat_map&step=5&event=8")
        page.locator("svg.graph [role=treeitem]").first.wait_for(timeout=30_000)
        for tab, part in (("Code", ".cm-content"), ("Why", ".told h2"), ("Panels", "aside.right"), ("Graph", ".canvas")):
            page.get_by_role("navigation", name="Parts of the page").get_by_role("button", name=tab).tap()
            expect(page.locator(part)).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, tab
        before = page.locator(".lane.ev .lr b").inner_text()
        page.get_by_role("button", name=re.compile("^Next event")).tap()
        expect(page.locator(".lane.ev .lr b")).to_have_text(str(int(before) + 1))
        small = page.locator(".transport button").evaluate_all("all => Math.min(...all.map(b => b.getBoundingClientRect().height))")
        assert small >= 24  # what a finger hits


def test_graph_is_there_as_words(bench):
    items = bench.page.get_by_role("navigation", name="The graph as a list").locator("li")
    expect(items).to_have_count(bench.page.locator("svg.graph g.node").count())
    expect(items.filter(has_text="v₁, made from x, w by mul, shape (4, 3)")).to_have_count(1)
    expect(bench.page.locator(".told")).to_have_attribute("aria-live", "polite")


def test_empty_program_says_so(page):
    bench = Workbench(page)
    bench.run("print('hello')")
    expect(page.locator(".blankslate")).to_contain_text("No tensor operations in this step.")
    assert bench.output == "hello"


def test_refusal_is_shown_in_the_words_of_the_service(page):
    refused = {"title": "busy", "status": 429, "detail": "Too many runs at once.", "hint": "Wait a moment."}
    page.route("**/api/v1/runs", lambda route: route.fulfill(json=refused, status=429))
    bench = Workbench(page)
    expect(page.get_by_role("alert")).to_contain_text("Too many runs at once.")
    expect(page.get_by_role("alert")).to_contain_text("Wait a moment.")
    expect(page.locator("header .status.bad")).to_have_text("Not run")
    page.unroute("**/api/v1/runs")
    bench.run()
    expect(page.locator("header .status.good")).to_be_visible()


def test_unreachable_server_keeps_the_program(page):
    bench = Workbench(page)
    expect(page.locator("header .status.good")).to_be_visible(timeout=20_000)
    page.context.set_offline(True)
    bench.write("import torch\nprint(torch.ones(2))\n")
    page.locator("button.run").click()
    expect(page.get_by_role("alert")).to_contain_text("The server cannot be reached")
    expect(page.locator("header .status.bad")).to_have_text("Server unreachable")
    expect(page.locator(".cm-content")).to_contain_text("torch.ones(2)")
    page.context.set_offline(False)
    bench.run()
    expect(page.locator("header .status.good")).to_be_visible()


def test_place_in_the_queue_is_shown(page):
    bench = Workbench(page)
    expect(page.locator("header .status.good")).to_be_visible(timeout=20_000)
    headers = {"backstep-run": "abc", "backstep-queue-position": "3", "content-type": "application/jsonl"}
    page.route("**/api/v1/runs", lambda route: route.fulfill(status=200, headers=headers, body=""))
    page.route("**/api/v1/runs/abc*", lambda route: route.fulfill(json={"position": 2, "status": "queued"}))
    page.route("**/api/v1/runs/abc/events*", lambda route: None)  # says nothing yet
    bench.write("import torch\n")
    page.locator("button.run").click()
    expect(page.locator("header .status.busy")).to_have_text(re.compile("In the queue: place [23]"))
    expect(page.get_by_role("button", name="Stop").first).to_be_visible()
    expect(page.locator(".blankslate")).to_contain_text("Running your program")


def test_endless_program_is_stopped_by_the_reader(page):
    bench = Workbench(page)
    bench.write("import torch\nx = torch.ones(1)\nwhile True:\n    x = x + 1\n    print('.')\n")
    page.locator("button.run").click()
    page.locator("button.run.stop").click()
    expect(page.locator("header .status.bad")).to_be_visible()
    bench.run("import torch\nprint(torch.ones(1))\n")
    expect(page.locator("header .status.good")).to_be_visible()


@pytest.mark.parametrize("language, said", [("en", "No sandbox"), ("zh", "没有沙箱")])
def test_what_the_server_warns_of_stands_above_the_page(page, language, said):
    warning = banner()

    def warned(route):
        answer = route.fetch()
        config = json.dumps(warning)[1:-1]
        body = answer.text()
        assert '"banner":""' in body
        route.fulfill(response=answer, body=body.replace('"banner":""', f'"banner":"{config}"'))

    page.route("**/?lesson=*", warned)
    Workbench.at(page, f"/?lesson=one_weight&lang={language}")
    note = page.get_by_role("note")
    expect(note).to_contain_text(said)
    expect(note).to_contain_text(warning.split("privileges of ")[1].split(" on")[0])
    box, header = note.bounding_box(), page.locator("header.top").bounding_box()
    assert box["y"] == 0
    assert header["y"] == pytest.approx(box["height"], abs=1)


def test_no_warning_no_banner(page):
    Workbench.at(page, "/?lesson=one_weight")
    expect(page.get_by_role("note")).to_have_count(0)
