"""Completion for zsh: one function for each command, which says of each option what it does."""

from collections.abc import Iterator

from mcpwatch.completion.words import Option, Value, Words

_HEAD = "#compdef mcpwatch\n# Completion of mcpwatch for zsh, from: mcpwatch completion zsh\n"
_TAIL = """\
# Loaded as a file of fpath it completes at once; read by eval or source it registers itself.
if [[ $funcstack[1] == _mcpwatch ]]; then _mcpwatch "$@"; else compdef _mcpwatch mcpwatch; fi
"""


def script(root: Words) -> str:
    """The script that a shell reads."""
    return "".join((_HEAD, *(_function(each) for each in root.all()), _TAIL))


def _function(each: Words) -> str:
    name = "_".join(("_mcpwatch", *each.path))
    if not each.commands:
        return f"{name}() {{\n{_arguments(each)}}}\n"
    described = "".join(f"        {_quoted(_described(one))}\n" for one in each.commands)
    chosen = "".join(
        f"        {one.name}) shift words; (( CURRENT-- )); {name}_{one.name} ;;\n" for one in each.commands
    )
    other = f"        *)\n{_arguments(each)}        ;;\n" if each.options or each.arguments else ""
    here = _arguments(each) if each.options or each.arguments else ""
    return (
        f"{name}() {{\n    local -a commands=(\n{described}    )\n"
        f"    if (( CURRENT == 2 )); then\n    _describe -t commands command commands\n{here}    return\n    fi\n"
        f'    case "$words[2]" in\n{chosen}{other}    esac\n}}\n'
    )


def _arguments(each: Words) -> str:
    specs = [_quoted(spec) for option in each.options for spec in _option(option)]
    for argument in each.arguments:
        specs.append(_quoted(f"{'*' if argument.repeats else ''}{_value(argument.value)}"))
    return "    _arguments -s" + "".join(f" \\\n        {spec}" for spec in specs) + "\n"


def _option(option: Option) -> Iterator[str]:
    """One specification for each name; one excludes the others, unless it may stand again."""
    before = "*" if option.repeats else f"({' '.join(option.names)})"
    for name in option.names:
        sign = "=" if option.value is not None and name.startswith("--") else ""
        yield f"{before}{name}{sign}[{_plain(option.help)}]{_value(option.value) if option.value is not None else ''}"


def _value(value: Value) -> str:
    """What it is called, and how it is completed."""
    how = f"({' '.join(value.words)})" if value.words else "_files" if value.is_file else " "
    return f":{_plain(value.called)}:{how}"


def _described(command: Words) -> str:
    return f"{command.name}:{_plain(command.help)}"


def _plain(text: str) -> str:
    """Text without what `_arguments` reads as its own."""
    return "".join(f"\\{char}" if char in "[]:\\" else char for char in text)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
