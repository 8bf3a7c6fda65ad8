"""Sessions, signers and tools as JSON, as they are copied; entries and alerts are in `mcpwatch.watch.json_lines`."""

from mcpwatch.model.tools import Tool
from mcpwatch.model.traffic import Session
from mcpwatch.watch.identity import Identity


def session_facts(session: Session) -> dict[str, object]:
    """A session as JSON: names as in `mcpwatch tail --json` where both have them."""
    signer = session.binding.signer
    return {
        "id": session.key,
        "kind": session.kind.value,
        "strength": session.binding.strength.value,
        "bound_to": signer.id if signer else "",
        "fingerprint": signer.fingerprint if signer else "",
        "server": session.upstream,
        "state": session.state.value,
        "requests": session.requests,
        "signed": session.signed,
        "calls": session.call_count,
        "errors": session.errors,
        "client_claims": session.client_name,
        "peers": list(session.peers),
    }


def identity_facts(identity: Identity) -> dict[str, object]:
    """An identity as JSON."""
    return {
        "id": identity.id,
        "kind": identity.kind.value,
        "name": identity.name,
        "fingerprint": identity.fingerprint,
        "resolution": identity.resolution.value,
        "key_state": identity.key_state.value,
        "proven": identity.proven,
        "words": {word.value: count for word, count in identity.words.items() if count},
        "claims": sorted(identity.claimed_names),
    }


def tool_facts(tool: Tool) -> dict[str, object]:
    """A tool as JSON, with its definition as it was sent."""
    return {
        "server": tool.upstream,
        "digest": tool.digest,
        "trusted": not tool.is_untrusted,
        "classes": [kind.value for kind in tool.classes],
        "definition": tool.definition,
    }
