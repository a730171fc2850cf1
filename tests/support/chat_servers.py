"""Chat servers to test against: one that fails on purpose, and llama.cpp's own with SmolLM2."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Fault = str
"""What a server does with a request: a key of ``_FAULTS``, or the text of a good answer."""


class FaultyServer:
    """Answers each request as a script says; every request that came is kept.

    Args:
        script: Words of the last message and how often they came before, to what is done.
    """

    def __init__(self, script: Callable[[str, int], Fault]) -> None:
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.under_way = self.most_under_way = 0
        self.script = script
        self.released = threading.Event()
        self._came: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    def __enter__(self) -> FaultyServer:
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._http.shutdown()
        self._http.server_close()

    def came(self, words: str) -> int:
        """How often a prompt was asked."""
        return self._came[words]

    def _next(self, headers: dict[str, str], request: dict[str, Any]) -> Fault:
        words = text_of(request["messages"][-1])
        with self._lock:
            self.requests.append(request)
            self.headers.append(headers)
            before = self._came[words]
            self._came[words] += 1
            return self.script(words, before)

    def _handler(server) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                request = json.loads(self.rfile.read(length))
                with server._lock:
                    server.under_way += 1
                    server.most_under_way = max(server.most_under_way, server.under_way)
                try:
                    headers = {name.lower(): value for name, value in self.headers.items()}
                    fault = server._next(headers, request)
                    _FAULTS.get(fault, _good)(server, self, fault)
                finally:
                    with server._lock:
                        server.under_way -= 1

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def text_of(message: dict[str, Any]) -> str:
    """The words of a message."""
    content = message["content"]
    return content if isinstance(content, str) else str(content[-1]["text"])


def completion(text: str | None, finish_reason: str = "stop") -> dict[str, Any]:
    """A chat completion as servers send it."""
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    tokens = len((text or "").split())
    return {"choices": [choice], "usage": {"completion_tokens": tokens, "prompt_tokens": 7}}


def _send(
    handler: BaseHTTPRequestHandler,
    status: int,
    body: object,
    headers: dict[str, str] | None = None,
) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(content)))
    for name, value in (headers or {}).items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(content)


def _good(_: FaultyServer, handler: BaseHTTPRequestHandler, text: str) -> None:
    _send(handler, 200, completion(text))


def _status(status: int, **headers: str) -> Callable[..., None]:
    def answer(_: FaultyServer, handler: BaseHTTPRequestHandler, __: Fault) -> None:
        key = handler.headers.get("Authorization", "")
        error = {"error": {"message": f"refused, you said {key}"}}
        _send(handler, status, error, {name.replace("_", "-"): v for name, v in headers.items()})

    return answer


def _body(body: object) -> Callable[..., None]:
    return lambda _, handler, __: _send(handler, 200, body)


def _hang(server: FaultyServer, handler: BaseHTTPRequestHandler, _: Fault) -> None:
    server.released.wait()
    handler.close_connection = True


def _drop(_: FaultyServer, handler: BaseHTTPRequestHandler, __: Fault) -> None:
    handler.close_connection = True


def _truncated(_: FaultyServer, handler: BaseHTTPRequestHandler, __: Fault) -> None:
    whole = json.dumps(completion("a text that never ends")).encode()
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(whole)))
    handler.end_headers()
    handler.wfile.write(whole[: len(whole) // 2])
    handler.close_connection = True


_FAULTS: dict[Fault, Callable[..., None]] = {
    "429": _status(429),
    "429, Retry-After": _status(429, Retry_After="7"),
    "500": _status(500),
    "503": _status(503),
    "400": _status(400),
    "401": _status(401),
    "404": _status(404),
    "redirect": _status(307, Location="http://elsewhere.example/v1/chat/completions"),
    "hang": _hang,
    "dropped connection": _drop,
    "truncated body": _truncated,
    "no choice": _body({"choices": []}),
    "empty choice": _body(completion("")),
    "null content": _body(completion(None)),
    "not JSON": _body(b'{"choices": [{"mess'),
    "not a completion": _body({"detail": "ok"}),
    "cut off": _body(completion("The heart is", "length")),
}


_LLAMA_SERVER = """
import sys, xllamacpp
params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.n_parallel = 2
params.n_ctx = 4096
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
params.cache_ram_mib = 0
params.warmup = False
params.verbosity = 0
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
sys.stdin.read()
"""


@contextmanager
def llama_server() -> Iterator[str]:
    """llama.cpp's server with SmolLM2 in a process of its own, on a free port; gives its URL."""
    from syncxr import assets

    model = next(assets.fetch("smollm2-135m").glob("*.gguf"))
    with subprocess.Popen(
        [sys.executable, "-c", _LLAMA_SERVER, str(model)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            address = next(line for line in process.stdout if line.startswith("http"))
            yield f"{address.strip()}/v1"
        finally:
            process.kill()
