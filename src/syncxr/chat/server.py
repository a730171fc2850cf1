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
from pydantic import BaseModel, ValidationError

from syncxr.chat.messages import ChatFailure, ChatReply, ChatRequest, Token
from syncxr.chat.options import ChatOptions
from syncxr.chat.structured import complaint, structured_fields
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
                if not isinstance(made, _Unusable):
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
    ) -> ChatReply | _Unusable | openai.OpenAIError:
        """The reply, or what went wrong.

        Errors are given back, not raised: an exception raised while another is handled carries
        it along, and the package's own may hold the key.
        """
        try:
            return replace(_read(request, await self._post(request, attempt)), attempts=attempt)
        except (_Unusable, openai.OpenAIError) as error:
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
            told = self._told(error)
        raise SyncxrError(self._unusable(told))

    def _server_fault(self, error: openai.OpenAIError) -> str:
        """Why a request failed for good; raised instead if every other would fail as well."""
        told = self._told(error)
        status = getattr(error, "status_code", 0)
        if 300 <= status < 400 or status in (401, 403, 404) or _no_server(error):
            raise SyncxrError(self._unusable(told))
        if status and status not in (408, 409, 429) and status < 500:
            # The request is at fault, a prompt that is too long, say; the server answered well.
            return told
        self._failed_in_row += 1
        if not self._answered or self._failed_in_row >= _GIVE_UP:
            raise SyncxrError(self._unusable(told))
        return told

    def _unusable(self, told: str) -> str:
        return (
            f"chat server {self._url}, model {self.options.model!r}: {told}; "
            "see that it runs, then start the same command again: what was finished is kept"
        )

    def _told(self, error: openai.OpenAIError) -> str:
        """An error in one line without the key, which some servers repeat in their messages."""
        causes = [type(error.__cause__).__name__] if error.__cause__ is not None else []
        return self._redacted(" ".join([*str(error).split(), *(f"({name})" for name in causes)]))

    def _redacted(self, text: str) -> str:
        return (text.replace(self._key, "[key]") if self._key else text)[:300]


def _no_server(error: openai.OpenAIError) -> bool:
    """Whether nobody listens at the address."""
    return type(error.__cause__).__name__ in ("ConnectError", "ConnectTimeout")


def _seed(seed: int, attempt: int) -> int:
    """What is sent as seed: 31 bits, which every server takes; another for each attempt."""
    return random.Random(f"{seed} {attempt}").getrandbits(31)


class _Unusable(Exception):
    """An answer came, but not one that can be used."""


class _Likely(BaseModel):
    token: str
    logprob: float


class _LogProbability(_Likely):
    top_logprobs: list[_Likely] = []


class _LogProbabilities(BaseModel):
    content: list[_LogProbability] | None = None


class _Text(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    message: _Text
    finish_reason: str | None = None
    logprobs: _LogProbabilities | None = None


class _Usage(BaseModel):
    completion_tokens: int = 0


class _Body(BaseModel):
    """The part of a chat completion that is read here; servers differ in the rest."""

    choices: list[_Choice]
    usage: _Usage | None = None


def _read(request: ChatRequest, body: str) -> ChatReply:
    """The reply in the body of an answer.

    Raises:
        _Unusable: There is none that can be used.
    """
    try:
        read = _Body.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise _Unusable(f"the answer is no chat completion: {first['msg']}") from None
    if not read.choices:
        raise _Unusable("the answer holds no choice")
    choice = read.choices[0]
    text = choice.message.content or ""
    # A single token, or a whole choice, is all that was wanted; whatever else is cut off is not.
    if choice.finish_reason == "length" and request.max_tokens > 1 and not request.choices:
        raise _Unusable(f"the reply was cut off at {request.max_tokens} tokens")
    if fault := complaint(request, text):
        raise _Unusable(fault)
    return ChatReply(
        text,
        choice.finish_reason or "",
        read.usage.completion_tokens if read.usage else 0,
        _tokens(choice.logprobs),
    )


def _tokens(read: _LogProbabilities | None) -> tuple[Token, ...]:
    positions = (read.content if read else None) or []
    return tuple(
        Token(at.token, at.logprob, {top.token: top.logprob for top in at.top_logprobs})
        for at in positions
    )
