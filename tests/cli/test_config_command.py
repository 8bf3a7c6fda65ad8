"""`mcpwatch config`, and what is said of a configuration that is wrong or probably not meant."""

import re
import tomllib
from pathlib import Path

import pytest

from mcpwatch import config
from mcpwatch.cli import main
from mcpwatch.identity.agent_key import AgentKey

KEY = AgentKey(bytes(range(32))).fingerprint


def test_the_template_is_the_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "template"]) == 0
    text = capsys.readouterr().out
    before, _, named = text.partition("# [sources.NAME]")
    text = before + named[named.index("[ui]") : named.index("# [themes.NAME]")] + named[named.index("[principals]") :]
    uncommented = "\n".join(
        line.removeprefix("# ") if " = " in line else line for line in text.splitlines() if line.strip()
    )
    stated = tomllib.loads("\n".join(line for line in uncommented.splitlines() if not line.startswith("#")))
    assert stated.pop("filters") == {"bad": "sig:bad | sev>=high"}
    assert stated.pop("keys") == {"freeze": "space,p"}
    assert stated.pop("principals") == {"https://issuer.example alice": ["did:web:agent.example"]}
    assert stated == {
        "identity": {
            "registry": "",
            "jwks": [],
            "did_web": False,
            "directories": False,
            "allow_private": False,
            "roots": [],
            "window": 300,
        },
        "watch": {"rows": 50_000, "author": "", "operators": []},
        "ui": {"characters": "auto", "theme": "", "columns": [], "times": "clock"},
        "notify": {"command": [], "webhook": "", "webhook_token_file": "", "severity": "high", "per_minute": 10},
    }


def test_what_is_configured_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.toml").write_text('[identity]\nregistry = "http://127.0.0.1:9"\n')
    assert config.load().identity.registry == "http://127.0.0.1:9"
    assert main(["config", "show"]) == 0
    assert tomllib.loads(capsys.readouterr().out)["identity"]["registry"] == "http://127.0.0.1:9"


def test_what_is_shown_keeps_the_path_of_a_webhook_to_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.toml").write_text('[notify]\nwebhook = "https://chat.example/hooks/s3cret?t=s3cret"\n')
    assert main(["config", "show"]) == 0
    said = capsys.readouterr()
    assert tomllib.loads(said.out)["notify"]["webhook"] == "https://chat.example/…"
    assert "s3cret" not in said.out + said.err


@pytest.mark.parametrize(
    "text",
    ["[identity]\nregistri = 'x'\n", "[identity]\nwindow = 'long'\n", "[watch]\nrows = 1\n", "= broken", "\xff"],
)
def test_a_wrong_configuration_says_which_file_and_what(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode("latin-1"))
    assert main(["config", "show"]) == 2
    err = capsys.readouterr().err
    assert str(path) in err
    assert "mcpwatch config template" in err


IDENTITY = """[identity]
registry = "https://registry.example"
jwks = ["/etc/mcpwatch/agents.json", "~/keys.json", "https://issuer.example/jwks.json"]
did_web = true
directories = true
allow_private = true
roots = ["did:aip:56475aa75463474c0285df5dbf2bcab7"]
[principals]
"https://issuer.example alice" = ["did:web:agent.example", "ledger"]
bob = ["key:NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"]
"""


