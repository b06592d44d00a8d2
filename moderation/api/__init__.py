"""The platform API, version 1: send content, read what became of it, ask before publishing."""

from moderation.api.content import Contents, OneContent
from moderation.api.documents import Docs, Schema
from moderation.api.match import MatchView
from moderation.api.view import Nothing

__all__ = ["Contents", "Docs", "MatchView", "Nothing", "OneContent", "Schema"]
