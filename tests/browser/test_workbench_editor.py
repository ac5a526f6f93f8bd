"""The editor: what it knows of torch, what it marks, what it opens and what it keeps."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.workbench import Workbench, shows

ROOT = Path(__file__).resolve().parent.parent.parent
SMALL = "import torch\na = torch.tensor(3.0, requires_grad=True)\nb = a * a\nb.backward()\nprint(a.grad)\n"
TYPED = "line => [...line.childNodes].filter(n => !n.classList?.contains('hint')).map(n => n.textContent).join('')"
DROP = """({name, text}) => {
  const held = new DataTransfer();
  held.items.add(new File([text], name));
  for (const type of ['dragenter', 'dragover', 'drop'])
    document.body.dispatchEvent(new DragEvent(type, {bubbles: true, cancelable: true, dataTransfer: held}));
}"""


@pytest.fixture
def bench(page):
    return Workbench(page)


def drop(bench, name, text):
    bench.page.evaluate(DROP, {"name": name, "text": text})


def ends(bench):
    """The small program has run to its end."""
    expect(bench.card("a")).to_be_visible(timeout=20_000)
    bench.press("End")
    shows(lambda: bench.grad("a"), [6.0])


def written(bench):
    return "\n".join(line.evaluate(TYPED) for line in bench.page.locator(".cm-line").all())


def test_torch_names_are_completed_and_described(bench):
    bench.write("import torch\nx = torch.")
    bench.page.keyboard.type("zeros_l")
    offered = bench.page.locator(".cm-tooltip-autocomplete [role=option]")
    expect(offered.first).to_contain_text("zeros_like")
    offered.first.click()
    shows(lambda: written(bench), "import torch\nx = torch.zeros_like")
    bench.write("import torch\nx = torch.matmul(a, b)\n")
    word = bench.page.locator(".cm-line").nth(1).get_by_text("matmul")
    word.hover()
    expect(bench.page.locator(".about-name")).to_contain_text("matmul(")


def test_slips_are_underlined_before_running(bench):
    bench.write("import torch\nprint torch.ones(2)\n")
    expect(bench.page.locator(".cm-lintRange-warning")).not_to_have_count(0)


def test_error_is_underlined_where_it_is(bench):
    bench.run("import torch\nx = torch.ones(2, 3)\ny = x @ torch.ones(2, 3)\n")
    expect(bench.page.locator(".cl-wrong")).to_contain_text("x @ torch.ones(2, 3)")
    expect(bench.page.locator(".out .fail")).to_contain_text("line 3")
    bench.run("import torch\nx = (1,\n")
    expect(bench.page.locator(".out .fail")).to_contain_text("SyntaxError")


def test_examples_menu_opens_by_keyboard_and_runs(bench):
    menu = bench.page.locator("header .lesson")
    menu.focus()
    bench.press("Enter")
    expect(bench.page.locator("[role=menuitemradio]:focus")).to_contain_text("Broadcasting in the backward pass")
    bench.page.keyboard.type("f")
    expect(bench.page.locator("[role=menuitemradio]:focus")).to_contain_text("Forgetting zero_()")
    bench.press("Enter")
    shows(lambda: bench.asked("lesson"), "one_weight_not_zeroed")
    expect(bench.page.locator("header .status.good")).to_be_visible(timeout=20_000)
    expect(bench.page.locator(".cm-content")).to_contain_text("x_data")


def test_dropped_program_opens_and_runs(bench):
    drop(bench, "small.py", SMALL)
    ends(bench)
    shows(lambda: written(bench).strip(), SMALL.strip())
    expect(bench.page.locator("body")).not_to_have_class(re.compile("dropping"))


def test_dropped_trace_opens_without_running(bench):
    asked = []
    expect(bench.page.locator("header .status.good")).to_be_visible(timeout=20_000)
    bench.page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    text = (ROOT / "tests/golden/traces/broadcasting.jsonl").read_text()
    drop(bench, "broadcasting.jsonl", text)
    expect(bench.page.locator(".toast")).to_contain_text("broadcasting.jsonl opened")
    bench.press("End")
    shows(lambda: (bench.grad("row"), bench.grad("column")), ([6.0] * 3, [6.0] * 3))
    drop(bench, "half.jsonl", text[: len(text) // 2])
    expect(bench.page.locator(".toast")).to_contain_text("half.jsonl is no whole trace")
    assert [url for url in asked if url.endswith("/runs")] == []


def test_nothing_typed_is_lost(bench):
    bench.write(SMALL)
    expect(bench.page.locator(".pane.code .file")).to_have_text("edited, not run yet")
    shows(lambda: bench.page.evaluate("localStorage.getItem('backstep.draft')"), SMALL)
    bench.page.goto("/")
    expect(bench.page.locator(".cm-content")).to_contain_text("b = a * a")
    bench.run()
    ends(bench)
    bench.page.goto("/?lesson=mean_of_squares")
    bench.page.locator("header .lesson").click()
    expect(bench.page.locator("[role=menu] .group")).to_have_text(["Examples", "Your programs"])
    bench.page.get_by_role("menuitemradio", name=re.compile("^a = torch.tensor")).click()
    ends(bench)


def test_values_stand_beside_their_lines(bench):
    bench.run(SMALL)
    bench.press("End")
    expect(bench.page.locator(".cm-line").nth(2).locator(".hint")).to_have_text("9")


def test_formula_alone_becomes_a_program(bench):
    bench.run("((x*w + b) - y)**2")
    expect(bench.page.locator("header .status.good")).to_be_visible()
    expect(bench.page.locator("svg.graph g.node.param")).not_to_have_count(0)
