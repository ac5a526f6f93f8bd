"""Pages of text in the reader's language: who chooses it, that it is remembered, that nothing stays in the other one."""

import re
from html.parser import HTMLParser

import httpx
import pytest

from app.errors import PROBLEMS
from app.routes.ops import families
from app.templating import Pages

PAGES = ["/", "/ops", "/ops/mul", "/ops/softmax", "/ops/argmax", "/lessons", "/docs", "/nowhere"]
PAGES += ["/broadcast?shape=2,3&shape=(3,)", "/broadcast?shape=2x3&shape=2", "/broadcast?shape=x&shape=1"]
NAMES = {"Backstep", "API", "OpenAPI", "Softmax", "mul", "softmax", "argmax", "/docs", "{shown} / {all}"}
QUIET = {"code", "pre", "script", "style"}  # programs, data
VOID = {"meta", "link", "input", "path", "br"}


class Words(HTMLParser):
    """What a page says outside of programs, formulas and what is marked as English; also labels and placeholders."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self.open: list[bool] = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        told = dict(attributes)
        if tag not in VOID:
            self.open.append(
                tag in QUIET or told.get("lang") == "en" or "data-tex" in told or told.get("class") == "verb"
            )
        self.said += [told[name] for name in ("placeholder", "aria-label", "title", "data-some") if name in told]

    def handle_startendtag(self, tag, attributes):
        pass  # pieces of drawings

    def handle_endtag(self, tag):
        self.open.pop()

    def handle_data(self, text):
        if not any(self.open):
            self.said.append(text.strip().removesuffix(" · Backstep"))


def ask(served, address, **headers):
    return httpx.get(served.url + address, headers={"accept": "text/html", **headers})


@pytest.mark.parametrize(
    ("address", "headers", "language"),
    [
        ("/ops", {}, "en"),
        ("/ops?lang=zh", {}, "zh-CN"),
        ("/ops?lang=en", {"cookie": "backstep_lang=zh", "accept-language": "zh"}, "en"),
        ("/ops?lang=fr", {"cookie": "backstep_lang=zh"}, "zh-CN"),
        ("/ops", {"cookie": "backstep_lang=zh", "accept-language": "en-GB"}, "zh-CN"),
        ("/ops", {"cookie": "backstep_lang=<x>", "accept-language": "zh"}, "zh-CN"),
        ("/", {"accept-language": "zh-TW,zh;q=0.9,en;q=0.8"}, "zh-CN"),
        ("/", {"accept-language": "fr, en;q=0.4, zh-CN;q=0.7"}, "zh-CN"),
        ("/", {"accept-language": "en-US,en;q=0.9,zh;q=0.8"}, "en"),
        ("/", {"accept-language": "zh;q=0, *"}, "en"),
        ("/", {"accept-language": ";;q=,zz,"}, "en"),
    ],
)
def test_the_address_chooses_then_the_cookie_then_the_browser(served, address, headers, language):
    told = ask(served, address, **headers)
    assert f'<html lang="{language}">' in told.text
    assert told.headers["content-language"] == language
    assert {"accept-language", "cookie"} <= set(told.headers["vary"].lower().split(", "))


def test_a_language_in_the_address_is_remembered_and_a_guess_is_not(served):
    with httpx.Client(base_url=served.url, headers={"accept-language": "en"}) as reader:
        assert '<html lang="en">' in reader.get("/lessons").text
        assert "backstep_lang" not in reader.cookies
        cookie = next(one for one in reader.get("/lessons?lang=zh").headers.get_list("set-cookie") if "lang" in one)
        assert "HttpOnly" not in cookie and "SameSite=lax" in cookie and "Max-Age=31536000" in cookie
        for address in ("/lessons", "/ops", "/"):
            assert '<html lang="zh-CN">' in reader.get(address).text
        assert "set-cookie" not in reader.get("/ops").headers
        reader.get("/?lang=en")
        assert '<html lang="en">' in reader.get("/ops").text


def test_the_switch_leads_to_the_same_page_in_the_other_language_and_gives_no_token_away(served):
    told = ask(served, "/broadcast?shape=2,3&shape=3&lang=zh").text
    assert 'class="switch" href="?shape=2%2C3&amp;shape=3&amp;lang=en"' in told and ">EN</a>" in told
    told = ask(served, "/ops?token=secret").text
    assert 'href="?lang=zh"' in told and ">中文</a>" in told and "secret" not in told


@pytest.mark.parametrize("address", PAGES)
def test_nothing_on_a_chinese_page_stays_english_by_mistake(served, address):
    said = Words(ask(served, address, cookie="backstep_lang=zh").text).said
    assert [
        one
        for one in said
        if re.search("[A-Za-z]{3}", one) and not re.search("[\u3000-\u9fff\uff00-\uffef]", one) and one not in NAMES
    ] == []
    assert sum(bool(re.search("[\u3000-\u9fff\uff00-\uffef]", one)) for one in said) > (0 if address == "/" else 6)


def test_an_operation_s_own_description_is_marked_as_english(served):
    assert '<p lang="en">' in ask(served, "/ops/mul", cookie="backstep_lang=zh").text


def test_lessons_have_their_chinese_titles(served):
    title = served.client.get("/api/v1/lessons/one_weight?lang=zh").json()["title"]
    assert f'<a href="/?lesson=one_weight">{title}</a>' in ask(served, "/lessons", cookie="backstep_lang=zh").text


def test_the_texts_cover_every_family_and_every_problem():
    for texts in Pages().texts.values():
        assert {f"family.{family}" for family, _ in families()} <= set(texts)
        assert {f"problem.{slug}" for slug in PROBLEMS} <= set(texts)
    english = Pages().texts["en"]
    assert {slug: english[f"problem.{slug}"] for slug in PROBLEMS} == {
        slug: title for slug, (_, title) in PROBLEMS.items()
    }


def test_every_text_that_a_template_asks_for_is_there_and_none_is_left_over():
    pages = Pages()
    folder = pages.root / "templates"
    source = "\n".join(file.read_text() for file in folder.rglob("*.html"))
    quoted = set(re.findall(r"(?<!asset\()'([a-z]+\.[a-z-]+)'", source))
    composed = {key for key in pages.texts["en"] if key.startswith(("family.", "problem."))}
    composed |= {f"broadcast.{rule}" for rule in ("conflict", "missing", "equal", "stretch")}
    assert quoted | composed | {"language"} == set(pages.texts["en"])
