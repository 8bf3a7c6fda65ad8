"""What a watcher counts."""

from collections import Counter

from msgspec import Struct, field

from mcpwatch.model.identity import Word


class Counts(Struct):
    """What was ever seen; never shrinks when rows are evicted."""

    entries: int = 0
    words: Counter[Word] = field(default_factory=Counter)
    """Requests by the word of their verdict."""
    kinds: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    findings: int = 0
    failures: int = 0
    """Entries that a room could not take in and that became malformed rows."""
    rule_failures: int = 0
    """Times that a rule failed and did not say what it should have said."""
    unjudged: int = 0
    """Requests, and answers with proofs, that waited for a key and were let go of before it came."""
