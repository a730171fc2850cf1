"""Which server is asked, and with how much patience."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from syncxr.errors import SyncxrError

Engine = Literal["openai", "vllm", "llamacpp"]


class ChatOptions(BaseModel):
    """Options of a chat server; as YAML, beside the name of any backend that asks one.

    ::

    base_url: http://localhost:8000/v1
    model: meta-llama/Llama-3.1-70B-Instruct
    engine: vllm
    concurrency: 64
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str = Field(
        default="",
        description="Where the server's /chat/completions is, e.g. http://localhost:8000/v1. Left "
        "out, the environment variable OPENAI_BASE_URL says it, so that a run can go on when its "
        "server has moved to another machine.",
    )
    model: str = Field(description="Name of the model as the server knows it.")
    engine: Engine = Field(
        default="openai",
        description="Whose names for structured outputs the server understands. openai: JSON "
        "schemas only. vllm (0.12 and later): schemas, grammars, choices. llamacpp: the same.",
    )
    api_key_env: str = Field(
        default="",
        description="Environment variable that holds the key; without one, no key is sent.",
    )
    concurrency: int = Field(default=16, ge=1, description="Requests under way at a time.")
    timeout: float = Field(
        default=300.0, gt=0, description="Seconds that a request may wait for its reply."
    )
    retries: int = Field(
        default=6,
        ge=0,
        description="How often a request is repeated when the server fails (429, 5xx, a lost "
        "connection, a timeout), after the time that it asks for, else after 0.5 to 8 s with "
        "jitter.",
    )
    answers: int = Field(
        default=3,
        ge=1,
        description="How many answers a request may get until one can be used: whole, not empty, "
        "of the form that was asked for.",
    )

    @field_validator("base_url")
    @classmethod
    def _plain(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError("give a whole address, e.g. http://localhost:8000/v1")
        if parts.username or parts.password or parts.query:
            raise ValueError("no key in the address; name an environment variable in api_key_env")
        return url

    @property
    def url(self) -> str:
        """Where requests go.

        Raises:
            SyncxrError: Neither the options nor the environment say it.
        """
        url = self.base_url or os.environ.get("OPENAI_BASE_URL", "")
        if not url:
            raise SyncxrError(
                f"no address of the chat server for model {self.model!r}; "
                "set base_url, or the environment variable OPENAI_BASE_URL"
            )
        return url

    def api_key(self) -> str:
        """The key, ``""`` where none is needed.

        Raises:
            SyncxrError: The environment variable is not set.
        """
        key = os.environ.get(self.api_key_env, "") if self.api_key_env else ""
        if self.api_key_env and not key:
            raise SyncxrError(f"environment variable {self.api_key_env} (api_key_env) is not set")
        return key


REACH = frozenset(("base_url", "api_key_env", "concurrency", "timeout", "retries"))
"""Options that say how a server is reached; they decide nothing of what it says."""


def without_reach(tree: Any) -> Any:
    """JSON values of a configuration without the options of :data:`REACH`, wherever they stand.

    A run goes on when its server has moved, and no dataset tells where it was.
    """
    if isinstance(tree, Mapping):
        return {key: without_reach(value) for key, value in tree.items() if key not in REACH}
    return tree
