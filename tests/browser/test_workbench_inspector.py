"""One tensor whole, one cell back to what made it, the broadcast lens, and the formula that lights up with the graph."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.workbench import Workbench, shows

X = [[1.5, -0.5, 0.8], [-1.2, 0.9, 1.1], [0.4, 1.4, -0.7], [2.0, -1.1, 0.3]]
Y = [[2.25, 0.7, 0.88], [-1.11, -0.3, 1.06], [0.98, -0.76, -0.01], [2.77, 1.37, 0.56]]
W, B = [-0.9, 0.9, -0.6], -0.5


def addends(column):
    """∂L/∂w[column], row by row: L is the mean of (x·w + b − y)² over twelve cells."""
    return [2 * (x[column] * W[column] + B - y[column]) / 12 * x[column] for x, y in zip(X, Y, strict=True)]


@pytest.fixture(scope="module")
def opened(shared):
    return Workbench.at(shared, "/?lesson=heat_map&step=0&event=0")


@pytest.fixture
def bench(opened):
    opened.press("Home")
    yield opened
    opened.press("Escape")


def figures(locator):
    """Numbers in a text, its minus signs and powers as Python writes them."""
    text = locator.inner_text().replace("−", "-")
    return [float(found) for found in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", text)]


def test_card_opens_the_whole_tensor(bench):
    bench.card("x").locator(".name").click()
    panel = bench.panel("Tensor")
    cells = panel.locator(".matrix tbody td")
    expect(cells).to_have_count(12)
    shows(lambda: [float(text.replace("−", "-")) for text in cells.all_inner_texts()], [v for row in X for v in row])
    expect(panel.locator(".matrix thead th")).to_have_text(["0", "1", "2"])
    expect(panel.locator(".stats")).to_contain_text("0.4083")  # the mean of the twelve
    expect(panel.locator(".histogram rect")).not_to_have_count(0)
    expect(panel).to_contain_text("line 4")
    expect(panel.get_by_role("button", name="v₁")).to_be_visible()  # who reads it


def test_header_of_the_matrix_stays_while_it_scrolls(bench):
    bench.card("x").locator(".name").click()
    head = bench.panel("Tensor").locator(".matrix thead th").first
    assert head.evaluate("th => getComputedStyle(th).position") == "sticky"


def test_cell_of_a_gradient_lists_its_addends_row_by_row(bench):
    bench.press("End")
    bench.seek("w is updated")  # .grad is there, not cleared yet
    bench.card("w").locator('[data-cell="g0.1"]').click()
    origin = bench.panel("Tensor").locator(".origin")
    expect(origin).to_contain_text("What adds up to the gradient of w[1]")
    bench.press("Home")
    bench.seek(re.compile(r"added into w\.grad"))
    terms = addends(1)
    expect(origin.locator("ol li")).to_have_count(4)
    shows(lambda: [figures(each.locator(".sum"))[-1] for each in origin.locator("ol li").all()], [rounded(t) for t in terms])
    shows(lambda: figures(origin.locator(".total"))[-1], float(f"{sum(terms):.6g}"))
    origin.locator("ol li").nth(2).get_by_role("button").first.click()  # to the row it came from
    shows(lambda: bench.asked("cell"), "g2.1")
    expect(bench.page.locator("g.node.selected [role=treeitem]")).to_have_attribute("aria-label", "v₁ = x·w (4, 3)")


def rounded(value):
    return float(f"{value:.4g}")


def test_cell_of_a_value_says_what_made_it(bench):
    bench.press("]")  # the forward pass is over
    bench.card("v₁").locator('[data-cell="v2.0"]').click()
    origin = bench.panel("Tensor").locator(".origin")
    expect(origin).to_contain_text("What v₁[2,0] was made from")
    for source in ("x[2,0]", "w[0]"):
        expect(origin.get_by_role("button", name=source)).to_be_visible()
    shows(lambda: figures(origin.locator(".total"))[-1], -0.36)  # 0.4 · −0.9


CONV = """import torch
import torch.nn.functional as F

