"""The signing schemes that are recognised: one file and one row each."""

from mcpwatch.identity.reading import Scheme
from mcpwatch.identity.schemes.aip import Aip
from mcpwatch.identity.schemes.rfc9421 import Rfc9421

SCHEMES: tuple[Scheme, ...] = (Aip(), Rfc9421())
