"""The field's own clients, as the package ``threatexchange`` ships them, and what they need to run here.

Two of its dependencies are sources that a compiler must build. Nothing that is tested here is theirs, so small modules
stand in for them while the package is imported (``stand_ins/``).
"""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_STAND_INS = Path(__file__).parent / "stand_ins"


@contextmanager
def _standing_in() -> Iterator[None]:
    before = set(sys.modules)
    sys.path.insert(0, str(_STAND_INS))
    with warnings.catch_warnings():
        # Of faiss and of the package itself, about the versions that they were built with.
        warnings.simplefilter("ignore")
        yield
    sys.path.remove(str(_STAND_INS))
    for name in {path.stem for path in _STAND_INS.glob("*.py")} - before:
        sys.modules.pop(name, None)


with _standing_in():
    from threatexchange.cli import main as cli
    from threatexchange.exchanges.auth import (
        SignalExchangeAPIInvalidAuthException as InvalidAuth,
    )
    from threatexchange.exchanges.clients.ncmec import hash_api as ncmec
    from threatexchange.exchanges.clients.stopncii import api as stopncii
    from threatexchange.exchanges.collab_config import CollaborationConfigBase
    from threatexchange.exchanges.impl.ncmec_api import (
        NCMECCollabConfig,
        NCMECSignalExchangeAPI,
    )
    from threatexchange.exchanges.impl.stop_ncii_api import (
        StopNCIICredentials,
        StopNCIISignalExchangeAPI,
    )
    from threatexchange.signal_type.md5 import VideoMD5Signal
    from threatexchange.signal_type.pdq.signal import PdqSignal

    import threatexchange_nwmc
    from threatexchange_nwmc import NWMCCredentials, NWMCSignalExchangeAPI

SIGNALS = [PdqSignal, VideoMD5Signal]


class Subscriber:
    """Keeps what an exchange gives, by the exchange's own rules, from checkpoint to checkpoint."""

    def __init__(self, exchange: Any) -> None:
        self.exchange = exchange
        self.held: dict[Any, Any] = {}
        self.checkpoint: Any = None
        self.progress: list[int] = []

    def fetch(self, pages: int = 10_000) -> "Subscriber":
        """As many pages as that, or all; afterwards only the last checkpoint is known."""
        for number, delta in enumerate(
            self.exchange.fetch_iter(SIGNALS, self.checkpoint), 1
        ):
            self.exchange.naive_fetch_merge(self.held, delta.updates)
            self.progress.append(delta.checkpoint.get_progress_timestamp())
            last = delta.checkpoint
            if number == pages:
                break
        self.checkpoint = last
        return self

    @property
    def signals(self) -> dict[str, dict[str, Any]]:
        """What it would match: for each signal type the values, with what is said of them."""
        config = self.exchange.collab
        typed = self.exchange.naive_convert_to_signal_type(SIGNALS, config, self.held)
        return {kind.get_name(): dict(values) for kind, values in typed.items()}

    @property
    def pdq(self) -> set[str]:
        return set(self.signals.get("pdq", {}))


def stopncii_exchange(base: str, named: str, proof: str) -> StopNCIISignalExchangeAPI:
    """The exchange as it is shipped, which does not know withdrawals."""
    keys = StopNCIICredentials(named, proof, f"{base}/exchange/stopncii/v1")
    return StopNCIISignalExchangeAPI.for_collab(_collab("stop_ncii"), keys)


def nwmc_exchange(base: str, raw: str) -> NWMCSignalExchangeAPI:
    keys = NWMCCredentials._from_str(f"{raw},{base}/exchange/stopncii/v1/")
    return NWMCSignalExchangeAPI.for_collab(_collab("nwmc"), keys)


def _collab(api: str) -> CollaborationConfigBase:
    return CollaborationConfigBase(name="NWMC", api=api, enabled=True)


class NCMECExchange(NCMECSignalExchangeAPI):
    """Only the address is another one: the package lets it be chosen from a list alone."""

    base = ""

    def get_client(self, environment: ncmec.NCMECEnvironment) -> ncmec.NCMECHashAPI:
        client = super().get_client(environment)
        client._base_url = f"{self.base}/exchange/ncmec"
        return client


def ncmec_exchange(base: str, raw: str) -> NCMECExchange:
    config = NCMECCollabConfig(environment=ncmec.NCMECEnvironment.NGO, name="NWMC")
    exchange = NCMECExchange(config, "anybody", raw)
    exchange.base = base
    return exchange


__all__ = [
    "InvalidAuth",
    "NWMCCredentials",
    "StopNCIICredentials",
    "StopNCIISignalExchangeAPI",
    "Subscriber",
    "cli",
    "ncmec",
    "ncmec_exchange",
    "nwmc_exchange",
    "stopncii",
    "stopncii_exchange",
    "threatexchange_nwmc",
]
