"""What the wire schemes are called, from their own tables."""

from mcpwatch.identity import proofs
from mcpwatch.identity.schemes import SCHEMES
from mcpwatch.model.identity import OtherSignature, ServerProof, Verdict

TITLES: dict[str, str] = {
    name: scheme.title if name == scheme.name else title
    for scheme in SCHEMES
    for name, title in scheme.variants.items()
} | {proofs.NAME: proofs.TITLE}
"""By the name that a verdict has in `scheme`."""


def scheme_title(told: Verdict | OtherSignature | ServerProof) -> str:
    """The scheme of a signature and the use that is made of it, in words; empty where there is no signature."""
    profile = told.profile if isinstance(told, Verdict) else ""
    return " · ".join(part for part in (TITLES.get(told.scheme, told.scheme), profile) if part)
