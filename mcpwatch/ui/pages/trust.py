"""Whether anybody whom the operator trusts vouches for an identity: the way from a root, drawn as a tree."""

from collections.abc import Callable

from mcpwatch.model.trust import Asserted, Standing, Step
from mcpwatch.ui.times import day
from mcpwatch.ui.widgets.lines import Line, Span, Tone, bullet, field, line, span, title

_SHOWN = 8
_TO_DO = (span(" in the config names whom trust starts from", Tone.DIM),)
Called = Callable[[str], str]
"""The operator's name for an id; empty for none."""
_INDENT = 3


def trust_lines(standing: Standing, called: Called, *, has_roots: bool) -> list[Line]:
    """The way from a root or why there is none, then the other vouches, then what the registry says by itself."""
    lines = [title("Trust")]
    if not has_roots:
        lines.append(line(span("○ no roots configured: ", Tone.DIM), "[identity] roots", *_TO_DO, hang=2))
    elif standing.is_root:
        lines.append(line(span("● a root: you configured it as one whom you trust", Tone.GOOD)))
    elif standing.path:
        lines += _tree(standing.path, called)
        if not standing.scopes:
            apart = "its steps are for different things: no one scope leads all the way"
            lines.append(line(span(f"○ {apart}", Tone.WARN), hang=2))
    else:
        lines.append(line(span(f"○ no way leads here from a root: {standing.reason}", Tone.WARN), hang=2))
    on_path = {(step.voucher, step.target) for step in standing.path}
    beside = [step for step in standing.vouches if step.fault or (step.voucher, step.target) not in on_path]
    if beside:
        lines.append(field("vouches", span("for it, beside that way" if standing.path else "for it", Tone.DIM)))
        lines += [each for step in beside[:_SHOWN] for each in _vouch(step, called, 1)]
    if len(beside) > _SHOWN:
        lines.append(line(span(f"   … {len(beside) - _SHOWN:,} more", Tone.DIM)))
    return [*lines, *_asserted(standing)]


def _tree(path: tuple[Step, ...], called: Called) -> list[Line]:
    root = line(span("● ", Tone.GOOD), *_name(path[0].voucher, called), span("  a root of yours", Tone.DIM), hang=2)
    return [root, *(each for depth, step in enumerate(path) for each in _hop(step, called, depth))]


def _hop(step: Step, called: Called, depth: int) -> list[Line]:
    lead = span(f"{' ' * (_INDENT * depth)}└─ ", Tone.DIM)
    head = line(lead, span("✓ ", Tone.GOOD), *_name(step.target, called), hang=_INDENT * (depth + 1) + 2)
    return [head, _says(step, depth + 1)]


def _vouch(step: Step, called: Called, depth: int) -> list[Line]:
    mark = span("✗ ", Tone.BAD) if step.fault else span("✓ ", Tone.GOOD)
    pad = span(" " * (_INDENT * depth))
    return [line(pad, mark, "from ", *_name(step.voucher, called), hang=_INDENT * depth + 2), _says(step, depth)]


def _says(step: Step, depth: int) -> Line:
    """What a vouch is about, and how far it was checked."""
    pad = span(" " * (_INDENT * depth + 1))
    since = f" from {day(step.created)}" if step.created is not None else ""
    until = f" until {day(step.expires)}" if step.expires is not None else ""
    checked = "signature verified here" + (
        ", with a key that is its own as the registry says" if step.key_asserted else ""
    )
    told = span(step.fault, Tone.BAD) if step.fault else span(checked, Tone.DIM)
    times = span(f",{since}{until} as the registry says" if since or until else "", Tone.DIM)
    return bullet(pad, span(", ".join(step.scopes) or "no scope"), "  ", told, times)


def _asserted(standing: Standing) -> list[Line]:
    lines = []
    asserted = standing.asserted
    if asserted is not None:
        lines.append(
            field("registry", _score(asserted), span("  asserted by the registry; counts for nothing", Tone.DIM))
        )
    if standing.failure:
        lines.append(field("registry", span(f"not reached: {standing.failure}", Tone.WARN)))
    return lines


def _score(asserted: Asserted) -> str:
    if not asserted.is_registered:
        return "it is not registered"
    scopes = f" for {', '.join(asserted.scopes)}" if asserted.scopes else ""
    return f"registered, {asserted.vouches:,} {'vouch' if asserted.vouches == 1 else 'vouches'}{scopes}"


def _name(id: str, called: Called) -> tuple[Span, ...]:
    name = called(id)
    return (span(f"{name}  " if name else "", Tone.STRONG), span(id))
