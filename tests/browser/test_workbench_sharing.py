"""Links that carry a moment or a program, and everything that can be saved."""

import json
import struct

import pytest
from playwright.sync_api import expect

from tests.browser.workbench import Workbench, shows, watched

SMALL = "import torch\na = torch.tensor(3.0, requires_grad=True)\nb = a * a\nb.backward()\nprint('größe', a.grad)\n"


@pytest.fixture(scope="module")
def bench(browser, server):
    with watched(browser, server, permissions=["clipboard-read", "clipboard-write"]) as page:
        yield Workbench.at(page, "/?lesson=heat_map&step=3&event=6")


def share(bench, name):
    """The row of the share sheet with this name, in an open sheet."""
    sheet = bench.page.get_by_role("dialog", name="Share and save")
    if not sheet.is_visible():
        bench.page.get_by_role("button", name="Share", exact=True).click()
    return sheet.get_by_role("button", name=name)


def saved(bench, name, tmp_path):
    with bench.page.expect_download() as download:
        share(bench, name).click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    return path


def clipboard(bench):
    return bench.page.evaluate("navigator.clipboard.readText()")


def test_link_to_the_moment_leads_back_to_it(bench):
    share(bench, "Copy the link to this moment").click()
    expect(bench.page.locator(".toast")).to_contain_text("Copied")
    shows(lambda: clipboard(bench), bench.page.evaluate("location.href"))
    assert "step=3" in clipboard(bench)


def test_link_that_holds_the_program_runs_it_anywhere(bench, browser, server):
    bench.page.keyboard.press("Escape")
    share(bench, "Copy a link that holds the program").click()
    shows(lambda: "#code=" in clipboard(bench), True)
    link = clipboard(bench)
    with watched(browser, server) as fresh:
        other = Workbench(fresh, link)
        expect(fresh.locator(".cm-content")).to_contain_text("one w for every row")
        shows(lambda: len(other.value("w")), 3, 20)
        shows(lambda: "#code" in fresh.evaluate("location.href"), False)  # the next reload is not another run


def test_picture_is_saved_as_svg_with_its_colours(bench, tmp_path):
    svg = saved(bench, "Save the picture as SVG", tmp_path).read_text()
    assert svg.startswith("<svg") and "class=" not in svg.split("<defs", 1)[0]
    assert "v₁" in svg and 'fill="rgb(' in svg


def test_picture_is_saved_as_png(bench, tmp_path):
    png = saved(bench, "Save the picture as PNG", tmp_path).read_bytes()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    assert width > 400 and height > 400


def test_trace_is_saved_whole_and_opens_again(bench, tmp_path):
    lines = saved(bench, "Save the trace", tmp_path).read_text().splitlines()
    events = [json.loads(line) for line in lines]
    assert [event["seq"] for event in events] == list(range(len(events)))
    assert (events[0]["kind"], events[-1]["kind"]) == ("begin", "end")


@pytest.mark.parametrize(
    ("name", "ending", "begins"),
    [
        ("Save the graph for Graphviz (DOT)", ".gv", "digraph"),
        ("Save the graph as Mermaid", ".mmd", "flowchart"),
        ("Save the graph as JSON", ".json", "{"),
    ],
)
def test_graph_is_saved_as_text(bench, tmp_path, name, ending, begins):
    path = saved(bench, name, tmp_path)
    text = path.read_text()
    assert path.suffix == ending and text.startswith(begins)
    if ending == ".json":
        json.loads(text)
