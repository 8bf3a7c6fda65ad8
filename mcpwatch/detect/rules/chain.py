"""The chain family: what comes of calls one after the other, and of what they carry?"""

from mcpwatch.detect.rule import Rule
from mcpwatch.detect.rules.chain_commands import CommandExecution, InjectionInArguments
from mcpwatch.detect.rules.chain_flows import AcrossBackends, Exfiltration, LethalTrifecta
from mcpwatch.detect.rules.chain_loop import Loop
from mcpwatch.detect.rules.chain_results import SecretInResult

CHAIN: tuple[type[Rule], ...] = (
    AcrossBackends,
    Exfiltration,
    LethalTrifecta,
    CommandExecution,
    InjectionInArguments,
    SecretInResult,
    Loop,
)
