"""The graph: groups that fold, search, zoom, minimap, the keyboard's walk, highlights, and a layout that stays."""

import pytest
from playwright.sync_api import expect

from tests.browser.workbench import Workbench, shows

CHAIN = """import torch

x = torch.tensor(1.0, requires_grad=True)
y = x
for i in range(2500):
    y = y * 1.0001
    y = y + 0.001
y.backward()
"""


@pytest.fixture(scope="module")
def opened(shared):
    return Workbench.at(shared, "/?lesson=heat_map&step=3&event=0")


@pytest.fixture
def bench(opened):
    yield opened
    opened.press("Escape")


def placed(bench):
    """Where every card stands, by its key."""
    cards = bench.page.locator("svg.graph g.node[data-key]")
    return dict(cards.evaluate_all("all => all.map(g => [g.dataset.key, g.getAttribute('transform')])"))


def seen(bench):
    return bench.page.locator("[data-world]").evaluate("world => world.style.transform")


def test_search_finds_a_tensor_and_selects_it(bench):
    bench.press("/")
    box = bench.page.get_by_role("combobox", name="Find a tensor, op or shape")
    expect(box).to_be_focused()
    box.fill("mean")
    expect(bench.page.locator(".finder [role=option]")).to_have_count(1)
    box.fill("nowhere to be found")
    expect(bench.page.locator(".finder")).to_contain_text("Nothing found")
    box.fill("w")
    expect(bench.page.locator(".finder [role=option]").first).to_contain_text("w")
    box.press("Enter")
    expect(box).to_have_count(0)
    expect(bench.card("w")).to_have_class("node param selected")
    expect(bench.panel("Tensor")).to_contain_text("w")


def test_what_makes_and_what_reads_a_card_is_highlighted(bench):
    bench.card("w").locator(".name").click()
    near = bench.page.locator("svg.graph g.node.near")
    expect(near).to_have_count(1)  # x * w reads it, nothing made it
    expect(near.locator("[role=treeitem]")).to_have_attribute("aria-label", "v₁ = x·w (4, 3)")
    bench.press("Escape")
    expect(near).to_have_count(0)


def test_keyboard_walks_along_the_edges(bench):
    bench.card("w").locator("[role=treeitem]").focus()
    bench.press("ArrowDown")
    focused = bench.page.locator("svg.graph [role=treeitem]:focus")
    expect(focused).to_have_attribute("aria-label", "v₁ = x·w (4, 3)")
    bench.press("ArrowUp")
    expect(focused).to_have_attribute("aria-label", "x (4, 3)")  # its first input
    bench.press("PageDown")
    shows(lambda: bench.page.locator("g.node.selected").count(), 1)


def test_zoom_fit_and_minimap_move_the_picture(bench):
    shows(lambda: bool(seen(bench)), True)
    bench.page.get_by_role("button", name="Fit to the window").click()
    fitted = seen(bench)
    for _ in range(4):
        bench.page.get_by_role("button", name="Zoom in").click()
    near = seen(bench)
    assert near != fitted
    minimap = bench.page.get_by_role("img", name="Overview of the graph")
    expect(minimap).to_be_visible()
    box = minimap.bounding_box()
    bench.page.mouse.click(box["x"] + 4, box["y"] + 4)
    shows(lambda: seen(bench) != near, True)
    bench.page.get_by_role("button", name="Fit to the window").click()
    shows(lambda: seen(bench), fitted)


def test_drag_pans_and_selects_nothing(bench):
    before = seen(bench)
    box = bench.page.locator(".canvas").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + 20
    bench.page.mouse.move(x, y)
    bench.page.mouse.down()
    bench.page.mouse.move(x + 90, y + 40, steps=3)
    bench.page.mouse.up()
    assert seen(bench) != before
    assert bench.page.locator("g.node.selected").count() == 0


def test_nothing_moves_while_stepping(bench):
    before = placed(bench)
    assert len(before) > 6
    bench.press("]")
    bench.press("ArrowRight", 4)
    assert placed(bench) == before
    bench.press("Shift+ArrowRight")
    shows(lambda: bench.step, 4)
    assert placed(bench) == before


def test_modules_fold_to_one_card_and_open_again(page):
    bench = Workbench.at(page, "/?lesson=two_layer_net&step=5&event=0")
    handles = page.locator("svg.graph g.group .handle")
    cards = page.locator("svg.graph g.node")
    expect(handles).not_to_have_count(0)
    open_, frames = cards.count(), handles.count()
    page.locator('svg.graph .handle[data-fold="net.0"]').click()
    folded = page.locator('g.node.folded[data-key="g:net.0"]')
    expect(folded).to_be_visible()
    expect(handles).to_have_count(frames - 1)
    assert cards.count() < open_
    shows(lambda: bench.asked("fold"), "net.0")
    page.reload()
    expect(folded).to_be_visible(timeout=30_000)  # the address remembers
    folded.locator(".name").dblclick()
    expect(handles).to_have_count(frames)
    expect(cards).to_have_count(open_)
    bench.press("f")
    expect(page.locator("g.node.folded")).not_to_have_count(0)


def test_five_thousand_operations_open_grouped(page):
    bench = Workbench(page)
    bench.run(CHAIN)
    groups = page.locator("svg.graph g.node.folded")
    groups.first.wait_for(timeout=30_000)
    cards = page.locator("svg.graph g.node")
    before = cards.count()
    assert before < 300
    bench.press("Home")
    bench.press("End")
    shows(lambda: bench.event[0], bench.event[1])
    expect(bench.panel(".grad ledger")).to_contain_text("+1.284")  # 1.0001 to the power of 2500
    single = page.locator("svg.graph g.node.op:not(.folded)")
    assert single.count() == 0
    groups.first.locator(".name").dblclick()
    shows(lambda: single.count() > 3, True, 15)  # those of the group that are in sight


