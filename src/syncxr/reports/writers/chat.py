"""Any model behind an OpenAI-compatible chat server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from syncxr.chat.messages import ChatFailure, ChatRequest, text_message
from syncxr.chat.options import ChatOptions
from syncxr.chat.server import ChatServer
from syncxr.reports.writer import Completion, Prompt
from syncxr.resources import Resources


class ChatWriter:
    """A model behind vLLM, llama.cpp's server, TGI, SGLang or a hosted service.

    Each prompt is one message of the user. What else shapes the sampling (top-p, top-k) is as the
    server was set up to do it, as its model's makers advise. Grammars are sent where the engine
    takes them, and a reply that does not obey is asked for again.

    As YAML, with a server that ``vllm serve`` or ``llama-server`` has started::

        writer:
          name: chat
          base_url: http://localhost:8000/v1
          model: meta-llama/Llama-3.1-70B-Instruct
          engine: vllm
          concurrency: 64
        drafting:
          strategy: two-step
          temperature: 0.7
    """

    Options = ChatOptions
    name = "chat"
    resources = Resources(waits=True)

    def __init__(self, options: ChatOptions) -> None:
        self._server = ChatServer(options)

    @property
    def sends_to(self) -> tuple[str, ...]:
        """Where prompts go."""
        return self._server.sends_to

    def write(self, prompts: Sequence[Prompt]) -> Iterator[Completion]:
        """One completion a prompt, in order, as they come.

        Raises:
            SyncxrError: The server cannot be used, or takes no grammar.
        """
        for reply in self._server.ask(map(_request, prompts)):
            if isinstance(reply, ChatFailure):
                yield Completion("", 0, reply.reason)
            else:
                yield Completion(reply.text, reply.tokens, prompt_tokens=reply.prompt_tokens)

    def provenance(self) -> dict[str, Any]:
        """The model; where it was reached is no property of the text."""
        return {
            "writer": self.name,
            "model": self._server.options.model,
            "engine": self._server.options.engine,
            "note": "text may depend on the server and its load; the stored draft is the record",
        }


def _request(prompt: Prompt) -> ChatRequest:
    return ChatRequest(
        [text_message(prompt.text)],
        max_tokens=prompt.max_tokens,
        temperature=prompt.temperature,
        seed=prompt.seed,
        stop=prompt.stop,
        grammar=prompt.grammar,
    )
