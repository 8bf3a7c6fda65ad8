"""Verdicts, signers and principals that a test needs, without any cryptography."""

import hashlib

from mcpwatch.model.entries import Principal
from mcpwatch.model.identity import (
    Covered,
    Evidence,
    Freshness,
    KeyState,
    Resolution,
    SignatureState,
    Signer,
    Verdict,
    Word,
)


def signer(name: str = "alice", *, key_state: KeyState = KeyState.CURRENT) -> Signer:
    """A made-up did:key signer, told apart by `name`."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    return Signer(f"did:key:z6Mk{digest[:44]}", digest[:43], Resolution.DID_KEY, key_state)


def verified(name: str = "alice", *coverage: Covered, word: Word = Word.VERIFIED) -> Verdict:
    """A valid and fresh signature by `name`; covers method, target, time and nonce unless told otherwise, and the body
    unless it is PARTIAL."""
    body = () if word is Word.PARTIAL else (Covered.BODY,)
    usual = (Covered.METHOD, Covered.TARGET, *body, Covered.TIME, Covered.NONCE)
    return Verdict(
        word=word,
        signature=SignatureState.VALID,
        freshness=Freshness.FRESH,
        evidence=Evidence.VERIFIED,
        scheme="rfc9421",
        coverage=coverage or usual,
        signer=signer(name),
    )


def unsigned() -> Verdict:
    """No signature at all."""
    return Verdict(Word.UNSIGNED, SignatureState.ABSENT, Freshness.UNCHECKED, Evidence.ABSENT)


def judged(word: Word, name: str = "", signature: SignatureState = SignatureState.INVALID) -> Verdict:
    """Any other verdict, such as `judged(Word.BAD_SIG, "alice")`."""
    who = signer(name) if name else None
    return Verdict(word, signature, Freshness.UNCHECKED, Evidence.CLAIMED, "rfc9421", signer=who, reasons=("made up",))


def principal(subject: str = "ann", *, token: str = "t1", issuer: str = "https://login.example") -> Principal:
    """What a gateway reads off a bearer token."""
    return Principal("bearer", hashlib.sha256(token.encode()).hexdigest()[:32], issuer=issuer, subject=subject)