img = torch.arange(16.0).reshape(1, 1, 4, 4)
k = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]], requires_grad=True)
h = F.conv2d(img, k)
m = F.max_pool2d(h, 3)
s = torch.stack([m.sum(), k.sum()])
L = s.sort()[0].sum()
L.backward()
"""


def test_origins_of_cells_that_are_not_made_cell_by_cell(page):
    bench = Workbench(page)
    bench.run(CONV)
    bench.press("End")
    origin = bench.panel("Tensor").locator(".origin")
    bench.card("h").locator('[data-cell="v1.2"]').click()
    expect(origin).to_contain_text("What adds up to h[0,0,1,2]")
    expect(origin.locator("li")).to_have_count(4)
    shows(lambda: [figures(each.locator(".sum"))[-1] for each in origin.locator("li").all()], [6.0, 14.0, 30.0, 44.0])
    shows(lambda: figures(origin.locator(".total"))[-1], 94.0)  # 6 + 2·7 + 3·10 + 4·11
    for name in ("img", "k"):  # the window and the kernel are outlined
        expect(bench.card(name).locator("rect.pick")).to_have_count(0 if name == "k" else 1)
    origin.get_by_role("button", name="img[0,0,2,3]").click()
    shows(lambda: bench.asked("cell"), "v2.3")
    bench.card("m").locator('[data-cell="v0.0"]').click()
    expect(origin).to_contain_text("is this cell")
    expect(origin.get_by_role("button", name="h[0,0,2,2]")).to_be_visible()
    bench.card("k").locator('[data-cell="g0.1"]').click()  # 11 from the convolution, 1 from k.sum()
    expect(origin).to_contain_text("What adds up to the gradient of k[0,0,0,1]")
    shows(lambda: figures(origin.locator(".total"))[-1], 12.0)


def test_slices_of_a_tensor_of_three_axes(page):
    bench = Workbench(page)
    bench.run("import torch\nt = torch.arange(24.0).reshape(2, 3, 4).requires_grad_()\n(t * t).sum().backward()\n")
    bench.press("End")
    bench.card("t").locator(".name").click()
    panel = bench.panel("Tensor")
    cells = panel.locator(".matrix tbody td")
    shows(lambda: [float(text) for text in cells.all_inner_texts()], [float(i) for i in range(12)])
    panel.get_by_label("slice 0").fill("1")
    shows(lambda: [float(text) for text in cells.all_inner_texts()], [float(i) for i in range(12, 24)])
    panel.get_by_role("tab", name="gradient").click()
    panel.get_by_label("slice 0").fill("1")
    shows(lambda: float(cells.last.inner_text()), 46.0)  # 2 · 23


LARGE = """import torch

w = (torch.arange(90000.0) / 1000).reshape(300, 300).requires_grad_()
for i in range(3):
    loss = (w * w).sum()
    loss.backward()
    with torch.no_grad():
        w -= 0.25 * w.grad
    w.grad = None
