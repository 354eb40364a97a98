"""Where requests may go. The first table is the one to extend when somebody finds another way in."""

from __future__ import annotations

import socket

import pytest

from providers import guard, transport
from providers.errors import ProviderRefused, ProviderTransient
from providers.guard import DestinationRefused, Guard, is_public, origin_of, trusted_origin
from providers.http import GuardedSession, Request
from tests.providers.origin import Answer, Origin

INWARD = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",  # metadata of most clouds
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",  # IPv4-compatible
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",  # NAT64
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",  # discard
    "2001::1",  # Teredo
    "2001:10::1",
    "2001:20::1",  # ORCHID
    "2001:db8::1",
    "2002:7f00:1::1",  # 6to4 of 127.0.0.1
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",  # metadata of EC2 over IPv6
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",  # site-local, which is_private forgets
    "ff02::1",
    "not an address",
    "",
]
PUBLIC = ["1.1.1.1", "93.184.216.34", "172.32.0.1", "192.0.1.1", "2606:4700::1111", "2a00:1450:4001::1"]

INWARD_URLS = [
    "http://127.0.0.1/",
    "http://localhost/",
    "http://localhost./",
    "http://2130706433/",  # 127.0.0.1 as one number
    "http://0x7f000001/",
    "http://0x7f.1/",
    "http://017700000001/",
    "http://127.1/",
    "http://0/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://example.org@127.0.0.1/",
    "http://127.0.0.1#@example.org/",
    "http://127.0.0.1:80\\@example.org/",
    "http://127.0.0.1%2f@example.org/",
]


class Net:
    """A world of names without a network: what resolves to what, and who was dialled."""

    def __init__(self, port: int, *answers: list[str]) -> None:
        self.port, self.answers = port, list(answers)
        self.resolved: list[str] = []
        self.dialled: list[tuple[str, int]] = []

    def resolve(self, host: str, port: int) -> list[str]:
        self.resolved.append(host)
        return self.answers.pop(0)

    def dial(self, address: str, port: int, timeout_s: float) -> socket.socket:
        self.dialled.append((address, port))
        return transport.dial("127.0.0.1", self.port, timeout_s)


def session(net: Net | None = None, **options: object) -> GuardedSession:
    world = {"resolve": net.resolve, "dial": net.dial} if net else {}
    return GuardedSession(provider="p", max_retries=0, **world, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("address", INWARD)
def test_an_address_that_leads_inwards_or_nowhere_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("url", INWARD_URLS)
def test_a_url_that_leads_inwards_is_refused_however_it_is_spelt(url: str) -> None:
    def dial(address: str, port: int, timeout_s: float) -> socket.socket:
        raise AssertionError(f"connected to {address}")

    with GuardedSession(provider="p", max_retries=0, dial=dial) as guarded, pytest.raises(ProviderRefused):
        guarded.fetch(Request(url=url))


@pytest.mark.parametrize("address", [a for a in INWARD if a[:1].isalnum() or a[:1] == ":"])
def test_a_name_that_resolves_inwards_is_refused(address: str) -> None:
    net = Net(1, [address])
    with session(net) as guarded, pytest.raises(ProviderRefused, match="no public address"):
        guarded.send(Request(url="http://films.example/"))
    assert net.dialled == []


def test_only_the_public_ones_of_several_addresses_are_connected_to(origin: Origin) -> None:
    origin.on("/a", Answer())
    net = Net(origin.port, ["10.0.0.1", "93.184.216.34"])
    with session(net) as guarded:
        assert guarded.send(Request(url="http://films.example/a")).status == 200
    assert net.dialled == [("93.184.216.34", 80)]


def test_the_next_address_is_tried_when_one_does_not_answer(origin: Origin) -> None:
    origin.on("/a", Answer())
    net = Net(origin.port, ["2606:4700::1111", "93.184.216.34"])

    def dial(address: str, port: int, timeout_s: float) -> socket.socket:
        if ":" in address:
            raise OSError(101, "Network is unreachable")
        return net.dial(address, port, timeout_s)

    with GuardedSession(provider="p", max_retries=0, resolve=net.resolve, dial=dial) as guarded:
        assert guarded.send(Request(url="http://films.example/a")).status == 200


def test_a_name_that_is_rebound_cannot_lead_inwards(origin: Origin) -> None:
    """The address checked is the address connected to, and a new connection is checked anew."""
    origin.on("/a", Answer(headers={"Connection": "close"}))
    net = Net(origin.port, ["93.184.216.34"], ["127.0.0.1"])
    with session(net) as guarded:
        assert guarded.send(Request(url="http://films.example/a")).status == 200
        with pytest.raises(ProviderRefused):
            guarded.send(Request(url="http://films.example/a"))
    assert net.dialled == [("93.184.216.34", 80)]
    assert net.resolved == ["films.example", "films.example"]


def test_a_pooled_connection_is_reused_with_the_name_it_was_made_for(origin: Origin) -> None:
    origin.on("/a", Answer())
    net = Net(origin.port, ["93.184.216.34"])
    with session(net) as guarded:
        for _ in range(3):
            guarded.send(Request(url="http://films.example/a"))
    assert net.resolved == ["films.example"]
    assert {asked.headers["host"] for asked in origin.asked} == {"films.example"}


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://localhost/",
        "http://[::1]/",
        "//127.0.0.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "http://user:password@93.184.216.34/",
    ],
)
def test_a_redirect_inwards_is_refused(origin: Origin, target: str) -> None:
    url = origin.on("/away", Answer(302, headers={"Location": target}))
    with session(trusted_origins=[origin.url]) as guarded, pytest.raises(ProviderRefused):
        guarded.fetch(Request(url=url))
    assert origin.paths() == ["/away"]


