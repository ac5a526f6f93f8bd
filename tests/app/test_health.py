"""Probes, metrics and the catalogues that need no run."""

import asyncio
import json
import re

from app.errors import PROBLEMS
from app.lessons.catalogue import examples
from app.runs.runner import Health, InProcessRunner
from engine.trace import events as ev


def test_the_process_says_it_is_alive(served):
    assert served.client.get("/healthz").json() == {"status": "ok"}


def test_readiness_tells_slots_box_and_store(served):
    told = served.client.get("/readyz")
    assert told.status_code == 200
    assert told.json()["runner"]["slots"] == 1000 and told.json()["store"]["kind"] == "memory"


def test_where_programs_cannot_run_it_is_not_ready(serve):
    class Refusing(InProcessRunner):
        async def health(self):
            return Health(ready=False, slots=0, busy=0, queued=0, reason="no seccomp")

    told = serve(runner=Refusing()).client.get("/readyz")
    assert told.status_code == 503 and told.json()["runner"]["reason"] == "no seccomp"


def test_pages_are_answered_while_the_sandbox_starts(serve):
    class Starting(InProcessRunner):
        async def start(self):
            await asyncio.Event().wait()

        async def health(self):
            return Health(ready=False, slots=0, busy=0, queued=0, reason="starting")

    served = serve(runner=Starting())
    assert served.client.get("/healthz").status_code == 200
    assert served.client.get("/").status_code == 200
    assert served.client.get("/readyz").status_code == 503


def test_a_warning_of_the_runner_reaches_every_page(serve):
    class Unboxed(InProcessRunner):
        async def health(self):
            return Health(ready=True, slots=1, busy=0, queued=0, box={"warning": "No sandbox: mind </script>"})

    page = serve(runner=Unboxed()).client.get("/").text
    config = re.search(r'<script type="application/json" id="config">(.*?)</script>', page)
    assert json.loads(config[1])["banner"] == "No sandbox: mind </script>"


def test_metrics_count_runs_by_how_they_ended(serve):
    served = serve()
    served.post("a")
    served.post("a")
    text = served.client.get("/metrics").text
    assert 'backstep_runs_total{status="ok"} 1.0' in text
    assert "backstep_runs_shared_total 1.0" in text
    assert "backstep_first_event_seconds_count 1.0" in text
    assert 'backstep_requests_total{status="2xx"}' in text


def test_metrics_count_what_was_refused_and_why(serve):
    served = serve()
    served.client.get("/", headers={"host": "evil.example"})
    assert 'backstep_refused_total{problem="host"} 1.0' in served.client.get("/metrics").text


def test_the_schema_knows_every_kind_of_event(served):
    text = served.client.get("/api/v1/schema").text
    kinds = {kind.__name__.lower() for kind in ev.KINDS}
    named = {
        d["properties"]["kind"]["enum"][0] for d in json.loads(text)["$defs"].values() if "kind" in d["properties"]
    }
    assert named == kinds


def test_the_list_of_problems_is_the_table(served):
    rows = served.client.get("/api/v1/problems").json()["problems"]
    assert {row["slug"]: (row["status"], row["title"]) for row in rows} == PROBLEMS


def test_lessons_come_in_both_languages_with_their_code(served):
    english = served.client.get("/api/v1/lessons").json()["lessons"]
    chinese = served.client.get("/api/v1/lessons?lang=zh").json()["lessons"]
    assert [one["slug"] for one in english] == [one["slug"] for one in chinese] == list(examples())
    for one, other in zip(english, chinese, strict=True):
        assert one["title"] and one["summary"] and one["title"] != other["title"]
        assert one["code"] == other["code"] and not one["code"].startswith("#")
        compile(one["code"], one["slug"], "exec")


def test_one_lesson_is_had_by_its_slug(served):
    one = served.client.get("/api/v1/lessons/one_weight?lang=zh").json()
    assert one["slug"] == "one_weight" and "import torch" in one["code"]
    assert served.client.get("/api/v1/lessons/nothing").status_code == 404
