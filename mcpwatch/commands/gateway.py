"""`mcpwatch gateway`: a transparent proxy before MCP servers that publishes the feed, and refuses calls if asked to."""

import argparse
import asyncio
import math
import stat
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from mcpwatch.errors import LocalError, UsageError
from mcpwatch.gateway.keep import Keep, parse_days, parse_size
from mcpwatch.gateway.options import (
    FEED,
    LISTEN,
    WHEN_UNWRITABLE,
    GatewayOptions,
    WhenUnwritable,
    parse_address,
    parse_captures,
    parse_upstreams,
)
from mcpwatch.model.entries import UpstreamInfo
from mcpwatch.program import program

if TYPE_CHECKING:
    from mcpwatch.gateway.enforcer import Enforcement
    from mcpwatch.policy.checks import Rules
    from mcpwatch.policy.policy import Policy

KEY_WAIT = 2.0
MAX_KEY_WAIT = 60.0


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
        action="append",
        default=[],
        metavar="[TOOL[@SERVER]=]MODE",
        help="full: bodies as they are; masked: without secrets (default); digest: size and digest only. "
        "Of single tools, by globs, with TOOL=; give several",
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
    parser.add_argument(
        "--keep-days", metavar="N", help="remove entries that are older than so many days (they are kept for ever)"
    )
    parser.add_argument(
        "--keep-size",
        metavar="SIZE",
        help="remove the oldest entries while the journal is larger than this, e.g. 500M or 2G (no limit)",
    )
    parser.add_argument(
        "--metrics",
        action="store_true",
        help="figures for Prometheus at /metrics of the feed, for holders of its token",
    )
    parser.add_argument("--enforce", action="store_true", help="refuse what the policy refuses before a server sees it")
    parser.add_argument(
        "--policy", type=Path, metavar="FILE", help="the policy to enforce (policy.toml beside the configuration)"
    )
    parser.add_argument(
        "--key-wait",
        type=float,
        default=KEY_WAIT,
        metavar="SECONDS",
        help="how long a call waits for its signer's key before it is refused (%(default)g)",
    )


def run(options: argparse.Namespace) -> int:
    from mcpwatch.files import state_dir
    from mcpwatch.gateway.run import serve

    upstreams = parse_upstreams(options.upstream)
    capture, tool_captures = parse_captures(options.capture, [upstream.name for upstream in upstreams])
    gateway = GatewayOptions(
        upstreams=upstreams,
        state=state_dir(),
        listen=parse_address(options.listen, LISTEN),
        feed=parse_address(options.feed, FEED),
        capture=capture,
        tool_captures=tool_captures,
        allowed_hosts=tuple(options.allow_host),
        allowed_origins=tuple(options.allow_origin),
        when_unwritable=options.when_unwritable,
        metrics=options.metrics,
        keep=Keep(
            seconds=math.inf if options.keep_days is None else parse_days(options.keep_days),
            octets=math.inf if options.keep_size is None else parse_size(options.keep_size),
        ),
    )
    enforcement = None
    if options.enforce:
        enforcement = _enforcement(options.policy, options.key_wait, gateway.upstreams)
    elif options.policy is not None:
        raise UsageError("A gateway goes by a policy with --enforce only", "Add --enforce, or leave --policy out.")
    asyncio.run(serve(gateway, enforcement))
    return 0


def _enforcement(policy: Path | None, wait_s: float, upstreams: Sequence[UpstreamInfo]) -> "Enforcement":
    """What the policy's file and the configuration say; raises UsageError where nothing could be refused by them."""
    from mcpwatch.config import load
    from mcpwatch.detect.rules import CATALOGUE
    from mcpwatch.files import config_file
    from mcpwatch.gateway.enforcer import Enforcement
    from mcpwatch.identity.resolvers import ResolverOptions
    from mcpwatch.policy.kept import KeptPolicy
    from mcpwatch.policy.load import NAME

    if not 0 < wait_s <= MAX_KEY_WAIT:
        raise UsageError(f"--key-wait must be more than 0 and at most {MAX_KEY_WAIT:g} seconds")
    path = config_file().with_name(NAME) if policy is None else policy
    kept = KeptPolicy(path, CATALOGUE, is_named=True, read=partial(_binding, [one.name for one in upstreams]))
    identity = load().identity
    return Enforcement(
        policy=kept,
        resolvers=ResolverOptions(identity.registry, identity.jwks, identity.did_web, identity.directories),
        allow_private=identity.allow_private,
        window_s=identity.window,
        wait_s=wait_s,
    )


def _binding(upstreams: Sequence[str], path: Path, rules: "Rules") -> "Policy":
    """The policy in a file.

    Raises UsageError for one that refuses nothing, as a file does that was emptied, and LocalError for one that anybody
    on this machine can change.
    """
    from mcpwatch.policy.load import load

    policy = load(path, rules)
    if path.stat().st_mode & stat.S_IWOTH:
        raise LocalError(f"{path} can be written by others", f"Run: chmod o-w {path}")
    if not any(map(policy.binds, upstreams)):
        raise UsageError(f"{path} refuses nothing to anybody at {', '.join(upstreams)}", _what_binds(policy, upstreams))
    return policy


def _what_binds(policy: "Policy", upstreams: Sequence[str]) -> str:
    """What to do about a policy that refuses nothing here."""
    strange = sorted({*policy.upstreams, *(name for name, _ in policy.tools)} - set(upstreams))
    if strange:
        return (
            f"The policy names {', '.join(strange)}, the gateway {', '.join(upstreams)}. "
            f"Give the server its name: --upstream {strange[0]}=URL, or mend the name in the policy."
        )
    return (
        'Say there what is required, for example signatures = "required", or leave --enforce out to observe. '
        f"See: {program()} config template policy"
    )
