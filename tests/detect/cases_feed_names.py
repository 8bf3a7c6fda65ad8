"""Feeds that go by the same name, for the rule on them."""

from registry import fires, spares
from rule_scene import Scene

from mcpwatch.model.feed import FeedStatus


def meet(scene: Scene, name: str, origin: str, key: str) -> None:
    """Another feed says whose log it is."""
    before = FeedStatus(name, f"http://{name}")
    scene.findings += scene.engine.observe_feed(before, FeedStatus(name, f"http://{name}", origin=origin, key=key))


@fires("feed/same-name")
def a_log_that_poses_as_another(scene: Scene) -> None:
    meet(scene, "ours", "gateway.example/1", "k1")
    meet(scene, scene.source, "gateway.example/1", "k2")


@spares("feed/same-name")
def one_log_by_two_addresses(scene: Scene) -> None:
    meet(scene, "ours", "gateway.example/1", "k1")
    meet(scene, "tunnel", "gateway.example/1", "k1")
    meet(scene, "other", "other.example/1", "k2")
    meet(scene, "foreign", "", "")
    meet(scene, "foreign too", "", "")
