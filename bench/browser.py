"""Times the page in Chromium: draining, seeking, layout, panning; weighs its first load. `make bench-browser`

python -m bench.browser [--json] [--keep]

Everything is measured in the page with its own modules: a program is run over the wire, its events go through the
page's reader and reducer. --keep writes the table into docs/performance.md, between the marks.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Response, sync_playwright

from bench.wire import ROOT, server, until_ready

DOCUMENT = ROOT / "docs" / "performance.md"
MARKS = ("<!-- make bench-browser -->", "<!-- end -->")
GENEROUS = {"client_rate": 1e9, "address_rate": 1e9, "client_run_rate": 1e9, "client_runs": 10_000}
CHAIN = """import torch

x = torch.tensor(1.0, requires_grad=True)
y = x
for i in range({n}):
    y = y * 1.0001
y.backward()
"""
NODES = (50, 300, 5000)  # cards: few, as many as open one by one, and so many that the graph opens in groups
WHOLE = 5000  # cards of a graph that is unfolded whole
EDITOR = re.compile(r"/components/(editor|assist)\.js$")
STUB = "export const open = () => ({set() {}, mark() {}, close() {}}); export const assist = () => [];"

RUN = """async ({code, unfold}) => {
  const static_ = JSON.parse(document.getElementById('config').textContent).static;
  const from = path => import(`${location.origin}${static_}js/${path}`);
  const [{drain}, {Trace}, {Cursor}] = await Promise.all(['api/jsonl.js', 'model/trace.js', 'timeline/cursor.js'].map(from));
  const {graph} = await from('model/graph.js');
  const {fold} = await from('model/fold.js');
  const {layout} = await from('layout/layout.js');
  const headers = {'content-type': 'application/json', accept: 'application/jsonl'};
  const asked = {method: 'POST', body: JSON.stringify({code}), headers};
  const body = await (await fetch('/api/v1/runs', asked)).arrayBuffer();

  let start = performance.now();
  const trace = new Trace();
  await drain(new Response(body).body, events => { for (const event of events) trace.push(event); });
  const drained = performance.now() - start;

  const window_ = trace.windows.get(0);
  const cursor = new Cursor();
  const n = window_.events.length;
  const random = (seed => () => (seed = (seed * 48271) % 2147483647) / 2147483647)(7);
  start = performance.now();
  cursor.seek(window_, n);
  const through = performance.now() - start;
  const seeks = Array.from({length: 200}, () => {
    const to = 1 + Math.floor(random() * n);
    const from_ = performance.now();
    cursor.seek(window_, to);
    return performance.now() - from_;
  }).sort((a, b) => a - b);

  start = performance.now();
  const whole = graph(window_.events);
  const shown = fold(whole, [], unfold ?? []).graph;
  const structured = performance.now() - start;
  start = performance.now();
  await layout({...shown, hash: `bench ${Math.random()}`}, `${static_}vendor/elk-worker.js`);
  const placed = performance.now() - start;
  return {events: trace.count, drained, seek: {first: through, median: seeks[100], p99: seeks[198], worst: seeks[199]},
    structured, placed, cards: whole.cards.size};
}"""

RAN = "document.querySelector('header .status.good') && !document.querySelector('.pane.code .file').textContent"
WATCH = """() => {
  window.frames_ = [];
  let last = performance.now();
  const tick = now => {
    window.frames_.push(now - last);
    last = now;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}"""


def first_load(page: Page, address: str) -> dict[str, int]:
    """Bytes of every script that the workbench needs, compressed, by path; without the editor and the layout worker."""
    found: dict[str, int] = {}

    def weigh(response: Response) -> None:
        path = response.url.split("/static/")[-1]
        if path.endswith(".js") and not EDITOR.search(response.url) and "elk-worker" not in path:
            found[path] = len(gzip.compress(response.body(), 6))

    page.route(EDITOR, lambda route: route.fulfill(content_type="text/javascript", body=STUB))
    answered: list[Response] = []
    page.on("response", lambda response: answered.append(response))
    page.goto(address)
    page.locator("svg.graph [role=treeitem]").first.wait_for(timeout=60_000)
    page.locator(".told .katex").first.wait_for()
    for response in answered:
        weigh(response)
    return found


def panned(page: Page, code: str, *, whole: bool = False) -> dict[str, float | str]:
    """Milliseconds between frames while the graph of a program is dragged to and fro; `whole`: unfolded before."""
    page.goto("/?lesson=one_weight")
    page.locator(".cm-content").click(timeout=60_000)
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(code)
    page.locator("button.run").click()
    page.wait_for_function(RAN, timeout=60_000)
    page.locator("svg.graph g.node, canvas.plan").first.wait_for(timeout=60_000)
    if whole:
        page.locator("header .status").click()  # out of the editor
        page.keyboard.press("f")
        page.locator("canvas.plan").wait_for(timeout=60_000)
    page.wait_for_timeout(800)
    box = page.locator(".canvas").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] - 60, box["y"] + 60
    page.mouse.move(x, y)
    page.evaluate(WATCH)
    page.mouse.down()
    for i in range(90):
        page.mouse.move(x - 3 * abs(i % 60 - 30), y + 4 * abs(i % 30 - 15))
    page.mouse.up()
    frames = sorted(page.evaluate("window.frames_.splice(0)")[1:])
    shown = page.locator("svg.graph g.node").count()
    drawn = "canvas" if page.locator("canvas.plan").count() else "elements"
    return {"drawn": drawn, "cards drawn": shown, "median": frames[len(frames) // 2], "p95": frames[int(len(frames) * 0.95)]}


def measure() -> dict[str, Any]:
    sys.path.insert(0, str(ROOT / "scripts"))
    import chromium

    with server(**GENEROUS) as (port, _), sync_playwright() as driver:
        asyncio_ready(port)
        browser = driver.chromium.launch(executable_path=chromium.find(), args=list(chromium.FLAGS))
        context = browser.new_context(base_url=f"http://127.0.0.1:{port}", viewport={"width": 1440, "height": 900})
        weight = first_load(context.new_page(), "/?lesson=heat_map")
        page = context.new_page()
        page.goto("/?lesson=one_weight")
        page.locator("svg.graph [role=treeitem]").first.wait_for(timeout=60_000)
        long = page.evaluate(RUN, {"code": CHAIN.format(n=6000)})  # four events per operation and back
        sizes = {n: page.evaluate(RUN, {"code": CHAIN.format(n=n - 1)}) for n in NODES}
        frames = {n: panned(context.new_page(), CHAIN.format(n=n - 1)) for n in NODES}
        unfolded = {"code": CHAIN.format(n=WHOLE - 1), "unfold": ["~all"]}
        whole = {**page.evaluate(RUN, unfolded), **panned(context.new_page(), unfolded["code"], whole=True)}
        browser.close()
    return {
        "events": long["events"],
        "events drained per second": long["events"] / long["drained"] * 1000,
        "seek in them, ms": long["seek"],
        "nodes": {**{f"{n:,}": {**sizes[n], **frames[n]} for n in NODES}, f"{WHOLE:,}, unfolded": whole},
        "first load": {"scripts": len(weight), "bytes, gzip": sum(weight.values())},
        "load average": os.getloadavg()[0],
    }


def asyncio_ready(port: int) -> None:
    """Waits in a thread's own loop: Playwright keeps the main one."""
    import threading

    thread = threading.Thread(target=lambda: asyncio.run(until_ready(port)))
    thread.start()
    thread.join()


def table(told: dict[str, Any]) -> str:
    seek, load = told["seek in them, ms"], told["first load"]
    lines = [
        f"- a step of {told['events']:,} events: {told['events drained per second']:,.0f} events/s drained; going"
        f" through all of them the first time takes {seek['first']:.0f} ms, seeking to a random one from then on"
        f" (200 times), {seek['median']:.1f} ms in the median, {seek['p99']:.1f} ms in 99 of 100, {seek['worst']:.1f} ms at worst",
        f"- first load without the editor and the layout worker: {load['bytes, gzip'] / 1000:.0f} kB of JavaScript,"
        f" gzip, in {load['scripts']} files (budget: 450 kB)",
        "",
        "| operations | drawn as | cards among them | structure, ms | layout, ms | frame while panning, ms: median | 95 % |",
        "|---|---|---|---|---|---|---|",
    ]
    for n, each in told["nodes"].items():
        lines.append(
            f"| {n} | {each['drawn']} | {each['cards drawn']} | {each['structured']:.0f} | {each['placed']:.0f} |"
            f" {each['median']:.1f} | {each['p95']:.1f} |"
        )
    lines += ["", f"Load average while measuring: {told['load average']:.1f} on {os.cpu_count()} cores."]
    return "\n".join(lines)


def write(text: str, path: Path = DOCUMENT) -> None:
    """Puts the table between its marks; the section is made when it is not there yet."""
    document = path.read_text()
    if MARKS[0] not in document:
        title = "## Workbench\n\n`make bench-browser`, Chromium, headless, no GPU:"
        document = f"{document.rstrip()}\n\n{title}\n\n{MARKS[0]}\n{MARKS[1]}\n"
    before, after = document.split(MARKS[0], 1)
    path.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{after.split(MARKS[1], 1)[1]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", action="store_true", help="write the table into docs/performance.md")
    args = parser.parse_args()
    told = measure()
    print(json.dumps(told, indent=1) if args.json else table(told))
    if args.keep:
        write(table(told))


if __name__ == "__main__":
    main()
