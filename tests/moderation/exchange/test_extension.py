"""The extension is a package of its own, and finds its credentials where its README says."""

import tomllib
from pathlib import Path

import pytest

from tests.architecture.source import ROOT
from tests.moderation.exchange.real_clients import (
    InvalidAuth,
    NWMCCredentials,
    StopNCIICredentials,
    StopNCIISignalExchangeAPI,
    threatexchange_nwmc,
)

HOME = ROOT / "threatexchange_nwmc"
ADDRESS = "https://api.hub.example/exchange/stopncii/v1"


def test_installs_the_folder_that_it_stands_in() -> None:
    about = tomllib.loads((HOME / "pyproject.toml").read_text())
    folders = about["tool"]["setuptools"]["package-dir"]
    (name,) = about["tool"]["setuptools"]["packages"]

    assert (HOME / folders[name]).resolve() == Path(threatexchange_nwmc.__file__).parent
    assert name == threatexchange_nwmc.__name__
    assert (HOME / about["project"]["readme"]).is_file()


def test_has_a_name_of_its_own_beside_the_shipped_exchange() -> None:
    (exchange,) = threatexchange_nwmc.TX_MANIFEST.apis

    assert exchange.get_name() == "nwmc" != StopNCIISignalExchangeAPI.get_name()


class TestItsCredentials:
    def test_are_the_key_and_the_address(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TX_NWMC_KEYS", f" hub_key , {ADDRESS}/ ")
        found = NWMCCredentials.get(threatexchange_nwmc.NWMCSignalExchangeAPI)

        assert found.base_url_override == ADDRESS
        assert found.fetch_function_key == found.subscription_key == "hub_key"

    @pytest.mark.parametrize("told", ["hub_key", ",", "hub_key,", f",{ADDRESS}"])
    def test_are_refused_by_halves(
        self, monkeypatch: pytest.MonkeyPatch, told: str
    ) -> None:
        monkeypatch.setenv("TX_NWMC_KEYS", told)

        with pytest.raises(InvalidAuth):
            NWMCCredentials.get(threatexchange_nwmc.NWMCSignalExchangeAPI)

    def test_are_not_those_of_stopncii_org(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TX_NWMC_KEYS", f"hub_key,{ADDRESS}")
        others = StopNCIICredentials("their key", "their other key")

        with StopNCIICredentials.set_default(others, "the command line"):
            found = NWMCCredentials.get(threatexchange_nwmc.NWMCSignalExchangeAPI)
        assert found.subscription_key == "hub_key"
