"""A call side by side: what was asked, with what of it is signed, and what came back, in the order it came."""

from collections.abc import Iterable, Sequence

from mcpwatch.model.entries import End, Header, Json, Message, Response
from mcpwatch.model.identity import Covered, SignatureState, Verdict
from mcpwatch.model.traffic import Call, CallState
from mcpwatch.ui.looks import VERDICTS, verdict_cell
from mcpwatch.ui.pages.call import alert_lines, follows_lines, standing_lines
from mcpwatch.ui.pages.entry import principal_lines, unchecked_lines
from mcpwatch.ui.pages.payload import Layout, body_parts
from mcpwatch.ui.pages.verdict import coverage_lines, proof_of_server_lines
from mcpwatch.ui.times import clock
from mcpwatch.ui.widgets.json_outline import Cover
from mcpwatch.ui.widgets.lines import BLANK, Line, Span, Tone, bullet, field, line, span, title
from mcpwatch.ui.widgets.outline import COVERED, UNCOVERED, Part
from mcpwatch.watch.identity import Kind
from mcpwatch.watch.row import Row
from mcpwatch.watch.times import seconds
from mcpwatch.watch.watcher import Watcher

_MOST_MESSAGES = 200
_NO_ANSWER = "No entry of the answer is held: none came, or newer ones took its place."
_FIELDS = {
    "host": Covered.AUTHORITY,
    "mcp-session-id": Covered.SESSION,
    "authorization": Covered.TOKEN,
}
"""Header fields whose values stand nowhere else, so that what is said of the value is said of the field."""


def cover_of(verdict: Verdict | None) -> Cover:
    """How much of the body is signed."""
    if verdict is None or verdict.signature is not SignatureState.VALID:
        return Cover.UNSAID
    if Covered.BODY in verdict.coverage:
        return Cover.ALL
    return Cover.ARGUMENTS if Covered.ARGUMENTS in verdict.coverage else Cover.NONE


def sources_of(calls: Sequence[Call]) -> dict[str, str]:
    """By their place in the parameters, where values of a call came from; nothing is said of a batch."""
    if len(calls) != 1:
        return {}
    return {flow.argument: f"call {flow.parent}, {flow.field}" for flow in calls[0].flows if flow.parent}


def request_parts(row: Row | None, watcher: Watcher, lay: Layout) -> list[Part]:
    """What was asked, by whom, and what of it is signed."""
    request = row.http_request if row is not None else None
    if row is None or request is None:
        return [title("Request"), line(span("It is not held any more: newer entries took its place.", Tone.DIM))]
    verdict = row.verdict
    parts: list[Part] = [line(span("Request  ", Tone.TITLE), span(clock(row.time), Tone.DIM))]
    if verdict is not None:
        parts.append(line(verdict_cell(verdict.word, verdict.waiting), "  ", _meaning(verdict), hang=2))
        parts += [bullet(span("•", VERDICTS[verdict.word].tone), reason) for reason in verdict.reasons]
        parts += coverage_lines(verdict, row.uncovered)
    parts += [BLANK, *alert_lines(row, watcher.state)]
    parts += [
        field("to", span(f"{request.method} {request.scheme}://{request.authority}{request.target}", Tone.STRONG)),
        field("from", request.peer),
        *(principal_lines(request.principal) if request.principal else []),
        *[each for call in row.seen.opened[:1] for each in follows_lines(call)],
        BLANK,
        _body_title("Body", cover_of(verdict)),
        *unchecked_lines(request, verdict),
        *body_parts(request.body, lay),
        BLANK,
        title("Headers"),
        *_headers(request.headers, request.withheld, verdict),
    ]
    return parts


