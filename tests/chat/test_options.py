import pytest

from syncxr.chat.options import ChatOptions
from syncxr.errors import SyncxrError


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8000",
        "ftp://host/v1",
        "http://user:secret@host/v1",
        "http://host/v1?key=secret",
        "http:///v1",
    ],
)
def test_addresses_that_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        ChatOptions(base_url=url, model="m")


def test_the_environment_says_where_a_server_is_that_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    options = ChatOptions(model="m")
    with pytest.raises(SyncxrError, match="OPENAI_BASE_URL"):
        _ = options.url
    monkeypatch.setenv("OPENAI_BASE_URL", "http://node7:8000/v1")
    assert options.url == "http://node7:8000/v1"
