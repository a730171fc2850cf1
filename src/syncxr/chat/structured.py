"""The form of a reply: what the server is asked to keep to, and whether the reply does.

Servers differ in what they offer and some ignore fields that they do not know, so whatever was
asked for, the reply is checked here.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import ValidationError

from syncxr.chat.messages import ChatRequest
from syncxr.chat.options import Engine
from syncxr.errors import SyncxrError


def structured_fields(request: ChatRequest, engine: Engine) -> dict[str, Any]:
    """Fields of the request's body that ask for its form.

    Raises:
        SyncxrError: The engine offers no grammars, so that hardly any reply would pass.
    """
    if request.schema is not None:
        schema = {"name": request.schema.__name__, "schema": request.schema.model_json_schema()}
        return {"response_format": {"type": "json_schema", "json_schema": schema}}
    if engine == "openai":
        if request.grammar is not None:
            raise SyncxrError(
                "engine 'openai' takes no grammar; say engine: llamacpp or engine: vllm if the "
                "server is one of them, or draft without a grammar"
            )
        return {}
    if request.grammar is not None:
        return _grammar_field(request.grammar.gbnf(), engine)
    if request.choices:
        if engine == "vllm":
            return {"structured_outputs": {"choice": list(request.choices)}}
        # JSON escapes what GBNF has to escape as well.
        words = " | ".join(json.dumps(choice) for choice in request.choices)
        return _grammar_field(f"root ::= {words}\n", engine)
    return {}


def _grammar_field(grammar: str, engine: Engine) -> dict[str, Any]:
    # The names of vLLM 0.12 and later; llama.cpp has a field of its own.
    if engine == "vllm":
        return {"structured_outputs": {"grammar": grammar}}
    return {"grammar": grammar}


def complaint(request: ChatRequest, text: str) -> str:
    """What is wrong with the form of a reply; ``""`` = nothing."""
    if not text.strip():
        return "the reply is empty"
    if request.schema is not None:
        return _schema_complaint(request, text)
    if request.grammar is not None and not _obeys(request, text):
        return "the reply does not obey the grammar"
    if request.choices and text.strip() not in request.choices:
        return f"the reply is none of {', '.join(request.choices)}"
    return ""


def _schema_complaint(request: ChatRequest, text: str) -> str:
    assert request.schema is not None
    try:
        request.schema.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        return f"the reply is not the JSON asked for: {where + ': ' if where else ''}{first['msg']}"
    return ""


def _obeys(request: ChatRequest, text: str) -> bool:
    # Some servers strip the space with which a reply begins.
    assert request.grammar is not None
    return request.grammar.accepts(text) or request.grammar.accepts(f" {text.strip()}")
