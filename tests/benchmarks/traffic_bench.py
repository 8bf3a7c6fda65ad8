"""What the fold costs an entry, microseconds; takes the number of calls.

Plain `tools/call` exchanges of both eras, request, response, message and end, decoded beforehand.
"""

import gc
import sys
from collections import defaultdict
from time import perf_counter

from build import Log
from rpc import call, modern, modern_headers, result, text
from verdicts import unsigned, verified

from mcpwatch.model.entries import Entry
from mcpwatch.traffic.fold import Traffic

_HEADERS = {
    "accept": "application/json, text/event-stream",
    "content-type": "application/json",
    "user-agent": "python-httpx2/2.16.2",
}


def main(calls: int) -> None:
    """Print the mean cost by era and kind of entry."""
    verdicts = {"unsigned": unsigned(), "signed": verified()}
    for era, log in (("legacy", _legacy(calls)), ("modern", _modern(calls))):
        for word, verdict in verdicts.items():
            spent: defaultdict[str, float] = defaultdict(float)
            count: defaultdict[str, int] = defaultdict(int)
            traffic = Traffic()
            # The log itself is no part of the fold, so the collector need not walk it.
            gc.collect()
            gc.freeze()
            for entry in log:
                begun = perf_counter()
                seen = traffic.apply(entry, verdict)
                spent[seen.kind] += perf_counter() - begun
                count[seen.kind] += 1
            each = "  ".join(f"{kind} {1e6 * spent[kind] / count[kind]:5.2f}" for kind in spent)
            whole = 1e6 * sum(spent.values()) / len(log)
            print(f"{era:7} {word:9} {each}  mean {whole:5.2f} µs, {1e6 / whole:,.0f} entries/s")


def _legacy(calls: int) -> list[Entry]:
    log = Log()
    log.initialize("s1")
    for id in range(1, calls + 1):
        log.exchange(call(id, "echo", message="hello"), result(id, text("hello")), session="s1", headers=_HEADERS)
    return log.entries


def _modern(calls: int) -> list[Entry]:
    log = Log()
    for id in range(1, calls + 1):
        body = modern(call(id, "echo", message="hello"))
        log.exchange(body, result(id, text("hello")), headers={**_HEADERS, **modern_headers(body)})
    return log.entries


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 30_000)