def answer_parts(rows: Iterable[Row], call: Call | None, watcher: Watcher, lay: Layout) -> list[Part]:
    """How the call stands, what was said on the way, and the answer."""
    rows = list(rows)
    parts: list[Part] = [title("Answer")]
    now = watcher.state.gateway_now(rows[0].source) if rows else watcher.state.now
    if call is not None:
        parts += standing_lines(call, now)
    for proof in [row.seen.proof for row in rows if row.seen.proof is not None][-1:]:
        parts += [BLANK, *proof_of_server_lines(proof, watcher.known(proof.signer, Kind.SERVER))]
    told = [part for row in rows[-_MOST_MESSAGES:] for part in _of(row, call, lay)]
    if told:
        parts += [BLANK, *told]
    elif call is not None and call.state is CallState.RUNNING:
        waited = seconds(max(now - call.started, 0.0))
        parts += [BLANK, line(span(f"No answer yet, {waited} after it was asked.", Tone.DIM))]
    else:
        parts += [BLANK, line(span(_NO_ANSWER, Tone.DIM))]
    return parts


def _of(row: Row, call: Call | None, lay: Layout) -> list[Part]:
    """One entry of the answer."""
    record = row.entry.record
    since = f"+{seconds(max(row.time - call.started, 0.0))}" if call is not None else clock(row.time)
    match record.data if record is not None else None:
        case Response() as data:
            tone = Tone.BAD if data.status >= 400 else Tone.STRONG
            head = line(span(f"{since:<8}", Tone.DIM), span(f"HTTP {data.status}", tone))
            return [head, *_headers(data.headers, (), None), BLANK]
        case Message() as data:
            return _message(row, data, since, lay)
        case End() as data:
            reason = f"  {data.reason}" if data.reason else ""
            tone = Tone.PLAIN if data.outcome == "complete" else Tone.WARN
            return [line(span(f"{since:<8}", Tone.DIM), span(f"end: {data.outcome}", tone), reason)]
    return []


def _message(row: Row, data: Message, since: str, lay: Layout) -> list[Part]:
    message = row.message
    when = span(f"{since:<8}", Tone.DIM)
    if message is not None and message.method == "notifications/progress":
        return [line(when, span("progress  ", Tone.DIM), *_progress(message.params), hang=8)]
    what = "answer"
    if message is not None and message.method:
        what = f"the server {'says' if message.id is None else 'asks'} {message.method}"
    how = f"  {data.event or 'message'} of a stream" if data.stream else ""
    return [line(when, span(what, Tone.STRONG), span(how, Tone.DIM), hang=8), *body_parts(data.body, lay), BLANK]


def _progress(params: Json) -> tuple[Span, ...]:
    told = params if isinstance(params, dict) else {}
    done, total = told.get("progress"), told.get("total")
    of = f"/{total:g}" if isinstance(total, int | float) else ""
    said = told.get("message")
    return (
        span(f"{done:g}{of}  " if isinstance(done, int | float) else "", Tone.ACCENT),
        span(said if isinstance(said, str) else ""),
    )


def _meaning(verdict: Verdict) -> Span:
    return span(VERDICTS[verdict.word].means, Tone.DIM)


def _body_title(name: str, cover: Cover) -> Line:
    says = {
        Cover.UNSAID: (),
        Cover.ALL: (COVERED, span("covered by the signature", Tone.DIM)),
        Cover.NONE: (UNCOVERED, span("not covered by the signature", Tone.WARN)),
        Cover.ARGUMENTS: (
            COVERED,
            span("covered: tool and arguments  ", Tone.DIM),
            UNCOVERED,
            span("the rest is not", Tone.WARN),
        ),
    }
    return line(span(f"{name}  ", Tone.TITLE), *says[cover])


def _headers(headers: Sequence[Header], withheld: Sequence[str], verdict: Verdict | None) -> list[Line]:
    """Fields as they came, marked where the coverage speaks of them."""
    known = verdict if verdict is not None and verdict.signature is SignatureState.VALID else None
    lines = []
    for name, value in headers:
        part = _FIELDS.get(name.lower())
        mark = () if known is None or part is None else (COVERED if part in known.coverage else UNCOVERED,)
        lines.append(Line((*mark, span(f"{name}: ", Tone.DIM), span(value)), 2))
    if withheld:
        lines.append(Line((span("withheld: ", Tone.DIM), span(", ".join(withheld), Tone.DIM)), 2))
    return lines or [line(span("none", Tone.DIM))]
