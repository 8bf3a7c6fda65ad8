"""`mcpwatch gateway`: a transparent proxy before MCP servers that publishes the feed."""

import argparse
import asyncio
from typing import get_args

from mcpwatch.gateway.options import (
    CAPTURE,
    FEED,
    LISTEN,
    WHEN_UNWRITABLE,
    GatewayOptions,
    WhenUnwritable,
    parse_address,
    parse_upstreams,
)
from mcpwatch.model.entries import Capture


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--upstream",
        action="append",
        required=True,
        metavar="[NAME=]URL",
        help="an MCP server; give several to reach each under /NAME/",
    )
    for option, (host, port), whom in (("--listen", LISTEN, "agents"), ("--feed", FEED, "watchers")):
        parser.add_argument(option, default=f"{host}:{port}", metavar="HOST:PORT", help=f"for {whom} (%(default)s)")
    parser.add_argument(
        "--capture",
        choices=get_args(Capture),
        default=CAPTURE,
        help="bodies as they are, with secret values masked (default), or by size and digest only",
    )
    parser.add_argument(
        "--allow-host", action="append", default=[], metavar="HOST", help="a Host header that is good, besides loopback"
    )
    parser.add_argument(
        "--allow-origin", action="append", default=[], metavar="ORIGIN", help="a web page's Origin that may call"
    )
    parser.add_argument(
        "--when-unwritable",
        choices=get_args(WhenUnwritable),
        default=WHEN_UNWRITABLE,
        help="while the journal cannot be written: refuse calls (default), or pass them on and say so in the log after",
    )


def run(options: argparse.Namespace) -> int:
    from mcpwatch.files import state_dir
    from mcpwatch.gateway.run import serve

    gateway = GatewayOptions(
        upstreams=parse_upstreams(options.upstream),
        state=state_dir(),
        listen=parse_address(options.listen, LISTEN),
        feed=parse_address(options.feed, FEED),
        capture=options.capture,
        allowed_hosts=tuple(options.allow_host),
        allowed_origins=tuple(options.allow_origin),
        when_unwritable=options.when_unwritable,
    )
    asyncio.run(serve(gateway))
    return 0
