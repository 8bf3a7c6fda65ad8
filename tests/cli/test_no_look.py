"""No look for garbage while modules are imported."""

import gc

from mcpwatch.garbage import no_look


def test_there_is_no_look_meanwhile_and_none_at_what_came() -> None:
    assert gc.isenabled()
    try:
        with no_look():
            assert not gc.isenabled()
            came: list[dict[str, int]] = [{}]
        assert gc.isenabled()
        assert not any(held is came for held in gc.get_objects())
    finally:
        gc.unfreeze()


def test_whoever_looks_never_goes_on_so() -> None:
    frozen = gc.get_freeze_count()
    gc.disable()
    try:
        with no_look():
            pass
        assert not gc.isenabled()
        assert gc.get_freeze_count() == frozen
    finally:
        gc.enable()
