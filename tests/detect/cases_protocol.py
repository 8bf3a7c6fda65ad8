"""Traffic for the rules on where requests come from and which era they are of."""

from registry import fires, spares
from rpc import ask, call, modern, result
from rule_scene import UNSIGNED, Scene
from verdicts import principal

from mcpwatch.model.traffic import Era, Exchange, SessionKind

EVIL = {"origin": "http://evil.example"}
REBOUND = "evil.example:8000"
LAN = "192.0.2.7:40000"


def page(scene: Scene, status: int, origin: str = "http://evil.example", **more: object) -> None:
    """A request of a web page, unsigned unless `more` says otherwise, and the head of its answer."""
    given = {"verdict": UNSIGNED, "headers": {"origin": origin}} | more
    scene.response(scene.request(call(1, "read"), **given), status)  # type: ignore[arg-type]


@fires("protocol/foreign-origin")
def a_page_that_is_answered(scene: Scene) -> None:
    page(scene, 200, peer="[::1]:5000")


@fires("protocol/foreign-origin")
def a_page_that_hides_its_origin(scene: Scene) -> None:
    page(scene, 202, "null")


@fires("protocol/foreign-origin")
def an_origin_that_is_none(scene: Scene) -> None:
    page(scene, 200, "http://[evil")


@fires("protocol/foreign-origin")
def a_page_that_makes_up_a_token_for_a_server_that_needs_none(scene: Scene) -> None:
    ours = scene.request(call(1, "read"), verdict=UNSIGNED)
    scene.answer(ours, result(1))
    page(scene, 200, principal=principal("anybody"))


@fires("protocol/foreign-origin")
def a_page_that_does_not_wait_for_the_answer(scene: Scene) -> None:
    scene.end(scene.request(call(1, "read"), verdict=UNSIGNED, headers=EVIL))


@spares("protocol/foreign-origin")
def a_page_with_a_token_where_only_handshakes_need_none(scene: Scene) -> None:
    ours = scene.request(ask(0, "initialize"), verdict=UNSIGNED)
    scene.answer(ours, result(0))
    page(scene, 200, "https://app.example", principal=principal())


@spares("protocol/foreign-origin")
def pages_of_this_machine(scene: Scene) -> None:
    for origin in (
        "http://tauri.localhost",
        "http://0.0.0.0:6274",
        "http://[::]:6274",
        "http://localhost:6274",
        "http://127.0.0.1:3000",
        "https://[::1]:8443",
    ):
        page(scene, 200, origin)
        page(scene, 403, origin)


@spares("protocol/foreign-origin")
def desktop_programs(scene: Scene) -> None:
    for origin in ("vscode-file://vscode-app", "app://obsidian.md", "file://"):
        page(scene, 200, origin)
        page(scene, 403, origin)


@spares("protocol/foreign-origin")
def an_application_that_was_let_in(scene: Scene) -> None:
    page(scene, 200, "https://app.example", principal=principal())
    page(scene, 204, "https://app.example", method="OPTIONS")
    page(scene, 401, "https://app.example")
    scene.response(scene.request(call(1, "read"), headers={"origin": "https://app.example"}))


@spares("protocol/foreign-origin")
def a_public_server(scene: Scene) -> None:
    page(scene, 200, "https://app.example", peer=LAN, authority="mcp.example")


@spares("protocol/foreign-origin")
def agents_that_are_no_browsers(scene: Scene) -> None:
    scene.response(scene.request(call(1, "read"), verdict=UNSIGNED, authority="mcp.example"))
    scene.response(scene.request(call(1, "read"), verdict=UNSIGNED, authority=REBOUND), 421)
    scene.response(scene.request(call(1, "read"), verdict=UNSIGNED), 403)


def modern_request(scene: Scene, named: str = "") -> Exchange:
    """A request of the modern era that carries a session id of that hash."""
    derived = scene.session("files~alice", SessionKind.SIGNER, Era.MODERN)
    return scene.request(modern(call(1, "read")), session=derived, named=named)


@fires("protocol/session-id-in-modern-era")
def a_modern_client_that_sends_an_id(scene: Scene) -> None:
    modern_request(scene, "aa" * 16)


@fires("protocol/session-id-in-modern-era")
def a_server_that_gives_an_id_to_a_modern_client(scene: Scene) -> None:
    scene.response(modern_request(scene), gives="aa" * 16)


@spares("protocol/session-id-in-modern-era")
def a_modern_exchange_without_an_id(scene: Scene) -> None:
    exchange = modern_request(scene)
    scene.response(exchange)
    scene.answer(exchange, result(1))


@spares("protocol/session-id-in-modern-era")
def an_id_where_it_belongs(scene: Scene) -> None:
    exchange = scene.request(ask(0, "initialize"))
    exchange.era = Era.LEGACY
    scene.response(exchange, gives="aa" * 16)
    scene.response(scene.request(call(1, "read"), session=scene.session()), gives="aa" * 16)
    scene.response(scene.request(method="GET", named="aa" * 16))
