"""A pass-through that does nothing but pass on: `python _bare_proxy.py UPSTREAM PORT`.

Of the library that the gateway is made with, so that what the gateway adds can be told from what any proxy adds.
"""

import sys

from aiohttp import ClientSession, TCPConnector, web

HOP = frozenset({"connection", "content-length", "host", "keep-alive", "transfer-encoding"})


def app(upstream: str) -> web.Application:
    """Passes every request on to the upstream, and its answer back as it comes."""
    client = web.AppKey("client", ClientSession)
    made = web.Application()

    async def opened(app: web.Application) -> None:
        app[client] = ClientSession(connector=TCPConnector(limit=0), auto_decompress=False)

    async def closed(app: web.Application) -> None:
        await app[client].close()

    async def passed(request: web.Request) -> web.StreamResponse:
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in HOP]
        body = await request.read()
        url = upstream + request.path_qs
        async with request.app[client].request(request.method, url, data=body, headers=headers) as got:
            answer = web.StreamResponse(status=got.status)
            answer.headers.extend((name, value) for name, value in got.headers.items() if name.lower() not in HOP)
            await answer.prepare(request)
            async for piece in got.content.iter_any():
                await answer.write(piece)
            await answer.write_eof()
            return answer

    made.on_startup.append(opened)
    made.on_cleanup.append(closed)
    made.router.add_route("*", "/{path:.*}", passed)
    return made


if __name__ == "__main__":
    web.run_app(app(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]), print=None, access_log=None)
