"""What the demo's registry knows before the first agent comes: a history, and who vouched for whom in it."""

from base64 import b64encode
from datetime import datetime, timedelta
from uuid import uuid4

from mcpwatch.demo.cast import GUILD, RETIRED, VETERAN, WELCOME, known
from mcpwatch.demo.keyring import Keyring
from mcpwatch.demo.registry.records import KeyPeriod, Opening, Registration, Vouch, signed_text
from mcpwatch.identity.agent_key import AgentKey

_FORGE = "forge"
_AGE = timedelta(days=200)
_RETIRED = timedelta(days=40)
"""How long ago the veteran replaced its first key."""
_GREETING = "Welcome! This vouch says no more than that somebody registered."


def found(keys: Keyring, now: datetime) -> Opening:
    """The registry as the demo begins.

    The guild vouches for the veteran and the veteran for the forge, with the key that it had then.
    """
    began = now - _AGE
    held = [_registration(name, [(keys.ed25519[name], began)]) for name in known("to the registry") if name != VETERAN]
    retired, present = keys.ed25519[RETIRED], keys.ed25519[VETERAN]
    held += [
        *(_registration(name, [(keys.ed25519[name], began)]) for name in (GUILD, WELCOME)),
        _registration(VETERAN, [(retired, began), (present, now - _RETIRED)]),
    ]
    dids = {one.username: one.did for one in held}
    welcome = keys.ed25519[WELCOME]
    guests = [one.did for one in held if one.username != WELCOME]
    vouches = [_vouch(welcome, welcome.did_aip, did, "GENERAL", _GREETING, began) for did in guests]
    vouches += [
        _vouch(keys.ed25519[GUILD], dids[GUILD], dids[VETERAN], "IDENTITY", "one of our oldest members",
               began + timedelta(days=10)),
        _vouch(retired, dids[VETERAN], dids[_FORGE], "CODE_SIGNING", "builds what we ship",
               began + timedelta(days=30)),
    ]  # fmt: skip
    return Opening(welcome.did_aip, held, vouches)


def _registration(username: str, keys: list[tuple[AgentKey, datetime]]) -> Registration:
    """An identity whose keys, the oldest first, each held until the next began."""
    ends = [*(start for _, start in keys[1:]), None]
    periods = [KeyPeriod(key.public_base64, start, end) for (key, start), end in zip(keys, ends, strict=True)]
    return Registration(keys[0][0].did_aip, username, periods)


def _vouch(key: AgentKey, voucher: str, target: str, scope: str, statement: str, time: datetime) -> Vouch:
    signature = b64encode(key.sign(signed_text(voucher, target, scope, statement))).decode("ascii")
    return Vouch(str(uuid4()), voucher, target, scope, statement, time, signature)
