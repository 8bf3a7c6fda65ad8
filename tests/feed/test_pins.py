"""Log keys pinned on first use."""

import stat
from pathlib import Path

import pytest

from mcpwatch.errors import LocalError
from mcpwatch.feed.pins import Pin, Pins

ONE, OTHER = ("a+1+AA", "a/time+2+AA"), ("b+1+AA", "b/time+2+AA")


def test_the_first_keys_stand(tmp_path: Path) -> None:
    pins = Pins(tmp_path / "pins")
    first = pins.hold("http://127.0.0.1:1", ONE, 5.0)
    assert first == Pin(address="http://127.0.0.1:1", keys=ONE, since=5.0)
    assert Pins(tmp_path / "pins").hold("http://127.0.0.1:1", OTHER, 6.0) == first
    assert stat.S_IMODE(pins.path("http://127.0.0.1:1").stat().st_mode) == 0o600


def test_each_address_has_its_own_pin(tmp_path: Path) -> None:
    pins = Pins(tmp_path)
    pins.hold("http://b:1", ONE, 1.0)
    pins.hold("http://a:1", OTHER, 1.0)
    assert [(each.address, each.keys) for each in pins.all()] == [("http://a:1", OTHER), ("http://b:1", ONE)]


def test_a_forgotten_pin_lets_the_next_keys_in(tmp_path: Path) -> None:
    pins = Pins(tmp_path)
    assert not pins.forget("http://a:1")
    pins.hold("http://a:1", ONE, 1.0)
    assert pins.forget("http://a:1")
    assert pins.hold("http://a:1", OTHER, 2.0).keys == OTHER


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"[" * 100_000, b'{"address":"a","keys":["x"],"since":1}'])
def test_a_damaged_pin_is_not_taken_for_a_first_use(tmp_path: Path, content: bytes) -> None:
    pins = Pins(tmp_path)
    pins.hold("http://a:1", ONE, 1.0)
    pins.path("http://a:1").write_bytes(content)
    with pytest.raises(LocalError, match="damaged") as caught:
        pins.hold("http://a:1", OTHER, 2.0)
    assert str(pins.path("http://a:1")) in caught.value.hint


def test_a_pin_that_others_can_read_is_not_believed(tmp_path: Path) -> None:
    pins = Pins(tmp_path)
    pins.hold("http://a:1", ONE, 1.0)
    pins.path("http://a:1").chmod(0o664)
    with pytest.raises(LocalError, match="others"):
        pins.hold("http://a:1", ONE, 2.0)
