"""`mcpwatch keygen`: an agent's key, and the names it signs under."""

import argparse
import json
import shlex
from pathlib import Path

from mcpwatch.errors import UsageError
from mcpwatch.program import program
from mcpwatch.text import show

KEY_FILE = "agent.pem"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", default=KEY_FILE, metavar="FILE", help="where the private key goes (%(default)s)")
    parser.add_argument("file", nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("--force", action="store_true", help="replace a key that is there; nobody gets it back")


def run(options: argparse.Namespace) -> int:
    from mcpwatch.identity.agent_key import AgentKey
    from mcpwatch.identity.verifier import jwk

    if options.file is not None:
        raise UsageError("The file is named with --out", f"Try: {program()} keygen --out {shlex.quote(options.file)}")
    path = Path(options.out)
    if not path.parent.is_dir():
        raise UsageError(f"There is no folder {path.parent}", "Make it first, or name another place: --out FILE")
    key = AgentKey.generate()
    key.save(path, replace=options.force)
    file = shlex.quote(str(path))
    lines = (
        f"wrote {path}, readable by you alone: whoever has this file signs as this agent",
        f"did:key      {key.did_key}",
        f"did:aip      {key.did_aip}",
        f"fingerprint  {key.fingerprint}",
        f"public key   {key.public_base64}",
        f"JWK          {json.dumps(jwk(key.public), separators=(',', ':'))}",
        "",
        "sign an agent's calls, by a proxy before the gateway:",
        f"  {program()} sign --upstream http://127.0.0.1:4180/mcp --key {file}",
        "name it to the watcher, which needs no more of an RFC 9421 signer:",
        f"  {program()} keys name {key.did_key} NAME",
        "pin it there, where it signs with --scheme aip:",
        f"  {program()} keys add {key.did_aip} {key.public_base64} --name NAME",
    )
    for line in lines:
        print(show(line))
    return 0
