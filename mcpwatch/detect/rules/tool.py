"""The tool family: is a tool what it says, and does it stay so?"""

from mcpwatch.detect.rule import Rule
from mcpwatch.detect.rules.tool_changed import AnnotationLoosened, DefinitionChanged
from mcpwatch.detect.rules.tool_characters import HiddenCharacters, TerminalEscapes
from mcpwatch.detect.rules.tool_names import LookAlike, NameNonconforming
from mcpwatch.detect.rules.tool_number import ToolFlood
from mcpwatch.detect.rules.tool_poisoned import Poisoned, PoisonedResult
from mcpwatch.detect.rules.tool_shadowed import Shadowed

TOOL: tuple[type[Rule], ...] = (
    DefinitionChanged,
    AnnotationLoosened,
    Poisoned,
    PoisonedResult,
    HiddenCharacters,
    TerminalEscapes,
    Shadowed,
    LookAlike,
    NameNonconforming,
    ToolFlood,
)
