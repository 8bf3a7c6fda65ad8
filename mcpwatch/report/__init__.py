"""What `mcpwatch check` found, for people and for build servers."""

from collections.abc import Callable

from mcpwatch.report.document import document
from mcpwatch.report.junit import junit
from mcpwatch.report.report import Report
from mcpwatch.report.sarif import sarif
from mcpwatch.report.text import text

FORMATS: dict[str, Callable[[Report], str]] = {"text": text, "json": document, "junit": junit, "sarif": sarif}
"""Name -> what writes a report so; the result has no line end at its end."""
