"""What the gateway adds to a call: 200 echo calls direct and through it, one by one in turn, both protocol eras.

Takes the number of calls. Server and gateways are processes of their own, one that observes and one that enforces
signatures; beside them stand a bare pass-through of the library that the gateway is made with, and nginx where it is
installed. The client is a bare keep-alive connection, and signs each call before the clock starts. The bar: at most
1.5 ms on the median, log and tap included.
"""

import http.client
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from mcpwatch.identity.agent_key import AgentKey
from mcpwatch.identity.signer import make_nonce, rfc9421_headers

SERVER = Path(__file__).parents[1] / "gateway" / "sdk.py"
WARM_UP = 20
POLICY = 'signatures = "required"'
BARE = Path(__file__).with_name("_bare_proxy.py")
NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/errors;
events {{}}
http {{
    access_log off; client_body_temp_path {folder}/bodies; proxy_temp_path {folder}/answers;
    upstream server {{ server 127.0.0.1:{upstream}; keepalive 4; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://server; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_set_header Host $http_host; proxy_buffering off;
        }}
    }}
}}
"""
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
    """Wait until somebody listens there."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("the server did not start")


def main() -> None:
    """Measure and print."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as state, ExitStack() as running:
        port = free_port()
        run(running, [sys.executable, str(SERVER), str(port)], port)
        ways = {"direct": f"http://127.0.0.1:{port}"} | proxies(running, port, Path(state))
        policy = Path(state) / "policy.toml"
        policy.write_text(POLICY)
        more = {"observing": [], "enforcing": ["--enforce", "--policy", str(policy)]}
        for way, words in more.items():
            gateway = start(ways["direct"], Path(state) / way, words)
            running.callback(end, gateway)
            ways[way] = found(gateway)
        print(heading(calls, *list(ways)[1:]))
        for era in ("2026-07-28", "2025-11-25"):
            measure(era, list(ways.values()), calls, AgentKey.generate())


def proxies(running: ExitStack, upstream: int, folder: Path) -> dict[str, str]:
    """What passes on and does nothing else, by name."""
    bare = free_port()
    run(running, [sys.executable, str(BARE), f"http://127.0.0.1:{upstream}", str(bare)], bare)
    found = {"aiohttp": f"http://127.0.0.1:{bare}"}
    if program := shutil.which("nginx"):
        port, settings = free_port(), folder / "nginx.conf"
        settings.write_text(NGINX.format(folder=folder, upstream=upstream, port=port))
        run(running, [program, "-e", f"{folder}/errors", "-c", str(settings)], port)
        found["nginx"] = f"http://127.0.0.1:{port}"
    return found


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def run(running: ExitStack, command: list[str], port: int) -> None:
    """Run a server until the stack is left, from when it listens."""
    running.callback(end, subprocess.Popen(command, stderr=subprocess.DEVNULL, text=True))
    wait_for(port)


def end(process: "subprocess.Popen[str]") -> None:
    """End a process."""
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
