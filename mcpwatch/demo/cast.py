"""Who appears in the demo. One row an agent."""

from typing import Literal

from msgspec import Struct

Known = Literal["by its name", "to the operator", "to the registry", "to its directory", "to partners", "to nobody"]
"""How a watcher comes to know a key: a did:key is the key, a did:aip has to be pinned or looked up, a directory is
named in each request, and the keys of partners lie in a JWKS file. A key that comes with the request nobody knows."""

Signs = Literal[
    "",
    "AIP",
    "RFC 9421",
    "SEP-2752",
    "Web Bot Auth",
    "UCP",
    "DPoP",
    "Signet",
    "AIP and RFC 9421",
    "AIP token",
    "HMAC",
]


class Agent(Struct, frozen=True):
    """An agent."""

    name: str
    about: str
    signs: Signs = ""
    known: Known = "to nobody"
    named: bool = False
    """Whether the operator gave its identity its name."""

    @property
    def has_p256(self) -> bool:
        """Whether its key is for ES256 and not for Ed25519."""
        return self.signs in ("UCP", "DPoP")


CAST: dict[str, Agent] = {
    agent.name: agent
    for agent in (
        Agent("ledger", "refunds orders", "AIP", "to the operator", named=True),
        Agent("scribe", "keeps the notes, in one session that its signature covers", "RFC 9421", "by its name"),
        Agent("forge", "runs the builds", "AIP", "to the registry", named=True),
        Agent("courier", "follows late parcels through two servers", "AIP", "by its name", named=True),
        Agent("veteran", "has had three keys under one identity", "AIP", "to the registry", named=True),
        Agent("concierge", "shows its key when a session begins", "SEP-2752"),
        Agent("crawler", "reads the notes, its keys in a directory of its own", "Web Bot Auth", "to its directory"),
        Agent("shopper", "orders for others, its key in the partners' file", "UCP", "to partners"),
        Agent("teller", "holds an access token that is bound to its key", "DPoP"),
        Agent("auditor", "leaves a signed receipt with each call", "Signet", named=True),
        Agent("notary", "signs everything twice", "AIP and RFC 9421", "to the operator", named=True),
        Agent("recruit", "registers while the registry has an hour to live", "AIP"),
        Agent("pilgrim", "carries a token in place of a signature", "AIP token"),
        Agent("hook", "signs with a secret that it shares with its server", "HMAC"),
        Agent("intern", "signs, but not the body", "RFC 9421", "by its name"),
        Agent("magpie", "goes where it does not belong", "AIP", "by its name"),
        Agent("rusty", "has a clock that is twenty minutes slow", "AIP", "by its name"),
        Agent("prophet", "has a clock that is two hours fast", "AIP", "by its name"),
        Agent("stranger", "signs under a did:aip that is registered nowhere", "AIP"),
        Agent("nomad", "signs under a key id that says nothing here", "RFC 9421"),
        Agent("tourist", "asks for the weather"),
        Agent("parrot", "sends again what others have sent"),
        Agent("cuckoo", "sits in sessions of others"),
        Agent("mole", "tries every door"),
    )
}

GUILD = "guild"
"""Vouches for agents and calls nothing; the operator's trust begins there."""
WELCOME = "welcome"
"""Vouches for whoever registers."""
VETERAN = "veteran"
RETIRED = "veteran-retired"
"""The key that the veteran's identity derives from, and that it gave up long ago."""
ORDERS = "orders"
"""The server that signs its answers."""

ISSUER = "https://login.example.com"
"""Whose access tokens people bring."""
ADMIN = "ada@example.com"
"""The administrator, whose token only one agent may use."""


def known(how: Known) -> list[str]:
    """Names of the agents whose keys are known in that way."""
    return [agent.name for agent in CAST.values() if agent.known == how]
