"""The lists of names the gateway goes by: header fields it logs or withholds, members it masks."""

from mcpwatch.identity.schemes import SCHEMES


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


HOP_BY_HOP = _words("connection keep-alive proxy-connection te trailer transfer-encoding upgrade")
"""RFC 9110, section 7.6.1, and `Trailer`, since trailers are not passed on. Those named in Connection come on top."""

LOGGED_FIELDS = _words(
    """
    content-type content-encoding content-digest accept user-agent origin
    signature-agent accept-signature x-aip-version
    dpop ucp-agent idempotency-key
    mcp-protocol-version mcp-method mcp-name last-event-id
    traceparent tracestate www-authenticate retry-after allow
    """
) | {name for scheme in SCHEMES for name in scheme.fields}
"""Fields that enter the log verbatim unless they are withheld: all that a signing scheme reads, and these.

So does each one that a Signature-Input covers.
"""

WITHHELD_FIELDS = _words(
    """
    authorization proxy-authorization cookie set-cookie
    x-api-key api-key x-auth-token x-access-token x-amz-security-token
    x-aip-token x-aip-token-ref x-mcp-signature x-hub-signature x-hub-signature-256
    kya-delegation-proof kya-session-id
    """
)
"""Fields whose values never enter the log, covered or not; the log says that they were there."""

VERBATIM_FIELDS = (
    _words("content-digest mcp-session-id") | {name for scheme in SCHEMES for name in scheme.fields}
) - WITHHELD_FIELDS
"""Fields that are never masked, since nothing could be verified without them."""

WITHHELD_PREFIX = "mcp-param-"
"""Of fields that mirror a tool's arguments (SEP-2243); withheld as well."""

AUTH_SCHEMES = _words(
    """
    basic bearer concealed digest dpop gnap hoba mutual negotiate ntlm privatetoken scram-sha-1 scram-sha-256 vapid
    token apikey aws4-hmac-sha256 didwba
    """
)
"""The IANA registry of authentication schemes, and a few that are common; any other word may be the secret itself."""

SECRET_NAMES = _words(
    """
    password passwd pwd passphrase passcode pass secret secrets secretkey clientsecret
    token tokens accesstoken refreshtoken idtoken authtoken bearertoken sessiontoken csrftoken xsrftoken
    apikey xapikey accesskey privatekey signingkey encryptionkey secretaccesskey connectionstring
    authorization proxyauthorization auth bearer jwt cookie cookies setcookie
    credential credentials session sessionid mcpsessionid jsessionid phpsessid sid connectsid aiohttpsession usersession
    csrf xsrf mysqlpwd dbpwd pgpwd seedphrase recoveryphrase mnemonic
    ssn socialsecuritynumber otp totp mfacode verificationcode
    cardnumber creditcard creditcardnumber ccnumber cvv cvv2 cvc cvc2 cardcvc cardcvv securitycode iban
    """
)
"""Names whose strings and numbers are masked; letters and digits only, lower-case."""

COUNT_NAMES = _words("tokens pass secrets credentials cookies session")
"""Those of them whose numbers are counts."""

SECRET_ENDINGS = tuple(
    _words("password passwd passphrase secret token apikey privatekey secretkey accesskey signingkey encryptionkey")
)
"""Endings of longer names, `github_token`; only strings are masked there, since `perToken` counts."""

PUBLIC_NAMES = _words(
    """
    progresstoken pagetoken nextpagetoken prevpagetoken previouspagetoken nexttoken continuationtoken
    synctoken nextsynctoken resumetoken stoptoken eostoken bostoken padtoken unktoken septoken
    """
)
"""Names that only end like a secret."""

SUSPECT_ENDINGS = tuple(_words("key keys auth cred creds sas seed salt pin webhook dsn sessionid sessionkey cookie"))
"""Endings of names under which a string is masked that looks drawn at random."""

KNOWN_ENDINGS = tuple(
    _words(
        """
        publickey pubkey verificationkey verifykey idempotencykey cachekey primarykey foreignkey sortkey partitionkey
        objectkey rowkey issuekey projectkey dedupkey deduplicationkey routingkey
        """
    )
)
"""Endings of names that only end like those."""

QUERY_NAMES = _words("sig xamzsignature xamzcredential xgoogsignature xgoogcredential googleaccessid")
"""Names in a query by which an address alone opens what it leads to."""

PROOF_NAME = "jws"
"""The member that holds a signature in the open: a JWS there is no token, and watchers verify it."""

PROPERTY_LISTS = frozenset({"dependentRequired", "dependencies"})
"""JSON Schema keywords whose members list the names of properties; nothing in such a list is a value."""

RESULTLESS_METHODS = _words(
    """
    initialize notifications/initialized notifications/cancelled notifications/roots/list_changed ping
    tools/list resources/list resources/templates/list resources/read resources/subscribe resources/unsubscribe
    prompts/list prompts/get completion/complete logging/setLevel server/discover
    """
)
"""Methods whose messages and answers hold nothing of a tool's call."""