def test_unused_gradient_is_none_not_zero(page):
    bench = Workbench(page)
    bench.run(
        "import torch\na = torch.tensor([1.0, 2.0], requires_grad=True)\n"
        "b = torch.tensor([3.0, 4.0], requires_grad=True)\nc = a * b\n(a * a).sum().backward()\n"
    )
    bench.press("End")
    shows(lambda: bench.grad("a"), [2.0, 4.0])
    expect(bench.card("b")).to_contain_text("None")
    assert bench.grad("b") == []


SEVERAL = """import torch

x = torch.tensor([[1.0, 4.0, 2.0, 3.0], [8.0, 5.0, 7.0, 6.0]], requires_grad=True)
v, i = x.max(1)
a, b = x.split(2, 1)
L = (v * i).sum() + (b * b).sum()
L.backward()
"""


def test_every_output_of_an_op_is_on_a_card_with_its_own_gradient(page):
    bench = Workbench(page)
    bench.run(SEVERAL)
    bench.press("End")
    shows(lambda: (bench.value("v"), bench.value("i")), ([4.0, 8.0], [1.0, 0.0]))
    assert bench.grad("v") == [1.0, 0.0]  # dL/dv is i
    assert bench.value("a") == [1.0, 4.0, 8.0, 5.0] and bench.value("b") == [2.0, 3.0, 7.0, 6.0]
    assert bench.grad("a") == [0.0] * 4 and bench.grad("b") == [4.0, 6.0, 14.0, 12.0]  # 2b
    expect(bench.card("b").locator("[role=treeitem]")).to_have_attribute("aria-label", "b = split(x)[1] (2, 2)")
    bench.card("b").locator(".name").click()
    expect(page.locator("svg.graph g.node.near")).to_have_count(1)  # b * b alone reads it
    inspector = bench.panel("Tensor")
    expect(inspector.locator(".kin").first).to_contain_text("x")


def painted(page):
    """How many pixels of the canvas carry something, and in how many colours."""
    return page.locator("canvas.plan").evaluate(
        """board => {
          const {data} = board.getContext('2d').getImageData(0, 0, board.width, board.height);
          const pixels = new Uint32Array(data.buffer).filter(each => each >>> 24 > 200);
          return [pixels.length, new Set(pixels).size];
        }"""
    )


@pytest.fixture(scope="module")
def crowd(shared):
    """Five thousand cards, unfolded: on a canvas."""
    bench = Workbench(shared)
    bench.run(CHAIN)
    shared.locator("svg.graph g.node.folded").first.wait_for(timeout=30_000)
    bench.press("f")
    shared.locator("canvas.plan").wait_for(timeout=30_000)
    shows(lambda: bench.asked("unfold"), "~all")
    return bench


def test_thousands_of_cards_are_drawn_on_a_canvas(crowd):
    page = crowd.page
    assert page.locator("svg.graph g.node").count() == 0  # too far away to be read
    shows(lambda: painted(page)[0] > 20_000, True)
    light = painted(page)
    assert light[1] > 5
    crowd.press("t")
    shows(lambda: painted(page) != light, True)
    crowd.press("t")
    shows(lambda: painted(page) == light, True)


def test_a_card_on_the_canvas_is_hovered_clicked_and_walked_from(crowd):
    page = crowd.page
    board = page.locator("canvas.plan")
    box = board.bounding_box()
    width, height = box["width"], box["height"]
    for way in range(40):  # somewhere in the middle there is a card
        page.mouse.move(box["x"] + width * (0.4 + way * 0.005), box["y"] + height / 2 + way)
        if board.get_attribute("title"):
            break
    name = board.get_attribute("title")
    assert name.split(" ")[1] == "y"
    page.mouse.down()
    page.mouse.up()
    expect(crowd.panel("Tensor")).to_contain_text("y")
    shows(lambda: crowd.asked("select").startswith("o"), True)
    before = crowd.asked("select")
    board.focus()
    crowd.press("ArrowDown")
    shows(lambda: crowd.asked("select") not in ("", before), True)
    crowd.press("ArrowUp")
    shows(lambda: crowd.asked("select"), before)
    crowd.press("Escape")
    shows(lambda: crowd.asked("select"), "")


def test_cards_of_a_crowd_come_as_elements_when_they_can_be_read(crowd):
    page = crowd.page
    nodes = page.locator("svg.graph g.node")
    for _ in range(12):
        page.get_by_role("button", name="Zoom in").click()
    shows(lambda: 0 < nodes.count() <= 160, True)
    expect(nodes.first).to_contain_text("value")
    page.get_by_role("button", name="Fit to the window").click()
    shows(nodes.count, 0)


def test_stepping_through_a_crowd_recolours_it(crowd):
    page = crowd.page
    crowd.press("Home")
    shows(lambda: crowd.event[0], 1)
    page.wait_for_timeout(200)
    start = painted(page)
    crowd.press("End")
    shows(lambda: crowd.event[0], crowd.event[1])
    shows(lambda: painted(page)[0] > start[0], True)  # ghosts have become cards


def test_picture_of_a_crowd_holds_all_of_it(crowd):
    crowd.press("ControlOrMeta+s")
    with crowd.page.expect_download() as saved:
        crowd.page.get_by_role("button", name="Save the picture as SVG").click()
    text = saved.value.path().read_text()
    assert text.count("<g") == 5001  # 5,000 operations and x
    crowd.press("Escape")
    crowd.press("f")
    expect(crowd.page.locator("canvas.plan")).to_have_count(0)
