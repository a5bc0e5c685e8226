"""Whether a visitor sits at the machine that serves the page: by connection, and by what proxies add to it."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

FORWARDED = (
    "forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "true-client-ip",
    "cf-connecting-ip", "x-client-ip", "x-cluster-client-ip",
)  # fmt: skip
"""What a proxy adds: behind one, everybody seems to come from this machine."""


def is_local(address: str | None, headers: Mapping[str, str]) -> bool:
    """True if a visitor uses this machine itself.

    `address` is that of the connection, None where it is this machine's own. A proxy's header, or a page that was
    opened under another host than this machine's, makes a visitor remote.
    """
    by_name = {name.lower(): value for name, value in headers.items()}
    if any(name in by_name for name in FORWARDED):
        return False
    if address is not None and not _loopback(address):
        return False
    opened = [host for host in (by_name.get("host", ""), _origin(by_name.get("origin", ""))) if host]
    return all(_loopback(_name(host)) for host in opened)


def _loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _origin(origin: str) -> str:
    """The host and port of an origin; "null", which a page in a sandbox has, is no host of this machine."""
    return urlsplit(origin).netloc or origin


def _name(host: str) -> str:
    """A host without its port."""
    return urlsplit(f"//{host}").hostname or host
