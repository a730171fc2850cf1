"""Terms of use of a corpus, and the rule that restricted data stays home.

Data under a use agreement (PhysioNet's credentialed licence for MIMIC-CXR, for one, forbids sharing
with third parties, online services included) leaves this machine only for hosts that the
configuration names. The same holds for what is derived from it: a bank or plan holds its words, and
prompts are made of those.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from pydantic import BaseModel, ConfigDict, ValidationError

from syncxr.errors import SyncxrError

TERMS_FILE = "terms.json"
"""Stands in a folder of what is derived from a corpus: a run, its dataset, a cache."""

_KEY = b"syncxr.terms"


class Terms(BaseModel):
    """Under what terms a corpus, and what is derived from it, may be used.

    Attributes:
        source: Who made it, to be cited.
        licence: SPDX id or short name.
        note: What the licence means for this software.
        stays_home: Whether nothing of it may reach a host that is neither this machine nor
            trusted by the user.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: str
    licence: str
    note: str = ""
    stays_home: bool = False

    def to_metadata(self) -> dict[bytes, bytes]:
        """For the schema of a Parquet file that holds what is derived from the corpus."""
        return {_KEY: self.model_dump_json().encode()}

    @classmethod
    def from_metadata(cls, metadata: Mapping[bytes, bytes] | None) -> Terms | None:
        """Inverse of :meth:`to_metadata`; ``None`` where a file says nothing.

        Raises:
            SyncxrError: What it says cannot be read, so that nobody knows what is allowed.
        """
        held = (metadata or {}).get(_KEY)
        return None if held is None else cls.from_json(held)

    @classmethod
    def from_json(cls, text: str | bytes) -> Terms:
        """Inverse of ``model_dump_json``.

        Raises:
            SyncxrError: It is damaged.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise SyncxrError(
                "the terms of use that stand in a file are damaged; make the file again"
            ) from error


CACHED = Terms(
    source="whatever films syncxr has looked at here",
    licence="that of the films, the strictest of them where there are several",
    note="Numbers computed from films. May be deleted: they are made again.",
    stays_home=True,
)
"""Of a cache that many corpora share: what it holds is bound as the strictest of them may be."""


def keep_home(
    terms: Terms | None, backends: Mapping[str, Any], trusted_hosts: Iterable[str] = ()
) -> None:
    """Refuse restricted data to backends elsewhere; called before any work, on built backends.

    Args:
        terms: Of the data at hand; ``None`` = nothing is known that forbids anything.
        backends: What it is, for the message ("judge"), to the backend. One that sends data
            says where in its attribute ``sends_to``, a tuple of URLs; without that attribute
            nothing leaves the process.
        trusted_hosts: Names or addresses as they stand in those URLs; ``*`` matches any run of
            characters (``"node*.cluster.example"``).

    Raises:
        SyncxrError: A host is neither loopback nor trusted; names backend, host and remedy.
    """
    if terms is None or not terms.stays_home:
        return
    trusted = tuple(pattern.lower() for pattern in trusted_hosts)
    for what, backend in backends.items():
        for url in getattr(backend, "sends_to", ()):
            for host in _hosts(url):
                if not (is_loopback(host) or any(fnmatchcase(host, t) for t in trusted)):
                    raise SyncxrError(
                        f"the {what} would send data to {host or url!r}, but it must stay home "
                        f"({terms.source}: {terms.licence}); use a server on this machine, or "
                        "name the host in trusted_hosts if your agreement covers it"
                    )


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, judged by its name or address alone.

    No name is looked up: an answer of today proves nothing about the connection of tomorrow, and
    the question itself would leave the machine.
    """
    host = host.lower().rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761, section 6.3
        return True
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def _hosts(url: str) -> tuple[str, ...]:
    """The host of a URL, and that of the proxy that the environment puts before it."""
    if "\\" in url or any(character.isspace() for character in url):
        return (url,)  # Clients disagree about where such a host begins.
    parts = urlsplit(url if "://" in url else f"//{url}")
    host = (parts.hostname or "").lower()
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return (host,)
    before = urlsplit(proxy if "://" in proxy else f"//{proxy}").hostname
    return host, (before or proxy).lower()
