"""Two axes of time: playing by every unit, jumping along one tensor's events, and addresses that bring a moment back."""

import re
import time

import pytest
from playwright.sync_api import expect

from tests.browser.workbench import Workbench, shows

LONG = """import torch

w = torch.tensor(0.0, requires_grad=True)
for i in range(3000):
    L = w * 1.0
    L.backward()
    with torch.no_grad():
        w -= 0.001 * w.grad
        w.grad = None
"""


@pytest.fixture(scope="module")
def opened(shared):
    return Workbench.at(shared, "/?lesson=heat_map&step=5&event=0")


@pytest.fixture
def bench(opened):
    opened.press("Escape")
    opened.press("Home")
    return opened


def current(bench):
    """The words of the event at the cursor."""
    return bench.page.locator('.lane.ev [aria-current="step"]').get_attribute("title")


def choose(bench, *items):
    """Speed and unit of play, from the menu beside the play button."""
    for item in items:
        bench.page.locator(".transport .speed").click()
        bench.page.get_by_role("menuitemradio", name=item, exact=True).click()
    bench.page.locator("body").click(position={"x": 700, "y": 3})


def played(bench, read, until):
    """Plays until what is read is there, then pauses."""
    bench.press("Space")
    expect(bench.page.get_by_role("button", name=re.compile("^Pause"))).to_be_visible()
    shows(lambda: until(read()), True, 10)
    bench.press("Space")
    expect(bench.page.get_by_role("button", name=re.compile("^Play"))).to_be_visible()
    return read()


def test_play_by_event_goes_through_them_one_by_one(bench):
    choose(bench, "16×", "event")
    at, of = played(bench, lambda: bench.event, lambda event: event[0] >= 6)
    assert 6 <= at <= of
    assert bench.step == 0


def test_play_by_training_step_stays_at_the_event(bench):
    bench.seek("w is updated")
    choose(bench, "16×", "training step")
    step = played(bench, lambda: bench.step, lambda step: step >= 5)
    assert step >= 5
    assert current(bench) == "w is updated"


def test_play_by_phase_stops_at_phases_only(bench):
    choose(bench, "1×", "phase")
    bench.press("Space")
    shows(lambda: current(bench), "backward starts at L")
    shows(lambda: current(bench), "w is updated")
    bench.press("Space")


def test_lines_and_phases_go_both_ways(bench):
    bench.press("Alt+ArrowRight", 2)
    expect(bench.page.locator(".cm-content .cl-now")).to_contain_text("L.backward()")
    bench.press("Alt+ArrowLeft")
    expect(bench.page.locator(".cm-content .cl-now")).to_contain_text("L = l.mean()")
    bench.press("]", 2)
    shows(lambda: current(bench), "w is updated")
    bench.press("[")
    shows(lambda: current(bench).split()[0], "added")  # the last event before the update


def test_backward_marks_the_expression_that_is_differentiated(bench):
    marked = bench.page.locator(".cm-content .cl-from")
    expect(marked).to_have_count(0)  # forwards the line itself says it
    bench.press("Alt+ArrowRight", 2)
    expect(marked).to_have_text("l.mean()")
    bench.press("ArrowRight", 3)
    expect(marked).to_have_text("(x * w + b - y) ** 2")
    bench.press("Home")
    expect(marked).to_have_count(0)


def test_jump_visits_every_event_of_the_selected_tensor_and_back(bench):
    bench.card("b").locator(".name").click()
    visited = [current(bench)]
    for _ in range(5):
        before = bench.event
        bench.press(".")
        shows(lambda before=before: bench.event > before, True)
        visited.append(current(bench))
    wanted = ["forward: v₂ by add", "sends a gradient to b", "added into b.grad", "b is updated", "gradients cleared: b"]
    assert [name for name in wanted if any(name in each for each in visited)] == wanted
    bench.press(",")
    shows(lambda: current(bench), visited[-2])


def test_jump_goes_on_into_the_steps_beside_this_one(bench):
    bench.card("b").locator(".name").click()
    bench.press("End")  # the last step; nobody has asked for it yet
    shows(lambda: bench.step, 59)
    bench.seek("gradients cleared: b")
    bench.press(".")
    expect(bench.page.locator(".toast")).to_contain_text("Nothing more happens to b")
    assert bench.step == 59
    bench.seek("forward: v₁ by")
    bench.press(",")
    shows(lambda: (bench.step, current(bench)), (58, "gradients cleared: b"))
    bench.press(".")
    shows(lambda: (bench.step, current(bench)), (59, "forward: v₂ by add"))


