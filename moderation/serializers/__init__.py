"""The shape of what platforms send and get: strict both ways, so that a mistake is named and never guessed at."""

from moderation.serializers.banks import (
    BankChangeIn,
    BankIn,
    BankOut,
    BanksOut,
    ClosingOut,
    ExportIn,
    ImportedOut,
    ImportIn,
    OneBankOut,
)
from moderation.serializers.content import ContentIn, ContentOut, ReceivedOut
from moderation.serializers.fields import Strict, StrictCharField
from moderation.serializers.fingerprints import (
    AllAddedOut,
    AnswersOut,
    FingerprintOut,
    FingerprintsIn,
    HashesIn,
    MediaIn,
    OpinionIn,
    OpinionOut,
    PauseIn,
)

__all__ = [
    "AllAddedOut",
    "AnswersOut",
    "BankChangeIn",
    "BankIn",
    "BankOut",
    "BanksOut",
    "ClosingOut",
    "ContentIn",
    "ContentOut",
    "ExportIn",
    "FingerprintOut",
    "FingerprintsIn",
    "HashesIn",
    "ImportIn",
    "ImportedOut",
    "MediaIn",
    "OneBankOut",
    "OpinionIn",
    "OpinionOut",
    "PauseIn",
    "ReceivedOut",
    "Strict",
    "StrictCharField",
]
