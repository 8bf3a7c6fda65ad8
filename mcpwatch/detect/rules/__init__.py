"""The table of rules: one tuple a family, each from its own file."""

from mcpwatch.detect.rule import Rule
from mcpwatch.detect.rules.chain import CHAIN
from mcpwatch.detect.rules.discovery import DISCOVERY
from mcpwatch.detect.rules.feed import FEED
from mcpwatch.detect.rules.feed_names import FEED_NAMES
from mcpwatch.detect.rules.identity import IDENTITY
from mcpwatch.detect.rules.policy import POLICY
from mcpwatch.detect.rules.protocol import PROTOCOL
from mcpwatch.detect.rules.session import SESSION
from mcpwatch.detect.rules.stream import STREAM
from mcpwatch.detect.rules.tool import TOOL
from mcpwatch.model.alerts import RuleInfo

RULES: tuple[type[Rule], ...] = (
    IDENTITY + POLICY + SESSION + DISCOVERY + CHAIN + STREAM + TOOL + PROTOCOL + FEED + FEED_NAMES
)

CATALOGUE: dict[str, RuleInfo] = {rule.info.id: rule.info for rule in RULES}
"""Rule id -> what to tell about it."""

__all__ = ["CATALOGUE", "RULES", "Rule"]
