"""Keys at a URL: directories of HTTP message signatures (draft-ietf-webbotauth-httpsig-directory), and JWKS.

The identity is the URL. Without a path it is the origin of a directory, with one the address of a JWKS itself, or of a
UCP profile.
"""

from urllib.parse import urlsplit

from mcpwatch.identity.keyset import MAX_OCTETS, BadSet, read_jwks
from mcpwatch.identity.resolution import Resolved, Unavailable
from mcpwatch.identity.resolvers.fetch import Fetcher, is_own_name
from mcpwatch.identity.resolvers.jwks import ACCEPT
from mcpwatch.model.identity import Resolution

WELL_KNOWN = "/.well-known/http-message-signatures-directory"
MEDIA_TYPE = "application/http-message-signatures-directory+json"


class Directories:
    """Asks the hosts. With `allow_private` in the fetcher, localhost is asked over http where the URL says so."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    async def resolve(self, url: str) -> Resolved:
        """The keys at `url`. Raises Unavailable."""
        try:
            parts = urlsplit(url)
            is_asked = parts.scheme == "https" or is_own_name(parts.hostname or "")
        except ValueError:
            is_asked = False
        if not is_asked:
            return _nobody("a key directory is asked over https only")
        is_directory = not parts.path and not parts.query
        fetched = await self._fetcher.get(
            url + WELL_KNOWN if is_directory else url, accept=MEDIA_TYPE if is_directory else ACCEPT, limit=MAX_OCTETS
        )
        if fetched.status in (404, 410):
            return _nobody("the host has no keys there")
        if fetched.status != 200:
            raise Unavailable(f"the host answered with HTTP status {fetched.status}")
        if is_directory and fetched.media_type != MEDIA_TYPE:
            raise Unavailable(f"what the host answered with is no {MEDIA_TYPE}")
        try:
            found = read_jwks(fetched.body)
        except BadSet as error:
            raise Unavailable(f"what is there cannot be used as a JWKS: {error}") from None
        reason = "" if found.keys else "there is no key that may be used"
        return Resolved(Resolution.DIRECTORY, found.keys, reason, found.refused)


def _nobody(reason: str) -> Resolved:
    return Resolved(Resolution.DIRECTORY, (), reason)
