"""What led to a call: its edges and the paths of alerts, in words."""

from mcpwatch.model.alerts import Alert
from mcpwatch.model.traffic import Call, Edge
from mcpwatch.text import count
from mcpwatch.ui.looks import EDGES, SEVERITIES, verdict_cell
from mcpwatch.ui.times import clock
from mcpwatch.ui.widgets.lines import BLANK, Line, Span, Tone, bullet, join, line, span, title
from mcpwatch.watch.edges import edges, firm
from mcpwatch.watch.path import Paths, Step, alerts_of
from mcpwatch.watch.state import State


def path_lines(steps: list[Step], state: State) -> list[Line]:
    """A path in short, then step by step: when, what, where and by whom; nothing where there is no path."""
    if not steps:
        return []
    lines = [title("Path"), line(span(" → ".join(step.does or step.call.target for step in steps), Tone.STRONG))]
    return [*lines, *(_step(number, step, state) for number, step in enumerate(steps, 1)), BLANK]


def tie_lines(steps: list[Step], at: int) -> list[Line]:
    """What a step is, and what ties it to those before."""
    step = steps[at]
    known = {each.call.id: each.call for each in steps}
    number = span(f"Step {at + 1} of {len(steps)}", Tone.STRONG)
    lines = [line(number, f"  {step.does}", span(f"  {_classes(step.call)}", Tone.DIM))]
    lines += [
        line(span("follows ", Tone.DIM), _named(known[edge.parent]), *_tie(edge), hang=8)
        for edge in firm(step.call, known)
    ]
    if len(lines) == 1:
        lines.append(line(span("calls in between lead here" if at else "the path begins here", Tone.DIM)))
    return lines


def call_line(call: Call, state: State, paths: Paths) -> Line:
    """The alerts that a call is part of, and what it follows from."""
    parts = []
    alerts = sorted(alerts_of(call, state), key=lambda alert: -alert.severity)
    if place := next(iter(paths.places(call)), None):
        parts.append(_alert(place.alert, f" step {place.number} of {place.steps}", len(alerts) - 1))
    elif alerts:
        parts.append(_alert(alerts[0], "", len(alerts) - 1))
    found = edges(call, state.calls)
    if found:
        parts.append(line(span("follows ", Tone.DIM), _named(state.calls[found[0].parent]), *_tie(found[0])))
    else:
        parts.append(line(span("follows from no call that is known", Tone.DIM)))
    return Line((span(f" {clock(call.started)}  ", Tone.DIM), *join(parts).spans))


def who_of(call: Call, state: State) -> str:
    """Whom the call is put down to."""
    row = state.row(call.index, call.source)
    return row.who.text if row is not None else ""


def _step(number: int, step: Step, state: State) -> Line:
    call = step.call
    return bullet(
        span(str(number), Tone.DIM),
        verdict_cell(call.verdict.word, call.verdict.waiting),
        span(f"  {clock(call.started, millis=False)}  ", Tone.DIM),
        _named(call),
        span(f" at {call.upstream}"),
        span(f"  {_classes(call)}  ", Tone.DIM),
        who_of(call, state),
    )


def _alert(alert: Alert, step: str, others: int) -> Line:
    look = SEVERITIES[alert.severity]
    more = f" and {count(others, 'other alert')}" if others else ""
    return line(span(f"{look.glyph} {alert.title}{step}", look.tone), span(more, Tone.DIM))


def _tie(edge: Edge) -> tuple[Span, ...]:
    look = EDGES[edge.kind]
    return span(f" {look.glyph} {edge.kind.value}: ", look.tone), span(edge.why, Tone.DIM)


def _classes(call: Call) -> str:
    return " ".join(call.classes)


def _named(call: Call) -> Span:
    return span(call.target or call.method, Tone.STRONG)