def test_what_is_shown_reads_back_as_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.toml").write_text(IDENTITY)
    before = config.load()
    assert before.principals["bob"] == ("key:NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",)
    assert main(["config", "show"]) == 0
    (tmp_path / "config.toml").write_text(capsys.readouterr().out)
    assert config.load() == before


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[identity]\nregistry = 'registry.example'\n", "identity.registry must be an http or https URL"),
        ("[identity]\nregistry = 'https://user:secret@registry.example'\n", "URL without a user"),
        ("[identity]\nregistry = 'https://registry.example:99999'\n", "identity.registry must be"),
        ("[identity]\nwindow = 0\n", "identity.window must lie between"),
        ("[identity]\njwks = ['keys.json']\n", "identity.jwks must list paths"),
        ("[identity]\njwks = ['http://issuer.example/jwks']\n", "identity.jwks must list paths"),
        ("[identity]\njwks = ['https://']\n", "identity.jwks must list paths"),
        ("[identity]\njwks = ['https://user:secret@issuer.example/jwks']\n", "URLs without a user"),
        ("[identity]\njwks = ['~nobody-of-that-name/keys.json']\n", "identity.jwks must list paths"),
        ("[identity]\nroots = ['did:aip:1']\n", "identity.roots must list DIDs"),
        ("[identity]\nroots = ['did:aip:1#key-1']\n", "identity.roots must list DIDs"),
        ("[identity]\nroots = ['ledger']\n", "identity.roots must list DIDs"),
        ("[watch]\nrows = 1\n", "watch.rows must lie between"),
        (f'[watch]\nauthor = "{"x" * 201}"\n', "watch.author must be printable and have at most 200 characters"),
        ('[watch]\nauthor = "a\\nb"\n', "watch.author must be printable"),
        ('[watch]\noperators = ["ann"]\n', "watch.operators must list fingerprints of 43 characters"),
        (f'[watch]\noperators = ["{KEY} Ann", "{KEY}"]\n', "watch.operators must list fingerprints"),
        (f'[watch]\noperators = ["{KEY} "]\n', "watch.operators must list fingerprints"),
        ("[notify]\nwebhook = 'http://chat.example/secret'\n", "notify.webhook must be an https URL"),
        ("[notify]\nwebhook = 'https://user:secret@chat.example/'\n", "URL without a user"),
        ("[notify]\nwebhook_token_file = 'token'\n", "notify.webhook_token_file must be a path"),
        ("[notify]\ncommand = ['']\n", "notify.command must list a program"),
        ('[notify]\ncommand = ["a", "\\u0000"]\n', "notify.command must list a program"),
        ("[notify]\nseverity = 'grave'\n", "notify.severity must be one of low, medium, high, critical"),
        ("[notify]\nper_minute = 0\n", "notify.per_minute must lie between"),
        ("[principals]\nalice = []\n", "principals must give each subject"),
        ("[principals]\nalice = ['']\n", "principals must give each subject"),
    ],
)
def test_a_value_that_makes_no_sense_is_named(
    text: str, key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.toml").write_text(text)
    assert main(["config", "show"]) == 2
    err = capsys.readouterr().err
    assert key in err
    assert "secret" not in err


def test_a_configuration_that_cannot_be_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.toml").mkdir()
    assert main(["config", "show"]) == 2
    assert "config.toml cannot be read: Is a directory" in capsys.readouterr().err


def test_the_template_of_a_policy_is_a_policy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "path", "policy"]) == 0
    path = Path(capsys.readouterr().out.strip())
    assert path == tmp_path / "policy.toml"
    assert main(["config", "template", "policy"]) == 0
    path.write_text(re.sub(r"(?m)^#(?! )", "", capsys.readouterr().out))
    assert main(["config", "show", "policy"]) == 0
    shown = capsys.readouterr().out
    assert tomllib.loads(shown)["upstream"]["files"]["signatures"] == "required"
    path.write_text(shown)
    assert main(["config", "show", "policy"]) == 0
    assert capsys.readouterr().out == shown


