"""What /metrics shows, in one place."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20)


class Metrics:
    """One registry per app, so that tests can have several."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        r = self.registry
        self.requests = Counter("backstep_requests", "Answers by status class", ["status"], registry=r)
        self.ends = Counter("backstep_runs", "Runs by how they ended", ["status"], registry=r)
        self.shared = Counter("backstep_runs_shared", "Runs asked for that were going or kept already", registry=r)
        self.lost = Counter("backstep_runner_lost", "Times the machinery died under a run", registry=r)
        self.refused = Counter("backstep_refused", "Requests refused, by problem", ["problem"], registry=r)
        self.first = Histogram(
            "backstep_first_event_seconds", "From the request to the first event", registry=r, buckets=SECONDS
        )
        self.bytes = Counter("backstep_trace_bytes", "Bytes of traces made", registry=r)
        self.store_errors = Counter("backstep_store_errors", "Traces that could not be stored", registry=r)
        self.live = Gauge("backstep_runs_live", "Runs queued or running", registry=r)
        self.queued = Gauge("backstep_runs_queued", "Runs waiting for a slot", registry=r)
        self.streams = Gauge("backstep_streams", "Streams being read", registry=r)
        self.memory = Gauge("backstep_live_bytes", "Bytes of traces in memory", registry=r)
        self.stored = Gauge("backstep_stored_bytes", "Bytes of traces in the store", registry=r)
