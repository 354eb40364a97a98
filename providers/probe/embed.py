"""An embed: does the page answer, and does it let itself be framed? It measures nothing.

Framing by CSP level 3 section 6.4.2 (`frame-ancestors`, which beats X-Frame-Options) and the HTML standard's
"check a navigation response's adherence to X-Frame-Options". Report-only policies and ALLOW-FROM don't count.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import SplitResult, urlsplit

from providers.probe.reader import Reader, Verdict
from providers.types import ProbeOutcome, ProbeResult

MAX_PAGE: Final = 4096
PAGES: Final = frozenset({"text/html", "application/xhtml+xml"})
_PORTS: Final = {"http": 80, "https": 443}


def probe_embed(reader: Reader, url: str, *, site_origin: str) -> ProbeResult:
    """Whether a page can be framed by `site_origin`. Raises Verdict when it is no page or cannot."""
    response = reader.get(url, max_bytes=MAX_PAGE)
    kind = response.headers.get("Content-Type", "text/html").partition(";")[0].strip().lower()
    if kind not in PAGES:
        raise Verdict(ProbeOutcome.DEAD, f"the embed answers {kind[:60]}, not a page")
    if not response.body.strip():
        raise Verdict(ProbeOutcome.DEAD, "the embed answers an empty page")
    refusal = framing_refusal(response.headers, response.url, site_origin)
    if refusal and not site_origin and _names_hosts(refusal):  # and ours may be among them
        raise Verdict(ProbeOutcome.INCONCLUSIVE, f"no site address to compare with {refusal}")
    if refusal:
        raise Verdict(ProbeOutcome.UNEMBEDDABLE, f"the page refuses to be framed: {refusal}")
    return ProbeResult(
        outcome=ProbeOutcome.OK,
        evidence="the page answers and lets itself be framed; nothing can be measured",
    )


def framing_refusal(headers: Mapping[str, str], page_url: str, site_origin: str) -> str:
    """The header value that keeps `site_origin` from framing the page, or ""."""
    lists = [
        ancestors
        for policy in headers.get("Content-Security-Policy", "").split(",")
        if (ancestors := _frame_ancestors(policy)) is not None
    ]
    if not lists:
        return _frame_options_refusal(headers.get("X-Frame-Options", ""), page_url, site_origin)
    for ancestors in lists:
        if not any(_matches(source, page_url, site_origin) for source in ancestors):
            return f"frame-ancestors {' '.join(ancestors)}"[:200]
    return ""


def _frame_ancestors(policy: str) -> list[str] | None:
    """The first `frame-ancestors` of a policy; later ones are ignored (section 2.2.1)."""
    for directive in policy.split(";"):
        name, *sources = directive.split() or [""]
        if name.lower() == "frame-ancestors":
            return [source.lower() for source in sources]
    return None


def _names_hosts(refusal: str) -> bool:
    kind, *sources = refusal.split()
    return kind == "frame-ancestors" and any(not one.startswith("'") and one[-1] != ":" for one in sources)


def _matches(source: str, page_url: str, site_origin: str) -> bool:
    """Section 6.7.2.7, as far as it concerns an ancestor: scheme, host with wildcard, port.

    Without a `site_origin` a source matches only if it does so for every site.
    """
    if source == "'self'":
        return _same_origin(page_url, site_origin)
    site = urlsplit(site_origin)
    if source == "*":
        return site.scheme in {"", "http", "https"}
    if source.endswith(":"):
        return not site_origin or _scheme_fits(source[:-1], site.scheme)
    scheme, _, rest = source.rpartition("://")
    page_scheme = urlsplit(page_url).scheme
    host, _, port = rest.partition("/")[0].partition(":")
    if not site_origin:
        return host == "*" and not port
    return (
        bool(site.hostname)
        and _scheme_fits(scheme or page_scheme, site.scheme)
        and _host_fits(host, site.hostname or "")
        and _port_fits(port, site)
    )


def _scheme_fits(allowed: str, scheme: str) -> bool:
    return allowed == scheme or (allowed == "http" and scheme == "https")


def _host_fits(allowed: str, host: str) -> bool:
    return host.endswith(allowed[1:]) if allowed.startswith("*.") else allowed in {"*", host}


def _port_fits(allowed: str, site: SplitResult) -> bool:
    if allowed in {"", "*"}:
        return allowed == "*" or _port(site) == _PORTS.get(site.scheme)
    return allowed.isdecimal() and int(allowed[:6]) == _port(site)


def _port(parts: SplitResult) -> int | None:
    return parts.port or _PORTS.get(parts.scheme)


def _frame_options_refusal(header: str, page_url: str, site_origin: str) -> str:
    values = {value.strip().lower() for value in header.split(",")} - {""}
    known = values & {"deny", "sameorigin", "allowall"}
    if len(values) > 1:
        return header[:200] if known else ""  # contradictions are refused
    if "deny" in known or ("sameorigin" in known and not _same_origin(page_url, site_origin)):
        return f"X-Frame-Options {header}"[:200]
    return ""


def _same_origin(one: str, other: str) -> bool:
    left, right = urlsplit(one), urlsplit(other)
    return (left.scheme, left.hostname, _port(left)) == (right.scheme, right.hostname, _port(right))
