"""The ledger of .grad and its warnings, and what is drawn over the training steps."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.workbench import Workbench, shows


@pytest.fixture(scope="module")
def opened(shared):
    return Workbench.at(shared, "/?lesson=heat_map&step=5&event=0")


@pytest.fixture
def bench(opened):
    opened.press("Escape")
    opened.press("Home")
    return opened


def notices(bench):
    return bench.panel(".grad ledger").locator(".notice")


def test_ledger_tells_what_was_added_read_and_cleared(bench):
    book = bench.panel(".grad ledger").locator(".book").filter(has=bench.page.get_by_role("button", name="b.grad"))
    lines = book.locator("li")
    words = ["before the step *None", "backward 1 adds", "the program reads", "cleared to *None"]
    expect(lines).to_have_text([re.compile(f"^{each}") for each in words])
    expect(book.locator("li.later")).to_have_count(3)
    lines.nth(1).get_by_role("button").click()
    expect(bench.page.locator('.lane.ev [aria-current="step"]')).to_have_attribute("title", "added into b.grad")
    expect(book.locator("li.now")).to_contain_text("backward 1 adds")
    expect(book.locator("li.later")).to_have_count(2)
    expect(notices(bench)).to_have_count(0)  # nothing is wrong here: nothing nags


def test_forgotten_zeroing_is_noticed_where_it_happens(page):
    bench = Workbench.at(page, "/?lesson=one_weight_not_zeroed&step=0&event=0")
    expect(notices(bench)).to_have_count(0)
    bench.press("Shift+ArrowRight")
    expect(notices(bench)).to_contain_text(".grad of w was not cleared")
    bench.press("Home")
    bench.press("Shift+ArrowRight")
    notices(bench).click()
    shows(lambda: bench.grad("w"), [-9.84])
    expect(bench.card("w")).to_have_class(re.compile(r"\bwarned\b"))
    expect(bench.page.locator(".told")).to_contain_text("gradients pile up")


def test_dead_units_are_noticed(page):
    bench = Workbench.at(page, "/?lesson=dead_relu&step=2&event=0")
    expect(notices(bench)).to_contain_text("Unit 1 of h is dead")
    notices(bench).first.click()
    expect(bench.page.locator(".told h2")).to_contain_text("relu")


def test_explosion_and_the_first_nan_are_noticed(page):
    bench = Workbench.at(page, "/?lesson=exploding&step=40&event=0")
    expect(notices(bench).filter(has_text="very large")).to_contain_text("w")
    bench.press("End")
    shows(lambda: bench.step, 59)
    expect(page.locator("svg.graph .hnan, svg.graph rect.hnan")).not_to_have_count(0)
    expect(bench.panel("Loss").locator("svg.chart")).to_be_visible()  # a loss of NaN leaves a gap, no error
    began = notices(bench).filter(has_text="w begins this step with NaN or infinity: the first came in step")
    step = int(re.findall(r"\d+", began.inner_text())[-1])
    began.click()
    shows(lambda: bench.step, step)
    first = notices(bench).filter(has_text="The first NaN or infinity appears in")
    expect(first).to_have_count(1)
    expect(notices(bench).filter(has_text="begins this step")).to_have_count(0)
    first.click()
    expect(page.locator(".told .hint-box")).to_contain_text("The first NaN or infinity")


NOT_A_LEAF = """import torch

x = torch.tensor([1.0, 2.0], requires_grad=True)
h = x * 3
L = (h * h).sum()
L.backward(retain_graph=True)
print(h.grad)
L.backward()
"""


def test_gradient_of_a_tensor_that_is_no_leaf_and_a_second_backward_are_explained(page):
    bench = Workbench(page)
    bench.run(NOT_A_LEAF)
    expect(notices(bench).filter(has_text="A second backward adds to .grad of x")).to_have_count(1)
    found = notices(bench).filter(has_text="h.grad is None: h is no leaf")
    expect(found).to_have_count(1)
    found.click()
    told = page.locator(".told")
    expect(told.locator(".hint-box")).to_contain_text("h.retain_grad() before the backward would keep it")
    expect(page.locator(".cm-content .cl-now")).to_contain_text("print(h.grad)")
    expect(bench.card("h")).to_have_class(re.compile(r"\bwarned\b"))
    assert bench.grad("h") == [6.0, 12.0]  # dL/dh = 2h, although h.grad is None
    page.keyboard.press("l")
    expect(told.locator(".hint-box")).to_contain_text("不是叶子")
    page.keyboard.press("l")


VANISHING = """import torch

w = torch.tensor(0.5, requires_grad=True)
h = w
for i in range(12):
    h = torch.sigmoid(h * 0.1)
