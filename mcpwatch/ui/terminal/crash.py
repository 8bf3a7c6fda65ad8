"""What is said when mcpwatch itself fails: where, and never what the variables held."""

import traceback
from pathlib import Path

from rich.text import Text

from mcpwatch.text import show

_MAX_MESSAGE = 300


def report(error: BaseException) -> Text:
    """A stack of file, line and function, and the error's first words made safe; no locals, no source."""
    lines = ["mcpwatch stopped: an error of its own."]
    lines.extend(
        f"  {Path(frame.filename).name}:{frame.lineno} in {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    )
    message = str(error)[:_MAX_MESSAGE]
    lines.append(f"{type(error).__name__}: {show(message)}")
    lines.append("Please report this with the lines above. Nothing of the log is lost: start again to go on.")
    return Text("\n".join(show(line) for line in lines))
