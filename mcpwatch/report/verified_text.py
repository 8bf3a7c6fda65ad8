"""What verifying a recording came to, as lines for a person; everything from outside goes through the text door."""

from collections.abc import Iterator

from mcpwatch.report.verified import SignatureCount, Verified
from mcpwatch.text import count, show

_REASON = 400
_NAMED = 5
"""Entries that are named of those that fail."""


def verified_text(report: Verified) -> str:
    """What it is, how far it is proven, the signatures, and the result last."""
    return "\n".join(show(line) for line in _lines(report))


def _lines(report: Verified) -> Iterator[str]:
    yield f"recording    {report.file}  {count(report.octets, 'octet')}"
    yield f"log          {report.origin}"
    how = "pinned for this log here" if report.key_known else "not pinned here: it is the recording's own word"
    yield f"key          {report.key}  ({how})"
    yield f"entries      {_extent(report)}"
    when = f", the newest that holds of {report.checkpoint_time}" if report.checkpoint_time else ""
    yield f"checkpoints  {report.checkpoints:,}{when}"
    yield f"proven       {_proven(report)}"
    for first, last in report.gaps:
        yield f"not in it    entries {first:,} to {last:,}"
    if report.malformed:
        yield f"malformed    {count(report.malformed, 'entry')}"
    for each in report.signatures:
        yield f"signatures   {_signatures(each)}"
    if report.waiting:
        yield f"keys         {count(report.waiting, 'request')} still waited for a key when it ended"
    yield "passed" if report.passed else f"FAILED: {'; '.join(report.reasons)}"[:_REASON]


def _extent(report: Verified) -> str:
    if report.last is None:
        return "none"
    return f"{report.entries:,}, from {report.first:,} to {report.last:,}"


def _proven(report: Verified) -> str:
    if report.verified_size <= report.first:
        return "nothing"
    pending = f"; {count(report.pending, 'entry')} after that not" if report.pending else ""
    return f"up to entry {report.verified_size - 1:,}{pending}"


def _signatures(each: SignatureCount) -> str:
    named = f"  [{' '.join(f'#{index}' for index in each.first[:_NAMED])}]" if each.fails else ""
    more = " …" if each.fails and each.count > _NAMED else ""
    return f"{each.scheme or 'none':10}  {each.verdict:12} {count(each.count, 'request')}{named}{more}"