h.backward()
"""


def test_a_gradient_that_vanishes_is_noticed(page):
    bench = Workbench(page)
    bench.run(VANISHING)
    expect(notices(bench)).to_contain_text("The gradient of w has all but vanished")
    notices(bench).click()
    expect(page.locator(".told .hint-box")).to_contain_text("all but vanished")


def test_loss_switches_between_logarithmic_and_linear(bench):
    panel = bench.panel("Loss")
    line = panel.locator("path.ln").first
    logarithmic = line.get_attribute("d")
    panel.get_by_role("button", name="log scale").click()
    expect(panel.get_by_role("button", name="linear")).to_be_visible()
    assert line.get_attribute("d") != logarithmic
    panel.get_by_role("button", name="linear").click()
    shows(lambda: line.get_attribute("d"), logarithmic)


def test_click_on_a_curve_seeks(bench):
    for name in ("Loss", "Parameters", "Gradient norms"):
        bench.press("Home")
        chart = bench.panel(name).locator("svg.chart")
        chart.scroll_into_view_if_needed()
        box = chart.bounding_box()
        bench.page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2)
        shows(lambda: 15 < bench.step < 45, True)


def test_parameters_and_gradients_are_named_at_their_lines(bench):
    shows(lambda: sorted(bench.panel("Parameters").locator("text.ser").all_text_contents()), ["b", "w₀", "w₁", "w₂"])
    shows(lambda: sorted(bench.panel("Gradient norms").locator("text.ser").all_text_contents()), ["b", "w"])


def test_update_takes_the_step_apart(bench):
    panel = bench.panel("Update")
    expect(panel).to_contain_text("up next")
    bench.seek("b is updated")
    expect(panel).to_contain_text("w ← w − 0.15·w.grad")
    row = panel.locator("tbody tr.hot")
    expect(row.locator("th")).to_have_text("b")
    told = [cell.replace("−", "-") for cell in row.locator("td").all_inner_texts()]
    before, change, after = (float(re.findall(r"[-+]?\d+\.?\d*(?:e-?\d+)?", cell)[-1]) for cell in told)
    assert before == -0.5
    assert before + change == pytest.approx(after, abs=2e-3)


def test_adam_shows_its_moments(page):
    bench = Workbench.at(page, "/?lesson=two_layer_net&step=3&event=0")
    expect(bench.panel("Update")).to_contain_text("Adam · lr 0.1")
    bench.seek(re.compile(r"0\.bias is updated"))
    formula = page.locator(".told .fx")
    expect(formula.first.locator(".katex")).to_be_visible()
    expect(page.locator(".told")).to_contain_text("Adam")


def test_fitted_curve_moves_with_the_steps(page):
    bench = Workbench.at(page, "/?lesson=cubic_autograd&step=0&event=0")
    panel = bench.panel("Fit")
    expect(panel.locator("circle.datum")).not_to_have_count(0)
    first = panel.locator("path.fitted").get_attribute("d")
    bench.press("End")
    shows(lambda: panel.locator("path.fitted").get_attribute("d") not in (first, None), True, 20)


def test_decision_boundary_between_two_moons(page):
    bench = Workbench.at(page, "/?lesson=moons&step=90&event=0")
    panel = bench.panel("Fit")
    expect(panel).to_contain_text("decision boundary")
    assert panel.locator("circle.class").count() == panel.locator("rect.class").count() == 32
    expect(panel.locator("path.region")).to_have_count(2, timeout=20_000)


def test_landscape_draws_levels_the_path_and_the_step_to_come(bench):
    panel = bench.panel("Loss landscape")
    panel.scroll_into_view_if_needed()
    expect(panel.locator("path.level").first).to_be_attached(timeout=20_000)
    expect(panel.locator("path.traj")).to_have_count(2)
    expect(panel.locator("g.gvec")).to_be_visible()
    before = panel.locator("path.level").first.get_attribute("d")
    axes = panel.locator(".axes select")
    expect(axes).to_have_count(2)
    names = [axes.nth(i).evaluate("s => s.selectedOptions[0].textContent") for i in range(2)]
    other = next(name for name in ("w₀", "w₁", "w₂", "b") if name not in names)
    axes.first.select_option(label=other)
    expect(panel).to_contain_text(f"{other} →")
    shows(lambda: other[-1].translate(str.maketrans("₀₁₂", "012")) in bench.asked("axes") or "b" in bench.asked("axes"), True)
    expect(panel.locator("path.level").first).not_to_have_attribute("d", before, timeout=20_000)


def test_landscape_can_be_cancelled(page):
    page.route("**/probe", lambda route: None)  # its answer never comes
    bench = Workbench.at(page, "/?lesson=heat_map&step=5&event=0")
    panel = bench.panel("Loss landscape")
    expect(panel.get_by_role("progressbar")).to_be_attached()
    panel.get_by_role("button", name="Cancel").click()
    expect(panel.get_by_role("progressbar")).to_have_count(0)
    expect(panel.locator("path.traj")).not_to_have_count(0)  # the path stays


def test_landscape_over_one_number_is_a_curve_with_its_slope(page):
    bench = Workbench.at(page, "/?lesson=one_weight&step=3&event=0")
    panel = bench.panel("Loss landscape")
    expect(panel.locator("path.ln")).to_have_attribute("d", re.compile("L"), timeout=20_000)
    expect(panel).to_contain_text("the slope is −1.479: that is the gradient")
