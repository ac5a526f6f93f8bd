"""Pages: finds templates and static files (checkout or wheel), renders, and knows what a page may load.

Every template gets
    asset(path)     the address of a file in static/, e.g. asset("js/main.js")
    import_map      JSON text for <script type="importmap">; its hash stands in the Content-Security-Policy
    config          JSON text for <script type="application/json" id="config">: api, static, version, …
    version         of Backstep
    t(key, …)       a text of texts/<language>.json; rich(key, …) the same with `code` in it
    html_lang       the page's language; other is the one that the switch leads to
Template text never contains inline scripts or event handlers: the policy refuses them.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import json
import re
import secrets
from functools import cached_property, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateNotFound
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import Response

from app.errors import Problem
from app.security import COOKIE

HERE = Path(__file__).resolve().parent

LANGUAGES = {"en": ("en", "EN"), "zh": ("zh-CN", "中文")}
"""Language -> its tag in HTML and its name on the switch."""
SPOKEN = "backstep_lang"
"""The cookie with the chosen language. Scripts may read it: the workbench's switch sets it too (static/js/app.js)."""
WORD = re.compile(r"\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}")
PREFERRED = re.compile(r"([a-z]+)[^,;]*(?:;\s*q=([01](?:\.\d*)?))?")  # of Accept-Language: a name, its weight
YEAR = 365 * 24 * 3600


def version() -> str:
    try:
        return importlib.metadata.version("backstep")
    except importlib.metadata.PackageNotFoundError:
        return "0+checkout"


def web_root() -> tuple[Path, bool]:
    """(folder with static/ and templates/, whether it came in a wheel and never changes)."""
    packed = HERE / "_web"
    return (packed, True) if packed.is_dir() else (HERE.parent, False)


def _json_for_html(value: object) -> str:
    """JSON that cannot end a script element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def spoken(request: Request) -> str:
    """The reader's language: that of the address, else the one chosen last, else the browser's."""
    for said in (request.query_params.get("lang"), request.cookies.get(SPOKEN)):
        if said in LANGUAGES:
            return said
    wanted: list[tuple[float, str]] = []
    for name, weight in PREFERRED.findall(request.headers.get("accept-language", "").lower()):
        if name in LANGUAGES and float(weight or 1) > 0:
            wanted.append((float(weight or 1), name))
    return max(wanted, key=lambda one: one[0], default=(0.0, "en"))[1]  # the first of equals


def say(texts: dict[str, str], key: str, otherwise: str | None = None, /, **words: object) -> str:
    """As static/js/i18n/i18n.js: `{name}` is replaced, `{n|one|many}` picks after the number n."""

    def filled(match: re.Match[str]) -> str:
        name, one, many = match.groups()
        if one is not None:
            return str(one if words[name] == 1 else many)
        return str(words.get(name, match[0]))

    text = texts[key] if otherwise is None else texts.get(key, otherwise)
    return WORD.sub(filled, text)


def other(request: Request, language: str) -> dict[str, str]:
    """Where the switch leads: the same page in the other language. A token stays out of the address."""
    target = "en" if language == "zh" else "zh"
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in ("lang", "token")]
    html_lang, name = LANGUAGES[target]
    return {"href": "?" + urlencode([*kept, ("lang", target)]), "html_lang": html_lang, "name": name}


def rich(texts: dict[str, str], key: str, /, **words: object) -> Markup:
    """`say` for HTML, with what stands in backticks as code."""
    return Markup(re.sub(r"`([^`]*)`", r"<code>\1</code>", str(escape(say(texts, key, **words)))))


class Pages:
    """The templates of one installation."""

    def __init__(self) -> None:
        self.root, self.packed = web_root()
        self.static = self.root / "static"
        self.version = version()
        self.env = Environment(
            loader=FileSystemLoader(self.root / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=not self.packed,
        )
        self.texts: dict[str, dict[str, str]] = {
            language: json.loads((self.root / "templates" / "texts" / f"{language}.json").read_bytes())
            for language in LANGUAGES
        }
        self.env.globals.update(asset=self.asset, version=self.version, tojson_html=_json_for_html)

    @cached_property
    def prefix(self) -> str:
        """Of all static addresses. In a wheel it names the content, so browsers may keep it."""
        if not self.packed:
            return "/static/"
        digest = hashlib.sha256()
        for file in sorted(self.static.rglob("*")):
            if file.is_file():
                digest.update(file.relative_to(self.static).as_posix().encode() + b"\0" + file.read_bytes())
        return f"/static/{digest.hexdigest()[:16]}/"

    def asset(self, path: str) -> str:
        return self.prefix + path

    @property
    def import_map(self) -> str:
        """Bare names of third-party modules -> addresses, from what scripts/bundle.mjs wrote."""
        manifest = self.static / "vendor" / "manifest.json"
        imports = json.loads(manifest.read_bytes())["imports"] if manifest.exists() else {}
        addresses = {name: self.asset(f"vendor/{file}") for name, file in imports.items()}
        return _json_for_html({"imports": addresses})

    @property
    def script_hash(self) -> str:
        digest = base64.b64encode(hashlib.sha256(self.import_map.encode()).digest()).decode()
        return f"'sha256-{digest}'"

    @property
    def policy(self) -> str:
        """The Content-Security-Policy of pages. Styles may be inline: CodeMirror writes its own."""
        return (
            "default-src 'none'; "
            f"script-src 'self' {self.script_hash}; "
            "style-src 'self' 'unsafe-inline'; "
            "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; worker-src 'self'; "
            "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        )

    def render(self, request: Request, template: str, *, status: int = 200, **context: Any) -> Response:
        config = {
            "api": "/api/v1",
            "static": self.prefix,
            "version": self.version,
            "banner": getattr(request.app.state, "banner", ""),  # what a page has to say as long as it is open
            **context.pop("config", {}),
        }
        language = spoken(request)
        html = self.env.get_template(template).render(
            import_map=self.import_map, config=_json_for_html(config), path=request.url.path,
            t=partial(say, self.texts[language]), rich=partial(rich, self.texts[language]),
            html_lang=LANGUAGES[language][0], other=other(request, language), **context,
        )  # fmt: skip
        headers = {
            "content-security-policy": self.policy,
            "cache-control": "no-cache",
            "content-language": LANGUAGES[language][0],
            "vary": "accept-language, cookie",
        }
        response = Response(html, status, headers, "text/html; charset=utf-8")
        if COOKIE not in request.cookies:
            response.set_cookie(COOKIE, secrets.token_hex(16), httponly=True, samesite="strict")
        if request.query_params.get("lang") == language != request.cookies.get(SPOKEN):
            response.set_cookie(SPOKEN, language, max_age=YEAR, samesite="lax")
        if token := request.query_params.get("token"):  # it was the right one, or we would not be here
            response.set_cookie("backstep_token", token, httponly=True, samesite="strict")
        return response

    def error(self, request: Request, problem: Problem) -> Response:
        try:
            response = self.render(
                request, "error.html", status=problem.status, slug=problem.slug, detail=problem.detail,
                hint=problem.hint, code=problem.status,
            )  # fmt: skip
        except TemplateNotFound:
            return problem.response()
        response.headers.update(problem.headers())
        return response
