"""Who appears in the demo. One row an agent."""

from typing import Literal

from msgspec import Struct

Known = Literal["by its name", "to the operator", "to the registry", "to nobody"]
"""How a watcher comes to know a key: a did:key is the key, a did:aip has to be pinned or looked up."""


class Agent(Struct, frozen=True):
    """An agent."""

    name: str
    about: str
    signs: Literal["AIP", "RFC 9421", ""] = ""
    known: Known = "to nobody"


CAST: dict[str, Agent] = {
    agent.name: agent
    for agent in (
        Agent("ledger", "refunds orders", "AIP", "to the operator"),
        Agent("scribe", "keeps the notes, in one session that its signature covers", "RFC 9421", "by its name"),
        Agent("forge", "runs the builds", "AIP", "to the registry"),
        Agent("courier", "follows late parcels through two servers", "AIP", "by its name"),
        Agent("intern", "signs, but not the body", "RFC 9421", "by its name"),
        Agent("magpie", "goes where it does not belong", "AIP", "by its name"),
        Agent("rusty", "has a clock that is twenty minutes slow", "AIP", "by its name"),
        Agent("stranger", "signs under a did:aip that is registered nowhere", "AIP"),
        Agent("nomad", "signs under a key id that says nothing here", "RFC 9421"),
        Agent("tourist", "asks for the weather"),
        Agent("parrot", "sends again what others have sent"),
        Agent("cuckoo", "sits in sessions of others"),
        Agent("mole", "tries every door"),
    )
}


def known(how: Known) -> list[str]:
    """Names of the agents whose keys are known in that way."""
    return [agent.name for agent in CAST.values() if agent.known == how]
