"""Any GGUF model, run in this process by llama.cpp through xllamacpp."""

from __future__ import annotations

import hashlib
import json
import re
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from queue import Queue
from threading import Lock
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from syncxr import assets
from syncxr.errors import SyncxrError
from syncxr.reports.grammar import Grammar
from syncxr.reports.writer import Completion, Prompt
from syncxr.threads import usable_cores

_LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')

_MOST_ENGINES = 8

# Sets of examples that prompts begin with; each costs the memory of one context.
_PROMPTS_IN_MIND = 4

# llama.cpp reads 2**32 - 1 as "draw a seed yourself".
_SEEDS = 2**32 - 1


class LlamaCppOptions(BaseModel):
    """Options of :class:`LlamaCppWriter`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Path | None = Field(
        default=None, description="A GGUF file; without one, the SmolLM2-135M-Instruct asset."
    )
    engines: int = Field(
        default=0,
        ge=0,
        description="Copies of the model that write side by side; 0 = one a core, at most 8. "
        "For a large model: 1, with more threads and slots.",
    )
    threads: int = Field(default=1, ge=1, description="CPU threads an engine.")
    slots: int = Field(
        default=1, ge=1, le=64, description="Texts that an engine writes at the same time."
    )
    context: int = Field(
        default=1024, ge=256, description="Longest prompt with its text, in tokens."
    )


class LlamaCppWriter:
    """A GGUF model in llama.cpp's in-process server.

    For a small model several engines of one thread each are faster than one engine of several
    threads and slots, above all on a busy machine, where llama.cpp's threads spin while they wait
    for one another (docs/reports.md has the figures). Each engine keeps a few prompts in mind, so
    that a beginning which prompts share is evaluated once.

    The stored draft is the record: llama.cpp's sums depend in their last digits on what is
    evaluated together, so a text may differ between runs, and does between numbers of slots.

    Grammars are pinned to the model's own tokens: every literal is replaced by the tokens that the
    model's tokenizer gives it. Left as characters, a grammar makes the model spell forced words in
    whatever short tokens happen to be likely, which leads it into unlikely contexts.
    """

    Options = LlamaCppOptions
    name = "llamacpp"

    def __init__(self, options: LlamaCppOptions) -> None:
        self.options = options
        self.engines: list[Any] = []
        self._free: Queue[Any] = Queue()
        self._lock = Lock()
        self._tokens: dict[str, str] = {}

    def write(self, prompts: Sequence[Prompt]) -> Iterator[Completion]:
        """One completion a prompt, in order, as they come.

        Raises:
            SyncxrError: The model file is missing, or the engine refuses a prompt.
        """
        self.load()
        return self._stream(prompts)

    def log_probabilities(self, prompt: str, grammar: Grammar) -> list[float]:
        """Natural log-probabilities of the tokens of the one text that ``grammar`` allows.

        The engine reports them before the grammar is applied, so this is the model's own
        probability of a text that it is forced to write after ``prompt``.
        """
        self.load()
        reply = self._request(Prompt(prompt, grammar), n_probs=1)
        return [float(token["logprob"]) for token in reply["choices"][0]["logprobs"]["content"]]

    def provenance(self) -> dict[str, Any]:
        """Model, its hash, engine and the settings on which the text depends."""
        import xllamacpp

        return {
            "writer": self.name,
            "model": self._model_path().name,
            "model_sha256": self._model_sha256,
            "engine": f"xllamacpp {xllamacpp.__version__}",
            "engines": self._engine_count(),
            "threads": self.options.threads,
            "slots": self.options.slots,
            "note": "text may depend on engines and slots; the stored draft is the record",
        }

    @cached_property
    def _model_sha256(self) -> str:
        with self._model_path().open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def _model_path(self) -> Path:
        if self.options.model is None:
            return next(assets.fetch("smollm2-135m").glob("*.gguf"))
        if not self.options.model.is_file():
            raise SyncxrError(f"writer model {self.options.model} does not exist; give a GGUF file")
        return self.options.model

    def _engine_count(self) -> int:
        return self.options.engines or min(usable_cores(), _MOST_ENGINES)

    def load(self) -> None:
        """Start the engines, as the first prompt would; for those who measure what follows."""
        with self._lock:
            if self.engines:
                return
            self.engines = [self._engine() for _ in range(self._engine_count())]
            for engine in self.engines * self.options.slots:
                self._free.put(engine)

    def _engine(self) -> Any:
        import xllamacpp

        path = self._model_path()
        slots = self.options.slots + _PROMPTS_IN_MIND - 1
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.n_parallel = slots
        params.n_ctx = slots * self.options.context
        params.cpuparams.n_threads = self.options.threads
        params.cpuparams_batch.n_threads = self.options.threads
        # A slot is only reused for a prompt that begins as its last one did.
        params.slot_prompt_similarity = 0.5
        # Slots keep their own prompts; a second cache in memory gains nothing here.
        params.cache_ram_mib = 0
        params.warmup = False
        params.verbosity = 0
        try:
            return xllamacpp.Server(params)
        except Exception as error:
            raise SyncxrError(f"llama.cpp cannot load {path}: {error}") from error

    def _stream(self, prompts: Sequence[Prompt]) -> Iterator[Completion]:
        pool = ThreadPoolExecutor(len(self.engines) * self.options.slots)
        try:
            yield from pool.map(self._complete, prompts)
        finally:
            pool.shutdown(cancel_futures=True)

    def _complete(self, prompt: Prompt) -> Completion:
        reply = self._request(prompt)
        choice = reply["choices"][0]
        cut = choice["finish_reason"] == "length"
        return Completion(
            choice["text"],
            int(reply["usage"]["completion_tokens"]),
            f"cut off at {prompt.max_tokens} tokens" if cut else "",
            int(reply["usage"]["prompt_tokens"]),
        )

    def _request(self, prompt: Prompt, **more: Any) -> dict[str, Any]:
        body = self.body(prompt) | more
        engine = self._free.get()
        try:
            reply: dict[str, Any] = engine.handle_completions(body)
        finally:
            self._free.put(engine)
        if "choices" not in reply:
            raise SyncxrError(f"llama.cpp refused a prompt: {reply.get('error', reply)}")
        return reply

    def body(self, prompt: Prompt) -> dict[str, Any]:
        """A prompt as the engine takes it."""
        body: dict[str, Any] = {
            "prompt": prompt.text,
            "max_tokens": prompt.max_tokens,
            "seed": prompt.seed % _SEEDS,
            "temperature": prompt.temperature,
            # Nothing but the temperature shapes the choice among what the grammar allows.
            "top_k": 0,
            "top_p": 1.0,
            "min_p": 0.0,
            "stop": list(prompt.stop),
        }
        if prompt.grammar is not None:
            body["grammar"] = self._pinned(prompt.grammar.gbnf())
        return body

    def _pinned(self, grammar: str) -> str:
        """``grammar`` with every literal replaced by the model's tokens for it."""
        return _LITERAL.sub(lambda match: self._token_rule(match[1]), grammar)

    def _token_rule(self, literal: str) -> str:
        if literal not in self._tokens:
            text = literal.replace("\\n", "\n").replace('\\"', '"').replace("\\\\", "\\")
            tokens = self._tokenize(text) if text else []
            self._tokens[literal] = " ".join(f"<[{token}]>" for token in tokens) or '""'
        return self._tokens[literal]

    def _tokenize(self, text: str) -> list[int]:
        # The in-process interface has no tokenizer; the same server offers it on the loopback.
        request = urllib.request.Request(
            f"{self.engines[0].listening_address}/tokenize",
            json.dumps({"content": text}).encode(),
            {"Content-Type": "application/json"},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=60) as reply:
            tokens: list[int] = json.load(reply)["tokens"]
        return tokens
