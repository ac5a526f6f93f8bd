"""POST /runs and what can be asked about a run, over real sockets, with stories in place of programs."""

from __future__ import annotations

import json
import threading
import time

import httpx

from app.runs.runner import RunnerBusy, RunnerUnavailable
from tests.app.conftest import lines
from tests.app.stories import Flaky, Gated, count_to, forever, train


def test_the_answer_is_the_trace_from_begin_to_end(serve):
    served = serve(count_to(3))
    response = served.post("print(1)")
    told = lines(response.content)
    assert response.headers["content-type"] == "application/jsonl"
    assert [e["kind"] for e in told] == ["begin", "print", "print", "print", "end"]
    assert told[0]["source"] == "print(1)\n"
    assert told[0]["run"] == response.headers["backstep-run"]


def test_the_first_event_arrives_while_the_program_still_runs(serve):
    runner = Gated(count_to(2))
    served = serve(runner=runner)
    with served.client.stream("POST", "/api/v1/runs", json={"code": "1"}) as response:
        stream = response.iter_lines()
        assert json.loads(next(stream))["kind"] == "begin"
        runner.gate.set()
        assert [json.loads(line)["kind"] for line in stream] == ["print", "print", "end"]


def test_the_same_program_runs_once_for_readers_at_the_same_time(serve):
    runner = Gated(count_to(50))
    served = serve(runner=runner)
    bodies: list[bytes] = []

    def read():
        bodies.append(httpx.post(f"{served.url}/api/v1/runs", json={"code": "same"}).content)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    while not served.service.live or next(iter(served.service.live.values())).readers.total() < 8:
        time.sleep(0.005)
    runner.gate.set()
    for thread in threads:
        thread.join()
    assert runner.runs == 1
    assert len(set(bodies)) == 1 and len(lines(bodies[0])) == 52


def test_an_ended_run_is_not_run_again(serve):
    served = serve(count_to(2))
    assert served.post("a").content == served.post("a").content
    assert served.runner.runs == 1


def test_another_seed_is_another_run(serve):
    served = serve(count_to(2))
    assert served.post("a").headers["backstep-run"] != served.post("a", seed=1).headers["backstep-run"]
    assert served.runner.runs == 2


def test_a_run_that_only_the_clock_ended_runs_again(serve):
    served = serve(count_to(1, status="timeout"))
    served.post("a")
    served.post("a")
    assert served.runner.runs == 2


def test_events_can_be_read_from_any_seq(serve):
    served = serve(count_to(200))
    told = served.post("a")
    url = f"/api/v1/runs/{told.headers['backstep-run']}/events"
    whole = told.content.splitlines(keepends=True)
    for start in (0, 1, 57, 201):
        assert served.client.get(url, params={"from": start}).content == b"".join(whole[start:])


def test_reading_from_the_end_of_an_ended_trace_gives_nothing(serve):
    served = serve(count_to(1))
    run = served.post("a").headers["backstep-run"]
    answer = served.client.get(f"/api/v1/runs/{run}/events?from=3")
    assert answer.status_code == 200 and answer.content == b""


def test_reading_beyond_the_end_is_a_range_problem(serve):
    served = serve(count_to(1))
    run = served.post("a").headers["backstep-run"]
    answer = served.client.get(f"/api/v1/runs/{run}/events?from=4")
    assert answer.status_code == 416 and answer.json()["type"].endswith("#range")


def test_reading_ahead_of_a_live_run_waits_for_it(serve):
    served = serve(count_to(30, pause=0.01))
    run = served.client.post("/api/v1/runs", json={"code": "a"}, headers={"prefer": "respond-async"}).json()["id"]
    told = lines(served.client.get(f"/api/v1/runs/{run}/events?from=20").content)
    assert told[0]["seq"] == 20 and told[-1]["kind"] == "end"


def test_respond_async_answers_202_with_where_to_look(serve):
    served = serve(count_to(3, pause=0.01))
    answer = served.client.post("/api/v1/runs", json={"code": "a"}, headers={"Prefer": "respond-async"})
    assert answer.status_code == 202
    assert answer.headers["preference-applied"] == "respond-async"
    location = answer.headers["location"]
    while (status := served.client.get(location).json())["status"] == "running":
        time.sleep(0.01)
    assert status["status"] == "ok" and status["events"] == 5


