"""Signing as a hasty developer writes it."""

import secrets
import time
from base64 import b64encode

import httpx2

from mcpwatch.identity.signer import AgentKey


class BodilessAuth:
    """An HTTP message signature (RFC 9421) over method and target URI alone; the body may be anything."""

    def __init__(self, key: AgentKey) -> None:
        self._key = key

    def __call__(self, request: httpx2.Request) -> httpx2.Request:
        once = f'created={int(time.time())};nonce="{secrets.token_hex(8)}"'
        parameters = f'("@method" "@target-uri");{once};keyid="{self._key.did_key}"'
        base = f'"@method": {request.method}\n"@target-uri": {request.url}\n"@signature-params": {parameters}'
        signature = b64encode(self._key.sign(base.encode())).decode()
        request.headers["signature-input"] = f"sig1={parameters}"
        request.headers["signature"] = f"sig1=:{signature}:"
        return request
