"""Puts the rooms together: the one place where a watcher is made of what really works."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from mcpwatch.config import Config
from mcpwatch.config import author as author_of
from mcpwatch.detect.book import AlertBook
from mcpwatch.detect.engine import Engine
from mcpwatch.detect.rule import Operator
from mcpwatch.errors import UsageError
from mcpwatch.feed.acts import ActLog
from mcpwatch.feed.address import host_and_port
from mcpwatch.feed.source import Source
from mcpwatch.identity.judge import Judge
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.pins import PinFile, pins_path
from mcpwatch.identity.replay import ReplayWindow
from mcpwatch.identity.resolvers import ResolverOptions
from mcpwatch.identity.resolvers.fetch import Fetcher
from mcpwatch.identity.resolvers.service import Resolver
from mcpwatch.identity.resolvers.trust import Trust
from mcpwatch.identity.signed_acts import operator_fingerprint, operator_key
from mcpwatch.model.identity import Resolution
from mcpwatch.policy.kept import KeptPolicy
from mcpwatch.traffic.fold import Traffic
from mcpwatch.watch.act_store import FILE, ActStore
from mcpwatch.watch.acting import Acting
from mcpwatch.watch.alerting import Alerting
from mcpwatch.watch.definition_pins import FILE as DEFINITIONS
from mcpwatch.watch.definition_pins import DefinitionStore
from mcpwatch.watch.definition_trust import DefinitionTrust
from mcpwatch.watch.operators import Operators
from mcpwatch.watch.pipeline import Lane, Pipeline
from mcpwatch.watch.policy_watch import PolicyWatch
from mcpwatch.watch.state import State
from mcpwatch.watch.state_folder import StateFolderWatch
from mcpwatch.watch.watcher import Watcher


def open_watcher(
    sources: Sequence[Source],
    state: Path,
    config: Config | None = None,
    *,
    config_path: Path | None = None,
    policy: KeptPolicy | None = None,
    clock: Callable[[], float] = time.time,
    present: Callable[[], float] | None = None,
) -> Watcher:
    """A watcher on these sources, with the keys and acknowledgements of the state folder.

    `config_path` is where `config` was read from, for the screen to tell; `policy` is followed as its file changes.
    `present` tells what time it is in what is watched where that is not the clock's, as in a replay; what the operator
    does has the clock's. The replay window is one for all sources: a request that is copied from one gateway to
    another is a replay. Raises UsageError when two sources go by one name or a configured address or JWKS is none,
    LocalError when a file in the state folder cannot be read.
    """
    files = (("state", str(state)), ("config", str(config_path or "none read")))
    config = Config() if config is None else config
    present = clock if present is None else present
    names = [source.name for source in sources]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"two feeds go by the name {name}", "Name each feed once.")
    keys = KeyBook()
    pins = PinFile(pins_path(state), keys)
    operators = Operators(config.watch.operators)
    acts = ActStore(state / FILE, operators)
    book = AlertBook()
    book.take(acts.load())
    fetcher = Fetcher(allow_private=config.identity.allow_private)
    asking = resolver_options(config)
    resolver = Resolver(keys, asking, fetcher, on_resolved=lambda ids: pipeline.settled(ids), wall=clock)

    trust = _trust(config, keys, fetcher, lambda: _seen_signing(pipeline.state), clock)

    async def resolving() -> None:
        async with fetcher:
            await resolver.run()

    async def watching() -> None:
        await StateFolderWatch(pins, acts, book, pipeline).run()

    store = DefinitionStore(state / DEFINITIONS, _kept_as(sources))
    traffic = {
        source.name: Traffic(source.name if len(sources) > 1 else "", pins=store.of(source.name)) for source in sources
    }
    definitions = DefinitionTrust(store, traffic, author_of(config), clock)
    shown = State(book.alerts, max_rows=config.watch.rows)
    engine = Engine(operator=Operator(config.principals, keys.called, keys.signers))
    following = [PolicyWatch(policy, engine, shown.set_policy, clock).run] if policy is not None else []
    pipeline = Pipeline(
        shown,
        [Lane(source, traffic[source.name]) for source in sources],
        keys,
        Judge(keys, ReplayWindow(), window_s=config.identity.window),
        Alerting(engine, book, present, operators),
        services=[watching, resolving, definitions.run, *following, *([trust.run] if trust else [])],
        clock=present,
    )
    return Watcher(
        pipeline,
        book,
        acts,
        keys,
        pins,
        Acting(
            book,
            pipeline.state,
            acts,
            partial(operator_key, state),
            author_of(config),
            {source.name: source.post for source in sources if isinstance(source, ActLog)},
            clock,
            operators,
            partial(operator_fingerprint, state),
        ),
        places=_places(config),
        definitions=definitions,
        role_of=lambda caller: engine.policy.role(caller),
        trust=trust,
        roots=config.identity.roots,
        files=files,
        filters=config.filters,
        clock=clock,
        present=present,
    )


def _kept_as(sources: Sequence[Source]) -> dict[str, str]:
    """A feed's name -> its host and port, under which its tools are trusted whatever it is called."""
    places = {source.name: host_and_port(source.address) for source in sources if "://" in source.address}
    counts = Counter(places.values())
    return {name: place for name, place in places.items() if counts[place] == 1 and place not in places}


def resolver_options(config: Config) -> ResolverOptions:
    """Whom the configuration lets the resolvers ask."""
    identity = config.identity
    return ResolverOptions(identity.registry, identity.jwks, identity.did_web, identity.directories)


def _places(config: Config) -> dict[Resolution, str]:
    """Where the configuration has keys asked for, as a sentence ends with it."""
    identity = config.identity
    jwks = identity.jwks
    return {
        Resolution.REGISTRY: identity.registry,
        Resolution.JWKS: jwks[0] if len(jwks) == 1 else f"one of {len(jwks)}: {', '.join(jwks)}" if jwks else "",
    }


def _trust(
    config: Config, keys: KeyBook, fetcher: Fetcher, seen: Callable[[], list[str]], clock: Callable[[], float]
) -> Trust | None:
    """Who asks for vouches; nobody where there is no root that they could lead from, or no registry to ask."""
    identity = config.identity
    if not identity.registry or not identity.roots:
        return None
    return Trust(keys, identity.registry, identity.roots, fetcher, seen=seen, wall=clock)


def _seen_signing(state: State) -> list[str]:
    """The identities that provably sent something."""
    return [id for id, identity in state.identities.items() if identity.proven > 0]
