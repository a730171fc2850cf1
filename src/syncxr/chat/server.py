"""A client of any OpenAI-compatible chat server that loses no request."""

from __future__ import annotations

import asyncio
import random
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import openai

from syncxr.chat.completion import Unusable, read_reply
from syncxr.chat.messages import ChatFailure, ChatReply, ChatRequest
from syncxr.chat.options import ChatOptions
from syncxr.chat.structured import structured_fields
from syncxr.errors import SyncxrError

# Requests in a row that the server must fail, each to its last retry, before it is given up. One
# request may be at fault itself; before the first answer, none is given that credit.
_GIVE_UP = 20

# Replies that may wait, finished, behind a slow one, as a multiple of those under way.
_LOOK_AHEAD = 4

_CONNECT_SECONDS = 20.0

_Result = ChatReply | ChatFailure


class ChatServer:
    """An OpenAI-compatible server, asked from ordinary code, many requests at a time.

    What the server fails to do (429, 5xx, a lost connection, a timeout) is repeated by the
    ``openai`` package, which backs off with jitter and honours Retry-After. An answer that cannot
    be used (cut off, empty, not JSON, not of the form asked for) is asked for again here, with
    another seed. What still fails is reported in its place, with the reason.

    A fault of the configuration (no such server, a refused key, an unknown model), and a server
    that fails request after request, end the run instead: everything else would fail as well, and
    a run that has ended can go on later.

    The key is read from the environment and stands in nothing that is shown or stored. Redirects
    are not followed: data goes where the configuration says, or nowhere.
    """

    def __init__(self, options: ChatOptions) -> None:
        self.options = options
        self._url = options.url
        self._key = options.api_key()
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._answered = False
        self._failed_in_row = 0

    def __repr__(self) -> str:
        return f"ChatServer({self._url!r}, model={self.options.model!r})"

    @property
    def sends_to(self) -> tuple[str, ...]:
        """Where what is asked goes."""
        return (self._url,)

    def ask(self, requests: Iterable[ChatRequest]) -> Iterator[_Result]:
        """One reply or failure a request, in order, as they come.

        Requests are taken from the iterable as there is room for them. May be called from several
        threads; they share the limit of requests under way.

        Raises:
            SyncxrError: The server cannot be used: see the class.
        """
        loop = self._start()
        pending: deque[Future[_Result]] = deque()
        try:
            for request in requests:
                pending.append(asyncio.run_coroutine_threadsafe(self._answer(request), loop))
                if len(pending) >= self.options.concurrency * _LOOK_AHEAD:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()

    def models(self) -> list[str]:
        """Names of the models that the server has.

        Raises:
            SyncxrError: The server cannot be used.
        """
        return asyncio.run_coroutine_threadsafe(self._models(), self._start()).result()

    def _start(self) -> asyncio.AbstractEventLoop:
        """The event loop of this server, in a thread of its own; its connections live with it."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._under_way = asyncio.Semaphore(self.options.concurrency)
                self._client = self._connect()
                threading.Thread(target=self._loop.run_forever, name="chat", daemon=True).start()
            return self._loop

    def _connect(self) -> openai.AsyncOpenAI:
        timeout = openai.Timeout(self.options.timeout, connect=_CONNECT_SECONDS)
        client = openai.AsyncOpenAI(
            base_url=self._url,
            # The package wants some key; servers that need none do not look at it.
            api_key=self._key or "none",
            timeout=timeout,
            max_retries=self.options.retries,
            http_client=openai.DefaultAsyncHttpxClient(follow_redirects=False, timeout=timeout),
        )
        # Taken from the environment, where they may be meant for another service.
        client.organization = client.project = None
        return client

    async def _answer(self, request: ChatRequest) -> _Result:
        async with self._under_way:
            for attempt in range(1, self.options.answers + 1):
                made = await self._attempt(request, attempt)
                if not isinstance(made, Unusable):
                    break
        if isinstance(made, ChatReply):
            return made
        told = (
            self._server_fault(made)
            if isinstance(made, openai.OpenAIError)
            else self._redacted(str(made))
        )
        return ChatFailure(told, attempt)

    async def _attempt(
        self, request: ChatRequest, attempt: int
    ) -> ChatReply | Unusable | openai.OpenAIError:
        """The reply, or what went wrong.

        Errors are given back, not raised: an exception raised while another is handled carries
        it along, and the package's own may hold the key.
        """
        try:
            return replace(
                read_reply(request, await self._post(request, attempt)), attempts=attempt
            )
        except (Unusable, openai.OpenAIError) as error:
            return error

    async def _post(self, request: ChatRequest, attempt: int) -> str:
        """The body of the server's answer."""
        optional: dict[str, Any] = {}
        if request.stop:
            optional["stop"] = list(request.stop)
        if request.top_logprobs:
            optional |= {"logprobs": True, "top_logprobs": request.top_logprobs}
        fields = structured_fields(request, self.options.engine)
        reply = await self._client.chat.completions.with_raw_response.create(
            model=self.options.model,
            messages=list(request.messages),
            max_tokens=request.max_tokens,
            temperature=request.temperature,
            seed=_seed(request.seed, attempt),
            extra_body=fields,
            **optional,
        )
        self._answered, self._failed_in_row = True, 0
        return str(reply.text)

    async def _models(self) -> list[str]:
        try:
            return sorted([model.id async for model in self._client.models.list()])
        except openai.OpenAIError as error:
            unusable = self._unusable(error)
        raise unusable

    def _server_fault(self, error: openai.OpenAIError) -> str:
        """Why a request failed for good; raised instead if every other would fail as well."""
        status = _status(error)
        if 300 <= status < 400 or status in (401, 403, 404) or _no_server(error):
            raise self._unusable(error)
        if status and status not in (408, 409, 429) and status < 500:
            # The request is at fault, a prompt that is too long, say; the server answered well.
            return self._told(error)
        self._failed_in_row += 1
        if not self._answered or self._failed_in_row >= _GIVE_UP:
            raise self._unusable(error)
        return self._told(error)

    def _unusable(self, error: openai.OpenAIError) -> SyncxrError:
        remedies = {
            401: "check the key and api_key_env",
            403: "check the key and api_key_env",
            404: "check base_url, which mostly ends in /v1, and model",
        }
        remedy = remedies.get(_status(error), "see that it runs and that base_url is right")
        return SyncxrError(
            f"chat server {self._url}, model {self.options.model!r}: {self._told(error)}; "
            f"{remedy}, then start the same command again: what was finished is kept"
        )

    def _told(self, error: openai.OpenAIError) -> str:
        """An error in one line without the key, which some servers repeat in their messages."""
        causes = [type(error.__cause__).__name__] if error.__cause__ is not None else []
        return self._redacted(" ".join([*str(error).split(), *(f"({name})" for name in causes)]))

    def _redacted(self, text: str) -> str:
        return (text.replace(self._key, "[key]") if self._key else text)[:300]


def _status(error: openai.OpenAIError) -> int:
    """Code of an HTTP status; 0 where there was no answer at all."""
    return getattr(error, "status_code", 0)


def _no_server(error: openai.OpenAIError) -> bool:
    """Whether nobody listens at the address."""
    return type(error.__cause__).__name__ in ("ConnectError", "ConnectTimeout")


def _seed(seed: int, attempt: int) -> int:
    """What is sent as seed: 31 bits, which every server takes; another for each attempt."""
    return random.Random(f"{seed} {attempt}").getrandbits(31)
