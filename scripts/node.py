"""Runs the pinned Node with the arguments given: `node.py --test tests/js`."""

from __future__ import annotations

import subprocess
import sys

from vendor import ROOT, node_commands

if __name__ == "__main__":
    node, _, _ = node_commands()
    raise SystemExit(subprocess.run([*node, *sys.argv[1:]], cwd=ROOT, check=False).returncode)
