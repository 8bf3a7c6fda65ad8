"""Completion for fish: one line for each word."""

from collections.abc import Iterator

from mcpwatch.completion.words import Option, Value, Words

_HEAD = "# Completion of mcpwatch for fish, from: mcpwatch completion fish\ncomplete -c mcpwatch -f\n"


def script(root: Words) -> str:
    """The script that a shell reads."""
    return "".join((_HEAD, *(f"{line}\n" for each in root.all() for line in _lines(each))))


def _lines(each: Words) -> Iterator[str]:
    said = f"complete -c mcpwatch -n {_quoted(_when(each))}"
    for command in each.commands:
        yield f"{said} -a {command.name} -d {_quoted(command.help)}"
    for option in each.options:
        yield f"{said} {_names(option)} -d {_quoted(option.help)}"
    for argument in each.arguments:
        if argument.value.words or argument.value.is_file:
            yield f"{said}{_value(argument.value)}"


def _when(each: Words) -> str:
    """While the words of its path are on the line, and none that leads further."""
    on_line = [f"__fish_seen_subcommand_from {word}" for word in each.path]
    further = " ".join(command.name for command in each.commands)
    return "; and ".join((*on_line, *([f"not __fish_seen_subcommand_from {further}"] if further else [])))


def _names(option: Option) -> str:
    names = [f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names]
    if option.value is None:
        return " ".join(names)
    return f"{' '.join(names)} {'-r' if option.value.is_file else '-x'}{_value(option.value)}"


def _value(value: Value) -> str:
    return (" -F" if value.is_file else "") + (f" -a {_quoted(' '.join(value.words))}" if value.words else "")


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
