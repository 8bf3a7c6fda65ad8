"""What a rule is."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar, Final, Self

from msgspec import Struct

from mcpwatch.detect.phrases import clip, upstream_of, who_of
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.feed import FeedStatus
from mcpwatch.model.identity import Signer, Word
from mcpwatch.model.traffic import Call, EntryKind, Observation
from mcpwatch.policy.policy import Policy, RulePolicy

KeysOf = Callable[[str, float], tuple[Signer, ...]]
"""A name, and seconds since the epoch -> whom it stands for, with each key that is known of them at that time."""


SIGNED: Final = frozenset(Word) - {Word.UNSIGNED}
"""For `Rule.words`: whatever is said of a signature that is there."""
ANSWERS: Final[frozenset[EntryKind]] = frozenset({"response", "message", "end"})
"""What a server sends."""
ANY_CALL: Final = frozenset({"any"})
"""For `Rule.methods`: whatever is called."""


class Operator(Struct, frozen=True):
    """What the operator has said that a rule may need."""

    principals: Mapping[str, Sequence[str]] = {}
    """A token's subject, or its issuer and subject with a blank between -> the signers it may use, by id or name."""
    called: KeysOf = lambda name, now: ()
    """Whom the operator calls so; looks nobody up by another name."""
    keys: KeysOf = lambda id, now: ()
    """Who goes by an id; may have somebody ask for it."""


class Rule:
    """One thing that can be wrong.

    A subclass sets `info`, implements `observe` or `observe_feed`, and holds what it needs to remember in
    bounded memory of its own. It reads observations and never changes them.
    """

    info: ClassVar[RuleInfo]
    kinds: ClassVar[tuple[EntryKind, ...]] = ()
    """The kinds of observation it looks at."""
    words: ClassVar[frozenset[Word]] = frozenset(Word)
    """The verdicts it looks at, on entries that have one."""
    methods: ClassVar[frozenset[str] | None] = None
    """Of what a server sends, it looks only at entries that move on a call of one of these methods; None for all
    entries, also those that move none on."""
    rejudges: ClassVar[bool] = False
    """Whether it also looks at entries that were judged again, which brings nothing but a verdict."""

    settles: ClassVar[bool] = False
    """Whether an entry on which it has no finding any more, once judged again, takes its finding back."""

    policy: Policy = Policy()
    """What the operator allows and expects; `follow` puts it."""
    _settings: Mapping[str, float] | None = None

    def follow(self, policy: Policy) -> None:
        """Work by this policy from now on, with all that is remembered."""
        self.policy = policy
        self._settings = None

    def setting(self, name: str) -> float:
        """One of `info.settings`: the policy's value, or the default."""
        if self._settings is None:
            own = self.policy.rules.get(self.info.id, RulePolicy())
            self._settings = {row.name: row.default for row in self.info.settings} | dict(own.settings)
        return self._settings[name]

    @classmethod
    def build(cls, operator: Operator) -> Self:
        """The rule for this operator; one that needs to know something takes it from there."""
        return cls()

    def observe(self, seen: Observation) -> Iterable[Finding]:
        """What is wrong with this entry, in the light of those before it."""
        return ()

    def observe_feed(self, before: FeedStatus, after: FeedStatus) -> Iterable[Finding]:
        """What is wrong with the way one feed's standing changed."""
        return ()

    def mended(self, before: FeedStatus, after: FeedStatus) -> str:
        """Why what it finds wrong with a feed is over, as this change shows; empty where it is not."""
        return ""

    def finding(
        self,
        seen: Observation,
        subject: str,
        reason: str,
        *evidence: int,
        call: Call | None = None,
        at_least: Severity = Severity.LOW,
    ) -> Finding:
        """A finding on this entry; `evidence` is the entry itself and `call` the first it touches, unless given.

        `at_least` may make it worse than the catalogue says.
        """
        session, severity = seen.session, self.info.severity
        touched = call or next(iter(seen.opened or seen.updated), None)
        return Finding(
            self.info.id,
            severity if severity >= at_least else at_least,
            clip(subject),
            reason,
            evidence or (seen.index,),
            seen.source,
            session.key if session is not None else "",
            touched.id if touched is not None else "",
            upstream_of(seen) or (session.upstream if session is not None else ""),
            clip(touched.target) if touched is not None and touched.method == "tools/call" else "",
            who_of(seen),
        )
