"""State(t): what the page shows after the first t events. A fold over events; its twin is `static/js/model/reduce.js`.

It knows no engine, no file and no network, and it never looks ahead. The two reducers are held together by
golden traces: `python -m engine.trace states trace.jsonl` prints the states that the JS tests compare with.

The JSON form of State, which both sides produce to the letter (keys of `tensors`, `ops`, `scopes`, `lines` are
strings, as JSON wants; an Array is what events.py calls one):

    {
      "seq":    -1 before the first event, else the seq of the last one folded in,
      "kind":   its kind, "" before the first,
      "step":   index of the step being shown (see Note [Steps]),
      "closed": true from a window's `step` event until the next event,
      "phase":  "start" | "forward" | "backward" | "update" | "failed" | "ended",
      "at":     [line, column, end line, end column] | null      of the last event that had one,
      "via":    [line, ...]                                       of the same event,
      "tensors": {"4": {
          "id": 4, "name": "w", "role": "parameter",              role of its `leaf`; "result" when an op made it
          "shape": [3], "dtype": "float32", "value": Array,
          "requires_grad": true,
          "op": null,                                             key of the op that made it, null for a leaf
          "grad": Array | null,                                   .grad, as the program sees it (leaves)
          "flow": Array | null,                                   ∂root/∂tensor, complete, of the last backward
          "incoming": [{"node": 11, "index": 0, "result": Array}],   what arrived in the last backward so far
          "updates": 0,                                           times changed in place in this window
          "stale": false                                          an op in place has replaced it
      }},
      "ops": {"10": {                                             key: number of its first output
          "id": 10, "op": "mul", "node": 11 | null, "grad_fn": "MulBackward0" | null,
          "inputs": [{"name", "tensor", "const", "broadcast"}],   all four keys always, null when absent
          "outputs": [10],
          "params": {}, "scope": "", "saved": [{"name", "tensor"}], "view_of": null, "inplace": false,
          "at": [...] | null, "via": [...],
          "status": "plain" | "idle" | "ready" | "done",          plain: it has no node
          "freed": false,                                         its saved tensors were released
          "grad": Array | null,                                   its complete incoming gradient, once ready
          "sent": [{"index", "tensor", "to", "local", "product", "axes", "result"}]   all keys always
      }},
      "nodes":   {"11": 10},                                      node -> key of its op
      "order":   [10, ...],                                       keys of ops as they ran
      "scopes":  {"net.0": {"path": "net.0", "type": "Linear", "open": false, "ops": [10], "tensor": 14 | null}},
      "stack":   ["net", "net.0"],                                module scopes entered and not left
      "lines":   {"8": 10},                                       line -> the tensor it produced last
      "root":    null | 18,                                       what the last backward started from
      "updates": [{"tensor", "before", "after", "optimizer", "terms", "at"}],   of this window, in order
      "output":  [{"text", "stream"}],                            all prints so far, over all steps
      "figures": [{"format", "data"}],
      "notes":   [{"text", "topic"}],
      "steps":   0,                                               `step` events so far
      "brief":   null | {the last `step` event without seq, at, via},
      "fail":    null | {the `fail` event without seq},
      "end":     null | {the `end` event without seq, at, via}
    }

Note [Steps]. `begin` sets `step` to the first number of `detail`, or 0. A `step` event with index k sets it to
k and closes the window; the next event, whatever it is except `fail` and `end`, empties everything that
belongs to a window (tensors, ops, nodes, order, scopes, stack, lines, root, updates), puts the phase back to
"start" and sets `step` to k + 1, or, when `detail` is not empty, to the next number in it. `output`, `figures`,
`notes`, `steps` and `brief` go on.

Note [Transitions], kind by kind. Every event sets seq and kind, and at and via when it has a position.

    begin       as above; source and the rest belong to the timeline, not to State
    leaf        tensors[tensor] = the leaf; phase "start" -> "forward"; lines[at.line] = tensor
    bind        tensors[tensor].name = name; lines[at.line] = tensor
    enter       scopes[scope] (made once, `open` true, type), pushed on the stack; phase "start" -> "forward"
    exit        scopes[scope].open = false, .tensor = tensor; popped off the stack with all above it;
                lines[at.line] = tensor unless null
    forward     ops[key], nodes[node], order; each output -> tensors (role "result", its name is "" or, when
                in place, that of its first input, which becomes stale); scopes[s].ops gets the key for the
                scope and every enclosing one that exists; lines[at.line] = first output;
                phase -> "forward" unless it is "backward" or "update" and the op has no node
    seed        phase "backward"; root; unless the event before was a seed too (several roots of one pass): all
                flow = null, incoming = [], grad of ops = null, sent = [], status done or ready -> idle; then flow of
                the root = grad
    ready       op.status "ready", op.grad = grad; flow of `tensor` (if any) = grad; phase "backward";
                without `tensor`, of a node with several outputs: grad is theirs in a row, the flow of each output
                that requires grad its piece of grad.data; null when grad did not travel as `data`
    contribute  op.sent gets it; tensors[tensor].incoming gets {node, index, result} (if tensor is not null)
                op.status "done"
    accumulate  tensors[tensor].grad = after, flow = delta
    release     op.freed = true and status -> "done" for each node known
    zero        tensors[t].grad = null, or (to "zero") an Array of the tensor's shape and dtype: `data` all 0 up
                to INLINE_LIMIT values, else preview [0] with stats of zeros; phase "update" unless "start"
    update      tensors[tensor].value = after, .updates += 1; updates gets it; phase "update";
                lines[at.line] = tensor
    print       output gets it
    figure, note  likewise
    step        steps += 1; brief; step; closed
    fail        fail; phase "failed"
    end         end; phase "ended" unless it is "failed"

Numbers that an event names and the window has not introduced are ignored, never an error: a trace may be cut.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import msgspec

from engine.trace.events import INLINE_LIMIT, AnyEvent, Array, Event

State = dict[str, Any]
"""The JSON form above, as Python objects. Plain dicts: it is compared with JavaScript's, byte for byte."""


