"""A page in the browser with the dashboard in it, behind an address that only its owner knows."""

import logging

from aiohttp import web
from aiohttp.typedefs import Handler
from textual_serve.server import Server

_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "connect-src 'self' ws://{place}",
        "frame-ancestors 'none'",
    )
)
_PATIENCE = 1.0
"""Seconds that open pages are given when the server ends."""


class PageServer(Server):
    """Serves one command under `/KEY/`, a process for each page.

    The library asks nobody who they are, and any page of any site may try to reach a port of this machine: who does
    not know the key is answered 404, and so is what a page of another site asks, or asks under another name of this
    machine. Its page names a font on another machine; what the answer allows leaves that out.
    """

    def __init__(self, command: str, host: str, port: int, key: str) -> None:
        super().__init__(command, host=host, port=port, title="mcpwatch")
        self._key = key
        self._places = frozenset({f"{host}:{port}", f"localhost:{port}"})
        self._allowed = _POLICY.format(place=f"{host}:{port}")

    def initialize_logging(self) -> None:
        """Log what goes wrong, in a line: the library's own handler prints the values of variables."""
        logging.basicConfig(level=logging.ERROR, format="mcpwatch: %(message)s")

    async def _make_app(self) -> web.Application:
        pages = await super()._make_app()
        pages.on_startup.clear()
        pages.on_response_prepare.append(self._restrict)
        app = web.Application(middlewares=[self._own_only])
        app.add_subapp(f"/{self._key}", pages)
        return app

    def serve(self, debug: bool = False) -> None:
        """Serve until a signal comes; the address is told once it answers."""
        self.debug = debug
        self.initialize_logging()
        web.run_app(
            self._make_app(),
            host=self.host,
            port=self.port,
            print=self._say_where,
            access_log=None,
            shutdown_timeout=_PATIENCE,
        )

    @web.middleware
    async def _own_only(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin", f"http://{request.host}")
        if request.host not in self._places or origin.removeprefix("http://") not in self._places:
            raise web.HTTPNotFound
        return await handler(request)

    async def _restrict(self, request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Content-Security-Policy"] = self._allowed
        response.headers["Referrer-Policy"] = "no-referrer"

    def _say_where(self, told: str) -> None:
        print(f"The dashboard is at http://{self.host}:{self.port}/{self._key}/")
        print("Whoever has this address can do there what you can. ctrl+c ends it.", flush=True)
