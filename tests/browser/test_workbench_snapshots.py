"""Ten moments, light and dark, English and Chinese, as they are drawn: what stands where and in which colours.

Pixels differ from machine to machine by fonts; what the page draws does not. A snapshot is the drawing as text: every
element that is seen, with its place in the graph, its words and, for each theme, the colours of the kinds of things. One
file per moment and language holds both themes. `make snapshots` rewrites them; review the diff like code. A moment
that changed is saved beside its snapshot as `…-changed.txt`.
"""

import difflib
import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.workbench import Workbench

FOLDER = Path(__file__).resolve().parent / "snapshots"
MOMENTS = {
    "forward": "lesson=heat_map&step=8&event=0",
    "backward-broadcast": "lesson=heat_map&step=8&event=20",
    "update": "lesson=linear_model&step=12&event=25",
    "cell-of-a-gradient": "lesson=heat_map&step=2&event=20&select=o2&cell=g1.2",
    "modules": "lesson=two_layer_net&step=40&event=30",
    "modules-folded": "lesson=two_layer_net&step=40&event=30&fold=net",
    "shape-error": "lesson=broadcasting_fails",
    "gradients-pile-up": "lesson=one_weight_not_zeroed&step=2&event=8",
    "dead-relu": "lesson=dead_relu&step=3&event=20",
    "twice-backward": "lesson=retain_graph&event=9",
}

# Everything drawn in the graph, the explanation and the panels that follow from the trace alone, one thing per line.
DRAWN = """() => {
  const lines = [];
  const clean = text => text.replace(/\\s+/g, ' ').trim();
  const rough = text => (text || '').replace(/-?\\d+\\.?\\d*/g, number => String(Math.round(Number(number))));
  const kinds = ['g.node', 'g.group', 'g.edge', 'g.chip', '.strand'].map(kind => `svg.graph ${kind}`).join();
  for (const node of document.querySelectorAll(kinds)) {
    const kind = node.getAttribute('class').split(' ').filter(word => word && word !== 'lit').join('.');
    const at = rough(node.getAttribute('transform')) || node.getAttribute('data-edge') || '';
    const words = [...node.querySelectorAll('text')].map(text => clean(text.textContent)).join(' | ');
    const cells = [...node.querySelectorAll('rect[data-cell]')].map(cell => cell.getAttribute('class'));
    const heat = [...new Set(cells)].sort().join(' ');
    const paths = kind === 'edge' ? [...node.querySelectorAll('path')].map(path => path.getAttribute('class')).join(' ') : '';
    lines.push([kind, at, words, heat, paths].filter(Boolean).join('  '));
  }
  lines.sort();  // what is drawn over what is the browser's own affair
  for (const part of document.querySelectorAll('.told h2, .told .say, .told .hint-box, .told [role=math]'))
    lines.push('told  ' + (part.getAttribute('aria-label') || clean(part.textContent)));
  for (const part of document.querySelectorAll('aside .lens, aside .ledger, aside .upd, aside .inspector'))
    lines.push('panel  ' + clean(part.innerText));
  lines.push('events  ' + [...document.querySelectorAll('.lane.ev .e')].map(each => clean(each.textContent)).join(' '));
  return lines;
}"""
COLOURS = """() => ['body', '.pane h2', '.phase', '.now', ...['.card', '.name', '.efwd', '.ebwd', '[data-cell]'].map(each => `svg.graph ${each}`)]
  .map(where => [where, document.querySelector(where)]).filter(([, found]) => found)
  .map(([where, found]) => [where, getComputedStyle(found)])
  .map(([where, style]) => `${where}  ${style.color} ${style.backgroundColor} ${style.fill} ${style.stroke}`)"""


def drawn(page):
    """The moment as text; the themes differ in colours and in nothing else."""
    lines = page.evaluate(DRAWN)
    for theme in ("light", "dark"):
        page.evaluate("theme => (document.documentElement.dataset.theme = theme)", theme)
        # a colour on its way is read as it was: end every transition that the change began
        page.evaluate("() => { document.body.offsetTop; document.getAnimations().forEach(each => each.finish()); }")
        lines += [f"{theme}  {line}" for line in page.evaluate(COLOURS)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", MOMENTS)
def test_moment_is_drawn_as_it_was(shared, name, language):
    bench = Workbench.at(shared, f"/?{MOMENTS[name]}&lang={language}&theme=light")
    if "select" not in MOMENTS[name]:
        expect(bench.page.locator("svg.graph g.active, svg.graph g.node").first).to_be_visible()
    expect(bench.page.locator(".told h2")).to_be_visible()
    kept = FOLDER / f"{name}.{language}.txt"
    changed = FOLDER / f"{name}.{language}-changed.txt"
    found = drawn(bench.page)
    if os.environ.get("BACKSTEP_SNAPSHOTS") == "write":
        FOLDER.mkdir(exist_ok=True)
        kept.write_text(found)
        return
    changed.unlink(missing_ok=True)
    if found != kept.read_text():
        changed.write_text(found)
        diff = difflib.unified_diff(kept.read_text().splitlines(), found.splitlines(), "kept", "drawn", lineterm="", n=0)
        pytest.fail("\n".join([*list(diff)[:20], f"… see {changed.name}; `make snapshots` keeps it"]), pytrace=False)
