"""A graph as text that other programs draw (DOT, Mermaid) and as a picture (SVG). Knows graph.py's shape only.

The SVG is laid out here, in layers from left to right: longest path, then a few sweeps of barycentres.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from html import escape
from typing import Any

from app.runs.broadcast import written
from app.runs.graph import Graph

SHOWN = 6  # values of an array written out before an ellipsis


def number(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:.4g}"


def array(value: dict[str, Any] | None) -> str:
    """`3`, `[1, 2, 3]`, `[1, 2, …] 10×10`."""
    if value is None:
        return "None"
    data = value.get("data")
    if data is None:
        return "×".join(map(str, value["shape"])) + " values"
    if not value["shape"]:
        return number(data[0])
    shown = ", ".join(number(one) for one in data[:SHOWN]) + (", …" if len(data) > SHOWN else "")
    size = "×".join(map(str, value["shape"])) if len(value["shape"]) > 1 or len(data) > SHOWN else ""
    return f"[{shown}] {size}".strip()


def words(one: dict[str, Any]) -> list[str]:
    """What stands on a node's card, line by line."""
    if one["kind"] == "constant":
        return [one["label"]]
    title = " = ".join(part for part in (one["name"], one["label"] if one["kind"] == "op" else "") if part)
    said = [title or one["label"] or f"tensor {one['id']}", array(one["value"])]
    if one["requires_grad"]:
        said.append(f"grad {array(one['grad'])}")
    return said


def stretched(one: dict[str, Any]) -> str:
    """`(3,) → (3, 3)` on an edge that broadcasts."""
    if not one["broadcast"]:
        return ""
    source, target = one["broadcast"]["source"], one["broadcast"]["target"]
    return f"{written(source)} → {written(target)}"


# -- text for other programs


def dot(graph: Graph) -> str:
    """Graphviz."""

    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'

    lines = ["digraph backstep {", "  rankdir=LR;", '  node [fontname="monospace", shape=box, style=rounded];']
    for one in graph["nodes"]:
        shape = {"op": "box", "leaf": "box", "constant": "plaintext"}[one["kind"]]
        style = ', style="rounded,bold"' if one["kind"] == "leaf" and one["requires_grad"] else ""
        lines.append(f"  n{_id(one['id'])} [label={quoted(chr(10).join(words(one)))}, shape={shape}{style}];")
    for one in graph["edges"]:
        text = stretched(one)
        more = f" [label={quoted(text)}, style=dashed]" if text else ""
        lines.append(f"  n{_id(one['from'])} -> n{_id(one['to'])}{more};")
    return "\n".join([*lines, "}"]) + "\n"


def mermaid(graph: Graph) -> str:
    """A flowchart, as GitHub draws it in Markdown."""

    def quoted(text: str) -> str:
        safe = text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")
        return '"' + safe.replace("\n", "<br/>") + '"'

    lines = ["flowchart LR"]
    for one in graph["nodes"]:
        left, right = {"op": ("[", "]"), "leaf": ("([", "])"), "constant": ("((", "))")}[one["kind"]]
        lines.append(f"  n{_id(one['id'])}{left}{quoted(chr(10).join(words(one)))}{right}")
    for one in graph["edges"]:
        text = stretched(one)
        arrow = f"-. {quoted(text)} .->" if text else "-->"
        lines.append(f"  n{_id(one['from'])} {arrow} n{_id(one['to'])}")
    return "\n".join(lines) + "\n"


def _id(number: int) -> str:
    return str(number) if number >= 0 else f"c{-number}"


# -- a picture

CHAR, LINE, PAD, GAP_X, GAP_Y = 7.3, 17, 10, 64, 22


def layers(graph: Graph) -> list[list[int]]:
    """Ids by column: an op right of all its inputs, an input directly left of who reads it first."""
    into, out = defaultdict(list), defaultdict(list)
    for one in graph["edges"]:
        into[one["to"]].append(one["from"])
        out[one["from"]].append(one["to"])
    depth: dict[int, int] = {}
    waiting = {one["id"]: len(into[one["id"]]) for one in graph["nodes"]}
    ready = [key for key, count in waiting.items() if not count]
    while ready:
        key = ready.pop()
        depth[key] = max((depth[source] + 1 for source in into[key]), default=0)
        for target in out[key]:
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    for key in depth:
        if not into[key] and out[key]:
            depth[key] = min(depth[target] for target in out[key] if target in depth) - 1
    columns: list[list[int]] = [[] for _ in range(max(depth.values(), default=-1) + 1)]
    for one in graph["nodes"]:
        if one["id"] in depth:
            columns[depth[one["id"]]].append(one["id"])
    place = {key: float(row) for column in columns for row, key in enumerate(column)}
    for sweep in range(4):
        near = into if sweep % 2 == 0 else out
        for column in columns if sweep % 2 == 0 else reversed(columns):
            column.sort(key=_barycentre(near, place))
            place.update({key: float(row) for row, key in enumerate(column)})
    return columns


