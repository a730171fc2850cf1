"""What is asked of each kind of server, and what is believed of its reply."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from syncxr.chat.messages import ChatRequest, text_message
from syncxr.chat.structured import complaint, structured_fields
from syncxr.errors import SyncxrError
from syncxr.reports.grammar import Grammar, parse

ASK = [text_message("?")]
GRAMMAR = Grammar(parse("(small|large) effusion."))


class Answer(BaseModel):
    frontal: bool


def test_names_of_vllm() -> None:
    assert structured_fields(ChatRequest(ASK, grammar=GRAMMAR), "vllm") == {
        "structured_outputs": {"grammar": GRAMMAR.gbnf()}
    }
    assert structured_fields(ChatRequest(ASK, choices=("yes", "no")), "vllm") == {
        "structured_outputs": {"choice": ["yes", "no"]}
    }


def test_names_of_llamacpp() -> None:
    assert structured_fields(ChatRequest(ASK, grammar=GRAMMAR), "llamacpp") == {
        "grammar": GRAMMAR.gbnf()
    }
    assert structured_fields(ChatRequest(ASK, choices=("yes", 'a "b"')), "llamacpp") == {
        "grammar": 'root ::= "yes" | "a \\"b\\""\n'
    }


@pytest.mark.parametrize("engine", ["openai", "vllm", "llamacpp"])
def test_schemas_are_asked_for_in_the_same_way_everywhere(engine: str) -> None:
    fields = structured_fields(ChatRequest(ASK, schema=Answer), engine)  # type: ignore[arg-type]
    form = fields["response_format"]
    assert form["type"] == "json_schema" and form["json_schema"]["name"] == "Answer"
    assert form["json_schema"]["schema"]["properties"]["frontal"]["type"] == "boolean"


def test_a_plain_server_gets_no_field_that_it_does_not_know() -> None:
    assert structured_fields(ChatRequest(ASK, choices=("yes", "no")), "openai") == {}
    with pytest.raises(SyncxrError, match="takes no grammar"):
        structured_fields(ChatRequest(ASK, grammar=GRAMMAR), "openai")


def test_only_one_form_at_a_time() -> None:
    with pytest.raises(ValueError, match="only one"):
        ChatRequest(ASK, grammar=GRAMMAR, choices=("yes",))


@pytest.mark.parametrize("text", [" small effusion.", "small effusion.", " large effusion. "])
def test_replies_that_obey(text: str) -> None:
    assert complaint(ChatRequest(ASK, grammar=GRAMMAR), text) == ""


@given(st.text())
def test_replies_that_do_not_obey(text: str) -> None:
    assert complaint(ChatRequest(ASK, grammar=GRAMMAR), text)
    assert complaint(ChatRequest(ASK, schema=Answer), text)
    assert complaint(ChatRequest(ASK, choices=("yes, it is", "no, it is not")), text)
