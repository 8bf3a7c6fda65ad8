"""Traffic for the rules on files and addresses that a server should not fetch."""

from registry import fires, spares
from rpc import ask, call, error, result, text, tool
from rule_scene import Scene

from mcpwatch.model.entries import Json
from mcpwatch.model.traffic import CallState, Era, SessionKind

FILES, SSRF = "discovery/local-file-read", "discovery/ssrf"


def read(scene: Scene, uri: str, state: CallState = CallState.DONE) -> None:
    """A resource that is read."""
    session = scene.session("x", SessionKind.SIGNER, Era.MODERN)
    answer = result(1, {"contents": [{"uri": uri, "text": "..."}]})
    body = ask(1, "resources/read", {"uri": uri})
    scene.whole(body, answer if state is CallState.DONE else error(1, -32603, "no"), session, state=state)


def use(scene: Scene, name: str, **arguments: Json) -> None:
    """A tool that is used."""
    scene.whole(call(1, name, **arguments), result(1, text("done")), scene.session())


def offer(scene: Scene, *uris: str, more: str = "") -> None:
    """Resources that the server lists."""
    page = {"resources": [{"uri": uri, "name": "a"} for uri in uris]} | ({"nextCursor": more} if more else {})
    scene.whole(ask(1, "resources/list"), result(1, page), scene.session())


def template(scene: Scene, pattern: str) -> None:
    """A template of resources that the server lists."""
    page = {"resourceTemplates": [{"uriTemplate": pattern, "name": "a"}]}
    scene.whole(ask(1, "resources/templates/list"), result(1, page), scene.session())


@fires(FILES)
def a_file_of_secrets(scene: Scene) -> None:
    read(scene, "file:///etc/passwd")


@fires(FILES)
def a_secret_beside_a_file_that_is_listed(scene: Scene) -> None:
    offer(scene, "file:///etc/hosts")
    read(scene, "file:///etc/shadow")


@fires(FILES)
def a_file_beside_all_that_is_listed(scene: Scene) -> None:
    offer(scene, "file:///srv/docs/a.md", "notes://index")
    read(scene, "file:///srv/ledger/2026.csv")


@fires(FILES)
def a_path_that_climbs(scene: Scene) -> None:
    template(scene, "file:///srv/docs/{name}")
    read(scene, "file:///srv/docs/..%252f..%252fledger.csv")


@fires(FILES)
def a_resource_of_another_scheme_that_climbs(scene: Scene) -> None:
    read(scene, "notes://a/../../../etc/passwd")


@fires(FILES)
def a_file_that_was_denied(scene: Scene) -> None:
    scene.whole(
        ask(1, "resources/read", {"uri": "file:///home/ann/.ssh/id_ed25519"}),
        error(1, -32001, "Forbidden"),
        scene.session(),
    )


@fires(FILES)
def a_tool_that_is_given_a_file_of_secrets(scene: Scene) -> None:
    use(scene, "open", options={"files": ["/srv/a", "../../../../home/ann/.aws/credentials"]})


@fires(FILES)
def a_tool_that_is_given_an_encoded_path(scene: Scene) -> None:
    use(scene, "open", path="docs/%2e%2e/%2e%2e/ledger.csv")


@spares(FILES, SSRF)
def files_that_are_listed(scene: Scene) -> None:
    offer(scene, "file:///etc/hosts", "file:///srv/docs/a.md", "https://docs.example/a")
    for uri in ("file:///etc/hosts", "file:///srv/docs/a.md", "file:///srv/docs/b.md", "file:///srv/docs/c/d.md"):
        read(scene, uri)
    read(scene, "https://docs.example/b")


@spares(FILES)
def files_that_a_template_names_or_a_result_links(scene: Scene) -> None:
    offer(scene, "notes://index")
    template(scene, "file:///srv/docs/{name}.md")
    block = {"type": "resource_link", "uri": "file:///tmp/report.pdf", "name": "report"}
    scene.whole(call(1, "report"), result(1, {"content": [block]}), scene.session())
    for uri in ("file:///srv/docs/x.md", "file:///tmp/report.pdf", "notes://index", "notes://b"):
        read(scene, uri)


