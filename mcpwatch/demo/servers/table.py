"""The demo's servers: a name and what makes its application. One row a server."""

from collections.abc import Callable

from starlette.types import ASGIApp

from mcpwatch.demo.servers import accounts, backoffice, bargains, builds, files, mail, notes, orders, weather

SERVERS: dict[str, Callable[[], ASGIApp]] = {
    "notes": notes.app,
    "orders": orders.app,
    "builds": builds.app,
    "accounts": accounts.app,
    "weather": weather.app,
    "files": files.app,
    "mail": mail.app,
    "backoffice": backoffice.app,
    "bargains": bargains.app,
}
