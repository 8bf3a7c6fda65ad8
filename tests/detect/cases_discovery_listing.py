"""Traffic for the rule on listing everything and using nothing."""

from registry import fires, spares
from rpc import ask, call, result, text, tool
from rule_scene import UNSIGNED, Scene, open_session
from verdicts import verified

from mcpwatch.model.entries import Json
from mcpwatch.model.traffic import Era, Session, SessionKind

ENUMERATION = "discovery/enumeration"
LISTS = ("tools/list", "resources/list", "prompts/list")


def look_around(scene: Scene, session: Session, methods: tuple[str, ...] = LISTS, **request: Json) -> None:
    """A client lists what there is."""
    for id, method in enumerate(methods):
        scene.request(ask(id, method), session=session, **request)


def connect(scene: Scene, number: int, **request: Json) -> Session:
    """A client opens a session and lists what there is."""
    session = scene.session(f"session {number}")
    open_session(scene, session, **request)
    look_around(scene, session, **request)
    return session


@fires(ENUMERATION)
def many_sessions_that_only_list(scene: Scene) -> None:
    for number in range(12):
        connect(scene, number, verdict=UNSIGNED)
        scene.now += 5


@fires(ENUMERATION)
def one_session_that_lists_over_and_over(scene: Scene) -> None:
    session = scene.session("x", SessionKind.SIGNER, Era.MODERN)
    for _ in range(12):
        look_around(scene, session, verdict=verified())
        scene.now += 5


@fires(ENUMERATION)
def many_sessions_at_once_and_one_later(scene: Scene) -> None:
    for number in range(300):
        connect(scene, number, verdict=UNSIGNED)
    scene.now += 20
    connect(scene, 300, verdict=UNSIGNED)


@spares(ENUMERATION)
def a_client_that_lists_and_then_works(scene: Scene) -> None:
    session = connect(scene, 0)
    for id in range(30):
        scene.whole(call(id, "read"), result(id, text("done")), session)


@spares(ENUMERATION)
def a_client_that_connects_again_and_again(scene: Scene) -> None:
    for number in range(9):
        connect(scene, number, verdict=UNSIGNED)
        scene.now += 20


@spares(ENUMERATION)
def a_client_that_connects_for_each_task_and_sometimes_calls(scene: Scene) -> None:
    for number in range(40):
        session = connect(scene, number)
        if number % 8 == 0:
            scene.request(call(9, "read"), session=session)
        scene.now += 5


@spares(ENUMERATION)
def many_agents_that_start_together(scene: Scene) -> None:
    sessions = [connect(scene, number) for number in range(30)]
    scene.now += 8
    for session in sessions:
        scene.request(ask(9, "resources/read", {"uri": "notes://index"}), session=session)
    for number in range(30, 40):
        connect(scene, number)


@spares(ENUMERATION)
def a_health_check_that_lists_tools_alone(scene: Scene) -> None:
    session = scene.session()
    for _ in range(50):
        look_around(scene, session, ("tools/list",))
        scene.now += 5


@spares(ENUMERATION)
def a_list_of_many_pages(scene: Scene) -> None:
    session = scene.session()
    look_around(scene, session)
    for method in LISTS * 20:
        scene.request(ask(1, method, {"cursor": "next"}), session=session)
        scene.now += 1
    look_around(scene, session)


@spares(ENUMERATION)
def a_client_that_looks_once_in_a_while(scene: Scene) -> None:
    for number in range(30):
        connect(scene, number)
        scene.now += 60


@spares(ENUMERATION)
def several_clients_that_look_around(scene: Scene) -> None:
    for number in range(30):
        connect(scene, number, agent=f"agent {number % 6}", verdict=UNSIGNED)
        scene.now += 5


@spares(ENUMERATION)
def a_server_that_gives_its_list_on_demand(scene: Scene) -> None:
    session = scene.session()
    for _ in range(20):
        scene.whole(ask(1, "tools/list"), result(1, {"tools": [tool("read")]}), session)
        scene.request(call(2, "read"), session=session)
        look_around(scene, session, ("prompts/list", "resources/list"))
        scene.now += 5
