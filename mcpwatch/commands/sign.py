"""`mcpwatch sign`: a local proxy that signs what an agent's client sends."""

import argparse
import asyncio
from pathlib import Path

from mcpwatch.gateway.options import parse_address
from mcpwatch.signing.options import LISTEN, SigningOptions, check_id, check_listen, parse_upstream
from mcpwatch.signing.outgoing import SCHEMES, Agent


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--upstream", required=True, metavar="URL", help="where signed calls go: a gateway, or a server"
    )
    parser.add_argument("--key", required=True, metavar="FILE", help="the agent's private key, made by keygen")
    parser.add_argument(
        "--scheme", choices=tuple(SCHEMES), default=next(iter(SCHEMES)), help="how to sign (%(default)s)"
    )
    parser.add_argument(
        "--id", default="", metavar="DID", help="sign under this DID or keyid, where it is not the key's own"
    )
    host, port = LISTEN
    parser.add_argument(
        "--listen", default=f"{host}:{port}", metavar="HOST:PORT", help="for the agent's client (%(default)s)"
    )
    parser.add_argument(
        "--allow-remote", action="store_true", help="listen where other machines can connect, and sign for them too"
    )
    parser.add_argument(
        "--allow-host", action="append", default=[], metavar="HOST", help="a Host header that is good, besides loopback"
    )
    parser.add_argument(
        "--allow-origin", action="append", default=[], metavar="ORIGIN", help="a web page's Origin that may call"
    )


def run(options: argparse.Namespace) -> int:
    from mcpwatch.identity.agent_key import AgentKey
    from mcpwatch.signing.run import serve

    key = AgentKey.load(Path(options.key))
    signing = SigningOptions(
        upstream=parse_upstream(options.upstream),
        scheme=SCHEMES[options.scheme],
        listen=check_listen(parse_address(options.listen, LISTEN), allow_remote=options.allow_remote),
        agent=Agent(key, check_id(options.id, key)),
        allowed_hosts=tuple(options.allow_host),
        allowed_origins=tuple(options.allow_origin),
    )
    asyncio.run(serve(signing))
    return 0
