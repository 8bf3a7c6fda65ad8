"""`mcpwatch serve`: the dashboard in a browser on this machine."""

import argparse
import secrets
import shlex
import socket
import sys
from collections.abc import Iterator

from mcpwatch.commands import sources
from mcpwatch.errors import LocalError

HOST = "127.0.0.1"
PORT = 4190


def arguments(parser: argparse.ArgumentParser) -> None:
    sources.arguments(parser)
    parser.add_argument(
        "--port", type=_port, default=PORT, metavar="PORT", help="the page's port on 127.0.0.1 (%(default)s)"
    )


def run(options: argparse.Namespace) -> int:
    try:
        from mcpwatch.commands.served_page import PageServer
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.startswith("mcpwatch"):
            raise
        raise LocalError(
            "The dashboard is served to browsers by textual-serve, which is not installed here",
            "Install it beside mcpwatch: pip install textual-serve",
        ) from None
    sources.query(options.filter, sources.find(options).config)
    _require_free(options.port)
    PageServer(shlex.join(_watch(options)), HOST, options.port, secrets.token_urlsafe(16)).serve()
    return 0


def _watch(options: argparse.Namespace) -> Iterator[str]:
    """The command that each page runs, with what this one was given."""
    yield from (sys.executable, "-m", "mcpwatch", "watch", *options.sources)
    if options.every:
        yield sources.EVERY[0]
    for name in ("token_file", "policy", "filter"):
        if value := getattr(options, name):
            yield f"--{name.replace('_', '-')}={value}"


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise LocalError(f"Port {port} cannot be had: {error.strerror}", "Another one: --port PORT") from None


def _port(text: str) -> int:
    number = int(text)
    if not 0 < number < 65_536:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port")
    return number
