"""`backstep serve | doctor | run | trace | settings`: the command line. Parses, calls, prints."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import os
import secrets
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.runs.program import Program
    from app.settings import Settings


def has_screen() -> bool:
    """Whether a browser would get a window; a text browser would take the server's terminal."""
    return sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def serve(args: argparse.Namespace) -> int:
    from app.sandbox import launch, lockdown

    gc.disable()  # importing makes no garbage, only the collector's work
    # first of all: it gets ready while the rest is imported here
    launched = None
    if not lockdown.unsupported():
        with contextlib.suppress(OSError):  # the runner tries again and says why
            launched = launch.launch()
    from app.main import create_app, local_runner
    from app.server import make_server

    settings = chosen(args)
    if settings.unsafe_single_user and lockdown.unsupported() and not settings.token:
        settings = settings.model_copy(update={"token": secrets.token_urlsafe(24)})
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((settings.host, settings.port))
    except OSError as error:
        sock.close()
        if launched is not None:
            launched.end()
        where = f"{settings.host}:{settings.port}"
        print(f"cannot listen on {where}: {error.strerror}; try --port 0", file=sys.stderr)
        return 1
    port = sock.getsockname()[1]
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "localhost") else settings.host
    address = f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
    address += f"?token={settings.token}" if settings.token else ""
    app = create_app(settings, runner=local_runner(settings, launched))
    server = make_server(app, settings, log_level=args.log_level)
    gc.freeze()  # what is there now lives as long as the process: the collector need not look at it again and again
    gc.enable()
    print(f"Backstep is at {address}  (Ctrl+C stops it)", flush=True)
    if args.open and has_screen():
        threading.Timer(0.5, webbrowser.open, (address,)).start()
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[sock])
    return 0 if server.started else 3


def chosen(args: argparse.Namespace) -> Settings:
    """Settings, those that the command line names first."""
    from app.settings import Settings

    given: dict[str, Any] = {}
    for name in ("host", "port", "unsafe_single_user"):
        if (value := getattr(args, name, None)) is not None:
            given[name] = value
    return Settings(**given)


def doctor(args: argparse.Namespace) -> int:
    from app.runs.service import limits_of
    from app.sandbox.doctor import report
    from app.settings import Settings

    settings = Settings()
    well, text = report(slots=settings.slots, limits=limits_of(settings))
    print(text)
    return 0 if well else 1


def run(args: argparse.Namespace) -> int:
    """A program in the sandbox, from a file or standard input: its output, or its trace."""
    from app.runs.compile import Refused, compile_program
    from app.runs.runner import RunnerUnavailable
    from app.runs.service import limits_of
    from app.runs.version import engine_version
    from app.settings import Settings

    try:
        text = sys.stdin.read() if args.program == "-" else Path(args.program).read_text(encoding="utf-8")
        program = compile_program(
            text, engine=engine_version(), seed=args.seed, detail=args.detail, limits=limits_of(Settings())
        )
        return asyncio.run(_run(program, tell=_tell_trace if args.trace else _tell_output))
    except (OSError, UnicodeDecodeError, Refused) as error:
        print(f"{args.program}: {error}", file=sys.stderr)
    except RunnerUnavailable as error:
        print(f"{error.reason}\n{error.hint}", file=sys.stderr)
    return 2


async def _run(program: Program, tell: Callable[[bytes], None]) -> int:
    from app.main import local_runner

    runner = local_runner(chosen(argparse.Namespace()))
    await runner.start()
    last = b"{}"
    try:
        async with aclosing(runner.run(program)) as chunks:
            async for chunk in chunks:
                for last in chunk.splitlines():
                    tell(last)
    finally:
        await runner.close()
    return 0 if json.loads(last).get("status") == "ok" else 1


def _tell_trace(line: bytes) -> None:
    sys.stdout.buffer.write(line + b"\n")


def _tell_output(line: bytes) -> None:
    event = json.loads(line)
    if event["kind"] == "print":
        out = sys.stderr if event.get("stream") == "stderr" else sys.stdout
        out.write(event["text"])
        out.flush()
    elif event["kind"] == "fail":
        where = f"line {event['at'][0]}: " if event.get("at") else ""
        print(f"{where}{event['type']}: {event['message']}", file=sys.stderr)
        if event.get("hint"):
            print(f"hint: {event['hint']}", file=sys.stderr)
    elif event["kind"] == "end" and event["status"] not in ("ok", "fail"):
        print(f"{event['message']} {event.get('hint', '')}".strip(), file=sys.stderr)


def show_settings(args: argparse.Namespace) -> int:
    from app.settings import Settings, table

    for name, value, text in table(Settings()):
        print(f"{name}={value}\n    {text}")
    return 0


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="backstep", description="A debugger for gradients.")
    commands = top.add_subparsers(dest="command")
    one = commands.add_parser("serve", help="start the server (the default)")
    for target in (top, one):
        target.add_argument("--host", help="address to listen on")
        target.add_argument("--port", type=int, help="port to listen on; 0 takes a free one")
        target.add_argument("--open", action="store_true", help="open the browser")
        target.add_argument(
            "--unsafe-single-user",
            action="store_true",
            default=None,
            help="where there is no sandbox, run programs with your own privileges",
        )
        target.add_argument("--log-level", default="warning", help="debug, info, warning or error")
        target.set_defaults(call=serve)
    commands.add_parser("doctor", help="whether programs can run here, and how they are confined").set_defaults(
        call=doctor
    )
    two = commands.add_parser("run", help="run a program in the sandbox")
    two.add_argument("program", help="a file, or - for standard input")
    two.add_argument("--trace", action="store_true", help="print the trace instead of the output")
    two.add_argument("--seed", type=int, default=0)
    two.add_argument("--detail", type=int, nargs="*", default=[], help="training steps recorded in full")
    two.set_defaults(call=run)
    commands.add_parser("trace", help="read, check and compare traces: show, verify, diff, states", add_help=False)
    commands.add_parser("settings", help="print every setting").set_defaults(call=show_settings)
    return top


def main(argv: list[str] | None = None) -> int:
    given = sys.argv[1:] if argv is None else argv
    if given[:1] == ["trace"]:
        from engine.trace.__main__ import main as trace

        return trace(given[1:])
    args = parser().parse_args(given)
    result: int = args.call(args)
    return result
