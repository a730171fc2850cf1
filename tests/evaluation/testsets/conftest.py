"""One line for every fault."""

from collections.abc import Callable

import pytest

from syncxr.errors import SyncxrError


@pytest.fixture
def refused() -> Callable[..., str]:
    """What a call says when it refuses, after checking that it is one line."""

    def check(call: Callable[..., object], *arguments: object) -> str:
        with pytest.raises(SyncxrError) as error:
            call(*arguments)
        assert "\n" not in str(error.value)
        return str(error.value)

    return check