def start() -> State:
    """State(0), before any event."""
    return {
        "seq": -1, "kind": "", "step": 0, "closed": False, "phase": "start", "at": None, "via": [],
        "tensors": {}, "ops": {}, "nodes": {}, "order": [], "scopes": {}, "stack": [], "lines": {},
        "root": None, "updates": [],
        "output": [], "figures": [], "notes": [], "steps": 0, "brief": None, "fail": None, "end": None,
    }  # fmt: skip


def _plain(value: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value))


def _zeros(shape: list[int], dtype: str) -> dict[str, Any]:
    count = 1
    for size in shape:
        count *= size
    zero: int | float | bool = 0
    if count <= INLINE_LIMIT:
        return {"shape": shape, "dtype": dtype, "data": [zero] * count}
    stats = {"min": zero, "max": zero, "mean": zero, "std": zero, "norm": zero, "zeros": count}
    return {"shape": shape, "dtype": dtype, "preview": [zero], "stats": stats}


class Replay:
    """Folds events one by one; `state` is State after the last one. `detail` is what `begin` asked for."""

    def __init__(self) -> None:
        self.state = start()
        self._before = ""
        self.detail: list[int] = []

    def fold(self, event: Event | dict[str, Any]) -> State:
        """Take one event (a struct, or its JSON object) into the state, which is changed in place."""
        e: dict[str, Any] = event if isinstance(event, dict) else _plain(event)
        kind = e["kind"]
        s = self.state
        if s["closed"] and kind not in ("fail", "end"):
            self._reopen()
        s["seq"] = e.get("seq", -1)
        self._before, s["kind"] = s["kind"], kind
        if e.get("at") is not None:
            s["at"] = list(e["at"])
            s["via"] = list(e.get("via", ()))
        getattr(self, "_" + kind)(s, e)
        return s

    def _reopen(self) -> None:
        s = self.state
        done = s["step"]
        for key, empty in (("tensors", {}), ("ops", {}), ("nodes", {}), ("order", []), ("scopes", {})):
            s[key] = empty
        s.update(stack=[], lines={}, root=None, updates=[], phase="start", closed=False)
        s["step"] = next((k for k in self.detail if k > done), done + 1) if self.detail else done + 1

    def _begin(self, s: State, e: dict[str, Any]) -> None:
        self.detail = sorted(e.get("detail", ()))
        s["step"] = self.detail[0] if self.detail else 0

    def _seen(self, s: State, e: dict[str, Any], tensor: int | None) -> None:
        """The line that caused `e` produced `tensor`: its value is shown beside that line."""
        if tensor is not None and e.get("at") is not None:
            s["lines"][str(e["at"][0])] = tensor

    def _forwards(self, s: State) -> None:
        if s["phase"] == "start":
            s["phase"] = "forward"

    def _leaf(self, s: State, e: dict[str, Any]) -> None:
        value = e["value"]
        s["tensors"][str(e["tensor"])] = _tensor(
            e["tensor"], e.get("name", ""), e.get("role", "input"), value, e.get("requires_grad", False), e.get("grad")
        )
        self._forwards(s)
        self._seen(s, e, e["tensor"])

    def _bind(self, s: State, e: dict[str, Any]) -> None:
        tensor = s["tensors"].get(str(e["tensor"]))
        if tensor is not None:
            tensor["name"] = e["name"]
            self._seen(s, e, e["tensor"])

    def _enter(self, s: State, e: dict[str, Any]) -> None:
        path = e["scope"]
        scope = s["scopes"].setdefault(
            path, {"path": path, "type": e["type"], "open": True, "ops": [], "tensor": None}
        )
        scope["open"] = True
        scope["type"] = e["type"]
        s["stack"].append(path)
        self._forwards(s)

    def _exit(self, s: State, e: dict[str, Any]) -> None:
        path = e["scope"]
        scope = s["scopes"].get(path)
        if scope is not None:
            scope["open"] = False
            scope["tensor"] = e.get("tensor")
        if path in s["stack"]:
            del s["stack"][s["stack"].index(path) :]
        self._seen(s, e, e.get("tensor"))

    def _forward(self, s: State, e: dict[str, Any]) -> None:
        outputs = e["outputs"]
        if not outputs:
            return
        key = outputs[0]["tensor"]
        node = e.get("node")
        inputs = [
            {
                "name": i["name"], "tensor": i.get("tensor"), "const": i.get("const"),
                "broadcast": i.get("broadcast"),
            }
            for i in e["inputs"]
        ]  # fmt: skip
        s["ops"][str(key)] = {
            "id": key, "op": e["op"], "node": node, "grad_fn": e.get("grad_fn"), "inputs": inputs,
            "outputs": [o["tensor"] for o in outputs], "params": e.get("params", {}), "scope": e.get("scope", ""),
            "saved": list(e.get("saved", ())), "view_of": e.get("view_of"), "inplace": e.get("inplace", False),
            "at": e.get("at"), "via": list(e.get("via", ())), "status": "plain" if node is None else "idle",
            "freed": False, "grad": None, "sent": [],
        }  # fmt: skip
        s["order"].append(key)
        if node is not None:
            s["nodes"][str(node)] = key
        name = ""
        if e.get("inplace") and inputs and inputs[0]["tensor"] is not None:
            old = s["tensors"].get(str(inputs[0]["tensor"]))
            if old is not None and old["id"] != key:
                old["stale"] = True
                name = old["name"]
        for o in outputs:
            tensor = _tensor(o["tensor"], name, "result", o["value"], o.get("requires_grad", False), None)
            tensor["op"] = key
            s["tensors"][str(o["tensor"])] = tensor
        path = e.get("scope", "")
        while path:
            if path in s["scopes"]:
                s["scopes"][path]["ops"].append(key)
            path = path.rpartition(".")[0]
        self._seen(s, e, key)
        if node is not None or s["phase"] not in ("backward", "update"):
            s["phase"] = "forward"

    def _seed(self, s: State, e: dict[str, Any]) -> None:
        s["phase"] = "backward"
        s["root"] = e["root"]
        if self._before != "seed":  # several roots of one pass are seeded one after the other
            for tensor in s["tensors"].values():
                tensor["flow"] = None
                tensor["incoming"] = []
            for op in s["ops"].values():
                op["grad"] = None
                op["sent"] = []
                if op["status"] != "plain":
                    op["status"] = "idle"
        root = s["tensors"].get(str(e["root"]))
        if root is not None:
            root["flow"] = e["grad"]

    def _op(self, s: State, node: int) -> dict[str, Any] | None:
        op: dict[str, Any] | None = s["ops"].get(str(s["nodes"].get(str(node))))
        return op

    def _ready(self, s: State, e: dict[str, Any]) -> None:
        s["phase"] = "backward"
        op = self._op(s, e["node"])
        if op is not None:
            op["status"] = "ready"
            op["grad"] = e["grad"]
        tensor = s["tensors"].get(str(e.get("tensor")))
        if tensor is not None:
            tensor["flow"] = e["grad"]
        elif op is not None and len(op["outputs"]) > 1:
            outputs = [s["tensors"][str(n)] for n in op["outputs"] if s["tensors"][str(n)]["requires_grad"]]
            data, start = e["grad"].get("data"), 0
            for output in outputs:
                size = math.prod(output["shape"])
                if data is not None and start + size <= len(data):
                    piece = data[start : start + size]
                    output["flow"] = {"shape": output["shape"], "dtype": e["grad"]["dtype"], "data": piece}
                start += size

    def _contribute(self, s: State, e: dict[str, Any]) -> None:
        op = self._op(s, e["node"])
        if op is not None:
            op["status"] = "done"
            op["sent"].append(
                {
                    "index": e["index"], "tensor": e.get("tensor"), "to": e.get("to"), "local": e.get("local"),
                    "product": e.get("product"), "axes": list(e.get("axes", ())), "result": e["result"],
                }
            )  # fmt: skip
        tensor = s["tensors"].get(str(e.get("tensor")))
        if tensor is not None:
            tensor["incoming"].append({"node": e["node"], "index": e["index"], "result": e["result"]})

    def _accumulate(self, s: State, e: dict[str, Any]) -> None:
        tensor = s["tensors"].get(str(e["tensor"]))
        if tensor is not None:
            tensor["grad"] = e["after"]
            tensor["flow"] = e["delta"]

    def _release(self, s: State, e: dict[str, Any]) -> None:
        for node in e["nodes"]:
            op = self._op(s, node)
            if op is not None:
                op["freed"] = True
                op["status"] = "done"

    def _zero(self, s: State, e: dict[str, Any]) -> None:
        for number in e["tensors"]:
            tensor = s["tensors"].get(str(number))
            if tensor is not None:
                tensor["grad"] = None if e["to"] == "none" else _zeros(tensor["shape"], tensor["dtype"])
        if s["phase"] != "start":
            s["phase"] = "update"

    def _update(self, s: State, e: dict[str, Any]) -> None:
        tensor = s["tensors"].get(str(e["tensor"]))
        if tensor is not None:
            tensor["value"] = e["after"]
            tensor["updates"] += 1
            self._seen(s, e, e["tensor"])
        s["updates"].append(
            {
                "tensor": e["tensor"], "before": e["before"], "after": e["after"], "optimizer": e.get("optimizer"),
                "terms": e.get("terms", {}), "at": e.get("at"),
            }
        )  # fmt: skip
        s["phase"] = "update"

    def _print(self, s: State, e: dict[str, Any]) -> None:
        s["output"].append({"text": e["text"], "stream": e.get("stream", "stdout")})

    def _figure(self, s: State, e: dict[str, Any]) -> None:
        s["figures"].append({"format": e["format"], "data": e["data"]})

    def _probe(self, s: State, e: dict[str, Any]) -> None:
        """An answer about another moment changes nothing of this one."""

    def _note(self, s: State, e: dict[str, Any]) -> None:
        s["notes"].append({"text": e["text"], "topic": e.get("topic", "")})

    def _step(self, s: State, e: dict[str, Any]) -> None:
        s["steps"] += 1
        s["step"] = e["index"]
        s["brief"] = {k: v for k, v in e.items() if k not in ("seq", "at", "via")}
        s["closed"] = True

    def _fail(self, s: State, e: dict[str, Any]) -> None:
        s["fail"] = {k: v for k, v in e.items() if k != "seq"}
        s["phase"] = "failed"

    def _end(self, s: State, e: dict[str, Any]) -> None:
        s["end"] = {k: v for k, v in e.items() if k not in ("seq", "at", "via")}
        if s["phase"] != "failed":
            s["phase"] = "ended"


def _tensor(
    number: int, name: str, role: str, value: dict[str, Any], requires_grad: bool, grad: dict[str, Any] | None
) -> dict[str, Any]:
    return {
        "id": number, "name": name, "role": role, "shape": list(value["shape"]), "dtype": value["dtype"],
        "value": value, "requires_grad": requires_grad, "op": None, "grad": grad, "flow": None, "incoming": [],
        "updates": 0, "stale": False,
    }  # fmt: skip


def replay(events: Iterable[AnyEvent | dict[str, Any]], t: int | None = None) -> State:
    """State after the first `t` events (all when None)."""
    fold = Replay()
    for n, event in enumerate(events):
        if t is not None and n >= t:
            break
        fold.fold(event)
    return fold.state


__all__ = ["Array", "Replay", "State", "replay", "start"]
