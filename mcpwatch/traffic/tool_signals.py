"""What speaks for each class of tools: one table over what a definition says, in lower case.

Ambiguous words count only beside others: "add" may sum numbers, "fetch" get an order, "run" a build, "code" a country.
"""

from typing import Final, Literal, NamedTuple

from mcpwatch.model.tools import ToolClass

View = Literal["name", "parameters", "description", "annotations"]
"""Words of the name; parameters, one a line and sorted; title and description; hints that are set, sorted."""


class Signal(NamedTuple):
    """Where the view matches, the tool is of that class; the groups that matched, or all of it, are quoted."""

    kind: ToolClass
    view: View
    pattern: str


READS: Final = (
    "get|list|read|search|find|lookup|look up|show|view|query|describe|export|open|load|fetch|dump|check|count"
)
CHANGES: Final = (
    "write|create|update|delete|remove|insert|edit|save|set|put|patch|rename|move|drop|truncate|append|modify|upsert"
    "|close|grant|revoke|rotate|refund|cancel|reset|purge|wipe|overwrite|replace"
)
_MAIL = "e ?mails?|mails?|inbox|mailbox|tweets?|comments?|issues|tickets?"
_SENDS = "send|post|publish|upload|notify|share|forward|transmit|reply|tweet|sms|email|mail|push"

SIGNALS: Final = (
    Signal(ToolClass.SQL, "name", r"\b(?:sql|sqlite|postgres(?:ql)?|mysql|mariadb|database|db)\b"),
    Signal(ToolClass.SQL, "parameters", r"^(?:sql|sql query|raw query|raw sql|where clause)$"),
    Signal(ToolClass.SQL, "description", r"\bsql\b|\bquer(?:y|ies) (?:\w+ ){0,3}database\b|\bselect statement"),
    Signal(ToolClass.FILE, "name", rf"\b(?:{READS}|cat)\b.*\b(?:files?|folders?|filesystem|directory tree)\b"),
    Signal(ToolClass.FILE, "name", r"\bfiles? (?:read|get|list|search|open|download)\b"),
    Signal(ToolClass.FILE, "name", r"\b(?:list|read) director(?:y|ies)\b"),
    Signal(ToolClass.FILE, "parameters", r"^(?:file|files|file ?path|file ?name|file ?paths)$"),
    Signal(ToolClass.FILE, "description", r"\b(?:reads?|opens?|loads?|lists?|returns?) (?:\w+ ){0,5}files?\b"),
    Signal(ToolClass.WRITE, "name", rf"^(?:{CHANGES})\b|^add (?!numbers?\b|two\b|and\b)\w+"),
    Signal(ToolClass.WRITE, "name", rf"^(?!(?:{READS}|last|next)\b).* (?:{CHANGES})$"),
    Signal(ToolClass.WRITE, "description", r"\b(?:deletes?|overwrites?|erases?) (?:a|an|the|all|every)\b"),
    Signal(ToolClass.WRITE, "annotations", r"\bdestructivehint\b"),
    Signal(ToolClass.EXEC, "name", r"\b(?:exec|spawn|shell|bash|zsh|powershell|subprocess|eval|cmd)\b|^execute$"),
    Signal(
        ToolClass.EXEC,
        "name",
        r"\b(?:run|execute|start|launch|evaluate)\b"
        r".*\b(?:commands?|code|scripts?|process(?:es)?|program|python|javascript|js|terminal)\b",
    ),
    Signal(ToolClass.EXEC, "parameters", r"^(?:command|cmd|shell command|command line|shell|script|argv)$"),
    Signal(
        ToolClass.EXEC,
        "description",
        r"\b(?:runs?|executes?|evaluates?|spawns?) (?:\w+ ){0,4}"
        r"(?:commands?|code|scripts?|shell|processes|javascript|python)\b|\bjavascript expression",
    ),
    Signal(ToolClass.TEMPLATE, "name", r"\b(?:jinja2?|handlebars|mustache|nunjucks)\b"),
    Signal(ToolClass.TEMPLATE, "name", r"\b(?:render|fill|compile|expand)\b.*\btemplates?\b"),
    Signal(ToolClass.TEMPLATE, "parameters", r"^(?:template|template (?:string|text|source)|tpl)$"),
    Signal(
        ToolClass.TEMPLATE,
        "description",
        r"\b(?:renders?|fills?|evaluates?|compiles?) (?:\w+ ){0,3}templates?\b|\btemplate engine",
    ),
    Signal(ToolClass.XML, "name", r"\b(?:xml|xslt|soap|xpath)\b"),
    Signal(ToolClass.XML, "parameters", r"^(?:xml|xml \w+|xslt|soap envelope)$"),
    Signal(ToolClass.XML, "description", r"\b(?:xml|xslt)\b"),
    Signal(ToolClass.FETCH, "name", r"\b(?:browse|scrape|crawl|web|webpage|website|https?|url|rss|internet)\b|^fetch$"),
    Signal(ToolClass.FETCH, "name", rf"\b(?:{READS})\b.*\b(?:{_MAIL}|issue)\b"),
    Signal(ToolClass.FETCH, "name", rf"\b(?:{_MAIL}) (?:read|get|list|search)\b"),
    Signal(ToolClass.FETCH, "parameters", r"^(?:url|urls|uri|href|link|website)$"),
    Signal(
        ToolClass.FETCH,
        "description",
        r"\b(?:fetch|download|read|browse|search|crawl|scrape|open)(?:s|es)? (?:\w+ ){0,5}"
        r"(?:web ?pages?|web ?sites?|the web|the internet|rss feeds?|inbox|urls?)\b",
    ),
    Signal(ToolClass.FETCH, "annotations", r"\bopenworldhint readonlyhint\b"),
    Signal(ToolClass.SEND, "name", rf"^(?:{_SENDS})\b|\bwebhook\b|\bgit push\b"),
    Signal(ToolClass.SEND, "name", rf"^(?!(?:{READS})\b).*\b(?:send|publish|upload|transmit)\b"),
    Signal(ToolClass.SEND, "name", r"\bcreate (?:issue|comment|pull request|gist|post|paste|tweet)\b"),
    Signal(ToolClass.SEND, "parameters", r"^(?:recipients?|recipient \w+|webhook(?: url)?|callback url)$"),
    Signal(ToolClass.SEND, "parameters", r"^(body|message|subject)$.*^(to)$|^(body|data|payload)$.*^(ur[li])$"),
    Signal(
        ToolClass.SEND,
        "description",
        r"\b(?:sends?|forwards?) (?:\w+ ){0,4}(?:e-?mails?|messages?|sms)\b|\buploads? (?:\w+ ){1,4}to\b",
    ),
    Signal(ToolClass.SECRETS, "name", r"\b(?:secrets?|credentials?|passwords?|vault|keychain|dotenv|env)\b"),
    Signal(ToolClass.SECRETS, "name", rf"\b(?:{READS})\b.*\b(?:config|configuration|environment variables?)\b"),
    Signal(
        ToolClass.SECRETS,
        "name",
        r"\b(?:api|signing|private|ssh|access|encryption|auth|bearer) (?:keys?|tokens?)\b",
    ),
    Signal(
        ToolClass.SECRETS,
        "parameters",
        r"^(?:include (?:sensitive|secrets?|credentials)|secret (?:name|id|path))$",
    ),
    Signal(
        ToolClass.SECRETS,
        "description",
        r"\b(?:returns?|reads?|lists?|shows?|dumps?) (?:\w+ ){0,5}"
        r"(?:passwords?|credentials?|secrets?|api keys?|private keys?|connection strings?|environment variables?)\b",
    ),
    Signal(
        ToolClass.PEOPLE,
        "name",
        rf"\b(?:{READS})\b.*\b(?:users?|customers?|employees?|persons?|people|contacts?|patients?|profiles?)\b",
    ),
    Signal(ToolClass.PEOPLE, "name", r"\b(?:pii|ssn)\b"),
    Signal(
        ToolClass.PEOPLE,
        "description",
        r"\bpersonal(?:ly identifiable)? (?:data|information|details)\b|\bpii\b|\bsocial security|\bcard numbers?\b"
        r"|\bdates? of birth\b|\bmedical records?\b|\bphone numbers?\b",
    ),
)
"""Every class and what speaks for it; the first that matches is the reason that is told."""

