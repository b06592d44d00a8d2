"""The platform API, version 1: send content, read what became of it, ask before publishing, keep banks of one's own."""

from moderation.api.banks import Banks, OneBank
from moderation.api.content import Contents, OneContent
from moderation.api.documents import Docs, Schema
from moderation.api.files import ExportView, ImportView
from moderation.api.fingerprints import Fingerprints, OneFingerprint, Opinions
from moderation.api.match import MatchView
from moderation.api.view import Nothing

__all__ = [
    "Banks",
    "Contents",
    "Docs",
    "ExportView",
    "Fingerprints",
    "ImportView",
    "MatchView",
    "Nothing",
    "OneBank",
    "OneContent",
    "OneFingerprint",
    "Opinions",
    "Schema",
]
