"""A graph as a client gets it, from State (engine/trace/replay.py) or from an expression. Drawn by drawing.py.

node   {"id", "kind": "leaf" | "op" | "constant", "label", "name", "op", "grad_fn", "shape", "dtype", "value",
        "grad", "requires_grad", "at"}
       an op and its result are one node; an op with several results has one node for each; `grad` is
       d root / d node for a result, `.grad` for a leaf; null where there is none (never 0)
edge   {"from", "to", "index", "input", "shape", "broadcast": {"source", "target", "axes"} | null,
        "contribution", "local", "product", "axes"}
       from an input to the op that reads it; the last four describe the way back
"""

from __future__ import annotations

from typing import Any

from engine.catalog import catalog

Graph = dict[str, Any]

SYMBOLS = {
    "add": "+", "sub": "−", "rsub": "−", "mul": "×", "div": "÷", "neg": "−", "mm": "@", "bmm": "@", "mv": "@",
    "dot": "·", "pow_2": "x²", "pow_3": "x³", "pow": "xʸ", "square": "x²", "slice": "[:]",
}  # fmt: skip


def label(op: str) -> str:
    """What stands on the card of an operation: its sign, or its public name (several blocks may serve one function)."""
    entry = catalog().get(op)
    return SYMBOLS.get(op) or (str(entry["public"]) if entry is not None and entry["public"] else op)


def node(id: int, kind: str, **more: Any) -> dict[str, Any]:
    """All members always, so that nobody has to ask whether one is there."""
    base = {
        "id": id, "kind": kind, "label": "", "name": "", "op": None, "grad_fn": None, "shape": [], "dtype": "float32",
        "value": None, "grad": None, "requires_grad": False, "at": None,
    }  # fmt: skip
    return {**base, **more}


def edge(source: int, target: int, index: int, name: str, **more: Any) -> dict[str, Any]:
    base = {
        "from": source, "to": target, "index": index, "input": name, "shape": [], "broadcast": None,
        "contribution": None, "local": None, "product": None, "axes": [],
    }  # fmt: skip
    return {**base, **more}


def graph_of(nodes: list[dict[str, Any]], edges: list[dict[str, Any]], **more: Any) -> Graph:
    """With the overviews that clients ask for most: by name, and what broadcast."""
    named = {one["name"]: one for one in nodes if one["name"]}
    return {
        **more,
        "nodes": nodes,
        "edges": edges,
        "broadcasts": [
            {"edge": k, "from": one["broadcast"]["source"], "to": one["broadcast"]["target"],
             "axes": one["broadcast"]["axes"], "summed": one["axes"]}
            for k, one in enumerate(edges) if one["broadcast"]
        ],
        "values": {name: one["value"] for name, one in named.items()},
        "gradients": {name: one["grad"] for name, one in named.items() if one["requires_grad"]},
    }  # fmt: skip


def from_state(state: dict[str, Any]) -> Graph:
    """The graph of the moment that `state` describes."""
    tensors, ops = state["tensors"], state["ops"]
    nodes, edges = [], []
    constant = -1
    for tensor in tensors.values():
        made = ops.get(str(tensor["op"])) if tensor["op"] is not None else None
        nodes.append(
            node(
                tensor["id"],
                "op" if made else "leaf",
                label=label(made["op"]) if made else tensor["name"],
                name=tensor["name"],
                op=made["op"] if made else None,
                grad_fn=made["grad_fn"] if made else None,
                shape=tensor["shape"],
                dtype=tensor["dtype"],
                value=tensor["value"],
                grad=tensor["flow"] if made else tensor["grad"],
                requires_grad=tensor["requires_grad"],
                at=made["at"] if made else None,
            )
        )
    for key in state["order"]:
        made = ops[str(key)]
        sent = {one["index"]: one for one in made["sent"]}
        for output in made["outputs"]:
            for index, given in enumerate(made["inputs"]):
                back = sent.get(index, {})
                more = {
                    "broadcast": given["broadcast"],
                    "contribution": back.get("result"),
                    "local": back.get("local"),
                    "product": back.get("product"),
                    "axes": back.get("axes", []),
                }
                if given["tensor"] is not None:
                    source = tensors.get(str(given["tensor"]))
                    more["shape"] = source["shape"] if source else []
                    edges.append(edge(given["tensor"], output, index, given["name"], **more))
                elif given["const"] is not None:
                    nodes.append(node(constant, "constant", label=str(given["const"]), value=_scalar(given["const"])))
                    edges.append(edge(constant, output, index, given["name"], **more))
                    constant -= 1
    return graph_of(nodes, edges, seq=state["seq"], step=state["step"], phase=state["phase"], root=state["root"])


def _scalar(value: Any) -> dict[str, Any] | None:
    return None if isinstance(value, str) else {"shape": [], "dtype": "float32", "data": [value]}
