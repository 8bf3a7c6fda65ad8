"""Where the CPU time of the pipeline goes, by stage: a sampling profile, which slows what it measures by little."""

import signal
from collections import Counter
from collections.abc import Callable, Mapping
from types import FrameType

EVERY = 0.001
"""Seconds of CPU time between two samples."""

STAGES: Mapping[str, str] = {
    "/httpx_sse/": "event stream",
    "/mcpwatch/feed/sse": "event stream",
    "/mcpwatch/feed/": "envelope, log, proof",
    "/mcpwatch/traffic/": "correlation",
    "/mcpwatch/identity/": "verification",
    "/mcpwatch/watch/identities": "verification",
    "/mcpwatch/detect/": "rules and alerts",
    "/mcpwatch/policy/": "rules and alerts",
    "/mcpwatch/watch/alerting": "rules and alerts",
    "/mcpwatch/watch/": "state",
}
"""A part of a file's path -> the stage; the first that fits counts, of the innermost frame that has one."""


def by_stage(work: Callable[[], None]) -> Counter[str]:
    """Samples of each stage while the work runs."""
    samples: Counter[str] = Counter()

    def take(signum: int, frame: FrameType | None) -> None:
        samples[_stage(frame)] += 1

    before = signal.signal(signal.SIGPROF, take)
    signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)
    try:
        work()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    return samples


def _stage(frame: FrameType | None) -> str:
    while frame is not None:
        for part, stage in STAGES.items():
            if part in frame.f_code.co_filename:
                return stage
        frame = frame.f_back
    return "other"
