"""Acts that are about the registry: a key is replaced, an old one is used, and nobody answers for a while."""

import secrets
from base64 import b64encode
from collections.abc import Mapping

import httpx2

from mcpwatch.demo.agents.stage import Stage
from mcpwatch.demo.cast import RETIRED, VETERAN
from mcpwatch.demo.registry import OUTAGE
from mcpwatch.identity.agent_key import AgentKey
from mcpwatch.identity.signer import AipAuth

_OUTAGE_S = 12.0


async def rotation(stage: Stage) -> None:
    """A session in which the agent replaces its key, once in the story; afterwards it works on with the new one.

    A watcher that has just asked for the key leaves the calls with the new one open until it may ask again.
    """
    async with stage.client(VETERAN, "notes", "legacy", auth=_Rotating(stage)) as notes:
        await notes.list_tools()
        await notes.call_tool("read_note", {"id": "note-5ad2c964"})
        if VETERAN not in stage.rotated:
            stage.rotated.add(VETERAN)
            await stage.pause()
            await rotate(stage, VETERAN)
        await notes.call_tool("search_notes", {"query": "scanners"})
        await stage.pause()
        await notes.call_tool("read_note", {"id": "note-93b7f01e"})


async def rotate(stage: Stage, name: str) -> None:
    """Replace an agent's key at the registry; the old one signs for the new one."""
    key, new = stage.key(name), AgentKey.generate()
    signature = b64encode(key.sign(f"rotate:{new.public_base64}".encode())).decode("ascii")
    did = stage.keys.did_aip(name)
    await tell(stage, "/rotate-key", {"did": did, "new_public_key": new.public_base64, "signature": signature})
    stage.keys.ed25519[name] = new


async def old_key(stage: Stage) -> None:
    """Somebody signs with a key that its owner gave up long ago."""
    auth = AipAuth(stage.keys.ed25519[RETIRED], did=stage.keys.did_aip(VETERAN))
    async with stage.client("magpie", "orders", auth=auth) as orders:
        await orders.list_tools()
        await orders.call_tool("refund_order", {"number": "A-1103", "amount": 59.0})


async def registry_down(stage: Stage) -> None:
    """An agent registers and calls; before anybody has asked for its key the registry goes down, and comes back."""
    key = AgentKey.generate()
    username = f"recruit-{secrets.token_hex(4)}"
    member = {"did": key.did_aip, "public_key": key.public_base64, "platform": "mcp", "username": username}
    await tell(stage, "/register", member)
    await tell(stage, OUTAGE, {"seconds": _OUTAGE_S * stage.pace, "did": key.did_aip})
    async with stage.client("recruit", "orders", auth=AipAuth(key)) as orders:
        await orders.list_tools()
        await orders.call_tool("lookup_order", {"number": "A-1042"})


async def twins(stage: Stage) -> None:
    """Two identities, one key."""
    for name in ("castor", "pollux"):
        async with stage.client(name, "orders") as orders:
            await orders.list_tools()
            await orders.call_tool("list_orders", {"customer": "C-88"})


async def tell(stage: Stage, path: str, body: Mapping[str, object]) -> None:
    """Tell the registry something. Raises httpx2.HTTPStatusError when it does not have it."""
    async with httpx2.AsyncClient(base_url=stage.places.registry, trust_env=False) as http:
        (await http.post(path, json=body)).raise_for_status()


class _Rotating:
    """AIP headers, always with the key that the veteran has by then."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def __call__(self, request: httpx2.Request) -> httpx2.Request:
        stage = self._stage
        return AipAuth(stage.key(VETERAN), did=stage.keys.did_aip(VETERAN))(request)