"""  # the gradient is 2w: each step halves w


def test_a_tensor_too_large_for_the_trace_is_recorded_where_one_looks(page):
    bench = Workbench(page)
    bench.run(LARGE)
    expect(page.locator("header .status")).to_contain_text("3 steps")
    bench.press("Home")
    bench.seek("backward starts at loss")
    bench.card("w").locator(".name").click()
    panel = bench.panel("Tensor")
    cells = panel.locator(".matrix tbody td")
    shows(lambda: cells.nth(3).get_attribute("title"), "[0,3] = 0.003")
    assert cells.count() < 600  # of 90,000: only what is in sight
    expect(panel).to_contain_text("90,000 values: too many for the trace")
    panel.locator(".matrix .scroll").evaluate("box => box.scrollTo(1e6, 1e6)")
    last = panel.locator('.matrix td[title^="[299,299]"]')
    expect(last).to_have_attribute("title", "[299,299] = 89.999")
    head = panel.locator(".matrix thead th").last
    assert head.evaluate("th => th.getBoundingClientRect().top - th.closest('.scroll').getBoundingClientRect().top") < 3
    bench.press("End")  # two halvings on
    shows(lambda: bench.step, 2)
    bench.seek(re.compile(r"added into w\.grad"))
    panel.get_by_role("tab", name="gradient").click()
    panel.locator(".matrix .scroll").evaluate("box => box.scrollTo(0, 20 * 150)")
    wanted = 2 * 45000 / 1000 / 4
    shows(lambda: panel.locator('.matrix td[title^="[150,0]"]').first.get_attribute("title"), f"[150,0] = {wanted:g}")
    page.route("**/tensors/**", lambda route: route.fulfill(status=429, json={"title": "busy", "detail": "The machine is busy."}))
    panel.get_by_role("tab", name="value").click()
    expect(panel.locator(".blocks")).to_contain_text("These cells cannot be had. The machine is busy.")
    page.unroute("**/tensors/**")
    panel.get_by_role("button", name="Try again").click()
    expect(panel.locator('.matrix td[title^="[0,4]"]')).to_have_attribute("title", "[0,4] = 0.001")


def test_a_long_vector_is_folded_into_rows(page):
    bench = Workbench(page)
    bench.run("import torch\nv = torch.arange(5000.0).requires_grad_()\nv.sum().backward()\n")
    bench.card("v").locator(".name").click()
    matrix = bench.panel("Tensor").locator(".matrix")
    matrix.locator(".scroll").evaluate("box => box.scrollTo(0, 20 * 421)")
    expect(matrix.locator('td[title^="[4217]"]')).to_have_attribute("title", "[4217] = 4217")
    expect(matrix.locator("tbody th").filter(has_text=re.compile("^4210$"))).to_have_count(1)
    matrix.locator('td[title^="[4217]"]').click()
    expect(matrix.locator("td.picked")).to_have_attribute("title", "[4217] = 4217")


def test_history_of_a_parameter_over_the_steps(bench):
    bench.card("w").locator('[data-cell="v0.2"]').click()
    panel = bench.panel("Tensor")
    expect(panel.get_by_role("heading", name="Over the steps")).to_contain_text("w[2]")
    box = panel.locator("svg.chart").bounding_box()
    bench.page.mouse.click(box["x"] + box["width"] - 10, box["y"] + box["height"] / 2)
    shows(lambda: bench.step, 59)  # a click on the curve goes there
    bench.press("Home")


def test_lens_shows_the_stretch_and_the_sums_back(bench):
    bench.card("w").locator(".name").click()
    lens = bench.panel("Broadcast")
    expect(lens.locator(".align .rules td")).to_have_text(["new axis", "equal"])
    expect(lens.locator(".align .result td")).to_have_text(["4", "3"])
    expect(lens.locator(".ghosts td.ghost")).to_have_count(9)  # three rows that are not there
    expect(lens).not_to_contain_text("Going back")
    bench.seek(re.compile(r"sends a gradient to w$|sends a gradient to w "))
    expect(lens).to_contain_text("Going back: summed over axis 0")
    sums = lens.get_by_role("table", name="Gradient before and after summing").locator("tr:last-child td")
    shows(lambda: [figures(cell)[0] for cell in sums.all()], [round(sum(addends(c)), 2) for c in range(3)])


def test_lens_of_an_edge_shows_only_that_operand(bench):
    key = bench.card("v₁").get_attribute("data-key")
    bench.page.evaluate("key => document.querySelector(`[data-edge='${key}:1'] .grip`).dispatchEvent(new MouseEvent('click', {bubbles: true}))", key)
    shows(lambda: bench.asked("select"), f"{key}:1")
    expect(bench.panel("Broadcast")).to_contain_text("w (3,) → (4, 3)")


def test_lens_explains_shapes_that_do_not_fit(page):
    bench = Workbench.at(page, "/?lesson=broadcasting_fails")
    lens = bench.panel("Broadcast")
    expect(lens.locator(".align .result .clash")).to_have_text("✕")
    expect(lens).to_contain_text("axis 0 has 3 on one side and 4 on the other")
    ways = lens.locator(".ways li")
    expect(ways.filter(has_text="a.unsqueeze(1)")).to_contain_text("(3, 4)")
    expect(ways.filter(has_text="b.unsqueeze(1)")).to_contain_text("(4, 3)")
    expect(bench.page.locator("g.node.failed")).to_contain_text("does not run")
    expect(bench.page.locator(".cm-content .cl-wrong")).to_have_text("a + b")


def test_formula_ends_in_the_number_of_the_card_and_lights_it(bench):
    bench.seek(re.compile(r"sends a gradient to v₃$|sends a gradient to v₃ "))
    told = bench.page.locator(".told")
    expect(told.locator("h2")).to_contain_text("into v₃")
    numbers = told.locator(".fx.nums")
    expect(numbers.locator(".katex")).to_be_visible()
    expect(told).to_contain_text("With the numbers of")
    term = numbers.locator("[data-at][data-cell]").first
    at, cell = term.get_attribute("data-at"), term.get_attribute("data-cell")
    term.hover()
    lit = bench.page.locator(f'svg.graph [data-key="{at}"] [data-cell="{cell}"]')
    expect(lit).to_have_class(re.compile(r"\blit\b"))
    bench.page.locator(f'svg.graph [data-key="{at}"] rect[data-cell="{cell}"]').hover()
    expect(term).to_have_class(re.compile(r"\blit\b"))


def test_selected_cell_is_the_one_in_the_formula(bench):
    bench.seek(re.compile(r"forward: v₁ by"))
    bench.card("v₁").locator('[data-cell="v3.1"]').click()
    told = bench.page.locator(".told")
    expect(told).to_contain_text("v₁[3,1]")
    shows(lambda: "0.99" in told.locator(".fx.nums").inner_text(), True)  # −1.1 · 0.9


def test_derivative_of_one_says_why(bench):
    bench.seek(re.compile(r"backward starts at L"))
    expect(bench.page.locator(".told")).to_contain_text("the derivative is 1")
    bench.seek(re.compile(r"sends a gradient to v₂$|sends a gradient to v₂ "))
    expect(bench.page.locator(".told")).to_contain_text("The local derivative is 1")
