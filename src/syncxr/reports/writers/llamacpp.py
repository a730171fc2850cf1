"""Any GGUF model, run in this process by llama.cpp through xllamacpp."""

from __future__ import annotations

import hashlib
import json
import os
import re
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from syncxr import assets
from syncxr.errors import SyncxrError
from syncxr.reports.writer import Completion, Prompt

_LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')

# llama.cpp reads 2**32 - 1 as "draw a seed yourself".
_SEEDS = 2**32 - 1


class LlamaCppOptions(BaseModel):
    """Options of :class:`LlamaCppWriter`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Path | None = Field(
        default=None, description="A GGUF file; without one, the SmolLM2-135M-Instruct asset."
    )
    slots: int = Field(default=4, ge=1, le=64, description="Texts written at the same time.")
    threads: int = Field(default=0, ge=0, description="CPU threads; 0 takes every core there is.")
    context: int = Field(
        default=2048, ge=256, description="Longest prompt with its text, in tokens."
    )


class LlamaCppWriter:
    """A GGUF model in llama.cpp's in-process server, with parallel slots.

    Each slot keeps the last prompt it evaluated, so that a beginning which prompts share is
    evaluated once a slot. The texts depend on the number of slots in their last digits: llama.cpp
    computes a batch of several slots in another order than one. The stored draft is the record.

    Grammars are pinned to the model's own tokens: every literal is replaced by the tokens that the
    model's tokenizer gives it. Left as characters, a grammar makes the model spell forced words in
    whatever short tokens happen to be likely, which is slow and leads it into unlikely contexts.
    """

    Options = LlamaCppOptions
    name = "llamacpp"

    def __init__(self, options: LlamaCppOptions) -> None:
        self.options = options
        self._server: Any = None
        self._lock = Lock()
        self._tokens: dict[str, str] = {}

    def write(self, prompts: Sequence[Prompt]) -> list[Completion]:
        """One completion a prompt, in order.

        Raises:
            SyncxrError: The model file is missing, or the engine refuses a prompt.
        """
        self._load()
        with ThreadPoolExecutor(self.options.slots) as pool:
            return list(pool.map(self._complete, prompts))

    def perplexity_terms(self, prompt: str, grammar: str) -> list[float]:
        """Natural log-probabilities of the tokens of the one text that ``grammar`` allows.

        The engine reports them before the grammar is applied, so this is the model's own
        probability of a text that it is forced to write after ``prompt``.
        """
        self._load()
        reply = self._request(Prompt(prompt, grammar), n_probs=1)
        return [float(token["logprob"]) for token in reply["choices"][0]["logprobs"]["content"]]

    def provenance(self) -> dict[str, Any]:
        """Model, its hash, engine and the settings on which the text depends."""
        import xllamacpp

        path = self._model_path()
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return {
            "writer": self.name,
            "model": path.name,
            "model_sha256": digest,
            "engine": f"xllamacpp {xllamacpp.__version__}",
            "slots": self.options.slots,
            "threads": self._threads(),
            "note": "text depends on the number of slots; the stored draft is the record",
        }

    def _model_path(self) -> Path:
        if self.options.model is None:
            return next(assets.fetch("smollm2-135m").glob("*.gguf"))
        if not self.options.model.is_file():
            raise SyncxrError(f"writer model {self.options.model} does not exist; give a GGUF file")
        return self.options.model

    def _threads(self) -> int:
        return self.options.threads or len(os.sched_getaffinity(0))

    def _load(self) -> None:
        with self._lock:
            if self._server is not None:
                return
            import xllamacpp

            path = self._model_path()
            params = xllamacpp.CommonParams()
            params.model.path = str(path)
            params.n_parallel = self.options.slots
            params.n_ctx = self.options.slots * self.options.context
            params.cpuparams.n_threads = self._threads()
            params.cpuparams_batch.n_threads = self._threads()
            params.verbosity = 0
            params.warmup = False
            # Slots keep their own prompts; a second cache in memory gains nothing here.
            params.cache_ram_mib = 0
            try:
                self._server = xllamacpp.Server(params)
            except Exception as error:
                raise SyncxrError(f"llama.cpp cannot load {path}: {error}") from error

    def _complete(self, prompt: Prompt) -> Completion:
        reply = self._request(prompt)
        return Completion(reply["choices"][0]["text"], int(reply["usage"]["completion_tokens"]))

    def _request(self, prompt: Prompt, **more: Any) -> dict[str, Any]:
        request: dict[str, Any] = {
            "prompt": prompt.text,
            "max_tokens": prompt.max_tokens,
            "seed": prompt.seed % _SEEDS,
            "temperature": prompt.temperature,
            # Nothing but the temperature shapes the choice among what the grammar allows.
            "top_k": 0,
            "top_p": 1.0,
            "min_p": 0.0,
            **more,
        }
        if prompt.grammar is not None:
            request["grammar"] = self._pinned(prompt.grammar)
        reply: dict[str, Any] = self._server.handle_completions(request)
        if "choices" not in reply:
            raise SyncxrError(f"llama.cpp refused a prompt: {reply.get('error', reply)}")
        return reply

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
            f"{self._server.listening_address}/tokenize",
            json.dumps({"content": text}).encode(),
            {"Content-Type": "application/json"},
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=60) as reply:
            tokens: list[int] = json.load(reply)["tokens"]
        return tokens
