"""The policy's file while a gateway runs: read again when it changes, kept as it was where it cannot be used."""

from collections.abc import Callable
from pathlib import Path

from mcpwatch.policy.policy import Policy
from mcpwatch.policy.terms import Signatures, Terms


class PolicyFile:
    """The policy in force."""

    def __init__(self, path: Path, load: Callable[[], Policy]) -> None:
        """`load` reads the file; raises McpwatchError where it cannot be used."""
        self.path = path
        self._load = load
        self._stamp = self._look()
        self.policy = load()
        self._bound: dict[str, bool] = {}

    def refresh(self) -> bool:
        """Take in what changed; whether anything did.

        Raises McpwatchError, once for each change, when the file cannot be used: the policy before stays in force.
        """
        stamp = self._look()
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        self.policy = self._load()
        self._bound = {}
        return True

    def binds(self, upstream: str) -> bool:
        """Whether there is a call of the server that the policy refuses to anybody."""
        bound = self._bound.get(upstream)
        if bound is None:
            policy = self.policy
            tools = (terms for (name, _), terms in policy.tools.items() if name == upstream)
            bound = self._bound[upstream] = any(map(_binds, (policy.terms(upstream), *tools)))
        return bound

    def needs_signer(self, upstream: str) -> bool:
        """Whether the policy lets nobody call the server whom no signature proves."""
        terms = self.policy.terms(upstream)
        return terms.signatures is Signatures.REQUIRED or bool(terms.members and terms.members.identities)

    def _look(self) -> tuple[int, ...]:
        """What tells one version of the file from another; empty where there is none."""
        try:
            found = self.path.stat()
        except OSError:
            return ()
        return found.st_ino, found.st_mtime_ns, found.st_size


def _binds(terms: Terms) -> bool:
    return terms.signatures is Signatures.REQUIRED or not terms.is_open
