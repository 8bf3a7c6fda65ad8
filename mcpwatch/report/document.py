"""A report as one JSON object."""

import json

import msgspec

from mcpwatch.report.report import Report


def document(report: Report) -> str:
    """The report's fields as they are, in ASCII: no build server's log is written to by what an agent sent."""
    return json.dumps(msgspec.to_builtins(report), indent=2).replace("\x7f", "\\u007f")
