"""What the signing proxy adds to a call: 200 echo calls direct and 200 through it, in turn, each scheme and era.

Takes the number of calls. Server and proxy are processes of their own; the client is a bare keep-alive connection.
"""

import re
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from gateway_latency import SERVER, end, free_port, heading, measure, run

from mcpwatch.identity.agent_key import AgentKey
from mcpwatch.signing.outgoing import SCHEMES


def through(direct: str, key: Path, scheme: str, calls: int) -> None:
    """Print a line for each era, through a proxy that signs with `scheme`."""
    words = ["sign", "--upstream", direct, "--key", str(key), "--scheme", scheme, "--listen", ":0"]
    proxy = subprocess.Popen([sys.executable, "-m", "mcpwatch", *words], stdout=subprocess.PIPE, text=True)
    try:
        assert proxy.stdout is not None
        found = next((match for line in proxy.stdout if (match := re.search(r"http://[^\s/]+", line))), None)
        if found is None:
            raise SystemExit("the proxy did not start")
        print(scheme)
        for era in ("2026-07-28", "2025-11-25"):
            measure(era, [direct, found[0]], calls)
    finally:
        end(proxy)


def main() -> None:
    """Measure and print."""
    calls, port = int(sys.argv[1]) if len(sys.argv) > 1 else 200, free_port()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        run(running, [sys.executable, str(SERVER), str(port)], port)
        print(heading(calls, "through"))
        key = Path(folder) / "agent.pem"
        AgentKey.generate().save(key)
        for scheme in SCHEMES:
            through(f"http://127.0.0.1:{port}", key, scheme, calls)


if __name__ == "__main__":
    main()
