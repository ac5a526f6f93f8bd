"""What to try when a program failed: sentences for the commonest mistakes of those who learn.

torch's own errors bring their hint (`error.hint`); these are for Python's. Pure: an exception and a text in, a
sentence out.
"""

from __future__ import annotations

import builtins
import difflib
import re
from collections.abc import Iterable

from engine.errors import near_miss
from engine.missing import INSTEAD
from engine.tensor import Tensor, offered

WIDE = str.maketrans("，。（）：；“”‘’＝＋－＊／［］｛｝＜＞！　、【】％＠＃＾＿～｜＆", ",.():;\"\"''=+-*/[]{}<>! ,[]%@#^_~|&")
LOOKALIKES = {"\u2212": "-", "\u2013": "-", "\u2014": "-", "\u00d7": "*", "\u00f7": "/", "\u2217": "*", "\u2264": "<=",
              "\u2265": ">=", "\u2260": "!=", "\u00b2": "**2", "\u00b3": "**3", "\u2032": "'", "\u00b7": "*"}  # fmt: skip
"""Signs of printed mathematics, as they come from books and web pages, and what Python writes."""



def typed(character: str) -> str:
    """What a full-width character or a sign of printed mathematics is in Python; "" for others."""
    wide = character.translate(WIDE)
    return LOOKALIKES.get(character) or (wide if wide != character else "")


ABSENT = {
    "torchvision": "torchvision's data sets and models are not here: make small data with torch.randn or torch.tensor",
    "torchaudio": "torchaudio is not here; the engine is torch's core only",
    "matplotlib": "pictures are drawn by the page, the loss curve without being asked: delete the plotting lines",
    "pandas": "there are no files to read here: write the numbers into the program, or use NumPy",
    "sklearn": "make the data with NumPy or torch.randn instead of scikit-learn",
    "scipy": "NumPy is here, SciPy is not",
    "seaborn": "the page draws the curves; delete the plotting lines",
    "tqdm": "loop over the range itself: for epoch in range(100)",
    "tensorflow": "Backstep speaks PyTorch: import torch",
    "keras": "Backstep speaks PyTorch: import torch",
    "jax": "Backstep speaks PyTorch: import torch",
    "cv2": "there are no pictures to read here: make a small tensor",
    "PIL": "there are no pictures to read here: make a small tensor",
    "transformers": "models from the net are not here: build a small one with torch.nn",
    "tensorboard": "the page draws the curves; delete the logging lines",
    "torchsummary": "print(model) shows the layers",
}


def hint(error: BaseException, source: str, names: Iterable[str] = ()) -> str:
    """A sentence, or "". `names` are the variables the program had when it failed."""
    own = getattr(error, "hint", None)
    if isinstance(own, str) and own:
        return own
    if isinstance(error, SyntaxError):
        return _syntax(error, source)
    if isinstance(error, ModuleNotFoundError):
        root, _, rest = (error.name or "").partition(".")
        if root == "torch":
            instead = INSTEAD.get(rest.rpartition(".")[2]) or INSTEAD.get(rest.partition(".")[0])
            return f"torch.{rest} is not supported by Backstep" + (f": {instead}" if instead else "")
        if root in ABSENT:
            return ABSENT[root]
        close = difflib.get_close_matches(root, ["torch", "numpy", "math", "random", "time"], 1, 0.6)
        return f"did you mean {close[0]!r}?" if close else "here are torch, NumPy and Python's own modules"
    if isinstance(error, AttributeError):
        return (near_miss(error.name or "", offered()) or "") if isinstance(error.obj, Tensor) else ""
    if isinstance(error, NameError):
        return _name(error, source, list(names))
    if isinstance(error, RecursionError):
        return "a function calls itself without end: what makes it stop?"
    if isinstance(error, MemoryError):
        return "the tensors are too large for one run: use smaller sizes or fewer of them at a time"
    if isinstance(error, EOFError) or (isinstance(error, OSError) and "input" in str(error)):
        return "there is no keyboard here: write the value into the program instead of input()"
    if isinstance(error, FileNotFoundError):
        return "a program cannot read files here: write the numbers into it, or make them with torch.randn"
    if isinstance(error, PermissionError):
        return "a program can compute here, not touch files, processes or the network"
    if isinstance(error, KeyboardInterrupt):
        return "the run was stopped"
    return ""