def _barycentre(near: dict[int, list[int]], place: dict[int, float]) -> Callable[[int], float]:
    def of(key: int) -> float:
        around = [place[other] for other in near[key] if other in place]
        return sum(around) / len(around) if around else place[key]

    return of


STYLE = (
    "text{font:13px ui-monospace,monospace;fill:#1c1d21}.t{font-weight:600}.g{fill:#6d28d9}.b{fill:#92400e}"
    "rect{fill:#fff;stroke:#9a9ca5}.leaf rect{fill:#f3f4f6}.param rect{stroke:#6d28d9;stroke-width:1.5}"
    "path{fill:none;stroke:#9a9ca5;stroke-width:1.3}path.s{stroke-dasharray:5 4;stroke:#b45309}"
)


def svg(graph: Graph) -> str:
    cards = {one["id"]: words(one) for one in graph["nodes"]}
    known = {one["id"]: one for one in graph["nodes"]}
    columns = layers(graph)
    size: dict[int, tuple[float, float]] = {
        key: (max(map(len, said)) * CHAR + 2 * PAD, float(len(said) * LINE + PAD)) for key, said in cards.items()
    }
    heights = [sum(size[key][1] + GAP_Y for key in column) for column in columns]
    total = max(heights, default=0.0)
    spot: dict[int, tuple[float, float]] = {}
    x = float(GAP_Y)
    for column, height in zip(columns, heights, strict=True):
        y = GAP_Y + (total - height) / 2
        wide = max(size[key][0] for key in column)
        for key in column:
            spot[key] = (x + (wide - size[key][0]) / 2, y)
            y += size[key][1] + GAP_Y
        x += wide + GAP_X
    body = [part for one in graph["edges"] for part in _curve(one, spot, size)]
    body += [_card(known[key], cards[key], spot[key], size[key]) for key in spot]
    width, height = max(x - GAP_X + GAP_Y, 2 * GAP_Y), total + GAP_Y
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img"><style>{STYLE}</style>'
        '<defs><marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8" style="stroke-width:1.6"/></marker></defs>' + "".join(body) + "</svg>\n"
    )


def _curve(
    one: dict[str, Any], spot: dict[int, tuple[float, float]], size: dict[int, tuple[float, float]]
) -> list[str]:
    if one["from"] not in spot or one["to"] not in spot:
        return []
    (x0, y0), (w0, h0) = spot[one["from"]], size[one["from"]]
    (x1, y1), (_, h1) = spot[one["to"]], size[one["to"]]
    x0, y0, y1 = x0 + w0, y0 + h0 / 2, y1 + h1 / 2
    bend = max(24.0, (x1 - x0) / 2)
    text = stretched(one)
    kind = ' class="s"' if text else ""
    path = f"M{x0:.1f} {y0:.1f}C{x0 + bend:.1f} {y0:.1f} {x1 - bend:.1f} {y1:.1f} {x1:.1f} {y1:.1f}"
    parts = [f'<path d="{path}" marker-end="url(#a)"{kind}/>']
    if text:
        middle = f'x="{(x0 + x1) / 2:.1f}" y="{(y0 + y1) / 2 - 6:.1f}" text-anchor="middle"'
        parts.append(f'<text class="b" {middle}>{escape(text)}</text>')
    return parts


def _card(one: dict[str, Any], said: list[str], spot: tuple[float, float], size: tuple[float, float]) -> str:
    (x, y), (w, h) = spot, size
    kind = "param" if one["kind"] == "leaf" and one["requires_grad"] else one["kind"]
    frame = "" if kind == "constant" else f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" rx="6"/>'
    texts = "".join(
        f'<text x="{x + PAD:.1f}" y="{y + LINE * (row + 1) - 1:.1f}"{_tone(row)}>{escape(line)}</text>'
        for row, line in enumerate(said)
    )
    return f'<g class="{kind}">{frame}{texts}</g>'


def _tone(row: int) -> str:
    return ("" if row == 1 else ' class="t"') if row < 2 else ' class="g"'


FORMATS: dict[str, tuple[str, Callable[[Graph], str]]] = {
    "dot": ("text/vnd.graphviz", dot),
    "svg": ("image/svg+xml", svg),
    "mermaid": ("text/vnd.mermaid", mermaid),
}
"""format -> (media type, writer). JSON is the graph itself."""
