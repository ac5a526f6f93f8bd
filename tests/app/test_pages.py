"""Pages: they render, nothing in them is inline script, and what they load comes from here."""

import base64
import hashlib
import re

import httpx
import pytest

from engine.catalog import catalog

ADDRESSES = [
    "/",
    "/ops",
    "/ops/mul",
    "/docs",
    "/lessons",
    "/broadcast",
    "/broadcast?shape=3&shape=4",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_page_renders_under_a_strict_policy(served, address):
    told = served.client.get(address)
    assert told.status_code == 200 and told.headers["content-type"].startswith("text/html")
    policy = told.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'self' 'sha256-" in policy
    assert "'unsafe-eval'" not in policy and "'unsafe-inline'" not in policy.split("style-src")[0]


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_only_inline_scripts_are_data_and_the_import_map_that_the_policy_names(served, address):
    told = served.client.get(address)
    for attributes, body in re.findall(r"<script([^>]*)>(.*?)</script>", told.text, re.S):
        if "importmap" in attributes:
            digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in told.headers["content-security-policy"]
        elif "application/json" not in attributes:
            assert "src=" in attributes and not body
    assert not re.search(r"\son\w+=", told.text)


@pytest.mark.parametrize("address", ADDRESSES)
def test_whatever_a_page_loads_is_served_from_here(served, address):
    text = served.client.get(address).text
    for url in re.findall(r'<(?:script|link|img)[^>]*?(?:src|href)="([^"]+)"', text):
        assert url.startswith("/static/"), url


def test_an_unknown_page_is_told_as_a_page_to_browsers_and_as_a_problem_to_programs(served):
    page = served.client.get("/nowhere", headers={"accept": "text/html"})
    assert page.status_code == 404 and "<h1>" in page.text
    assert served.client.get("/nowhere").headers["content-type"] == "application/problem+json"


def test_an_unknown_operation_suggests_a_near_one(served):
    told = served.client.get("/api/v1/ops/sigmiod")
    assert told.status_code == 404 and "sigmoid" in told.json()["hint"]


def test_the_catalogue_is_that_of_the_engine(served):
    told = served.client.get("/api/v1/ops").json()["ops"]
    assert [one["name"] for one in told] == list(catalog())
    assert served.client.get("/api/v1/ops/mul").json() == catalog()["mul"]


def test_the_page_of_broadcasting_works_without_a_script(served):
    fits = served.client.get("/broadcast?shape=2,3&shape=(3,)").text
    assert "(2, 3)" in fits and "summed over axis 0" in fits
    fails = served.client.get("/broadcast?shape=2x3&shape=[2]").text
    assert "The size of tensor a (3) must match the size of tensor b (2)" in fails and "b.unsqueeze(1)" in fails


@pytest.mark.parametrize("shape", ["x", "-1", "1.5", "1,,2", "9" * 30, "<script>", "1 2"])
def test_what_is_no_shape_is_a_sentence_on_the_page(served, shape):
    told = served.client.get("/broadcast", params={"shape": [shape, "3"]})
    assert told.status_code == 200 and "whole numbers" in told.text and "<script>x" not in told.text


def test_a_new_page_gives_its_browser_a_name_that_scripts_cannot_read(served):
    cookie = httpx.get(served.url).headers["set-cookie"]
    assert re.match(r"backstep=[0-9a-f]{32}; HttpOnly; Path=/; SameSite=strict", cookie)


def test_static_files_are_compressed_and_can_be_revalidated(served):
    told = served.client.get("/static/css/base.css", headers={"accept-encoding": "gzip"})
    assert told.headers["content-encoding"] == "gzip" and told.headers["cache-control"] == "no-cache"
    again = served.client.get("/static/css/base.css", headers={"if-none-match": told.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("path", ["/static/../app/main.py", "/static/%2e%2e/app/main.py", "/static/..%2fapp/main.py"])
def test_static_serves_nothing_above_its_folder(served, path):
    with served.raw() as sock:
        sock.sendall(f"GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode())
        assert b" 404 " in sock.recv(4096).split(b"\r\n")[0]


def test_an_installed_copy_serves_its_files_under_an_address_that_names_them(tmp_path, monkeypatch):
    import shutil

    from app import templating
    from tests.app.conftest import serving

    shutil.copytree(templating.HERE.parent / "templates", tmp_path / "_web" / "templates")
    (tmp_path / "_web" / "static" / "css").mkdir(parents=True)
    (tmp_path / "_web" / "static" / "css" / "base.css").write_text("body {}")
    monkeypatch.setattr(templating, "HERE", tmp_path)
    with serving() as served:
        address = re.search(r'href="(/static/[0-9a-f]{16}/css/base.css)"', served.client.get("/").text)[1]
        told = served.client.get(address)
    assert told.text == "body {}" and "immutable" in told.headers["cache-control"]


def test_a_page_says_when_there_is_no_sandbox(serve):
    from app.runs.runner import Health, InProcessRunner

    class Unboxed(InProcessRunner):
        async def health(self):
            return Health(ready=True, slots=1, busy=0, queued=0, box={"warning": "No sandbox: be careful"})

    assert "No sandbox: be careful" in serve(runner=Unboxed()).client.get("/").text


def test_the_api_describes_how_it_refuses(served):
    paths = served.client.get("/api/v1/openapi.json").json()["paths"]
    for path, methods in paths.items():
        for told in methods.values():
            assert "4XX" in told["responses"] and "422" not in told["responses"], path
