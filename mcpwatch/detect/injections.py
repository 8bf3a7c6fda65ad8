"""What arguments look like that are meant to be run by a backend, by the class of the tool.

An argument that the tool is there to run, its SQL, its command, its template, is judged by what no honest one does;
any other argument already by the backend's own syntax, which has no business there. Prose is neither.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from mcpwatch.detect.strings import Found, strings
from mcpwatch.model.entries import Json
from mcpwatch.model.tools import ToolClass

MAX_TEXT: Final = 8_192
"""Characters looked at of one argument."""
_MAX_STRINGS = 200
_MAX_NODES = 1_000
_MAX_VALUE = 1_000
"""A longer argument is a document, and not a value that somebody has written a command into."""


class Injection(NamedTuple):
    """What was found."""

    what: str
    """In words, `a second SQL statement`."""
    found: Found


class _Sign(NamedTuple):
    what: str
    pattern: re.Pattern[str]
    within: re.Pattern[str] | None = None
    """What has to be within what `pattern` finds."""

    def search(self, text: str) -> bool:
        """Whether a text has it."""
        if self.within is None:
            return self.pattern.search(text) is not None
        return any(self.within.search(hit.group()) for hit in self.pattern.finditer(text))


class _Language(NamedTuple):
    """What a class of tools runs."""

    arguments: frozenset[str]
    """Names of arguments that hold it, in lower case."""
    in_code: tuple[_Sign, ...]
    """What no honest code in it has."""
    in_value: tuple[_Sign, ...]
    """What no plain value has."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _sign(what: str, pattern: str, within: str = "") -> _Sign:
    return _Sign(what, re.compile(pattern, re.IGNORECASE), re.compile(within, re.IGNORECASE) if within else None)


_CHANGES = (
    r"(?:drop\s+(?:table|database|schema|view|index|user|role)|delete\s+from|insert\s+into|truncate\s+(?:table\s+)?\w"
    r"|update\s+[\w.\"`\[\]]{1,128}\s+set|alter\s+(?:table|user|role|database)|create\s+(?:table|user|role|function)"
    r"|grant\s+\w|revoke\s+\w|merge\s+into|replace\s+into|exec(?:ute)?\s+\w|call\s+\w|copy\s+\w|attach\s+\w)"
)
_SQL_REACHES_OUT = _sign(
    "SQL that leaves the database or stalls it",
    r"\b(?:xp_cmdshell|pg_read_file|pg_sleep|load_file|load_extension|lo_import|dbms_\w{1,20})\b|\bwaitfor\s+delay\b"
    r"|\b(?:sleep|benchmark)\s*\(\s*\d|\binto\s+(?:out|dump)file\b|\bto\s+program\b",
)
_SECOND = _sign("a second SQL statement", rf";\s*{_CHANGES}")
CHANGES_DATA: Final = _sign("SQL that is no select", rf"^[\s(]*(?:--[^\n]*\n\s*)?{_CHANGES}")

_SCRIPT = _sign(
    "code that reaches the runtime",
    r"\brequire\s*\(|\bprocess\s*\.\s*(?:env|mainmodule|binding|exit)|\bchild_process\b|\b__import__\b"
    r"|\bglobalthis\b|\bconstructor\s*[.(\[]|\b(?:eval|exec|system|popen)\s*\(|\bos\s*\.\s*(?:system|popen|environ)",
)

_EXPRESSION = r"\{\{[^\n]{0,200}?\}\}|<%[^\n]{0,200}?%>|\{%[^\n]{0,200}?%\}|\$\{[^}\n]{1,200}\}|#\{[^}\n]{1,200}\}"

