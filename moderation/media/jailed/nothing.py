"""Answers nothing: started to learn which protections this host grants."""

from collections.abc import Iterable


def answer(data: bytes) -> tuple[int, Iterable[bytes]]:
    return 0, []