FOR_FEW: Final[tuple[tuple[View, str], ...]] = (
    ("name", r"\b(?:admin|administrator|sudo|superuser|superadmin|as root|internal (?:api|admin|debug))\b"),
    (
        "description",
        r"\badmin(?:istrator)?s?[ -]only\b|\bonly (?:for |by )?(?:\w+ )?(?:admin(?:istrator)?s?|superusers?)\b"
        r"|\b(?:requires?|needs?|must (?:be|have)) (?:an? |the )?(?:admin(?:istrator)?|root|superuser)\b"
        r"|\badmin(?:istrator)? (?:role|rights?|privileges?|permissions?)\b"
        r"|\b(?:as|with) root\b|\broot (?:access|privileges?|rights|shell)\b"
        r"|\binternal use\b|\binternal only\b|\bnot (?:for|meant for) (?:the )?(?:public|end users)\b",
    ),
)
"""What says that a tool is for few."""

LEVEL: Final = (
    r"access(?: level)?|(?:required|minimum|min|allowed) (?:roles?|access|permissions?|scopes?)|roles?|permissions?"
    r"|privileges?|visibility|scopes?"
)
"""Fields of a definition, in words, that say whom it is for."""

FEW: Final = frozenset(
    {"admin", "admins", "administrator", "root", "superuser", "internal", "system", "privileged", "restricted", "staff"}
)
"""What such a field says of a tool for few; one that names several says so where each is of these."""

FEW_FLAG: Final = r"(?:admin|internal|staff) only|requires? (?:admin|root)|privileged|restricted"
"""Fields of a definition, in words, that say it by being true."""
