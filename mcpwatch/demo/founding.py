"""What the demo's registry knows before the first agent comes: a history, and who vouched for whom in it."""

from base64 import b64encode
from datetime import datetime, timedelta
from uuid import uuid4

from mcpwatch.demo.cast import GUILD, KEYS_HELD, RETIRED, VETERAN, WELCOME, known
from mcpwatch.demo.keyring import Keyring
from mcpwatch.demo.registry.records import KeyPeriod, Opening, Registration, Vouch, signed_text
from mcpwatch.identity.agent_key import AgentKey

_FORGE = "forge"
_DAYS = 200
"""Age of the registry."""
_GREETING = "Welcome! This vouch says no more than that somebody registered."


def found(keys: Keyring, now: datetime) -> Opening:
    """The registry as the demo begins.

    The guild vouches for the veteran and the veteran for the forge, with the key that it had then.
    """
    began = now - timedelta(days=_DAYS)
    held = [_registration(name, keys, now) for name in (GUILD, WELCOME, *known("to the registry"))]
    dids = {one.username: one.did for one in held}
    welcome = keys.ed25519[WELCOME]
    guests = [one.did for one in held if one.username != WELCOME]
    vouches = [_vouch(welcome, welcome.did_aip, did, "GENERAL", _GREETING, began) for did in guests]
    vouches += [
        _vouch(keys.ed25519[GUILD], dids[GUILD], dids[VETERAN], "IDENTITY", "one of our oldest members",
               began + timedelta(days=10)),
        _vouch(keys.ed25519[RETIRED], dids[VETERAN], dids[_FORGE], "CODE_SIGNING", "builds what we ship",
               began + timedelta(days=30)),
    ]  # fmt: skip
    return Opening(welcome.did_aip, held, vouches)


def _registration(name: str, keys: Keyring, now: datetime) -> Registration:
    """An identity whose keys, the oldest first, each held until the next began."""
    held = KEYS_HELD.get(name, ((name, _DAYS),))
    starts = [now - timedelta(days=days) for _, days in held]
    rows = zip(held, starts, [*starts[1:], None], strict=True)
    periods = [KeyPeriod(keys.ed25519[key].public_base64, start, end) for (key, _), start, end in rows]
    return Registration(keys.did_aip(name), name, periods)


def _vouch(key: AgentKey, voucher: str, target: str, scope: str, statement: str, time: datetime) -> Vouch:
    signature = b64encode(key.sign(signed_text(voucher, target, scope, statement))).decode("ascii")
    return Vouch(str(uuid4()), voucher, target, scope, statement, time, signature)
