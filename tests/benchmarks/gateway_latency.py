"""What the gateway adds to a call: 200 echo calls direct and through it, one by one in turn, both protocol eras.

Takes the number of calls. Server and gateways are processes of their own, one that observes and one that enforces
signatures; the client is a bare keep-alive connection, and signs each call before the clock starts. The bar: at most
1.5 ms on the median, log and tap included.
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

from mcpwatch.identity.agent_key import AgentKey
from mcpwatch.identity.signer import make_nonce, rfc9421_headers

SERVER = Path(__file__).parents[1] / "gateway" / "sdk.py"
WARM_UP = 20
POLICY = 'signatures = "required"'
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
    """One keep-alive connection that calls `echo`, signed where there is a key."""

    def __init__(self, address: str, era: str, key: AgentKey | None) -> None:
        parts = urlsplit(address)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
        self._connection.connect()
        self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._key = key
        self._id = 0
        self._meta: dict[str, object] = {}
        self._headers = dict(ACCEPT)
        if era == "2026-07-28":
            self._headers |= MODERN
            self._meta = {"_meta": META}
        else:
            answer = self._post(*self._signed({"id": 0, "method": "initialize", "params": HELLO}))
            self._headers["mcp-session-id"] = answer.getheader("mcp-session-id") or ""
            self._headers["mcp-protocol-version"] = "2025-11-25"
            self._post(*self._signed({"method": "notifications/initialized"}))

    def call(self) -> float:
        """Milliseconds from the first octet sent to the last one received."""
        self._id += 1
        arguments = {"name": "echo", "arguments": {"message": "hello"}, **self._meta}
        body, headers = self._signed({"id": self._id, "method": "tools/call", "params": arguments})
        start = time.perf_counter()
        answer = self._post(body, headers)
        taken = time.perf_counter() - start
        if answer.status != 200:
            raise SystemExit(f"the call was answered with {answer.status}")
        return taken * 1_000

    def _signed(self, message: dict[str, object]) -> tuple[bytes, dict[str, str]]:
        """A request's body and header fields."""
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        if self._key is None:
            return body, self._headers
        uri = f"http://{self._connection.host}:{self._connection.port}/mcp"
        named = {name: value for name, value in self._headers.items() if name.startswith("mcp-")}
        signature = rfc9421_headers(self._key, "POST", uri, named, body, now=time.time(), nonce=make_nonce())
        return body, self._headers | signature

    def _post(self, body: bytes, headers: dict[str, str]) -> http.client.HTTPResponse:
        self._connection.request("POST", "/mcp", body, headers)
        answer = self._connection.getresponse()
        answer.read()
        return answer


def heading(calls: int, *ways: str) -> str:
    """The head of the table of calls that are made directly and in these ways."""
    head = " ".join([f"{'direct':>8}", *(f"{way:>9} {'added':>7}" for way in ways)])
    return f"{calls} calls each, milliseconds\n{'':10}  {'median:':{len(head)}}    90 %:\n{'era':10}  {head}    {head}"


def measure(era: str, addresses: list[str], calls: int, key: AgentKey | None = None) -> None:
    """Call each in turn, every round beginning with another, and print a line of the table."""
    callers = [Caller(address, era, key) for address in addresses]
    times: list[list[float]] = [[] for _ in callers]
    for number in range(WARM_UP + calls):
        for step in range(len(callers)):
            which = (number + step) % len(callers)
            taken = callers[which].call()
            if number >= WARM_UP:
                times[which].append(taken)
    medians = [statistics.median(each) for each in times]
    tails = [statistics.quantiles(each, n=10)[-1] for each in times]
    print(f"{era}  {_figures(medians)}    {_figures(tails)}")


def _figures(times: list[float]) -> str:
    direct, *others = times
    return " ".join([f"{direct:8.2f}", *(f"{each:8.2f} {each - direct:+8.2f}" for each in others)])


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
        server = subprocess.Popen([sys.executable, str(SERVER), str(port)], stderr=subprocess.DEVNULL, text=True)
        wait_for(port)
        policy = Path(state) / "policy.toml"
        policy.write_text(POLICY)
        more: tuple[list[str], ...] = ([], ["--enforce", "--policy", str(policy)])
        gateways = [start(direct, Path(state) / str(number), words) for number, words in enumerate(more)]
        try:
            addresses = [direct, *(found(gateway) for gateway in gateways)]
            print(heading(calls, "observing", "enforcing"))
            for era in ("2026-07-28", "2025-11-25"):
                measure(era, addresses, calls, AgentKey.generate())
        finally:
            for process in (*gateways, server):
                process.terminate()
                process.wait()


def start(upstream: str, state: Path, words: list[str]) -> "subprocess.Popen[str]":
    """A gateway process before `upstream`, with a state folder of its own."""
    command = ["-m", "mcpwatch", "gateway", "--upstream", upstream, "--listen", ":0", "--feed", ":0", *words]
    environment = {**os.environ, "MCPWATCH_STATE": str(state)}
    return subprocess.Popen([sys.executable, *command], env=environment, stdout=subprocess.PIPE, text=True)


def found(gateway: "subprocess.Popen[str]") -> str:
    """Where a gateway listens."""
    assert gateway.stdout is not None
    address = re.search(r"http://\S+:\d+", gateway.stdout.readline())
    if address is None:
        raise SystemExit("the gateway did not start")
    return address[0]


if __name__ == "__main__":
    main()
