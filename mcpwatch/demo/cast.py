"""Who appears in the demo. One row an agent."""

from typing import Literal

from msgspec import Struct


class Agent(Struct, frozen=True):
    """An agent, as the operator of the demo knows it."""

    name: str
    about: str
    signs: Literal["aip", "rfc9421", ""] = ""
    pinned: bool = False
    """Its did:aip is in the operator's file of keys."""
    registered: bool = False
    """Its did:aip is in the registry."""


CAST: dict[str, Agent] = {
    agent.name: agent
    for agent in (
        Agent("ledger", "refunds orders; signs with AIP", signs="aip", pinned=True),
        Agent("scribe", "keeps the notes; signs with RFC 9421 and covers the session id", signs="rfc9421"),
        Agent("forge", "runs the builds; signs with RFC 9421", signs="rfc9421"),
        Agent("courier", "follows late parcels through two servers; signs with AIP", signs="aip", registered=True),
        Agent("intern", "signs with RFC 9421 and leaves the body out", signs="rfc9421"),
        Agent("tourist", "asks for the weather; does not sign"),
        Agent("magpie", "known, and goes where it does not belong; signs with AIP", signs="aip", pinned=True),
        Agent("stranger", "signs with a key that nobody knows", signs="aip"),
        Agent("nomad", "signs with RFC 9421 under a key's name that says nothing here", signs="rfc9421"),
        Agent("rusty", "signs with AIP by a clock that is twenty minutes slow", signs="aip", pinned=True),
        Agent("parrot", "sends again what others have sent; does not sign"),
        Agent("cuckoo", "sits in sessions of others; does not sign"),
        Agent("mole", "tries every door; does not sign"),
    )
}
