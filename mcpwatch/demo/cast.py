"""Who appears in the demo. One row an agent."""

from typing import Literal

from msgspec import Struct

Known = Literal[
    "by its name",
    "to the operator",
    "to the registry",
    "by its directory",
    "by its profile",
    "to partners",
    "to nobody",
]
"""How a watcher comes to know a key: a did:key is the key, a did:aip has to be pinned or looked up, a directory or a
profile is named in each request, and the keys of partners lie in a JWKS file. A key that comes with the request nobody
knows."""

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
        Agent(
            "crawler",
            "reads the notes, its keys in a directory",
            "Web Bot Auth",
            "by its directory",
            named=True,
        ),
        Agent("shopper", "orders for others, its keys in a profile", "UCP", "by its profile", named=True),
        Agent("broker", "looks after orders, its key in the partners' file", "RFC 9421", "to partners", named=True),
        Agent("teller", "holds an access token that is bound to its key", "DPoP", named=True),
        Agent("auditor", "leaves a signed receipt with each call", "Signet", named=True),
        Agent("notary", "signs everything twice", "AIP and RFC 9421", "to the operator", named=True),
        Agent("recruit", "registers, and the registry goes down", "AIP"),
        Agent("pilgrim", "carries a token in place of a signature", "AIP token"),
        Agent("hook", "signs with a secret that it shares with its server", "HMAC"),
        Agent("castor", "rotated to a key that pollux has too", "AIP", "to the registry"),
        Agent("pollux", "rotated to a key that castor has too", "AIP", "to the registry"),
        Agent("intern", "signs, but not the body", "RFC 9421", "by its name"),
        Agent("magpie", "goes where it does not belong", "AIP", "by its name"),
        Agent("secretary", "answers the mail, and does what it says there", "AIP", "by its name"),
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
VETERAN, RETIRED = "veteran", "veteran-retired"
KEYS_HELD: dict[str, tuple[tuple[str, int], ...]] = {
    VETERAN: ((RETIRED, 200), (VETERAN, 40)),
    "castor": (("castor", 200), ("twins", 20)),
    "pollux": (("pollux", 200), ("twins", 20)),
}
"""Who has had more than one key: the keys' names, the oldest first, and the days since each is theirs."""
ORDERS = "orders"
"""The server that signs its answers."""

ISSUER = "https://login.example.com"
"""Whose access tokens people bring."""
ADMIN = "ada@example.com"
"""The administrator, whose token only one agent may use."""


def known(how: Known) -> list[str]:
    """Names of the agents whose keys are known in that way."""
    return [agent.name for agent in CAST.values() if agent.known == how]