def test_a_waiting_run_says_its_place_in_the_queue(serve):
    runner = Gated(count_to(1), position=7)
    served = serve(runner=runner)
    run = served.client.post("/api/v1/runs", json={"code": "a"}, headers={"prefer": "respond-async"}).json()
    assert (run["status"], run["position"]) == ("queued", 7)
    with served.client.stream("GET", f"/api/v1/runs/{run['id']}/events") as response:
        assert response.headers["backstep-queue-position"] == "7"
        runner.gate.set()
        assert len(response.read().splitlines()) == 3


def test_cancelling_keeps_what_happened_and_ends_with_a_sentence(serve):
    served = serve(forever)
    run = served.client.post("/api/v1/runs", json={"code": "a"}, headers={"prefer": "respond-async"}).json()["id"]
    url = f"/api/v1/runs/{run}"
    while served.client.get(url).json()["events"] < 4:
        time.sleep(0.01)
    assert served.client.delete(url).json()["status"] == "cancelled"
    told = lines(served.client.get(f"{url}/events").content)
    assert len(told) >= 5
    assert told[-1]["kind"] == "end" and told[-1]["status"] == "cancelled" and told[-1]["message"]
    assert [e["seq"] for e in told] == list(range(len(told)))
    assert served.runner.cancelled == 1


def test_a_run_that_waits_can_be_cancelled_and_has_begin_and_end(serve):
    served = serve(runner=Gated(count_to(1), position=3))
    run = served.client.post("/api/v1/runs", json={"code": "a"}, headers={"prefer": "respond-async"}).json()["id"]
    served.client.delete(f"/api/v1/runs/{run}")
    told = lines(served.client.get(f"/api/v1/runs/{run}/events").content)
    assert [e["kind"] for e in told] == ["begin", "end"] and told[0]["run"] == run


def test_one_reader_cannot_cancel_what_another_reads(serve):
    served = serve(forever)
    other = httpx.Client(base_url=served.url, cookies={"backstep": "a" * 32})
    with other, other.stream("POST", "/api/v1/runs", json={"code": "a"}) as response:
        run = response.headers["backstep-run"]
        assert served.client.delete(f"/api/v1/runs/{run}").json()["status"] == "running"


def test_a_run_is_cancelled_soon_after_its_last_reader_left(serve):
    served = serve(forever, leave_seconds=0.05)
    with served.client.stream("POST", "/api/v1/runs", json={"code": "a"}) as response:
        run = response.headers["backstep-run"]
        next(response.iter_raw())
    start = time.monotonic()
    while served.client.get(f"/api/v1/runs/{run}").json()["status"] == "running":
        assert time.monotonic() - start < 2
        time.sleep(0.01)
    assert served.runner.cancelled == 1 and not served.service.live


def test_a_reader_who_comes_back_in_time_keeps_the_run_alive(serve):
    served = serve(count_to(40, pause=0.01), leave_seconds=5)
    with served.client.stream("POST", "/api/v1/runs", json={"code": "a"}) as response:
        run = response.headers["backstep-run"]
        next(response.iter_raw())
    told = lines(served.client.get(f"/api/v1/runs/{run}/events?from=1").content)
    assert told[-1]["status"] == "ok" and len(told) == 41


def test_after_the_machinery_died_the_bytes_go_on_exactly(serve):
    whole = serve(count_to(40)).post("a").content.splitlines()[:-1]
    served = serve(runner=Flaky(count_to(40), [17, 30]))
    assert served.post("a").content.splitlines()[:-1] == whole
    assert served.runner.runs == 3


def test_when_the_machinery_keeps_dying_the_run_ends_as_killed(serve):
    served = serve(runner=Flaky(count_to(40), [3, 10, 5, 8]))
    told = served.events("a")
    assert len(told) == 11 and told[-1]["status"] == "killed"


def test_a_repeated_run_that_says_something_else_is_not_glued_on(serve):
    def change(attempt, event):
        return type(event)(text=f"attempt {attempt}\n") if event.__class__.__name__ == "Print" else event

    served = serve(runner=Flaky(count_to(10), [5], change))
    told = served.events("a")
    assert {e["text"] for e in told if e["kind"] == "print"} == {"attempt 1\n"}
    assert told[-1]["status"] == "killed" and "something else" in told[-1]["message"]


