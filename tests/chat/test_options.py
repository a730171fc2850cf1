import pytest

from syncxr.chat.options import REACH, ChatOptions, without_reach
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


def test_how_a_server_is_reached_is_no_part_of_what_a_run_is() -> None:
    tree = {
        "writer": {"name": "chat", "base_url": "http://a", "model": "m", "concurrency": 4},
        "judge": {"name": "chat", "server": {"timeout": 3, "model": "n"}, "thresholds": [1]},
    }
    assert without_reach(tree) == {
        "writer": {"name": "chat", "model": "m"},
        "judge": {"name": "chat", "server": {"model": "n"}, "thresholds": [1]},
    }
    assert set(ChatOptions.model_fields) >= REACH
