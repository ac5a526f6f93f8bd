"""Run → step → scrub → back, for the tutorial programs. Values come from algebra and from what PyTorch printed."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.workbench import Workbench, shows

PROGRAMS = Path(__file__).resolve().parent.parent.parent / "app/lessons/programs"


@pytest.fixture
def bench(page):
    return Workbench(page)


def source(name):
    return (PROGRAMS / f"{name}.py").read_text()


def test_one_weight_steps_through_a_sample_and_back(bench):
    bench.run(source("one_weight"))
    bench.press("Home")
    shows(lambda: (bench.step, bench.value("w"), bench.grad("w")), (0, [1.0], []))
    bench.seek("added into w.grad")
    shows(lambda: bench.grad("w"), [-2.0])  # 2 (1·1 − 2) · 1
    bench.press("ArrowLeft")
    shows(lambda: bench.grad("w"), [])
    bench.seek("w is updated")
    shows(lambda: (bench.value("w"), bench.grad("w")), ([1.02], [-2.0]))
    bench.seek("gradients cleared: w")
    shows(lambda: bench.grad("w"), [0.0])
    bench.press("Home")
    shows(lambda: (bench.value("w"), bench.grad("w")), ([1.0], []))


def test_one_weight_scrubs_over_all_samples_and_back(bench):
    bench.run(source("one_weight"))
    track = bench.page.locator(".lane .trk[role=slider]")
    expect(track).to_have_attribute("aria-valuemax", "300")  # 100 epochs of 3 samples, and the prediction after them
    box = track.bounding_box()
    for part, step in ((1.0, 300), (0.5, 150), (0.0, 0)):
        bench.page.mouse.click(box["x"] + part * (box["width"] - 1), box["y"] + box["height"] / 2)
        expect(track).to_have_attribute("aria-valuenow", str(step))
    shows(lambda: bench.value("w"), [1.0])
    bench.press("End")
    shows(lambda: round(bench.value("w")[0], 4), 2.0)
    assert "predict (after training) 4 7.999998569488525" in bench.output


def test_forgotten_zeroing_shows_the_gradients_adding_up(bench):
    bench.run(source("one_weight_not_zeroed"))
    bench.press("Home")
    bench.press("Shift+ArrowRight")
    bench.seek("added into w.grad")
    shows(lambda: bench.grad("w"), [-9.84])  # −2, and −7.84 on top


def test_broadcasting_sums_over_what_was_stretched(bench):
    bench.run(source("broadcasting"))
    bench.press("Home")
    shows(lambda: bench.value("row"), [1.0, 2.0, 3.0])
    expect(bench.page.locator(".canvas")).to_contain_text("(3,) → (3, 3)")
    bench.press("End")
    shows(lambda: (bench.grad("row"), bench.grad("column")), ([6.0] * 3, [6.0] * 3))
    bench.seek("added into row.grad")
    shows(lambda: (bench.grad("row"), bench.grad("column")), ([6.0] * 3, []))
    bench.press("Home")
    shows(lambda: bench.grad("row"), [])


def test_shapes_that_do_not_fit_fail_with_the_sentence_of_torch(bench):
    bench.run(source("broadcasting_fails"))
    fail = bench.page.locator(".out .fail")
    expect(fail).to_contain_text(
        "The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 0"
    )
    expect(fail).to_contain_text("line 11")
    assert "torch.Size([3]) torch.Size([4])" in bench.output  # what was printed before stays
    shows(lambda: (bench.value("a"), bench.value("b")), ([1.0, 2.0, 3.0], [1.0, 2.0, 3.0, 4.0]))
    bench.run(source("mean_of_squares"))  # and the next run works
    expect(bench.page.locator("header .status.good")).to_be_visible()


def test_backward_twice_adds_to_the_first_gradient(bench):
    bench.run(source("retain_graph"))
    bench.press("Home")
    added = bench.page.locator(".lane.ev").get_by_label("added into x.grad")
    added.nth(0).click()
    shows(lambda: bench.grad("x"), [0.4] * 45)
    added.nth(1).click()
    shows(lambda: bench.grad("x"), [18.4] * 45)
    added.nth(0).click()
    shows(lambda: bench.grad("x"), [0.4] * 45)


def test_backward_twice_without_retain_graph_says_so(bench):
    bench.run(source("retain_graph_forgotten"))
    expect(bench.page.locator(".out .fail")).to_contain_text("Trying to backward through the graph a second time")


def test_linear_model_trains_as_torch_does(bench):
    bench.run(source("linear_model"))
    bench.press("Home")
    shows(lambda: [round(b, 5) for b in bench.value("bias")], [0.53644])
    bench.seek("added into weight.grad")
    shows(lambda: [round(g, 2) for g in bench.grad("weight")], [-49.77])
    bench.seek("weight is updated")
    shows(lambda: [round(w, 5) for w in bench.value("weight")], [0.49024])
    bench.press("ArrowLeft")
    shows(lambda: [round(w, 5) for w in bench.value("weight")], [-0.00749])
    bench.press("Shift+ArrowRight", 2)
    shows(lambda: bench.step, 2)
    bench.press("End")
    shows(lambda: [round(w, 5) for w in bench.value("weight")], [1.99962])
    assert "prediction for 4: tensor([[7.9994]])" in bench.output


def test_a_step_that_was_not_recorded_is_fetched(bench):
    bench.run(source("linear_model"))
    bench.page.goto(f"{bench.page.url.split('?')[0]}?lesson=linear_model&step=700&event=0")
    slider = bench.page.locator(".lane .trk[role=slider]")
    expect(slider).to_have_attribute("aria-valuenow", "700", timeout=30_000)  # streamed up to there
    expect(bench.card("weight")).to_be_visible()
    shows(lambda: round(bench.value("weight")[0], 2), 2.0)
