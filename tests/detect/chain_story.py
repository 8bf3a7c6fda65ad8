"""Calls one after the other, through the real fold, so that edges and classes are those that a watcher sees."""

from collections.abc import Mapping

from build import Log
from rpc import call, modern, result, text
from rule_scene import Scene
from verdicts import verified

from mcpwatch.model.alerts import Finding
from mcpwatch.model.entries import Body, Entry, Json, Principal
from mcpwatch.model.identity import Verdict
from mcpwatch.model.traffic import Observation
from mcpwatch.traffic.fold import Traffic

TRACE = f"00-{'a' * 32}-{'b' * 16}-01"
KEY = "ghp_" + "a1B2c3D4e5F6g7H8i9" * 2
"""It has the shape of a key and opens nothing."""
ID = "8d5f4b0e-91c2-4d7e-a6b3-0c1d2e3f4a5b"
OTHER_ID = "3b1f9a77-0d4c-4e1b-8f62-7c5e2d9a1b04"
THIRD_ID = "c94e7d20-6a3b-4f58-9e01-2b7d8c6f5a13"
MANY_IDS = " ".join(
    (ID, OTHER_ID, THIRD_ID, "5f0a8c31-2e7d-49b6-8a14-d3c6e9f07b25", "e1d4b790-63f8-4c2a-9b5e-08a7f6c3d219")
)
EVIL = "https://collect.example/drop/7f3a91c2b4"


class Story:
    """Plays calls into a scene; each method returns the findings that came of it."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.log = Log(source=scene.source)
        self.traffic = Traffic(scene.source)
        self.done = 0
        self.seen: list[Observation] = []

    def call(
        self,
        tool: str,
        /,
        answer: Json = "done",
        *,
        who: str = "alice",
        session: str = "s1",
        upstream: str = "",
        trace: str = "",
        meta: Json = None,
        verdict: Verdict | None = None,
        principal: Principal | None = None,
        whole: bool = True,
        **arguments: Json,
    ) -> list[Finding]:
        """A call of a tool with its answer, a text or a whole result; in a session, or in the modern era without."""
        body = call(self.log.next, tool, meta, **arguments)
        body = body if session else modern(body)
        value = text(answer) if isinstance(answer, str) else answer
        headers: Mapping[str, str] = {"user-agent": "agent/1.0"} | ({"traceparent": trace} if trace else {})
        answers = [result(body["id"], value)] if whole else []
        self.log.exchange(body, *answers, session=session, upstream=upstream, headers=headers, principal=principal)
        return self.play(verdict or verified(who))

    def unread(self, tool: str, session: str = "s1") -> list[Finding]:
        """A call of which only the headers travelled."""
        headers = {"mcp-method": "tools/call", "mcp-name": tool}
        self.log.exchange(Body(5, "0" * 64), Body(5, "0" * 64), session=session, headers=headers)
        return self.play(verified())

    def play(self, verdict: Verdict) -> list[Finding]:
        """Play what the log has got since."""
        before = len(self.scene.findings)
        for entry in self.log.entries[self.done :]:
            self.take(entry, verdict)
        self.done = len(self.log.entries)
        return self.scene.findings[before:]

    def take(self, entry: Entry, verdict: Verdict) -> None:
        """Play one entry."""
        seen = self.traffic.apply(entry, verdict)
        self.seen.append(seen)
        self.scene.findings += self.scene.engine.observe(seen)
