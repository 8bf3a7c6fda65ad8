"""Tools: what each server offers, to whom, and whether a definition is still what it was."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Final

import msgspec

from mcpwatch.bounded import add
from mcpwatch.model.entries import Json
from mcpwatch.model.tools import DefinitionPin, DefinitionPins, Tool, ToolChange
from mcpwatch.model.traffic import Call, CallState, Session
from mcpwatch.traffic.claims import fields
from mcpwatch.traffic.digests import Digests
from mcpwatch.traffic.outcomes import FAILED
from mcpwatch.traffic.records import good_signer
from mcpwatch.traffic.tool_class import classes_of_name, classes_of_uri, classify

MAX_DURATIONS: Final = 200
MAX_PARTIES: Final = 1_000
"""Sessions and callers kept for one tool."""

MAX_LISTED: Final = 5_000
"""Tool names kept for one session."""

_ANSWERED = frozenset({CallState.DONE, CallState.RPC_ERROR, CallState.TOOL_ERROR, CallState.DENIED})
_SORTED = msgspec.json.Encoder(order="sorted")


class Tools:
    """The tools of all servers; past the limit the server with the most gives up the one not listed for longest.

    Of what is given up the digest is kept, so that no flood of other tools hides that one comes back changed. A
    definition is trusted on first use; `pins` are those that were trusted before, and may grow meanwhile.
    """

    def __init__(self, limit: int, digests: int, pins: DefinitionPins) -> None:
        self.limit = limit
        self.evicted = 0
        self.all: dict[tuple[str, str], Tool] = {}
        self._names: dict[str, OrderedDict[str, None]] = {}
        self._digests = Digests(digests)
        self._pins = pins
        self._trusted: list[Tool] = []
        """Tools that were trusted on first use, and that nobody asked for yet; the first `limit` of them."""

    def listed(
        self, call: Call, session: Session | None, result: Mapping[str, Json], index: int, time: float
    ) -> tuple[ToolChange, ...]:
        """Take in the answer to `tools/list`, or one page of it."""
        tools = result.get("tools")
        changes: list[ToolChange] = []
        for definition in tools if type(tools) is list else ():
            name = fields(definition).get("name")
            if type(name) is not str:
                continue
            changes.append(self._define(call, name, definition, index, time))
            if session is not None:
                add(session.listed_tools, name, MAX_LISTED)
                add(changes[-1].tool.sessions, session.key, MAX_PARTIES)
        return tuple(changes)

    def trusted(self) -> Sequence[Tool]:
        """Tools that were trusted on first use since this was asked last."""
        trusted = tuple(self._trusted)
        self._trusted.clear()
        return trusted

    def repin(self, upstream: str, name: str) -> None:
        """Take note that `pins` says more of a tool than before."""
        tool = self.all.get((upstream, name))
        if tool is not None:
            tool.pins = self._pins.get((upstream, name), tool.pins)

    def called(self, call: Call) -> None:
        """Count a call, and say what it reaches."""
        tool = self._of(call)
        if call.method == "tools/call":
            call.classes = tool.classes if tool is not None else classes_of_name(call.target)
        elif call.method == "resources/read":
            call.classes = classes_of_uri(call.target)
        if tool is not None:
            tool.calls += 1
            signer = good_signer(call.verdict)
            add(tool.callers, signer.id if signer else call.session, MAX_PARTIES)

    def ended(self, call: Call) -> None:
        """Count how a call ended, and how long it took."""
        tool = self._of(call)
        if tool is None or call.ended is None:
            return
        tool.errors += call.state in FAILED
        if call.state in _ANSWERED:
            tool.durations.append(call.ended - call.started)
            if len(tool.durations) > MAX_DURATIONS:
                del tool.durations[0]

    def _of(self, call: Call) -> Tool | None:
        return self.all.get((call.upstream, call.target)) if call.method == "tools/call" else None

    def _define(self, call: Call, name: str, definition: Json, index: int, time: float) -> ToolChange:
        digest = sha256(_SORTED.encode(definition)).hexdigest()
        upstream = call.upstream
        names = self._names.setdefault(upstream, OrderedDict())
        names[name] = None
        names.move_to_end(name)
        tool = self.all.get((upstream, name))
        if tool is None:
            tool = self.all[(upstream, name)] = Tool(
                upstream, name, definition, digest, index, index, source=call.source
            )
            _class(tool)
            known = self._digests.find(upstream, name)
            if known is not None:
                tool.first_seen, tool.changed = known.first_seen, known.changed
            is_other = self._trust(tool, time, is_new=known is None)
            is_changed = is_other if known is None else not known.fits(digest)
            tool.changed += is_changed
            self._make_room()
            return ToolChange(tool, is_new=known is None, is_changed=is_changed)
        is_changed = tool.digest != digest
        if is_changed:
            tool.previous, tool.definition, tool.digest = tool.definition, definition, digest
            tool.changed += 1
            _class(tool)
        tool.last_seen = index
        return ToolChange(tool, is_new=False, is_changed=is_changed)

    def _trust(self, tool: Tool, time: float, *, is_new: bool) -> bool:
        """Pin a definition on first use; whether another one was pinned before."""
        tool.pins = self._pins.get((tool.upstream, tool.name), ())
        if tool.pins:
            tool.previous = None if tool.pin else tool.pins[-1].definition
            return tool.pin is None
        if is_new:
            tool.pins = (DefinitionPin(tool.digest, time, tool.definition, index=tool.first_seen),)
            if len(self._trusted) < self.limit:
                self._trusted.append(tool)
        return False

    def _make_room(self) -> None:
        if len(self.all) > self.limit:
            upstream = max(self._names, key=lambda one: len(self._names[one]))
            name, _ = self._names[upstream].popitem(last=False)
            self._digests.keep(self.all.pop((upstream, name)))
            self.evicted += 1


def _class(tool: Tool) -> None:
    """Say what a definition tells of the tool."""
    tool.classes, tool.classed_by, tool.privileged = classify(tool.name, tool.definition)