def test_trust_in_one_origin_does_not_extend_to_its_neighbour(origin: Origin) -> None:
    with Origin().running() as neighbour:
        url = origin.on("/away", Answer(302, headers={"Location": neighbour.url + "/secret"}))
        with session(trusted_origins=[origin.url]) as guarded, pytest.raises(ProviderRefused, match="port"):
            guarded.send(Request(url=url))
        assert neighbour.asked == []


@pytest.mark.parametrize("other", ["http://localhost:{}", "http://127.0.0.2:{}", "https://127.0.0.1:{}"])
def test_a_trusted_origin_is_matched_exactly(origin: Origin, other: str) -> None:
    with session(trusted_origins=[origin.url]) as guarded:
        assert guarded.fetch(Request(url=origin.url)).status == 404
        with pytest.raises(ProviderRefused):
            guarded.fetch(Request(url=other.format(origin.port)))


@pytest.mark.parametrize("port", [22, 81, 6379, 8080])
def test_other_ports_than_80_and_443_are_refused(port: int) -> None:
    net = Net(1, ["93.184.216.34"])
    with session(net) as guarded, pytest.raises(ProviderRefused, match="only 80 and 443"):
        guarded.send(Request(url=f"http://films.example:{port}/"))
    assert net.resolved == []


def test_the_connection_asks_the_guard_again() -> None:
    """Should two parsers ever disagree about a URL, the one that connects is right."""
    adapter = transport.PinnedAdapter(Guard.of([], ["films.example"]))
    for origin in (guard.Origin("http", "films.example", 22), guard.Origin("http", "evil.example", 80)):
        with pytest.raises(DestinationRefused):
            adapter.connect(origin)


def test_hosts_are_held_to_the_list_also_after_a_redirect(origin: Origin) -> None:
    origin.on("/a", Answer(302, headers={"Location": "http://evil.example/"}))
    net = Net(origin.port, ["93.184.216.34"])
    with session(net, allowed_hosts=["Films.Example", "*.archive.example"]) as guarded:
        for url in ("http://films.example/a", "http://xfilms.example/", "http://archive.example/"):
            with pytest.raises(ProviderRefused, match="not on this provider's list"):
                guarded.send(Request(url=url))
    assert net.resolved == ["films.example"]


def test_a_starred_host_stands_for_every_name_below_it() -> None:
    rules = Guard.of([], ["*.archive.example"])
    assert rules.check("https://ia801.us.archive.example/film.mp4").port == 443
    with pytest.raises(DestinationRefused):
        rules.check("https://notarchive.example/")


def test_a_name_that_does_not_resolve_is_unreachable_not_refused() -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    guarded = GuardedSession(provider="p", max_retries=0, resolve=resolve)
    with pytest.raises(ProviderTransient, match="did not resolve") as caught:
        guarded.send(Request(url="http://films.example/"))
    assert caught.value.unreachable


@pytest.mark.parametrize(
    "text", ["", "127.0.0.1:9000", "http://h/path", "http://h?x", "ftp://h", "http://u@h", "http://h:99999"]
)
def test_what_is_no_origin_cannot_be_trusted(text: str) -> None:
    with pytest.raises(ValueError, match="write scheme://host:port"):
        trusted_origin(text)


def test_origins_are_compared_with_their_port_written_out() -> None:
    assert trusted_origin("HTTP://Media.internal") == origin_of("http://media.internal:80/film")
    assert str(origin_of("http://[fd00::1]:9000/x")) == "http://[fd00::1]:9000"
