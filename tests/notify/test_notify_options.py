"""What a command line and a configuration may ask for."""

import argparse
import sys
from pathlib import Path

import pytest

from mcpwatch.commands import notifying
from mcpwatch.config import NotifyConfig
from mcpwatch.errors import LocalError, UsageError
from mcpwatch.files import write_private
from mcpwatch.model.alerts import Severity
from mcpwatch.notify.options import NotifyOptions, parse_command, parse_webhook, place


def options(*words: str, config: NotifyConfig = NotifyConfig()) -> NotifyOptions:  # noqa: B008
    parser = argparse.ArgumentParser()
    notifying.arguments(parser)
    return notifying.options(parser.parse_args(words), config)


def test_a_command_is_words_and_no_shell() -> None:
    assert parse_command(f"{sys.executable} -m 'a b' $HOME;") == (sys.executable, "-m", "a b", "$HOME;")


@pytest.mark.parametrize("text", ["", "  ", "no-such-program-anywhere", "python 'unclosed"])
def test_a_command_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="to notify by"):
        parse_command(text)


@pytest.mark.parametrize(
    "url", ["https://chat.example/hooks/1", "http://127.0.0.1:9/x", "http://[::1]/", "http://localhost"]
)
def test_a_webhook_is_https_or_of_this_machine(url: str) -> None:
    assert parse_webhook(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://chat.example/s3cret",
        "http://127.0.0.1.example/s3cret",
        "ftp://127.0.0.1/s3cret",
        "https://user:s3cret@chat.example/",
        "https:///s3cret",
        "https://chat.example:99999/s3cret",
        "https://chat.example/s3cret\n",
        "s3cret",
        "",
    ],
)
def test_a_webhook_that_is_none_is_refused_without_telling_it(url: str) -> None:
    with pytest.raises(UsageError) as refusal:
        parse_webhook(url)
    assert "s3cret" not in refusal.value.title + refusal.value.hint


def test_of_a_webhook_only_its_place_is_told() -> None:
    assert place("https://user:pw@chat.example:8443/hooks/s3cret?t=1#x") == "https://chat.example:8443"


def test_the_command_line_goes_before_the_configuration(tmp_path: Path) -> None:
    token = tmp_path / "token"
    write_private(token, b"s3cret\n")
    config = NotifyConfig(
        command=(sys.executable,),
        webhook="https://chat.example/",
        webhook_token_file=str(token),
        severity="critical",
        per_minute=3,
    )
    told = options(config=config)
    assert (told.command, told.webhook, told.severity, told.per_minute) == (
        (sys.executable,),
        "https://chat.example/",
        Severity.CRITICAL,
        3,
    )
    assert told.token is not None and told.token.reveal() == "s3cret"
    assert "s3cret" not in repr(told)
    other = options("--webhook", "https://other.example/", "--notify-from", "low", config=config)
    assert (other.webhook, other.token, other.severity) == ("https://other.example/", None, Severity.LOW)
    assert options("--exec-on-alert", f"{sys.executable} -V", config=config).command == (sys.executable, "-V")


def test_what_may_be_a_secret_stands_in_no_repr() -> None:
    config = NotifyConfig(command=(sys.executable, "--key=s3cret"), webhook="https://chat.example/hooks/s3cret")
    told = repr(options(config=config))
    assert "s3cret" not in told + repr(config)
    assert "https://chat.example" in told


def test_without_a_wish_nobody_is_told() -> None:
    assert options() == NotifyOptions()


def test_a_token_that_others_can_read_or_nobody_gets_is_refused(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("s3cret")
    token.chmod(0o644)
    with pytest.raises(LocalError, match="can be read by others"):
        options("--webhook", "https://chat.example/", "--webhook-token-file", str(token))
    with pytest.raises(UsageError, match="of no use"):
        options("--webhook-token-file", str(token))
