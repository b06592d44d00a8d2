"""An extension of ``threatexchange``: the shared list of a Not Without My Consent hub, with its withdrawals.

The list speaks the StopNCII protocol, so the client that ``threatexchange`` ships can read it. That client, up to at
least 1.2.17, overlooks that a fingerprint was withdrawn, and so would match it for ever. This one takes it out.
"""

import typing as t
from dataclasses import dataclass

from threatexchange.exchanges import auth
from threatexchange.exchanges.clients.stopncii import api
from threatexchange.exchanges.collab_config import CollaborationConfigBase
from threatexchange.exchanges.fetch_state import FetchDelta
from threatexchange.exchanges.impl import stop_ncii_api
from threatexchange.extensions.manifest import ThreatExchangeExtensionManifest
from threatexchange.signal_type.signal_base import SignalType

_GONE = (api.StopNCIICaseStatus.Withdrawn, api.StopNCIICaseStatus.Deleted)

Delta = FetchDelta[
    tuple[str, str],
    stop_ncii_api.StopNCIISignalMetadata,
    stop_ncii_api.StopNCIICheckpoint,
]


@dataclass
class NWMCCredentials(stop_ncii_api.StopNCIICredentials):
    """``<key>,<address>``: the whole key, and the address of the list without a slash at its end."""

    ENV_VARIABLE: t.ClassVar[str] = "TX_NWMC_KEYS"
    FILE_NAME: t.ClassVar[str] = "~/.tx_nwmc_keys"
    # Not inherited: a credential of StopNCII.org that is set as the default is none of ours.
    _DEFAULT: t.ClassVar[auth.CredentialHelper | None] = None
    _DEFAULT_SRC: t.ClassVar[str] = ""

    @classmethod
    def _from_str(cls, s: str) -> "NWMCCredentials":
        key, comma, address = (part.strip() for part in s.partition(","))
        if not comma:
            raise ValueError("Write the key, a comma, and the address of the list.")
        return cls(key, key, address.rstrip("/"))

    def _are_valid(self) -> bool:
        return super()._are_valid() and bool(self.base_url_override)


class NWMCSignalExchangeAPI(stop_ncii_api.StopNCIISignalExchangeAPI):
    """The StopNCII exchange with a name and credentials of its own, and with an eye for withdrawals."""

    @classmethod
    def get_name(cls) -> str:
        return "nwmc"

    @staticmethod
    def get_credential_cls() -> type[NWMCCredentials]:
        return NWMCCredentials

    @classmethod
    def for_collab(
        cls,
        collab: CollaborationConfigBase,
        credentials: stop_ncii_api.StopNCIICredentials | None = None,
    ) -> "NWMCSignalExchangeAPI":
        known = credentials or NWMCCredentials.get(cls)
        client = api.StopNCIIAPI(
            known.subscription_key,
            known.fetch_function_key,
            base_url_override=known.base_url_override,
        )
        return cls(collab, client)

    def fetch_iter(
        self,
        _supported_signal_types: t.Sequence[type[SignalType]],
        checkpoint: stop_ncii_api.StopNCIICheckpoint | None,
    ) -> t.Iterator[Delta]:
        start = (
            checkpoint.update_time if checkpoint else api.StopNCIIAPI.DEFAULT_START_TIME
        )
        for page in self.api.fetch_hashes_iter(start_timestamp=start):
            yield FetchDelta(
                dict(_update(record) for record in page.hashRecords if _name(record)),
                stop_ncii_api.StopNCIICheckpoint.from_stopncii_fetch(page),
            )


def _name(record: api.StopNCIIHashRecord) -> str | None:
    """What ``threatexchange`` calls this signal type; None if it knows none like it."""
    return stop_ncii_api._type_mapping().get(record.signalType)


def _update(
    record: api.StopNCIIHashRecord,
) -> tuple[tuple[str, str], stop_ncii_api.StopNCIISignalMetadata | None]:
    """No metadata is how an update says that a fingerprint goes."""
    key = (_name(record) or "", record.hashValue)
    if record.hashStatus in _GONE:
        return key, None
    return key, stop_ncii_api.StopNCIISignalMetadata(record.CSPFeedbacks)


TX_MANIFEST = ThreatExchangeExtensionManifest(apis=(NWMCSignalExchangeAPI,))
