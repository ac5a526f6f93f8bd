"""Runs the pinned Node with the arguments given: `node.py --test tests/js`."""

from __future__ import annotations

import subprocess
import sys

from vendor import ROOT, node_commands

if __name__ == "__main__":
    command = node_commands()[0]
    raise SystemExit(subprocess.run([*command, *sys.argv[1:]], cwd=ROOT, check=False).returncode)
