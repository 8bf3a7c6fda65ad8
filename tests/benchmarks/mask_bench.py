"""What masking costs: microseconds a body and octets a second, beside what it takes to hash the same body.

The bodies are a call of 1 KB, prose, rows of a table, a log that is no JSON, and two that are made to be slow.
"""

import json
import time
from collections.abc import Callable
from functools import partial

from mcpwatch.gateway.bodies import capture_body

ROUNDS = 5
SECONDS = 0.4

CALL = {
    "jsonrpc": "2.0",
    "id": 7,
    "method": "tools/call",
    "params": {
        "name": "search_docs",
        "arguments": {
            "query": "how do I rotate the logs of the billing service",
            "filters": {"team": "payments", "since": "2026-11-01", "path": "/srv/docs/billing/readme.md"},
            "message": "Please look at the pages that describe retention, and tell me which changed last week. " * 6,
        },
        "_meta": {"progressToken": 7, "io.modelcontextprotocol/protocolVersion": "2026-07-28"},
    },
}
PROSE = "Set the value of retention: 7 days. See https://docs.example/a?b=1 for more, it's fine.\n"
ROWS = [{"id": at, "name": f"part {at}", "price": at * 1.5, "sku": f"SKU-{at:05}"} for at in range(4_000)]
BODIES = {
    "call, 1 KB": json.dumps(CALL),
    "prose": json.dumps({"result": {"content": [{"type": "text", "text": PROSE * 3_000}]}}),
    "rows": json.dumps({"result": {"structuredContent": {"rows": ROWS}}}),
    "no JSON": "level=info msg=started port=8080 user: ann\n" * 6_000,
    "nearly keys": json.dumps({"text": "eyJ" * 80_000}),
    "joints": json.dumps({"text": "token: =" * 30_000}),
}


def best(work: Callable[[], object]) -> float:
    """Seconds that `work` takes, of several rounds the best."""
    times = []
    for _ in range(ROUNDS):
        count, start = 0, time.perf_counter()
        while (taken := time.perf_counter() - start) < SECONDS / ROUNDS or not count:
            work()
            count += 1
        times.append(taken / count)
    return min(times)


def main() -> None:
    """Measure and print."""
    print(f"{'body':14} {'octets':>9} {'digest us':>10} {'masked us':>10} {'added us':>10} {'MB/s':>7}")
    for name, text in BODIES.items():
        data = text.encode()
        digest, masked = best(partial(capture_body, data, "digest")), best(partial(capture_body, data, "masked"))
        rate = len(data) / masked / 1e6
        figures = f"{digest * 1e6:10.1f} {masked * 1e6:10.1f} {(masked - digest) * 1e6:10.1f} {rate:7.1f}"
        print(f"{name:14} {len(data):9} {figures}")


if __name__ == "__main__":
    main()