LANGUAGES: Final = {
    ToolClass.SQL: _Language(
        _names("query sql statement sql_query raw_query raw_sql sqlquery"),
        (_SECOND, _SQL_REACHES_OUT),
        (
            _SECOND,
            _SQL_REACHES_OUT,
            _sign("SQL that joins another select", r"\bunion\s+(?:all\s+)?select\b"),
            _sign(
                "a condition that is always true",
                r"['\"]\s*\)?\s*(?:or|and)\s+(?:\(?\s*)?['\"]?(\w{1,20})['\"]?\s*=\s*['\"]?\1\b",
            ),
            _sign("a quote that ends the SQL", r"['\"]\s*\)?\s*(?:;|--|/\*)"),
        ),
    ),
    ToolClass.EXEC: _Language(
        _names("command cmd commands shell script code program source argv args input shell_command command_line"),
        (
            _sign(
                "a download that is run at once",
                r"\b(?:curl|wget)\b[^|\n]{1,500}\|\s*(?:sudo\s+)?(?:ba|z|da|k)?sh\b"
                r"|\bbase64\s+(?:-d|--decode|-D)\b[^|\n]{0,200}\|\s*(?:ba|z|da|k)?sh\b"
                r"|\b(?:ba|z)?sh\s+<\(\s*(?:curl|wget)\b|\biex\b[^\n]{0,80}\bdownloadstring\b",
            ),
            _sign(
                "a shell for somebody outside",
                r"/dev/(?:tcp|udp)/|\b(?:nc|ncat|netcat)\b[^\n]{0,80}\s-\w*e\b|\bbash\s+-i\s*[>&]",
            ),
            _sign(
                "the keys of the account it runs under",
                r"/etc/shadow\b|\.ssh/(?:id_|authorized_keys)|\.aws/credentials|/proc/(?:self|1)/environ"
                r"|\b169\.254\.169\.254\b",
            ),
            _sign(
                "the removal of everything",
                r"\brm\s+(?:-\w{1,20}\s+){0,5}-\w{0,10}r\w{0,10}\s+(?:-[\w-]{1,20}\s+){0,5}[/~](?:\s|\*|$)",
            ),
        ),
        (
            _sign("a command within a value", r"\$\([^)\n]{1,200}\)|`[^`\n]{1,200}`|\$\{IFS\}"),
            _sign(
                "a second command",
                r"(?:[;&|]|\n)\s*(?:/(?:usr/)?s?bin/)?"
                r"(?:sh|bash|zsh|cat|curl|wget|nc|ncat|id|whoami|uname|rm|cp|mv|chmod|python3?|perl|ruby|node|ping|env|echo)"
                r"(?:\s|;|$)",
            ),
            _SCRIPT,
        ),
    ),
    ToolClass.TEMPLATE: _Language(
        _names("template tpl template_string template_text template_source"),
        (
            _sign(
                "a template that computes or reaches the runtime",
                _EXPRESSION,
                r"\d\s*\*\s*\d|__\w|\b(?:constructor|require|process|global|import|eval|exec|system|popen|runtime"
                r"|getclass|child_process|request\s*\.\s*application|config\s*\.\s*items)\b",
            ),
        ),
        (_sign("template syntax", _EXPRESSION),),
    ),
    ToolClass.XML: _Language(
        frozenset(),
        (),
        (
            _sign("an XML entity of its own", r"<!ENTITY\b"),
            _sign(
                "a document type that is loaded from elsewhere",
                r"<!DOCTYPE\s+\w{1,64}\s+SYSTEM\b|<!DOCTYPE[^>\[]{0,200}\[",
            ),
            _sign("an XML inclusion", r"<xi:include\b"),
        ),
    ),
}
"""What each class of tools runs, and how one tells that somebody else wants to have a say."""

_PROSE = _names(
    "description message prompt reason comment title text content summary explanation note notes body subject label"
)
"""Names of arguments that people read; in them a semicolon is a semicolon."""
_STATEMENT = re.compile(r"\s*(?:\(\s*)?(?:select|with|explain|show|describe|values|pragma|table)\b", re.IGNORECASE)
_POLLUTES = frozenset({"__proto__", "__defineGetter__", "__defineSetter__"})


def injections(arguments: Json, classes: tuple[ToolClass, ...]) -> Iterator[Injection]:
    """What in the arguments of a tool of these classes is meant to be run; one of a kind in each argument."""
    languages = [(kind, LANGUAGES[kind]) for kind in classes if kind in LANGUAGES]
    if not languages:
        return
    for number, found in enumerate(strings(arguments)):
        if number >= _MAX_STRINGS:
            return
        name = _name(found)
        for kind, language in languages:
            if kind is not ToolClass.XML and name in _PROSE:
                continue
            text = found.text[:MAX_TEXT]
            is_code = name in language.arguments or (kind is ToolClass.SQL and _STATEMENT.match(text) is not None)
            if not is_code and len(text) > _MAX_VALUE and kind is not ToolClass.XML:
                continue
            signs = language.in_code if is_code else language.in_value
            if is_code and kind is ToolClass.SQL and ToolClass.WRITE not in classes:
                signs = (*signs, CHANGES_DATA)
            yield from (Injection(sign.what, found) for sign in signs if sign.search(text))


def is_prose(path: str) -> bool:
    """Whether an argument is one that people read, by the way to it: `arguments.body`, `arguments.blocks[0].text`."""
    return path.rpartition(".")[2].partition("[")[0].lower() in _PROSE


def pollutes(arguments: Json) -> str:
    """The name of a member that changes what all objects of a JavaScript server are; empty where there is none."""
    waiting = [arguments]
    for number, value in enumerate(waiting):
        if number >= _MAX_NODES:
            break
        if type(value) is dict:
            if not _POLLUTES.isdisjoint(value):
                return min(_POLLUTES.intersection(value))
            inner = value.get("constructor")
            if isinstance(inner, dict) and "prototype" in inner:
                return "constructor.prototype"
            waiting += [each for each in value.values() if type(each) is dict or type(each) is list]
        elif type(value) is list:
            waiting += [each for each in value if type(each) is dict or type(each) is list]
    return ""


def _name(found: Found) -> str:
    """The name of the argument that holds a string, in lower case."""
    at = found.path
    while at is not None:
        if isinstance(at.step, str):
            return at.step.lower().replace("-", "_")
        at = at.parent
    return ""