def test_a_full_queue_is_503_with_retry_after(serve):
    def story(program):
        yield RunnerBusy(3.0, 41)

    answer = serve(story).post("a")
    assert answer.status_code == 503 and answer.headers["retry-after"] == "3"
    assert answer.json()["type"].endswith("#busy") and "40" in answer.json()["detail"]


def test_where_programs_cannot_run_the_reason_is_told(serve):
    def story(program):
        yield RunnerUnavailable("seccomp is missing", "use Docker")

    answer = serve(story).post("a")
    assert answer.status_code == 503
    assert (answer.json()["detail"], answer.json()["hint"]) == ("seccomp is missing", "use Docker")


def test_a_client_has_a_quota_of_runs(serve):
    served = serve(forever, client_runs=2)
    for code in "ab":
        served.client.post("/api/v1/runs", json={"code": code}, headers={"prefer": "respond-async"})
    answer = served.post("c")
    assert answer.status_code == 429 and answer.headers["retry-after"]
    with httpx.Client(base_url=served.url, cookies={"backstep": "b" * 32}) as other:
        other.post("/api/v1/runs", json={"code": "c"}, headers={"prefer": "respond-async"}).raise_for_status()


def test_one_address_has_a_quota_whatever_cookies_it_makes_up(serve):
    served = serve(forever, address_runs=3)
    codes = []
    for k in range(5):
        with httpx.Client(base_url=served.url, cookies={"backstep": f"{k:032x}"}) as one:
            answer = one.post("/api/v1/runs", json={"code": str(k)}, headers={"prefer": "respond-async"})
            codes.append(answer.status_code)
    assert codes == [202, 202, 202, 429, 429]


def test_a_client_has_a_quota_of_streams(serve):
    served = serve(forever, client_streams=1)
    with served.client.stream("POST", "/api/v1/runs", json={"code": "a"}):
        answer = httpx.post(f"{served.url}/api/v1/runs", json={"code": "a"})
    assert answer.status_code == 429 and answer.json()["type"].endswith("#streams")


def test_a_step_recorded_in_the_trace_is_cut_from_it(serve):
    served = serve(train(5, detail=2))
    run = served.post("a").headers["backstep-run"]
    told = lines(served.client.get(f"/api/v1/runs/{run}/steps/1").content)
    assert [e["kind"] for e in told] == ["leaf", "print", "step"] and told[-1]["index"] == 1
    assert served.runner.runs == 1


def test_a_step_in_brief_is_had_by_running_again_and_then_kept(serve):
    served = serve(train(50, detail=1))
    run = served.post("a").headers["backstep-run"]
    url = f"/api/v1/runs/{run}/steps/30"
    told = lines(served.client.get(url).content)
    assert [e["kind"] for e in told] == ["leaf", "print", "step"]
    assert told[0]["value"]["data"] == [30] and told[-1]["window"] is True
    assert served.client.get(url).content.splitlines() == served.client.get(url).content.splitlines()
    assert served.runner.runs == 2


def test_running_again_for_a_step_stops_once_it_has_it(serve):
    served = serve(train(400, detail=1, pause=0.003))
    run = served.client.post("/api/v1/runs", json={"code": "a"}, headers={"prefer": "respond-async"}).json()["id"]
    start = time.monotonic()
    assert served.client.get(f"/api/v1/runs/{run}/steps/3").status_code == 200
    assert time.monotonic() - start < 1
    while len(served.service.live) > 1:
        assert time.monotonic() - start < 1.3
        time.sleep(0.01)


def test_a_step_that_the_run_does_not_have_is_404(serve):
    served = serve(train(5))
    run = served.post("a").headers["backstep-run"]
    answer = served.client.get(f"/api/v1/runs/{run}/steps/5")
    assert answer.status_code == 404 and "5 steps" in answer.json()["detail"]


def test_an_unknown_run_is_404_and_a_bad_id_422(served):
    assert served.client.get("/api/v1/runs/" + "0" * 64).status_code == 404
    assert served.client.get("/api/v1/runs/nonsense").status_code == 422


def test_a_stopping_server_ends_streams_with_an_end_event(serve):
    served = serve(forever)
    with served.client.stream("POST", "/api/v1/runs", json={"code": "a"}) as response:
        stream = response.iter_lines()
        next(stream)
        served.server.should_exit = True
        last = json.loads(list(stream)[-1])
    assert (last["kind"], last["status"]) == ("end", "cancelled") and "server was stopped" in last["message"]
