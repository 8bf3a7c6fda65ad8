"""Whether a signed time is recent."""

from mcpwatch.model.identity import Freshness


def freshness(
    created: float | None, expires: float | None, now: float, window_s: float, future_s: float
) -> tuple[Freshness, str]:
    """How a signature made at `created` and ending at `expires` stands at `now`, and why; all seconds since the epoch.

    `expires` can only shorten the window (RFC 9421 section 2.3).
    """
    if expires is not None and now > expires:
        return Freshness.STALE, f"the signature expired {now - expires:.0f} s before the request"
    if created is None:
        return Freshness.UNDECIDABLE, "nothing signed says when"
    if now - window_s <= created <= now + future_s:
        return Freshness.FRESH, ""
    if created > now:
        return Freshness.FUTURE, f"signed {created - now:.0f} s after the request came"
    return Freshness.STALE, f"signed {now - created:.0f} s before the request came; {window_s:.0f} s are allowed"
