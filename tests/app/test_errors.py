"""app/errors.py: whatever a newcomer sends, the answer says what happened and what to try, in one shape."""

import pytest

RUNS = "/api/v1/runs"
JSON = {"content-type": "application/json"}
NO_RUN = "a" * 64


def asked(served, method, path, **options):
    response = served.client.request(method, path, **options)
    assert response.headers["content-type"] == "application/problem+json"
    told = response.json()
    assert told["status"] == response.status_code
    assert told["title"] and told["detail"] and told["hint"]
    return told


@pytest.mark.parametrize(
    ("body", "detail", "hint"),
    [
        ('{"code": "x"', "the body is not JSON", "Content-Type: application/json"),
        ("", "the body is no JSON object", "Content-Type: application/json"),
        ("[1]", "the body is no JSON object", "Content-Type: application/json"),
        ('{"code": "print(1)", "sed": 1}', "there is no member sed", "did you mean seed?"),
        ('{"code": "print(1)", "qqqq": 1}', "there is no member qqqq", "there are code, expression"),
        ("{}", "give either `code` or `expression`", "docs/api.md"),
        ('{"code": "1", "seed": -1}', "seed: Input should be greater than or equal to 0", "/docs"),
        ('{"code": "a\\u0000b"}', "the program contains a NUL character", "UTF-8"),
    ],
)
def test_a_body_that_cannot_be(served, body, detail, hint):
    told = asked(served, "POST", RUNS, content=body, headers=JSON)
    assert told["detail"] == detail
    assert hint in told["hint"]


def test_a_form_is_no_json(served):
    told = asked(served, "POST", RUNS, content="code=1", headers={"content-type": "application/x-www-form-urlencoded"})
    assert told["detail"] == "the body is no JSON object"


@pytest.mark.parametrize(
    ("method", "path", "status", "hint"),
    [
        ("GET", f"{RUNS}/abc", 422, "64 hexadecimal digits"),
        ("GET", f"{RUNS}/{NO_RUN}", 404, "run the program again"),
        ("GET", f"{RUNS}/{NO_RUN}/events?from=x", 422, "/docs"),
        ("PUT", RUNS, 405, "it takes POST"),
        ("GET", "/api/v1/nothing", 404, "/docs lists all addresses"),
        ("GET", "/api/v1/ops/sigmoyd", 404, "did you mean sigmoid"),
    ],
)
def test_an_address_that_leads_nowhere(served, method, path, status, hint):
    told = asked(served, method, path)
    assert told["status"] == status
    assert hint in told["hint"]