def test_play_by_line_goes_line_by_line_at_the_chosen_speed(bench):
    choose(bench, "2×", "line")
    lines = []

    def line():
        now = bench.page.locator(".cm-content .cl-now").first.inner_text().strip()
        if not lines or lines[-1] != now:
            lines.append(now)
        return now

    start = time.monotonic()
    played(bench, line, lambda now: now.startswith("L.backward"))
    assert time.monotonic() - start > 0.9  # three beats of half a second lie before it
    passed = [each.split("=")[0].split("\n")[0].strip() for each in lines]
    assert passed[:3] == ["l", "L", "L.backward()"]


def test_play_by_event_goes_over_the_edge_of_a_step(bench):
    bench.seek("gradients cleared")
    choose(bench, "16×", "event")
    step = played(bench, lambda: bench.step, lambda step: step >= 1)
    assert step >= 1


def test_a_neighbouring_step_is_there_before_it_is_asked_for(page):
    def fetched():
        got = page.evaluate("performance.getEntriesByType('resource').filter(e => e.responseEnd).map(e => e.name)")
        return sorted(int(name.rsplit("/", 1)[1]) for name in got if "/steps/" in name)

    bench = Workbench(page)
    bench.run(LONG)
    expect(page.locator("header .status")).to_contain_text("3,000 steps")
    bench.press("End")
    shows(fetched, [2998, 2999])  # asked for, and the one beside it
    bench.press("Shift+ArrowLeft")
    shows(fetched, [2997, 2998, 2999])
    page.route("**/steps/*", lambda route: None)  # from here on nothing comes
    for key, step in (("Shift+ArrowLeft", 2997), ("Shift+ArrowRight", 2998)):
        bench.press(key)
        shows(lambda: bench.step, step)
        bench.seek("w is updated")
        shows(lambda: [round(value, 3) for value in bench.value("w")], [-(step + 1) / 1000])


def test_backwards_is_exactly_as_good_as_forwards(bench):
    bench.press("Shift+ArrowRight", 2)
    shows(lambda: bench.step, 2)
    bench.press("Home")
    count = bench.event[1]
    forth = []
    for i in range(1, count + 1):
        shows(lambda: bench.event[0], i)
        forth.append((bench.value("w"), bench.grad("w"), bench.grad("b"), bench.page.locator(".told h2").inner_text()))
        if i < count:
            bench.press("ArrowRight")
    back = []
    for i in range(count, 0, -1):
        shows(lambda: bench.event[0], i)
        back.append((bench.value("w"), bench.grad("w"), bench.grad("b"), bench.page.locator(".told h2").inner_text()))
        if i > 1:
            bench.press("ArrowLeft")
    assert back[::-1] == forth
    assert len({str(each) for each in forth}) > count / 2  # and they are not all the same


def test_stepping_crosses_into_the_next_step_and_back(bench):
    bench.press("ArrowRight", bench.event[1])
    shows(lambda: (bench.step, bench.event[0]), (1, 1))
    bench.press("ArrowLeft")
    shows(lambda: (bench.step, bench.event[0] == bench.event[1]), (0, True))


def test_address_restores_the_moment_and_the_selection(page):
    bench = Workbench.at(page, "/?lesson=heat_map&step=7&event=0")
    bench.seek(re.compile(r"added into b\.grad"))
    bench.card("w").locator('[data-cell="v0.1"]').click()
    page.get_by_role("button", name="log scale").first.click()
    shows(lambda: (bench.asked("step"), bench.asked("cell"), bench.asked("log")), ("7", "v0.1", "0"))
    address = page.evaluate("location.href")
    told = (page.locator(".told h2").inner_text(), bench.value("w"), bench.grad("b"), bench.event)
    page.evaluate("localStorage.clear()")
    again = Workbench.at(page, address)
    shows(lambda: (page.locator(".told h2").inner_text(), again.value("w"), again.grad("b"), again.event), told)
    expect(again.card("w")).to_have_class("node param selected")
    expect(page.get_by_role("button", name="linear").first).to_be_visible()
    expect(again.panel("Tensor").locator("td.picked")).to_have_count(1)


def test_scrubbing_events_of_a_long_step(page):
    page.set_viewport_size({"width": 1000, "height": 800})  # too narrow for a chip each
    bench = Workbench.at(page, "/?lesson=moons&step=2&event=0")
    bar = page.get_by_role("slider", name="Event")
    box = bar.bounding_box()
    page.mouse.move(box["x"] + 2, box["y"] + 9)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 9, steps=4)
    page.mouse.up()
    shows(lambda: bench.event[0], bench.event[1])
    page.mouse.click(box["x"] + 1, box["y"] + 9)
    shows(lambda: bench.event[0], 1)
