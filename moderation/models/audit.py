"""The record of what was done: append-only, hash-chained, checked by a command.

Each stream is a chain: hash = SHA-256(previous hash + canonical JSON text). Triggers refuse UPDATE and DELETE on both
databases. Entries hold ids and verbs; no text of a person, no hash of a picture, no PIN.
"""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from django.db import models, transaction

from moderation.models.staff import User

GENESIS = "0" * 64
# What arrives in bulk has chains of its own; everything else shares one, so that two deeds that write several
# entries each can never wait for each other's chain.
_STREAMS = {"content", "evidence"}


class AuditHead(models.Model):
    """The end of a chain. Its row lock puts the entries of a stream in order."""

    stream = models.CharField(max_length=20, primary_key=True)
    number = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, default=GENESIS)

    def __str__(self) -> str:
        return f"#{self.pk}"


class AuditEntry(models.Model):
    """One deed. Written in the deed's own transaction; only ever added."""

    stream = models.CharField(max_length=20)
    number = models.PositiveBigIntegerField()
    text = models.TextField()
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["stream", "number"], name="audit_one_entry_per_number"
            )
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.stream}/{self.number}"

    @classmethod
    def record(
        cls,
        *,
        actor: User | str,
        verb: str,
        target: models.Model,
        **details: str | int | bool | None,
    ) -> "AuditEntry":
        """Add an entry, in the transaction of the deed: both stand or fall together.

        :raises TransactionManagementError: outside a transaction.
        """
        if not transaction.get_connection().in_atomic_block:
            raise transaction.TransactionManagementError(
                "An audit entry needs its deed's transaction."
            )
        first = verb.split(".", 1)[0]
        stream = first if first in _STREAMS else "record"
        head = cls.lock(stream)
        number = head.number + 1
        text = canonical(
            {
                "stream": stream,
                "number": number,
                "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "actor": f"user:{actor.pk}" if isinstance(actor, User) else actor,
                "verb": verb,
                "target": f"{target._meta.label_lower}:{target.pk}",
                "details": details,
            }
        )
        entry = cls.objects.create(
            stream=stream,
            number=number,
            text=text,
            previous=head.hash,
            hash=chained(head.hash, text),
        )
        AuditHead.objects.filter(pk=head.pk).update(number=number, hash=entry.hash)
        return entry

    @staticmethod
    def lock(stream: str = "record") -> AuditHead:
        """Lock the end of a chain until the transaction ends.

        One order of locks everywhere, so that no two deeds wait for each other: the rows that a person or a worker
        holds, then the record, then the banks. What changes banks or matches calls this before it touches them.
        """
        AuditHead.objects.get_or_create(stream=stream)
        return AuditHead.objects.select_for_update().get(stream=stream)

    @property
    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = json.loads(self.text)
        return facts


def canonical(facts: dict[str, Any]) -> str:
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def chained(previous: str, text: str) -> str:
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()
