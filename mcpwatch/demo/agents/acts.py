"""The acts of the demo: a name, what it shows, the coroutine. One row an act."""

import itertools
from collections.abc import Awaitable, Callable, Iterator
from random import Random

from msgspec import Struct

from mcpwatch.demo.agents import astray, honest, hostile, impostors, registered, schemes
from mcpwatch.demo.agents.stage import Stage


class Act(Struct, frozen=True):
    """A row of the story."""

    name: str
    shows: str
    play: Callable[[Stage], Awaitable[None]]
    honest: int = 0
    """How often it comes in one round; 0 for what should raise an alert, of which each round has a few."""


_TROUBLE = 8
"""Acts of one round that should raise an alert."""

ACTS = (
    Act("notes", "scribe searches and saves notes in one session, each request signed over the session id",
        honest.notes_shift, 3),
    Act("refund", "ledger follows a customer to an order to a refund, signed with AIP", honest.refund, 5),
    Act("rotation", "veteran replaces its key in the middle of a session", registered.rotation),
    Act("crawl", "crawler says in each request where its keys are published", schemes.crawl, 2),
    Act("build", "forge runs a build that reports its steps while it runs", honest.build, 3),
    Act("tampered", "a signed refund of 12.50 becomes 92.50 on its way", hostile.tampered),
    Act("replayed", "parrot sends a signed refund a second time", hostile.replayed),
    Act("registry-down", "recruit registers and calls, and the registry goes down and comes back",
        registered.registry_down),
    Act("taken-over", "magpie calls, with its own key, in scribe's session", hostile.taken_over),
    Act("weather", "tourist does not sign, and the weather server rewrites its tool", honest.weather),
    Act("audit", "auditor leaves signed receipts that name each other", schemes.audit),
    Act("old-key", "magpie signs with a key that veteran gave up long ago", registered.old_key),
    Act("bound-token", "teller proves that its token is its own; its body is not covered", schemes.bound_token),
    Act("parcel", "courier follows a note to an order on another server", honest.late_parcel, 4),
    Act("probing", "mole tries every administrator's tool as a guest", hostile.probing),
    Act("unknown-key", "stranger signs under an identity that is registered nowhere", hostile.unknown_key),
    Act("letter", "secretary reads a letter from outside and sends a file where it says", astray.letter),
    Act("shopping", "shopper names the profile that lists its ES256 key", schemes.shopping, 2),
    Act("marked-up", "the orders server signs a price, and another price arrives", impostors.marked_up),
    Act("unheard-of", "nomad signs under a key id that nobody can look up", hostile.unheard_of),
    Act("after-the-end", "a files session is used after it was ended; its tools carry terminal escapes",
        hostile.after_the_end),
    Act("lured", "a tool of the bargains server passes for another and gives the model orders", astray.lured),
    Act("mislabelled", "mole's header says lookup_order, its body refund_order", hostile.mislabelled),
    Act("second-signature", "beside courier's signature stands a bad one in scribe's name", impostors.second_signature),
    Act("reception", "concierge shows its key and signs over the session id", schemes.reception, 2),
    Act("shared", "cuckoo sits in tourist's session", hostile.shared),
    Act("counted", "the back office counts its session ids", astray.counted),
    Act("slow-clock", "rusty signs twenty minutes in the past", hostile.slow_clock),
    Act("fast-clock", "prophet signs two hours ahead", impostors.fast_clock),
    Act("false-name", "magpie says that it is ledger", impostors.false_name),
    Act("other-token", "teller's proof speaks of another token than it brings", impostors.other_token),
    Act("shards", "forge runs three shards of its tests at once", honest.shards, 2),
    Act("vault", "magpie sends a code from the vault to another site", astray.vault),
    Act("large-refund", "ledger refunds 249.00 and a person has to agree", honest.large_refund, 2),
    Act("body-left-out", "intern signs everything but the body", hostile.body_left_out),
    Act("twins", "castor and pollux sign with one key", registered.twins),
    Act("unguarded", "mole uses an administrator's tool, and the server lets it", astray.unguarded),
    Act("borrowed-token", "magpie brings the administrator's token", impostors.borrowed_token),
    Act("replayed-elsewhere", "parrot plays a call of courier's session into its own", hostile.replayed_elsewhere),
    Act("promoted", "the person behind a session's token changes", hostile.promoted),
    Act("token-only", "pilgrim carries a token in place of a signature", schemes.token_only),
    Act("shared-secret", "hook signs with a secret that only its server shares", schemes.shared_secret),
    Act("aside", "the back office says something on a stream that clients do not read", astray.aside),
    Act("twice-signed", "notary signs each request twice", schemes.twice_signed, 1),
    Act("guessed", "mole calls a tool that was never offered", hostile.guessed),
    Act("brokerage", "broker signs with a key from the partners' file", schemes.brokerage, 1),
    Act("cancelled", "forge gives up a long build", honest.cancelled_build, 1),
    Act("mistyped", "ledger mistypes an order number", honest.mistyped_order, 1),
)  # fmt: skip


def rounds(random: Random) -> Iterator[list[Act]]:
    """Rounds without end: all honest work, with some trouble in it, each kind of trouble as often as any other."""
    trouble = itertools.chain.from_iterable(_shuffled(random, [act for act in ACTS if not act.honest]))
    while True:
        work = [act for act in ACTS for _ in range(act.honest)]
        deck = [*work, *itertools.islice(trouble, _TROUBLE)]
        random.shuffle(deck)
        yield deck


def _shuffled(random: Random, acts: list[Act]) -> Iterator[list[Act]]:
    while True:
        random.shuffle(acts)
        yield list(acts)
