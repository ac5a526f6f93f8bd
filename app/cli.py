"""`backstep serve | doctor | run | trace | settings`: the command line. Parses, calls, prints."""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import sys
import threading
import webbrowser

from app.settings import Settings, table


def has_screen() -> bool:
    """Whether a browser would get a window; a text browser would take the server's terminal."""
    return sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def serve(args: argparse.Namespace) -> int:
    from app.main import create_app
    from app.server import make_server

    given = {name: value for name in ("host", "port") if (value := getattr(args, name)) is not None}
    settings = Settings(**given)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((settings.host, settings.port))
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        print(f"cannot listen on {where}: {error.strerror}; try --port 0", file=sys.stderr)
        return 1
    port = sock.getsockname()[1]
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "localhost") else settings.host
    address = f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
    server = make_server(create_app(settings), settings, log_level=args.log_level)
    print(f"Backstep is at {address}  (Ctrl+C stops it)", flush=True)
    if args.open and has_screen():
        threading.Timer(0.5, webbrowser.open, (address,)).start()
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[sock])
    return 0 if server.started else 3


def show_settings(args: argparse.Namespace) -> int:
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
        target.add_argument("--log-level", default="warning", help="debug, info, warning or error")
    one.set_defaults(call=serve)
    top.set_defaults(call=serve)
    two = commands.add_parser("settings", help="print every setting")
    two.set_defaults(call=show_settings)
    return top


def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    result: int = args.call(args)
    return result
