"""The documents say what is true: links lead somewhere, targets exist, everything public is mentioned, examples run."""

from __future__ import annotations

import doctest
import json
import re
import shlex
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]


def text_of(name):
    return (ROOT / name).read_text()


def blocks(name, language):
    """The fenced blocks of a language in a page."""
    return re.findall(rf"^```{language}\n(.*?)^```", text_of(name), re.M | re.S)


def anchors(text):
    """The addresses that headings get on a code host."""
    titles = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name):
    prose = re.sub(r"^```.*?^```", "", text_of(name), flags=re.M | re.S)
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / name).parent / path if path else ROOT / name
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file.read_text())):
            broken.append(target)
    assert not broken


@pytest.mark.parametrize("name", NAMES)
def test_make_targets_named_in_a_page_exist(name):
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.M))
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", text_of(name), re.M))
    assert named <= targets


def test_help_lists_every_target():
    makefile = text_of("Makefile")
    phony = set(re.search(r"^\.PHONY:((?:.*\\\n)*.*)$", makefile, re.M)[1].replace("\\\n", " ").split())
    assert phony == set(re.findall(r"^([a-z-]+):.*## \S", makefile, re.M))


def curls(name):
    """The curl commands in a page's shell blocks, continued lines joined."""
    for block in blocks(name, "sh"):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            if words and words[0] == "curl" and "$" not in line and "{id}" not in line:
                yield words


def request_of(words):
    """What a curl command of the documents asks for; only the options that they use are known."""
    address, headers, body, method = "", {}, None, None
    rest = iter(words[1:])
    for word in rest:
        if word in ("-H", "--header"):
            key, _, value = next(rest).partition(":")
            headers[key.strip()] = value.strip()
        elif word in ("-d", "--data", "--data-binary"):
            data = next(rest)
            body = (ROOT / data[1:]).read_bytes() if data.startswith("@") else data.encode()
        elif word in ("-X", "--request"):
            method = next(rest)
        elif not word.startswith("-"):
            address = word
    return address, headers, body, method


def all_curls():
    """Those of docs/api.md run in tests/app/test_api_docs.py, which also compares what they answer."""
    names = [name for name in NAMES if name != "docs/api.md"]
    return [pytest.param(words, id=f"{name}-{i}") for name in names for i, words in enumerate(curls(name))]


@pytest.mark.parametrize("words", all_curls())
def test_curl_commands_answer(words, server):
    address, headers, body, method = request_of(words)
    url = re.sub(r"^(http://)?(127\.0\.0\.1|localhost):8000", server, address)
    asked = urllib.request.Request(url, data=body, headers=headers, method=method)
    with urllib.request.urlopen(asked, timeout=30) as answer:
        assert answer.status < 300
        if "json" in answer.headers["content-type"]:
            for line in answer.read().splitlines() if "jsonl" in answer.headers["content-type"] else [answer.read()]:
                json.loads(line)


@pytest.mark.parametrize("name", NAMES)
def test_quoted_source_is_in_its_file(name):
    """A block under a comment that names a file stands in that file, word for word."""
    quoted = re.findall(r"^<!-- ([\w./-]+) -->\n```\w*\n(.*?)^```", text_of(name), re.M | re.S)
    assert [path for path, block in quoted if block not in text_of(path)] == []


@pytest.mark.parametrize("name", [name for name in NAMES if ">>> " in text_of(name)])
def test_python_examples_print_what_is_shown(name):
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    said: list[str] = []
    for number, block in enumerate(blocks(name, "python")):
        if ">>> " in block:
            runner.run(parser.get_doctest(block, {}, f"{name}[{number}]", name, 0), out=said.append)
    assert not said, "".join(said)
