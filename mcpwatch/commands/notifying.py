"""The arguments of the commands that tell somebody outside of alerts, with the configuration behind them."""

import argparse
from pathlib import Path

from mcpwatch.config import NotifyConfig
from mcpwatch.errors import UsageError
from mcpwatch.model.alerts import Severity
from mcpwatch.notify.options import NotifyOptions, check_program, parse_command, parse_webhook
from mcpwatch.secret import read_secret


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments; each takes the place of a setting under [notify]."""
    parser.add_argument(
        "--exec-on-alert",
        metavar="COMMAND",
        help="run this, without a shell, when an alert fires; it reads JSON from its standard input",
    )
    parser.add_argument("--webhook", metavar="URL", help="post the same JSON there: https, or http on this machine")
    parser.add_argument(
        "--webhook-token-file", metavar="FILE", type=Path, help="the webhook's bearer token, 0600, if it wants one"
    )
    parser.add_argument(
        "--notify-from",
        choices=tuple(severity.name.lower() for severity in Severity),
        help="the lowest severity that command and webhook are told (high)",
    )


def options(parsed: argparse.Namespace, config: NotifyConfig) -> NotifyOptions:
    """What a command line and a configuration want; raises UsageError, and LocalError for the token's file."""
    given: str | None = parsed.exec_on_alert
    command = check_program(config.command) if given is None else parse_command(given)
    webhook = parse_webhook(parsed.webhook) if parsed.webhook else config.webhook
    token_file = parsed.webhook_token_file
    if token_file is None and config.webhook_token_file and not parsed.webhook:
        # Another webhook does not get to see the configured one's token.
        token_file = Path(config.webhook_token_file).expanduser()
    if token_file is not None and not webhook:
        raise UsageError("--webhook-token-file is of no use without a webhook", "Name it: --webhook URL")
    return NotifyOptions(
        command=command,
        webhook=webhook,
        token=None if token_file is None else read_secret(token_file),
        severity=Severity[(parsed.notify_from or config.severity).upper()],
        per_minute=config.per_minute,
    )
