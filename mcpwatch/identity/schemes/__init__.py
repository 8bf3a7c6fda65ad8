"""The signing schemes that are recognised: one file and one row each."""

from mcpwatch.identity.reading import Scheme
from mcpwatch.identity.schemes.aip import Aip
from mcpwatch.identity.schemes.dpop import Dpop
from mcpwatch.identity.schemes.rfc9421 import Rfc9421
from mcpwatch.identity.schemes.signet import Signet
from mcpwatch.identity.schemes.unsupported import Unsupported

SCHEMES: tuple[Scheme, ...] = (Aip(), Rfc9421(), Dpop(), Signet(), Unsupported())
