"""Every setting: name, default, help. One row each; read once at start from BACKSTEP_* variables or .env.

`backstep settings` prints this table and docs/settings.md repeats it; a test compares the two.
"""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

MIB = 1024 * 1024


class Settings(BaseSettings):
    """Limits that shape a trace are counted (steps, events, bytes); wall clock only ends one."""

    model_config = SettingsConfigDict(env_prefix="BACKSTEP_", env_file=".env", extra="ignore", frozen=True)

    # where it listens
    host: str = Field(default="127.0.0.1", description="Address to listen on")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one")
    allowed_hosts: str = Field(
        default="localhost,127.0.0.1,[::1]",
        description="Host headers answered, comma separated; `*` answers all, `*.example.org` its subdomains",
    )
    token: str = Field(
        default="",
        description="Where set, nothing is answered without it: once as ?token= in a page's address, then a cookie; "
        "or as Authorization: Bearer",
    )
    trusted_proxies: str = Field(
        default="", description="Addresses of proxies whose X-Forwarded-For is believed, comma separated"
    )

    # how programs run
    concurrency: int = Field(default=0, ge=0, le=256, description="Programs running at once; 0 means one per core")
    aside: int = Field(
        default=0,
        ge=0,
        le=1024,
        description="Programs at most that have taken more than a second and go on beside the others, with what "
        "processor time those leave; 0 means four per slot. Fewer where memory is short",
    )
    queue: int = Field(default=400, ge=0, description="Programs waiting at most; beyond it 503 with Retry-After")
    wall_seconds: float = Field(default=10.0, gt=0, description="Seconds of clock a program may take")
    cpu_seconds: int = Field(default=10, ge=1, description="Seconds of processor a program may take")
    memory_mb: int = Field(default=1024, ge=64, description="MiB of memory a program may take")
    max_events: int = Field(default=200_000, ge=100, description="Events a trace may have")
    max_trace_mb: int = Field(default=64, ge=1, description="MiB a trace may have")
    max_print_mb: float = Field(default=1.0, gt=0, description="MiB a program may print")
    detail_steps: int = Field(
        default=3, ge=1, le=1000, description="Training steps recorded in full when none are asked for"
    )
    unsafe_single_user: bool = Field(
        default=False,
        description="Run programs as a plain process with your own privileges where there is no "
        "sandbox (not Linux); only on a loopback address",
    )

    # what is kept
    store: str = Field(
        default="auto",
        description="Where finished traces lie: `auto` (a SQLite file in the user's data folder), `memory`, "
        "or an SQLAlchemy URL (sqlite:///…, postgresql+psycopg://…)",
    )
    store_mb: int = Field(default=2048, ge=1, description="MiB of stored traces; the least recently read go first")
    store_days: float = Field(default=30.0, gt=0, description="Days after which a trace nobody read is removed")
    live_mb: int = Field(default=512, ge=1, description="MiB of traces in memory: growing or just finished")

    # what one client may do
    max_code_kb: int = Field(default=64, ge=1, description="KiB of program text")
    max_body_kb: int = Field(default=256, ge=1, description="KiB of a request's body")
    max_header_kb: int = Field(default=16, ge=1, description="KiB of a request's head")
    header_seconds: float = Field(default=10.0, gt=0, description="Seconds a client may take to send a request's head")
    body_seconds: float = Field(default=10.0, gt=0, description="Seconds a client may take to send a request's body")
    stall_seconds: float = Field(
        default=20.0, gt=0, description="Seconds a reader may take nothing before it is cut off"
    )
    client_runs: int = Field(default=8, ge=1, description="Programs of one client running or waiting at once")
    address_runs: int = Field(default=256, ge=1, description="The same for one address, pages told apart by cookie")
    client_streams: int = Field(default=16, ge=1, description="Streams one client may read at once")
    max_streams: int = Field(default=2000, ge=1, description="Streams the server feeds at once")
    max_connections: int = Field(default=4000, ge=10, description="Connections the server keeps at once")
    client_rate: float = Field(default=50.0, gt=0, description="Requests per second of one client, over ten seconds")
    address_rate: float = Field(default=1000.0, gt=0, description="The same for one address with many pages open")
    client_run_rate: float = Field(default=5.0, gt=0, description="New runs per second of one client, over ten seconds")
    global_rate: float = Field(default=5000.0, gt=0, description="Requests per second of all clients together")
    leave_seconds: float = Field(default=1.5, ge=0, description="Seconds a run lives on after its last reader left")
    shutdown_seconds: int = Field(default=8, ge=1, description="Seconds that streams get to end when the server stops")

    @property
    def slots(self) -> int:
        if self.concurrency:
            return self.concurrency
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(part.strip().lower() for part in self.allowed_hosts.split(",") if part.strip())


def table(settings: Settings | None = None) -> list[tuple[str, object, str]]:
    """(variable, value or default, help) of each setting, in the file's order."""
    return [
        (
            f"BACKSTEP_{name.upper()}",
            getattr(settings, name) if settings else field.default,
            field.description or "",
        )
        for name, field in Settings.model_fields.items()
    ]


def data_folder() -> Path:
    """Where a user's data lies on this system."""
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "backstep"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "backstep"
