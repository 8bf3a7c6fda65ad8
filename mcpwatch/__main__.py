"""`python -m mcpwatch`."""

import sys

from mcpwatch.cli import main

sys.exit(main())
