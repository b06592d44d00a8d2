"""A local stand-in for a platform: its accounts, posts and inboxes, in one small SQLite file of its own.

It is for trying, developing and testing, and claims to be nothing else. It shares no database with the hub: it sends
posts through the HTTP API like everybody, and changes only when its adapter is called.
"""

import contextlib
import secrets
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from moderation.platforms.base import (
    Confirmation,
    PlatformAdapter,
    PlatformError,
    Target,
)

_TABLES = """
CREATE TABLE IF NOT EXISTS accounts (id TEXT PRIMARY KEY, state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS posts (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, account_id TEXT NOT NULL REFERENCES accounts,
    caption TEXT NOT NULL, picture TEXT NOT NULL, posted_at TEXT NOT NULL, state TEXT NOT NULL,
    is_sent INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS messages (
    number INTEGER PRIMARY KEY, account_id TEXT NOT NULL REFERENCES accounts,
    subject TEXT NOT NULL, body TEXT NOT NULL, at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS deeds (key TEXT PRIMARY KEY, deed TEXT NOT NULL, at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Account:
    id: str
    state: str

    @property
    def is_active(self) -> bool:
        return self.state == "ACTIVE"


@dataclass(frozen=True, slots=True)
class Post:
    """``state`` is VISIBLE, HELD, REMOVED or DELETED; a post that only the hub has named has no picture."""

    number: int
    id: str
    account_id: str
    caption: str
    picture: str
    posted_at: datetime
    state: str
    is_sent: bool

    @property
    def is_shown(self) -> bool:
        return bool(self.picture) and self.state == "VISIBLE"


@dataclass(frozen=True, slots=True)
class Message:
    subject: str
    body: str
    at: datetime


class Sandbox(PlatformAdapter):
    """OPTIONS: ``alias`` and the ``folder`` for the state. Any number of processes may use the same one."""

    def __init__(self, *, alias: str, folder: str) -> None:
        self.alias = alias
        self._file = Path(folder) / f"{alias}.sqlite3"
        self._pictures = Path(folder) / alias

    # The adapter: what the hub orders.

    def hold(self, target: Target, key: str) -> Confirmation:
        return self._set_post(target, key, "HELD")

    def release(self, target: Target, key: str) -> Confirmation:
        return self._set_post(target, key, "VISIBLE")

    def remove(self, target: Target, key: str) -> Confirmation:
        return self._set_post(target, key, "REMOVED")

    def restore(self, target: Target, key: str) -> Confirmation:
        return self._set_post(target, key, "VISIBLE")

    def disable_account(self, target: Target, key: str) -> Confirmation:
        return self._set_account(target.account_id, key, "DISABLED")

    def enable_account(self, target: Target, key: str) -> Confirmation:
        return self._set_account(target.account_id, key, "ACTIVE")

    def notify(
        self, account_id: str, subject: str, body: str, key: str
    ) -> Confirmation:
        with self._up() as base:
            _must_exist(base, account_id)
            at, is_new = _once(base, key, f"notify {account_id}")
            if is_new:
                base.execute(
                    "INSERT INTO messages (account_id, subject, body, at) VALUES (?, ?, ?, ?)",
                    (account_id, subject, body, at.isoformat()),
                )
            return Confirmation(at, "DELIVERED")

    def _set_post(self, target: Target, key: str, state: str) -> Confirmation:
        with self._up() as base:
            at, is_new = _once(base, key, f"{state} {target.content_id}")
            account = _account(base, target.account_id)
            post = _post(base, target, account)
            if post.state == "DELETED" or account.state == "DELETED":
                return Confirmation(at, "DELETED")
            if not is_new:
                return Confirmation(at, post.state)
            base.execute("UPDATE posts SET state = ? WHERE id = ?", (state, post.id))
            return Confirmation(at, state)

    def _set_account(self, account_id: str, key: str, state: str) -> Confirmation:
        with self._up() as base:
            account = _must_exist(base, account_id)
            at, is_new = _once(base, key, f"{state} {account_id}")
            if not is_new:
                return Confirmation(at, account.state)
            base.execute(
                "UPDATE accounts SET state = ? WHERE id = ?", (state, account_id)
            )
            return Confirmation(at, state)

    # The stand-in's own pages: what people see and do there.

    def accounts(self) -> list[Account]:
        with self._base() as base:
            rows = base.execute("SELECT id, state FROM accounts ORDER BY id")
            return [Account(*row) for row in rows]

    def account(self, account_id: str) -> Account | None:
        return next((one for one in self.accounts() if one.id == account_id), None)

    def posts(self) -> list[Post]:
        """All of them, the newest first."""
        with self._base() as base:
            rows = base.execute(f"{_SELECT_POST} ORDER BY number DESC")
            return [_as_post(row) for row in rows]

    def post(self, number: int) -> Post | None:
        with self._base() as base:
            row = base.execute(f"{_SELECT_POST} WHERE number = ?", (number,)).fetchone()
            return _as_post(row) if row else None

    def picture(self, post: Post) -> bytes:
        return (self._pictures / post.picture).read_bytes()

    def inbox(self, account_id: str) -> list[Message]:
        """The newest first."""
        with self._base() as base:
            rows = base.execute(
                "SELECT subject, body, at FROM messages WHERE account_id = ? ORDER BY number DESC",
                (account_id,),
            )
            return [Message(row[0], row[1], _time(row[2])) for row in rows]

    def add_account(self, account_id: str) -> None:
        with self._base() as base:
            _account(base, account_id)

    def publish(
        self, *, account_id: str, picture: bytes, caption: str, now: datetime
    ) -> Post:
        """Show a picture to everybody; ``client.send`` then tells the hub, as any platform would.

        :raises PlatformError: if the account is disabled or deleted.
        """
        name = secrets.token_hex(16)
        with self._base() as base:
            if _account(base, account_id).state != "ACTIVE":
                raise PlatformError("account_not_active", retryable=False)
            self._pictures.mkdir(mode=0o700, exist_ok=True)
            (self._pictures / name).write_bytes(picture)
            base.execute(
                "INSERT INTO posts (id, account_id, caption, picture, posted_at, state, is_sent)"
                " VALUES (?, ?, ?, ?, ?, 'VISIBLE', 0)",
                (f"post-{name[:12]}", account_id, caption, name, now.isoformat()),
            )
            row = base.execute(f"{_SELECT_POST} WHERE picture = ?", (name,))
            return _as_post(row.fetchone())

    def mark_sent(self, post: Post) -> None:
        with self._base() as base:
            base.execute(
                "UPDATE posts SET is_sent = 1 WHERE number = ?", (post.number,)
            )

    def delete_post(self, post_id: str) -> None:
        with self._base() as base:
            base.execute("UPDATE posts SET state = 'DELETED' WHERE id = ?", (post_id,))

    def delete_account(self, account_id: str) -> None:
        with self._base() as base:
            _account(base, account_id)
            base.execute(
                "UPDATE accounts SET state = 'DELETED' WHERE id = ?", (account_id,)
            )

    # What a demonstration or a test sets up.

    @property
    def key(self) -> str:
        """The raw API key that this stand-in sends with; empty if none was set."""
        return self._fact("key")

    def set_key(self, raw: str) -> None:
        self._set_fact("key", raw)

    @property
    def is_down(self) -> bool:
        return self._fact("is_down") == "1"

    def set_down(self, is_down: bool) -> None:
        """While it is down, the adapter confirms nothing and changes nothing."""
        self._set_fact("is_down", "1" if is_down else "0")

    def _fact(self, name: str) -> str:
        with self._base() as base:
            row = base.execute(
                "SELECT value FROM facts WHERE name = ?", (name,)
            ).fetchone()
            return str(row[0]) if row else ""

    def _set_fact(self, name: str, value: str) -> None:
        with self._base() as base:
            base.execute(
                "INSERT INTO facts (name, value) VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                (name, value),
            )

    @contextlib.contextmanager
    def _up(self) -> Iterator[sqlite3.Connection]:
        if self.is_down:
            raise PlatformError("down", retryable=True)
        with self._base() as base:
            yield base

    @contextlib.contextmanager
    def _base(self) -> Iterator[sqlite3.Connection]:
        """One write transaction on the state, which is made if it is not there yet."""
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with contextlib.closing(
                sqlite3.connect(self._file, timeout=10, isolation_level=None)
            ) as base:
                base.execute("PRAGMA journal_mode = WAL")
                base.execute("PRAGMA foreign_keys = ON")
                base.execute("BEGIN IMMEDIATE")
                for statement in _TABLES.split(";"):
                    base.execute(statement)
                try:
                    yield base
                except BaseException:
                    base.execute("ROLLBACK")
                    raise
                base.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise PlatformError("busy", retryable=True) from None
            raise


_SELECT_POST = (
    "SELECT number, id, account_id, caption, picture, posted_at, state, is_sent"
    " FROM posts"
)


def _once(base: sqlite3.Connection, key: str, deed: str) -> tuple[datetime, bool]:
    """When the deed with this key was first done, and whether that is now.

    :raises PlatformError: if the key stands for another deed.
    """
    row = base.execute("SELECT deed, at FROM deeds WHERE key = ?", (key,)).fetchone()
    if row is None:
        now = datetime.now(UTC)
        base.execute("INSERT INTO deeds VALUES (?, ?, ?)", (key, deed, now.isoformat()))
        return now, True
    if row[0] != deed:
        raise PlatformError("key_reused", retryable=False)
    return _time(row[1]), False


def _account(base: sqlite3.Connection, account_id: str) -> Account:
    """The account, entered now if the stand-in did not know it: the hub may be told of posts by other ways."""
    base.execute(
        "INSERT INTO accounts VALUES (?, 'ACTIVE') ON CONFLICT DO NOTHING",
        (account_id,),
    )
    row = base.execute("SELECT id, state FROM accounts WHERE id = ?", (account_id,))
    return Account(*row.fetchone())


def _must_exist(base: sqlite3.Connection, account_id: str) -> Account:
    account = _account(base, account_id)
    if account.state == "DELETED":
        raise PlatformError("account_gone", retryable=False)
    return account


def _post(base: sqlite3.Connection, target: Target, account: Account) -> Post:
    base.execute(
        "INSERT INTO posts (id, account_id, caption, picture, posted_at, state, is_sent)"
        " VALUES (?, ?, '', '', ?, 'VISIBLE', 1) ON CONFLICT DO NOTHING",
        (target.content_id, account.id, datetime.now(UTC).isoformat()),
    )
    row = base.execute(f"{_SELECT_POST} WHERE id = ?", (target.content_id,))
    return _as_post(row.fetchone())


def _as_post(row: tuple[int, str, str, str, str, str, str, int]) -> Post:
    number, id_, account_id, caption, picture, posted_at, state, is_sent = row
    return Post(
        number,
        id_,
        account_id,
        caption,
        picture,
        _time(posted_at),
        state,
        bool(is_sent),
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
