"""What the gateway adds to a call: 200 echo calls direct and 200 through it, one by one in turn, both protocol eras.

Takes the number of calls. Server and gateway are processes of their own; the client is a bare keep-alive
connection. The bar: at most 1.5 ms on the median, log and tap included.
"""

import http.client
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

SERVER = Path(__file__).parents[1] / "gateway" / "sdk.py"
WARM_UP = 20
ACCEPT = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
MODERN = {"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "echo"}
HELLO = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "bench", "version": "1"},
}


class Caller:
    """One keep-alive connection that calls `echo`."""

    def __init__(self, address: str, era: str) -> None:
        parts = urlsplit(address)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._id = 0
        self._meta: dict[str, object] = {}
        self._headers = dict(ACCEPT)
        if era == "2026-07-28":
            self._headers |= MODERN
            self._meta = {"_meta": META}
        else:
            answer = self._post({"id": 0, "method": "initialize", "params": HELLO})
            self._headers["mcp-session-id"] = answer.getheader("mcp-session-id") or ""
            self._headers["mcp-protocol-version"] = "2025-11-25"
            self._post({"method": "notifications/initialized"})

    def call(self) -> float:
        """Milliseconds from the first octet sent to the last one received."""
        self._id += 1
        arguments = {"name": "echo", "arguments": {"message": "hello"}, **self._meta}
        start = time.perf_counter()
        answer = self._post({"id": self._id, "method": "tools/call", "params": arguments})
        taken = time.perf_counter() - start
        if answer.status != 200:
            raise SystemExit(f"the call was answered with {answer.status}")
        return taken * 1_000

    def _post(self, message: dict[str, object]) -> http.client.HTTPResponse:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._connection.request("POST", "/mcp", body, self._headers)
        answer = self._connection.getresponse()
        answer.read()
        return answer


def measure(era: str, direct: str, through: str, calls: int) -> None:
    """Call in turn, each round beginning with the other, and print a line of the table."""
    callers = [Caller(direct, era), Caller(through, era)]
    times: list[list[float]] = [[], []]
    for number in range(WARM_UP + calls):
        for which in (0, 1) if number % 2 else (1, 0):
            taken = callers[which].call()
            if number >= WARM_UP:
                times[which].append(taken)
    medians = [statistics.median(each) for each in times]
    tails = [statistics.quantiles(each, n=10)[-1] for each in times]
    print(
        f"{era}  {medians[0]:8.2f} {medians[1]:8.2f} {medians[1] - medians[0]:+8.2f}"
        f"  {tails[0]:8.2f} {tails[1]:8.2f} {tails[1] - tails[0]:+8.2f}"
    )


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("the server did not start")


def main() -> None:
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    direct = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as state:
        server = subprocess.Popen([sys.executable, str(SERVER), str(port)], stderr=subprocess.DEVNULL)
        wait_for(port)
        command = ["-m", "mcpwatch", "gateway", "--upstream", direct, "--listen", ":0", "--feed", ":0"]
        gateway = subprocess.Popen(
            [sys.executable, *command], env={**os.environ, "MCPWATCH_STATE": state}, stdout=subprocess.PIPE, text=True
        )
        try:
            assert gateway.stdout is not None
            found = re.search(r"http://\S+:\d+", gateway.stdout.readline())
            if found is None:
                raise SystemExit("the gateway did not start")
            print(f"{calls} calls each, milliseconds\n{'':10}   median:                      90 %:")
            print(f"{'era':10}  {'direct':>8} {'through':>8} {'added':>8}  {'direct':>8} {'through':>8} {'added':>8}")
            for era in ("2026-07-28", "2025-11-25"):
                measure(era, direct, found[0], calls)
        finally:
            for process in (gateway, server):
                process.terminate()
                process.wait()


if __name__ == "__main__":
    main()
