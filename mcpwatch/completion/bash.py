"""Completion for bash: one function that looks at the words before the cursor."""

from collections.abc import Iterable, Iterator

from mcpwatch.completion.words import Value, Words

_HEAD = """\
# Completion of mcpwatch for bash, from: mcpwatch completion bash
_mcpwatch() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} path= word options= words= files=
    # bash parts --option=value at the sign.
    if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case "$path/$word" in
"""
_TAIL = """\
    esac
    if [[ $cur == -* ]]; then words=$options files=; fi
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
    if [[ $files ]]; then
        local IFS=$'\\n'
        COMPREPLY+=($(compgen -f -- "$cur"))
        compopt -o filenames
    fi
}
complete -F _mcpwatch mcpwatch
"""


def script(root: Words) -> str:
    """The script that a shell reads."""
    return "".join((_HEAD, *_paths(root), *_places(root), *_values(root), _TAIL))


def _paths(root: Words) -> Iterator[str]:
    """From the words on the line to the command that they name."""
    paths = "|".join("/" + "/".join(each.path) for each in root.all() if each.path)
    yield f"            {paths}) path=$path/$word ;;\n        esac\n    done\n"


def _places(root: Words) -> Iterator[str]:
    """What may stand anywhere behind a command."""
    yield '    case "$path" in\n'
    for each in root.all():
        options = " ".join(name for option in each.options for name in option.names)
        values = [argument.value for argument in each.arguments]
        words = " ".join((*(command.name for command in each.commands), *_words(values)))
        sets = f"options='{options}' words='{words}'{_files(values)}"
        yield f"        '{''.join(f'/{word}' for word in each.path)}') {sets} ;;\n"
    yield "    esac\n"


def _values(root: Words) -> Iterator[str]:
    """What may stand behind an option that takes a value."""
    yield '    case "$path $prev" in\n'
    for each in root.all():
        path = "".join(f"/{word}" for word in each.path)
        for option in each.options:
            if option.value is not None:
                names = "|".join(f"'{path} {name}'" for name in option.names)
                files = _files([option.value]) or " files="
                yield f"        {names}) options= words='{' '.join(option.value.words)}'{files} ;;\n"


def _words(values: Iterable[Value]) -> Iterator[str]:
    for value in values:
        yield from value.words


def _files(values: Iterable[Value]) -> str:
    return " files=yes" if any(value.is_file for value in values) else ""
