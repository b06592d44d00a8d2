import socket
import ssl

import pytest
from django.core.exceptions import ImproperlyConfigured

from moderation.platforms.outbound import (
    Endpoint,
    UnsafeURLError,
    Wire,
    is_public,
    post,
)
from moderation.platforms.webhook import Webhook
from tests.moderation.platforms.conftest import SECRET, URL
from tests.moderation.platforms.contract import TARGET, refusal
from tests.moderation.platforms.receiver import HOST, Receiver

HOSTILE_URLS = [
    "http://hooks.example.org/",
    "ftp://hooks.example.org/",
    "file:///etc/passwd",
    "gopher://hooks.example.org/_",
    "data:text/plain,x",
    "javascript:alert(1)",
    "//hooks.example.org/",
    "hooks.example.org",
    "",
    "https://",
    "https:///path",
    "https://localhost/",
    "https://localhost:443/",
    "https://hooks/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://10.0.0.8/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[fd00:ec2::254]/",
    "https://hooks.example.org:80/",
    "https://hooks.example.org:8443/",
    "https://hooks.example.org:6379/",
    "https://hooks.example.org:99999/",
    "https://user@hooks.example.org/",
    "https://user:word@hooks.example.org/",
    "https://hooks.example.org@127.0.0.1/",
    "https://127.0.0.1\\@hooks.example.org/",
    "https://hooks.example.org/#@127.0.0.1",
    "https://hooks.example.org/a b",
    "https://hooks.example.org/\r\nX-Injected: 1",
    "https://hooks.example.org/\tpath",
    "https://hooks.example.org%00.evil.example/",
    "https://hooks..example.org/",
    "https://-hooks.example.org/",
    "https://hooks_.example.org/",
    "https://\uff11\uff12\uff17.0.0.1/",
    "https://h\u043e\u043eks.example.org/",
    "https://" + "a." * 130 + "example.org/",
    "https://hooks.example.org/" + "a" * 2000,
    " https://hooks.example.org/",
    "HTTPS:hooks.example.org",
]
INWARD = [
    "0.0.0.0",  # noqa: S104 (refused, not bound)
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "not an address",
]


class TestEndpoint:
    @pytest.mark.parametrize("url", HOSTILE_URLS)
    def test_refuses(self, url: str) -> None:
        with pytest.raises(UnsafeURLError):
            Endpoint.parse(url)
        with pytest.raises(ImproperlyConfigured):
            Webhook(url=url, secrets=[SECRET])

    @pytest.mark.parametrize(
        ("url", "host", "path"),
        [
            ("https://hooks.example.org", "hooks.example.org", "/"),
            ("https://hooks.example.org:443/a/b?c=d", "hooks.example.org", "/a/b?c=d"),
            ("https://Hooks.Example.ORG./x", "hooks.example.org", "/x"),
            ("https://xn--hks-5cd.example/", "xn--hks-5cd.example", "/"),
        ],
    )
    def test_takes(self, url: str, host: str, path: str) -> None:
        assert Endpoint.parse(url) == Endpoint(host, path)


class TestIsPublic:
    @pytest.mark.parametrize("address", INWARD)
    def test_refuses(self, address: str) -> None:
        assert not is_public(address)

    @pytest.mark.parametrize(
        "address", ["8.8.8.8", "93.184.215.14", "2606:2800:21f::1", "2a00:1450:4001::1"]
    )
    def test_takes(self, address: str) -> None:
        assert is_public(address)


class TestPost:
    def test_refuses_a_name_with_any_inward_address(self, receiver: Receiver) -> None:
        wire = Wire(
            resolve=lambda host: ["93.184.215.14", "127.0.0.1"],
            connect=must_not_connect,
            tls=receiver.trust,
        )

        assert refusal(lambda: send(wire)) == ("address_refused", True)

    def test_connects_to_the_address_it_checked(self, receiver: Receiver) -> None:
        """A rebinding name answers inward the second time: there is no second time."""
        answers = iter([["93.184.215.14"], ["127.0.0.1"]])
        reached: list[str] = []

        def connect(address: str, seconds: float) -> socket.socket:
            reached.append(address)
            return socket.create_connection(("127.0.0.1", receiver.port), seconds)

        wire = Wire(lambda host: next(answers), connect, receiver.trust)
        Webhook(url=URL, secrets=[SECRET], wire=wire).hold(TARGET, "key-1")

        assert reached == ["93.184.215.14"]

    def test_tries_the_next_address_when_one_is_not_reached(
        self, receiver: Receiver
    ) -> None:
        reached: list[str] = []

        def connect(address: str, seconds: float) -> socket.socket:
            reached.append(address)
            if ":" in address:
                raise OSError
            return socket.create_connection(("127.0.0.1", receiver.port), seconds)

        both = ["2606:2800:21f::1", "93.184.215.14"]
        wire = Wire(lambda host: both, connect, receiver.trust)
        Webhook(url=URL, secrets=[SECRET], wire=wire).hold(TARGET, "key-1")

        assert reached == both

    def test_refuses_a_certificate_it_does_not_trust(
        self, wire: Wire, receiver: Receiver
    ) -> None:
        stranger = Wire(wire.resolve, wire.connect, ssl.create_default_context())

        assert refusal(lambda: send(stranger)) == ("tls_refused", True)
        assert receiver.requests == []

    def test_refuses_a_certificate_for_another_host(
        self, wire: Wire, receiver: Receiver
    ) -> None:
        other = Endpoint("other.platform.example", "/")

        assert refusal(lambda: post(other, b"", {}, wire)) == ("tls_refused", True)
        assert receiver.requests == []

    @pytest.mark.parametrize("trouble", [socket.gaierror, UnicodeError])
    def test_waits_for_a_name_that_is_not_found(self, trouble: type[Exception]) -> None:
        def resolve(host: str) -> list[str]:
            raise trouble

        assert refusal(lambda: send(Wire(resolve=resolve))) == ("unresolved", True)
        nowhere = Wire(resolve=lambda host: [])
        assert refusal(lambda: send(nowhere)) == ("unresolved", True)

    def test_waits_for_a_server_that_is_not_reached(self) -> None:
        def connect(address: str, seconds: float) -> socket.socket:
            raise ConnectionRefusedError

        wire = Wire(resolve=lambda host: ["93.184.215.14"], connect=connect)

        assert refusal(lambda: send(wire)) == ("unreachable", True)


def send(wire: Wire) -> object:
    return post(Endpoint(HOST, "/"), b"{}", {}, wire)


def must_not_connect(address: str, seconds: float) -> socket.socket:
    raise AssertionError(f"connected to {address}")
