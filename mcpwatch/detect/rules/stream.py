"""The table of rules about what streams bring."""

from mcpwatch.detect.rule import Rule
from mcpwatch.detect.rules.stream_answers import OutputNotInResult, Truncated, UnrequestedResponse
from mcpwatch.detect.rules.stream_messages import HiddenChannel, LeakInPartialOutput, ProgressWithoutToken

STREAM: tuple[type[Rule], ...] = (
    Truncated,
    HiddenChannel,
    LeakInPartialOutput,
    OutputNotInResult,
    ProgressWithoutToken,
    UnrequestedResponse,
)