def _name(error: NameError, source: str, names: list[str]) -> str:
    name = error.name or ""
    known = {"np": "import numpy as np", "nn": "import torch.nn as nn", "F": "import torch.nn.functional as F",
             "optim": "import torch.optim as optim", "plt": "leave the plotting lines away; the page draws the curves",
             "torch": "import torch", "math": "import math", "random": "import random", "time": "import time",
             "Variable": "from torch.autograd import Variable", "DataLoader": "from torch.utils.data import DataLoader",
             "Dataset": "from torch.utils.data import Dataset"}  # fmt: skip
    if name in known:
        return f"add a line at the top: {known[name]}" if name != "plt" else known[name]
    if name == "__file__":
        return "a program here is no file; it has no path"
    candidates = [n for n in names if not n.startswith("__")]
    close = difflib.get_close_matches(name, candidates, 2, 0.6)
    close = close or difflib.get_close_matches(name, dir(builtins), 1, 0.75)
    if close:
        return f"did you mean {' or '.join(repr(c) for c in close)}?"
    if re.search(rf"^\s*{re.escape(name)}\s*=", source, re.M):
        return f"{name!r} is given a value in the program, but not before this line runs"
    return f"nothing is called {name!r} yet: give it a value first, or check the spelling"


def _syntax(error: SyntaxError, source: str) -> str:
    lines = source.split("\n")
    line = lines[error.lineno - 1] if error.lineno and 0 < error.lineno <= len(lines) else ""
    message = error.msg or ""
    wide = [c for c in line if c not in LOOKALIKES and typed(c)]
    found = re.search(r"invalid (?:character '(.)'|non-printable character U\+([0-9A-F]+))", message)
    if found and found[2]:
        what = "a space" if chr(int(found[2], 16)).isspace() else "a mark"
        return f"{what} that cannot be seen was copied along with this line: type the line anew"
    if found and found[1] in LOOKALIKES:
        return f"{found[1]!r} is no sign of Python: type {LOOKALIKES[found[1]]} instead"
    if wide and ("invalid character" in message or "invalid non-printable" in message or "EOL" in message
                 or "unterminated" in message or "invalid syntax" in message):  # fmt: skip
        return f"{wide[0]!r} is a full-width character: type {typed(wide[0])!r} instead"
    if "Missing parentheses in call to 'print'" in message:
        return "in Python 3 print is a function: " + re.sub(r"^print\s+(.*)$", r"print(\1)", line.strip())
    if isinstance(error, TabError) or "inconsistent use of tabs" in message:
        return "this line is indented with tabs and others with spaces: use four spaces everywhere"
    if isinstance(error, IndentationError):
        if "expected an indented block" in message:
            return "the line after a colon must be indented, by four spaces"
        if "unexpected indent" in message:
            return "this line begins further right than the one above: remove the spaces"
        return "lines of one block must begin in the same column"
    if "expected ':'" in message:
        return "for, if, while, def and class lines end with a colon"
    if "was never closed" in message:
        return "a bracket is opened here and not closed"
    if "unterminated string" in message:
        return "the text begins with a quotation mark and has none at its end"
    if "cannot assign to" in message or "Maybe you meant '=='" in message:
        return "= gives a value to a name; == compares"
    if line.lstrip().startswith((">>>", "$", "In [")):
        return "copy the program without the prompt at the beginning of its lines"
    if line.lstrip().startswith(("```", "~~~")):
        return "this line marks where a program begins or ends on a web page: delete it"
    if line.lstrip().startswith(("%", "!")):
        return "lines that begin with % or ! belong to notebooks: delete them"
    return ""
