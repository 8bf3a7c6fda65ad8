"""Runs the dashboard over an attacked scene in this process's terminal; for the pty tests."""

import sys
import time
from pathlib import Path

from attack import attacked

if __name__ == "__main__":
    app = attacked(Path(sys.argv[1])).app()
    app.monotonic = time.monotonic
    app.run()
    sys.exit(app.return_code or 0)
