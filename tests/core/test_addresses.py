"""Whose request it is: only what a trusted hop says counts, whatever anybody else writes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.addresses import caller, network_of, networks, parse, trusts

TRUSTED = networks(["10.0.0.0/8", "192.0.2.1", "2001:db8:aaaa::/48"])
OTHERS = "198.51.100.7"


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "who"),
    [
        # A peer that is not trusted is the caller, whatever it says.
        (OTHERS, "", OTHERS),
        (OTHERS, "10.0.0.1", OTHERS),
        (OTHERS, "203.0.113.5, 10.0.0.1", OTHERS),
        ("127.0.0.1", "203.0.113.5", "127.0.0.1"),
        ("2001:db8:bbbb::1", "203.0.113.5", "2001:db8:bbbb::1"),
        ("", "203.0.113.5", ""),
        ("unix:", "203.0.113.5", "unix:"),
        # One trusted proxy: what it added counts, what was there before does not.
        ("10.0.0.1", "203.0.113.5", "203.0.113.5"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.5", "203.0.113.5"),
        ("10.0.0.1", "6.6.6.6,203.0.113.5 ", "203.0.113.5"),
        ("192.0.2.1", "203.0.113.5", "203.0.113.5"),
        ("192.0.2.2", "203.0.113.5", "192.0.2.2"),
        # Chains, one of them of both families.
        ("10.0.0.1", "203.0.113.5, 192.0.2.1, 10.9.9.9", "203.0.113.5"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.5, 192.0.2.1, 10.9.9.9", "203.0.113.5"),
        ("10.0.0.1", "10.1.1.1, 203.0.113.5, 10.9.9.9", "203.0.113.5"),
        ("2001:db8:aaaa::1", "2001:db8:cccc::9, 2001:db8:aaaa:1::2, 10.0.0.3", "2001:db8:cccc::9"),
        # Nobody but ourselves: the furthest of ours asked.
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "", "10.0.0.1"),
        # As various proxies write them.
        ("10.0.0.1", "203.0.113.5:51234", "203.0.113.5"),
        ("10.0.0.1", "[2001:db8:cccc::9]:51234", "2001:db8:cccc::9"),
        ("10.0.0.1", "[2001:db8:cccc::9]", "2001:db8:cccc::9"),
        ("10.0.0.1", "::ffff:203.0.113.5", "203.0.113.5"),
        ("::ffff:10.0.0.1", "203.0.113.5", "203.0.113.5"),
        ("10.0.0.1", "fe80::1%eth0", "fe80::1"),
        # What is no address: the proxy that passed it on is the caller.
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.5, _hidden", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.5, junk, 192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "203.0.113.5, ,", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.5:port", "10.0.0.1"),
        ("10.0.0.1", "[203.0.113.5", "203.0.113.5"),
        ("10.0.0.1", "[::1]junk", "10.0.0.1"),
        ("10.0.0.1", "0x7f.1", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.005", "10.0.0.1"),
        ("10.0.0.1", "٢٠٣.0.113.5", "10.0.0.1"),
    ],
)
def test_the_nearest_hop_that_is_not_trusted_is_the_caller(peer: str, forwarded_for: str, who: str) -> None:
    assert caller(peer, forwarded_for, TRUSTED) == who


@given(st.lists(st.text() | st.ip_addresses().map(str)).map(", ".join), st.ip_addresses())
def test_nothing_that_a_caller_writes_changes_who_it_is(said: str, who: object) -> None:
    assert caller(OTHERS, said, TRUSTED) == OTHERS
    if not trusts(parse(str(who)), TRUSTED):
        seen = caller("10.0.0.1", f"{said}, {who}", TRUSTED)
        assert seen == caller("10.0.0.1", str(who), TRUSTED) == str(parse(str(who)))


@given(st.text(), st.text())
def test_by_default_nobody_is_believed_and_nothing_fails(peer: str, said: str) -> None:
    assert parse(caller(peer, said, ())) == parse(peer)


@pytest.mark.parametrize("entry", ["10.0.0.1/8", "proxy.example", "*", "10.0.0.0/33", "10.0.0.1:80", "unix"])
def test_an_entry_that_is_neither_address_nor_network_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match="is no address and no network"):
        networks(["10.0.0.0/8", entry])


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("", ""),
        ("unix:", ""),
    ],
)
def test_whom_an_address_belongs_to(address: str, network: str) -> None:
    assert network_of(address) == network