def test_a_policy_that_says_nothing_is_shown_as_what_holds_then(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "template", "policy", "--write"]) == 0
    capsys.readouterr()
    assert main(["config", "show", "policy"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("# Nothing is set") and tomllib.loads(shown) == {}


def test_a_bad_policy_stops_a_watcher_before_it_connects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MCPWATCH_TOKEN", "t")
    for words in ([], ["--policy", str(tmp_path / "other.toml")]):
        path = tmp_path / ("other.toml" if words else "policy.toml")
        path.write_text("\nsignature = 'off'\n")
        for command in ("tail", "watch"):
            assert main([command, "http://127.0.0.1:1", *words]) == 2
            err = capsys.readouterr().err
            assert f"{path}, line 2, column 1: signature is not a setting of the whole; did you mean signatures?" in err
            assert "mcpwatch config template policy" in err
    assert main(["tail", "http://127.0.0.1:1", "--policy", str(tmp_path / "gone.toml")]) == 2
    assert "there is no policy at" in capsys.readouterr().err


def test_authors_have_a_name() -> None:
    assert "@" in config.author(config.Config())
    assert config.author(config.Config(watch=config.WatchConfig(author="ana"))) == "ana"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[identity]\n\nregsitry = 'x'\n", "line 3, column 1: identity.regsitry is not a setting; did you mean"),
        ("[watch]\ncolour = 1\n", "line 2, column 1: watch.colour is not a setting; there are: rows, author"),
        ("[identiy]\nwindow = 3\n", "line 1, column 2: [identiy] is not a section; did you mean identity?"),
        ("registry = 'x'\n", "line 1, column 1: registry stands in no section; it belongs under [identity]"),
        (
            "colour = 'x'\n",
            "line 1, column 1: colour stands in no section; there are: identity, watch, notify, sources, ui, filters",
        ),
        ("identity = 'x'\n", "line 1, column 1: identity must be a section: [identity]"),
        ("[identity]\nwindow = 'secret'\n", "line 2, column 1: identity.window must be a whole number"),
        ("[watch]\nrows = true\n", "line 2, column 1: watch.rows must be a whole number"),
        ("[identity]\ndid_web = 'yes'\n", "line 2, column 1: identity.did_web must be true or false"),
        ("[identity]\nregistry = 1\n", "line 2, column 1: identity.registry must be a text in quotes"),
        ("[identity]\njwks = '/a'\n", "line 2, column 1: identity.jwks must be a list of texts"),
        ("[identity]\njwks = [1]\n", "line 2, column 1: identity.jwks must be a list of texts"),
        ("[watch]\n[principals]\n'ali ce' = 'x'\n", 'line 3, column 1: principals."ali ce" must be a list of texts'),
        ("identity.window = 'x'\n", "line 1, column 1: identity.window must be a whole number"),
        ("[watch]\nrows = 200\n[identity]\nwindow = 0\n", "line 4, column 1: identity.window must lie between"),
        ("[principals]\nalice = []\n", "line 1, column 2: principals must give each subject"),
        ("[sources.home]\ntoken_file = '/t'\n", "line 1, column 2: sources.home needs its address"),
        ("[sources.home]\naddress = 'home'\n", "line 2, column 1: sources.home.address must be an http or https URL"),
        ("[sources.'a b']\naddress = '/a'\n", 'line 1, column 2: sources."a b" must have a name of at most'),
        ("[sources]\nhome = 'http://a'\n", "line 2, column 1: sources.home must be a section: [sources.home]"),
        ("[ui]\ntimes = 'now'\n", "line 2, column 1: ui.times must be one of clock, age, step"),
        ("[themes.dusk]\nprimary = 'red'\n", "line 2, column 1: themes.dusk.primary must be a colour such as #"),
        ("[themes.dusk]\nprimry = '#000000'\n", "line 2, column 1: themes.dusk.primry is not a setting; did you mean"),
        ("[filters]\nbad = 1\n", "line 2, column 1: filters.bad must be a text in quotes"),
        ("[keys]\nfreeze = ['space']\n", "line 2, column 1: keys.freeze must be a text in quotes"),
        ("[watch]\nrows = = 1\n", "config.toml, line 2, column 8 is no TOML: Invalid value"),
        ("\xff", "is no text in UTF-8: octet 1"),
    ],
)
def test_what_is_wrong_is_said_in_plain_words_with_its_line(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.toml").write_bytes(text.encode("latin-1"))
    assert main(["config", "show"]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert "secret" not in err and "Traceback" not in err


PLAIN, ROOTS = "identity.registry is asked over plain http", "identity.roots does nothing without identity.registry"
CALLED = "principals names ledgr, and no agent is called so, see: mcpwatch keys list"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ""),
        ("[identity]\nregistry = 'http://registry.example'\n", PLAIN),
        ("[identity]\nregistry = 'http://127.0.0.1:9'\n", ""),
        ("[identity]\nregistry = 'http://[::1]:9'\n", ""),
        ("[identity]\nregistry = 'https://registry.example'\nroots = ['did:web:a.example']\n", ""),
        ("[identity]\nroots = ['did:web:a.example']\n", ROOTS),
        ("[principals]\nalice = ['ledgr', 'Ledger', 'ci', 'did:web:a.example']\nbob = ['ledgr']\n", CALLED),
        ("[principals]\nalice = ['NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs']\n", ""),
        ("[identity]\njwks = ['/keys.json']\n[principals]\nalice = ['a-kid']\n", ""),
    ],
)
def test_what_is_probably_not_meant_is_warned_of(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = AgentKey(bytes(32))
    assert main(["keys", "add", "ci", key.public_base64]) == main(["keys", "name", key.did_key, "ledger"]) == 0
    (tmp_path / "config.toml").write_text(text)
    capsys.readouterr()
    assert main(["config", "show"]) == 0
    shown = capsys.readouterr()
    lines = shown.err.splitlines()
    assert len(lines) == bool(said)
    assert all(line.startswith(f"mcpwatch: warning: {said}") for line in lines)
    assert tomllib.loads(shown.out)


def test_who_is_not_among_the_operators_they_list_is_warned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "operator"]) == 0
    own = capsys.readouterr().out.strip()
    for listed, said in ((KEY, [f"watch.operators does not list your own key, {own}"]), (f"{own} me", [])):
        (tmp_path / "config.toml").write_text(f'[watch]\noperators = ["{listed}"]\n')
        assert main(["config", "show"]) == 0
        shown = capsys.readouterr()
        assert tomllib.loads(shown.out)["watch"]["operators"] == [listed]
        lines = shown.err.splitlines()
        assert len(lines) == len(said)
        assert all(line.startswith(f"mcpwatch: warning: {each}") for line, each in zip(lines, said, strict=True))


def test_a_watcher_warns_as_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MCPWATCH_TOKEN", "t")
    (tmp_path / "config.toml").write_text("[identity]\nroots = ['did:web:a.example']\n")
    assert main(["tail", "http://127.0.0.1:1"]) == 3
    assert ROOTS in capsys.readouterr().err


@pytest.mark.parametrize(("file", "name"), [("config", "config.toml"), ("policy", "policy.toml")])
def test_a_template_is_written_where_it_is_read_from_and_over_nothing(
    file: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "not there" / name
    monkeypatch.setenv("MCPWATCH_CONFIG", str(path.with_name("config.toml")))
    assert main(["config", "template", file]) == 0
    printed = capsys.readouterr().out
    assert main(["config", "template", file, "--write"]) == 0
    assert str(path) in capsys.readouterr().out
    assert path.read_text() == printed
    path.write_text("")
    assert main(["config", "template", file, "--write"]) == 2
    assert (path.read_text(), "is there already" in capsys.readouterr().err) == ("", True)
    assert main(["config", "path", file, "--write"]) == 2