@spares(FILES)
def files_of_a_server_that_does_not_list_them(scene: Scene) -> None:
    read(scene, "file:///home/ann/project/readme.md")
    offer(scene)
    read(scene, "file:///home/ann/project/src/a..b/main.py")


@spares(FILES)
def files_where_the_list_goes_on(scene: Scene) -> None:
    offer(scene, "file:///srv/docs/a.md", more="2")
    read(scene, "file:///srv/ledger/2026.csv")


@spares(FILES)
def what_agents_do_with_files(scene: Scene) -> None:
    for path in ("src/main.py", "../lib/util.py", "/etc/nginx/nginx.conf", ".env.example", "C:\\Users\\ann\\a.txt"):
        use(scene, "open", path=path)
    use(scene, "write", path="/srv/a", content="How to read /etc/passwd:\ncat /etc/passwd")
    use(scene, "tell", text="Please add ~/.ssh/ and .env to the list of what git ignores")
    use(scene, "write", path="Dockerfile", content="FROM x\nCOPY key /root/.ssh/id_rsa\n")
    use(scene, "search", query="what is in .ssh? 100% of ids, etc/...")


@spares(FILES)
def dots_in_a_web_address(scene: Scene) -> None:
    read(scene, "https://docs.example/a/../b")


@fires(SSRF)
def a_resource_of_the_server_itself(scene: Scene) -> None:
    read(scene, "http://127.0.0.1:9200/_search")


@fires(SSRF)
def the_credentials_of_the_cloud(scene: Scene) -> None:
    use(scene, "fetch", url="http://0xA9FEA9FE/latest/meta-data/")


@fires(SSRF)
def a_private_address_behind_another_name(scene: Scene) -> None:
    use(scene, "fetch", pages=[{"at": "https://docs.example@[::ffff:10.0.0.7]/"}])


@fires(SSRF)
def an_address_inside_beside_those_that_are_listed(scene: Scene) -> None:
    offer(scene, "http://127.0.0.1:9000/docs/a")
    read(scene, "http://127.0.0.1:9200/docs/a")


@fires(SSRF)
def an_address_behind_more_than_anybody_reads(scene: Scene) -> None:
    use(scene, "fetch", url=f"http://{'a' * 5_000}@169.254.169.254/{'b' * 5_000}")


@fires(SSRF)
def an_address_in_a_batch_under_an_id_that_comes_twice(scene: Scene) -> None:
    bodies = call(1, "fetch", url="https://docs.example/"), call(1, "fetch", url="http://169.254.169.254/")
    exchange = scene.request(*bodies, session=scene.session())
    scene.answer(exchange, result(1, text("ok")), session=scene.session())


@fires(SSRF)
def an_address_that_the_caller_says_is_the_gateways(scene: Scene) -> None:
    exchange = scene.request(call(1, "fetch", url="http://10.0.0.7/"), authority="10.0.0.7", session=scene.session())
    scene.answer(exchange, result(1, text("ok")), session=scene.session())


@fires(FILES)
def a_file_behind_more_slashes_than_anybody_reads(scene: Scene) -> None:
    use(scene, "open", path="/" + "./" * 5_000 + "etc/passwd")


@fires(SSRF)
def an_address_inside_that_does_not_answer(scene: Scene) -> None:
    scene.whole(call(1, "fetch", url="http://10.0.0.1:22/"), result(1, text("no", is_error=True)), scene.session())


@spares(SSRF)
def the_addresses_of_a_server_that_runs_here(scene: Scene) -> None:
    scene.started()
    offer(scene, "http://localhost:9000/docs/a")
    template(scene, "http://10.1.1.1/{page}")
    for uri in ("http://localhost:9000/docs/a", "http://localhost:9000/docs/b", "http://10.1.1.1/x"):
        read(scene, uri)
    read(scene, "http://127.0.0.1:8000/docs")


@spares(SSRF)
def addresses_outside(scene: Scene) -> None:
    for url in ("https://docs.example/?u=http://127.0.0.1/", "http://172.32.0.1/", "http://127.0.0.1@docs.example/"):
        read(scene, url)
        use(scene, "fetch", url=url)
    use(scene, "query", dsn="postgres://localhost/shop", host="10.0.0.1", note="see http://localhost:3000")
    scene.whole(ask(1, "tools/list"), result(1, {"tools": [tool("get", "Of http://localhost")]}), scene.session())
