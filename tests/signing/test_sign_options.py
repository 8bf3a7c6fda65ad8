"""What the signing proxy may be told."""

import socket
from pathlib import Path

import pytest
from signing_rig import KEY, signing

from mcpwatch.cli import main
from mcpwatch.errors import UsageError
from mcpwatch.identity.signer import AgentKey
from mcpwatch.signing.options import check_id, check_listen, parse_upstream
from mcpwatch.signing.outgoing import Agent
from mcpwatch.signing.run import greeting

OTHER = AgentKey(bytes(32))
URL = "http://127.0.0.1:4180/mcp"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.9.9.9"])
def test_this_machine_may_listen(host: str) -> None:
    assert check_listen((host, 4182), allow_remote=False) == (host, 4182)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "agent.example"])
def test_other_machines_have_to_be_allowed(host: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_listen((host, 4182), allow_remote=False)
    assert "--allow-remote" in refused.value.hint
    assert check_listen((host, 4182), allow_remote=True) == (host, 4182)


@pytest.mark.parametrize(
    "id",
    [
        "",
        "did:web:agent.example#key-1",
        "key:poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U",
        KEY.did_key,
        f"{KEY.did_key}#{KEY.did_key.removeprefix('did:key:')}",
        OTHER.did_aip,
    ],
)
def test_an_identity_is_taken_as_it_is(id: str) -> None:
    assert check_id(id, KEY) == id


@pytest.mark.parametrize("id", ['a"b', "a b", "a\\b", "a\r\nb", "é"])
def test_an_identity_that_would_break_a_field_is_refused(id: str) -> None:
    with pytest.raises(UsageError):
        check_id(id, KEY)


@pytest.mark.parametrize(
    ("id", "said"),
    [
        (OTHER.did_key, "another key's"),
        (f"{OTHER.did_key}#1", "another key's"),
        (KEY.did_key[:-1], "holds no key, or not all of one"),
        ("did:key:", "holds no key, or not all of one"),
        ("did:key:mumble", "holds no key, or not all of one"),
    ],
)
def test_a_did_key_that_is_not_the_keys_own_is_refused(id: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        check_id(id, KEY)
    assert "Leave out --id" in refused.value.hint


@pytest.mark.parametrize("url", ["notes=" + URL, "ftp://x", "127.0.0.1:80", "http://u@x/", "http://x/?a=b"])
def test_another_upstream_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        parse_upstream(url)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--key", "none.pem"], 5, "none.pem does not exist"),
        (["--key", "key.pem", "--listen", "0.0.0.0:0"], 2, "--allow-remote"),
        (["--key", "key.pem", "--id", "a b"], 2, "cannot be signed under"),
        (["--key", "key.pem", "--id", OTHER.did_key], 2, "This did:key is another key's"),
        (["--key", "open.pem"], 5, "chmod 600"),
        (["--key", "README.md"], 5, "README.md is no agent key"),
    ],
)
def test_what_is_wrong_is_said_before_anything_listens(
    words: list[str],
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "README.md").write_text("# A project")
    (tmp_path / "README.md").chmod(0o644)
    for name, mode in (("key.pem", 0o600), ("open.pem", 0o644)):
        AgentKey.generate().save(tmp_path / name)
        (tmp_path / name).chmod(mode)
    assert main(["sign", "--upstream", URL, *words]) == code
    assert said in capsys.readouterr().err


def test_a_port_in_use_is_named_with_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "key.pem"
    AgentKey.generate().save(file)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["sign", "--upstream", URL, "--key", str(file), "--listen", f"127.0.0.1:{port}"]) == 5
    assert f"Port {port} on 127.0.0.1 is in use" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("scheme", "id", "signs_as", "title"),
    [
        ("rfc9421", "", KEY.did_key, "HTTP Message Signatures (RFC 9421)"),
        ("aip", "", KEY.did_aip, "AIP headers"),
        ("aip", "did:web:agent.example", "did:web:agent.example", "AIP headers"),
    ],
)
async def test_it_says_whom_it_signs_as_how_and_where(scheme: str, id: str, signs_as: str, title: str) -> None:
    async with signing(URL, scheme, Agent(KEY, id)) as running:
        lines = greeting(running)
    assert lines[:3] == [f"signing as {signs_as}", f"with {title}", f"  {running.listen_address}/mcp -> {URL}"]
    assert not any("note:" in line for line in lines)


@pytest.mark.parametrize(("id", "is_told"), [(OTHER.did_aip, True), (KEY.did_aip, False), (KEY.did_aip + "#1", False)])
async def test_it_says_that_a_rotated_did_aip_is_another_keys(id: str, is_told: bool) -> None:
    async with signing(URL, "aip", Agent(KEY, id)) as running:
        assert any("does not derive from the key" in line for line in greeting(running)) is is_told


async def test_it_says_that_others_can_connect() -> None:
    async with signing(URL, listen=("0.0.0.0", 0)) as running:
        assert greeting(running)[-1].startswith("note: whoever can connect to 0.0.0.0 signs as this agent")


@pytest.mark.parametrize(
    ("upstream", "is_told"),
    [
        ("http://gateway.example/mcp", True),
        ("http://192.168.1.7:4180/mcp", True),
        ("https://gateway.example/mcp", False),
        ("http://localhost:4180/mcp", False),
        ("http://[::1]:4180/mcp", False),
    ],
)
async def test_it_says_that_calls_pass_unencrypted(upstream: str, is_told: bool) -> None:
    async with signing(upstream) as running:
        assert ("unencrypted" in greeting(running)[-1]) is is_told
