"""A registry in memory that answers in the shapes of the captured one, and lies when it is told to."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
from signed import NOW
from streamed import streamed
from vouching import text

from mcpwatch.identity.agent_key import AgentKey
from mcpwatch.identity.resolvers.fetch import Fetcher
from mcpwatch.identity.vouches import Vouch

ADDRESS = "http://registry.example"
Answer = dict[str, Any]
Rotation = tuple[AgentKey, float]


def iso(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).isoformat()


def naive(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M:%S")


class SmallRegistry:
    """Holds keys and vouches; `asked` is every path and query so far."""

    def __init__(self) -> None:
        self.keys: dict[str, list[Rotation]] = {}
        """By DID, each key with when it became current, the oldest first."""
        self.vouches: dict[str, Vouch] = {}
        self.system = ""
        self.asked: list[str] = []
        self.lies: dict[str, Callable[[Answer], Answer]] = {}
        """By the beginning of the path, what becomes of an answer."""
        self.answers: dict[str, httpx.Response] = {}
        """By the beginning of the path, another answer altogether."""
        self.is_down = False

    def register(self, *agents: AgentKey) -> None:
        for agent in agents:
            self.keys[agent.did_aip] = [(agent, NOW - 86_400)]

    def rotate(self, did: str, key: AgentKey, time: float) -> None:
        self.keys[did].append((key, time))

    def add(self, *vouches: Vouch) -> None:
        self.vouches.update((vouch.id, vouch) for vouch in vouches)

    def fetcher(self, clock: Callable[[], float] = lambda: 0.0) -> Fetcher:
        return Fetcher(transport=httpx.MockTransport(lambda request: streamed(self._respond(request))), clock=clock)

    def count(self, start: str) -> int:
        """How often a path that begins so was asked for."""
        return sum(path.startswith(start) for path in self.asked)

    def _respond(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode()
        self.asked.append(path)
        if self.is_down:
            raise httpx.ConnectError("refused")
        given = next((answer for start, answer in self.answers.items() if path.startswith(start)), None)
        if given is not None:
            return given
        answer = self._answer(request.url)
        if answer is None:
            return httpx.Response(404, json={"detail": "not found"})
        lie = next((lie for start, lie in self.lies.items() if path.startswith(start)), lambda answer: answer)
        return httpx.Response(200, json=lie(answer))

    def _answer(self, url: httpx.URL) -> Answer | None:
        did, last = url.params.get("did", ""), url.path.rpartition("/")[2]
        match url.path.split("/")[1]:
            case "health":
                return {"status": "healthy", "system_identity": self.system}
            case "trust-graph":
                listed = [_listed(vouch) for vouch in self.vouches.values() if vouch.target == did]
                given = [_listed(vouch) for vouch in self.vouches.values() if vouch.voucher == did]
                return {"did": did, "vouched_by": listed, "vouches_for": given}
            case "trust":
                vouches = [vouch for vouch in self.vouches.values() if vouch.target == last]
                scopes = sorted({vouch.scope for vouch in vouches})
                return {"did": last, "registered": last in self.keys, "scopes": scopes, "vouch_count": len(vouches)}
            case "vouch":
                vouch = self.vouches.get(last)
                return self._certificate(vouch) if vouch else None
            case "verify":
                return self._verified(did)
        return None

    def _certificate(self, vouch: Vouch) -> Answer:
        current = self.keys[vouch.voucher][-1][0].public_base64 if vouch.voucher in self.keys else ""
        return {
            **_listed(vouch),
            "version": "1.0",
            "voucher_public_key": current,
            "signature": text(vouch.signature),
            "certificate_issued_at": iso(NOW),
        }

    def _verified(self, did: str) -> Answer:
        keys = self.keys.get(did)
        if keys is None:
            return {"verified": False, "did": None, "public_key": None, "key_history": None}
        ends = [time for _, time in keys[1:]] + [None]
        history = [
            {
                "public_key": key.public_base64,
                "valid_from": iso(start),
                "valid_until": iso(end) if end else None,
                "is_current": end is None,
            }
            for (key, start), end in zip(keys, ends, strict=True)
        ]
        shown = history[::-1] if len(keys) > 1 else None
        return {"verified": True, "did": did, "public_key": keys[-1][0].public_base64, "key_history": shown}


def _listed(vouch: Vouch) -> Answer:
    return {
        "vouch_id": vouch.id,
        "voucher_did": vouch.voucher,
        "target_did": vouch.target,
        "scope": vouch.scope,
        "statement": vouch.statement,
        "created_at": naive(vouch.created or 0.0),
        "expires_at": iso(vouch.expires) if vouch.expires else None,
    }
