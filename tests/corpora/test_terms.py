"""Which hosts are this machine, which are trusted, and what is refused."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from syncxr.corpora.terms import Terms, is_loopback, keep_home
from syncxr.errors import SyncxrError

HOME = Terms(source="A hospital", licence="An agreement", stays_home=True)


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def send(url: str, *trusted: str, terms: Terms | None = HOME) -> None:
    keep_home(terms, {"judge": SimpleNamespace(sends_to=(url,))}, trusted)


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"],
)
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["", "localhost.evil.org", "127.0.0.1.evil.org", "0.0.0.0", "10.0.0.1", "::", "128.0.0.1"],
)
def test_not_loopback(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.org/v1",
        "http://127.0.0.1@api.example.org/v1",
        "http://localhost:8000@api.example.org/v1",
        "http://api.example.org\\@127.0.0.1/v1",
        "http://127.0.0.1 .example.org/v1",
        "api.example.org:8000",
        "http:///v1",
        "s3://bucket/run",
    ],
)
def test_elsewhere_is_refused_in_one_line(url: str) -> None:
    with pytest.raises(SyncxrError, match=r"must stay home \(A hospital: An agreement") as raised:
        send(url)
    assert "\n" not in str(raised.value)
    send(url, terms=Terms(source="A gift", licence="CC0"))
    send(url, terms=None)


def test_home_and_trusted_hosts_are_served() -> None:
    for url in ("http://localhost:8000/v1", "http://[::1]:8000/v1", "127.0.0.1:8000"):
        send(url)
    send("https://API.example.org/v1", "api.example.org")
    send("https://node7.cluster.example/v1", "node*.cluster.example")
    send("s3://bucket/run", "bucket")
    for trusted in ("example.org", "api.example.org.evil", "node*.cluster.example"):
        with pytest.raises(SyncxrError):
            send("https://api.example.org/v1", trusted)


def test_a_proxy_is_a_host_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example.org:3128")
    with pytest.raises(SyncxrError, match="send data to 'proxy.example.org'"):
        send("http://10.1.2.3:8000/v1", "10.1.2.3")
    send("http://10.1.2.3:8000/v1", "10.1.2.3", "proxy.example.org")
    monkeypatch.setenv("no_proxy", "10.1.2.3,localhost")
    send("http://10.1.2.3:8000/v1", "10.1.2.3")
    send("http://localhost:8000/v1")


def test_what_sends_nothing_is_free() -> None:
    keep_home(HOME, {"judge": object()})


def test_terms_survive_a_file() -> None:
    assert Terms.from_metadata(HOME.to_metadata()) == HOME
    assert Terms.from_metadata(None) is None and Terms.from_metadata({b"other": b""}) is None
    with pytest.raises(SyncxrError, match="damaged"):
        Terms.from_json("{}")
