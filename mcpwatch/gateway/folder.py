"""The gateway's state folder: one writer's lock, the log's key, the journal, the feed's tokens."""

import fcntl
import os
import secrets
from pathlib import Path

from msgspec import Struct

from mcpwatch.errors import LocalError
from mcpwatch.feed.note import BadNote, LogKey, NoteVerifier
from mcpwatch.files import create_private, private_dir, read_private, write_private
from mcpwatch.gateway.store import Store, damaged
from mcpwatch.secret import Secret, read_secret

FOLDER = "gateway"
KEY_FILE = "log.key"
JOURNAL_FILE = "journal.sqlite3"
TOKEN_FILE = "feed.token"  # noqa: S105 (a file's name)
OPERATOR_FILE = "operator.token"
LOCK_FILE = "lock"
HASH_KEY_SIZE = 32


class Folder(Struct):
    """What the folder holds; the lock lasts until `close`."""

    path: Path
    key: LogKey
    store: Store
    token: Secret
    """Opens the feed for reading."""
    operator_token: Secret
    """Opens it for acts on alerts too."""
    lock: int

    def close(self) -> None:
        self.store.close()
        os.close(self.lock)


def open_folder(state: Path) -> Folder:
    """Take the folder of the state folder `state`, and make there what is missing.

    A journal without its key cannot go on, and a key without its journal has lost its log: the first is an
    error, the second begins a new log under a new origin. Raises LocalError and IntegrityError.
    """
    path = private_dir(private_dir(state) / FOLDER)
    lock = _lock(path)
    try:
        key, store = _open_log(path)
        token, operator_token = _token(token_path(state)), _token(operator_token_path(state))
        return Folder(path=path, key=key, store=store, token=token, operator_token=operator_token, lock=lock)
    except BaseException:
        os.close(lock)
        raise


def token_path(state: Path) -> Path:
    """Where the gateway of a state folder keeps the token that opens its feed."""
    return state / FOLDER / TOKEN_FILE


def operator_token_path(state: Path) -> Path:
    """Where it keeps the token that also lets its holder act on alerts."""
    return state / FOLDER / OPERATOR_FILE


def _lock(path: Path) -> int:
    handle = os.open(path / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise LocalError(
            f"Another gateway is writing the log in {path}",
            "Stop that one, or set MCPWATCH_STATE to another folder for this one.",
        ) from None
    return handle


def _open_log(path: Path) -> tuple[LogKey, Store]:
    key_file, journal = path / KEY_FILE, path / JOURNAL_FILE
    if not journal.exists():
        key = LogKey.generate(f"mcpwatch.local/{secrets.token_hex(4)}")
        write_private(key_file, key.dump())
        return key, Store.create(journal, key.origin, secrets.token_bytes(HASH_KEY_SIZE))
    if not key_file.exists():
        raise LocalError(
            f"The journal {journal} is there, but its key {key_file} is not",
            "Put the key back, or move the journal elsewhere to begin a new log.",
        )
    key = LogKey.load(read_private(key_file))
    store = Store.open(journal)
    try:
        _check(store, key, journal)
    except BaseException:
        store.close()
        raise
    return key, store


def _check(store: Store, key: LogKey, journal: Path) -> None:
    """Hold the journal against its key and the newest checkpoint it signed."""
    if store.origin != key.origin:
        raise damaged(journal, f"it is of {store.origin}, its key of {key.origin}")
    note = store.newest_note()
    if note is None:
        return
    try:
        checkpoint = NoteVerifier(key.verifier_key, key.time_verifier_key).open(note)
    except BadNote as error:
        raise damaged(journal, f"its newest checkpoint does not hold, {error.reason}") from None
    frontier = store.frontier
    if checkpoint.size > frontier.size:
        raise damaged(journal, f"it has {frontier.size} entries, but {checkpoint.size} were signed for")
    if checkpoint.size == frontier.size and checkpoint.root != frontier.root():
        raise damaged(journal, "its entries are not those that were signed for")


def _token(path: Path) -> Secret:
    create_private(path, secrets.token_urlsafe(32).encode() + b"\n")
    return read_secret(path)
