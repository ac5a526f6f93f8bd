"""The programs of the menu: read once from programs/*.py, whose first comment lines say what they are.

# title: One weight, by hand        and so title-zh, about, about-zh, order, level
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "programs"
LINE = re.compile(r"^# ([a-z]+(?:-[a-z]+)?): (.*)$")


@dataclass(frozen=True, slots=True)
class Example:
    """slug: the file's name; code: the program without its head, so that its line 1 is the editor's."""

    slug: str
    order: int
    level: str
    head: dict[str, str]
    code: str

    def told(self, language: str) -> dict[str, object]:
        """In a language, in English where a text is missing."""

        def text(name: str) -> str:
            return self.head.get(f"{name}-{language}") or self.head.get(name, "")

        return {
            "slug": self.slug,
            "title": text("title"),
            "summary": text("about"),
            "level": self.level,
            "order": self.order,
            "code": self.code,
        }


def read(path: Path) -> Example:
    head: dict[str, str] = {}
    lines = path.read_text(encoding="utf-8").split("\n")
    while lines and (match := LINE.match(lines[0])):
        head[match[1]] = match[2].strip()
        del lines[0]
    code = "\n".join(lines).lstrip("\n")
    return Example(path.stem, int(head.get("order", "1000")), head.get("level", ""), head, code)


@cache
def examples() -> dict[str, Example]:
    """By slug, in the order of the menu."""
    found = [read(path) for path in FOLDER.glob("*.py") if path.stem != "__init__"]
    return {one.slug: one for one in sorted(found, key=lambda one: (one.order, one.slug))}
