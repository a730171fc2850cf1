import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncxr.chat.messages import ChatReply, Token
from syncxr.curation.answers import of_object, of_reply, parsed, probability
from syncxr.curation.judge import QUESTIONS


def logs(**mass: float) -> dict[str, float]:
    return {text: math.log(value) for text, value in mass.items()}


def test_spellings_are_summed_and_normalised() -> None:
    likely = {"Yes": 0.3, " yes": 0.1, "▁YES": 0.05, "No": 0.2, '"no"': 0.1, "The": 0.2}
    found = probability({text: math.log(value) for text, value in likely.items()})
    assert found == pytest.approx(0.45 / 0.75)


@pytest.mark.parametrize("other", ["yesterday", "nothing", "none", "not", "y", "n", ""])
def test_other_words_are_neither(other: str) -> None:
    assert probability(logs(**{other: 0.9, "yes": 0.05})) is None
    assert probability({other: math.log(0.3), "yes": math.log(0.6)}) == 1.0


@given(st.floats(0.01, 0.99), st.floats(0.51, 1.0))
def test_probability_is_the_share_of_yes(share: float, mass: float) -> None:
    likely = {"yes": math.log(share * mass), "no": math.log((1 - share) * mass)}
    assert probability(likely) == pytest.approx(share)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("yes", 1.0),
        ("No.", 0.0),
        (" **Yes**, it is a chest film.", 1.0),
        ("NO", 0.0),
        ("It is.", None),
        ("", None),
        ("Yes or no? Hard to say.", None),
        ("nothing", None),
        ("Not a chest film", None),
    ],
)
def test_words(text: str, answer: float | None) -> None:
    assert parsed(text) == answer


def test_the_first_token_that_is_a_word_counts() -> None:
    tokens = (
        Token("\n", 0.0, {"\n": 0.0}),
        Token("No", math.log(0.4), {"Yes": math.log(0.2), "The": math.log(0.4)}),
    )
    assert of_reply(ChatReply("\nNo", "stop", 2, tokens)) == pytest.approx(1 / 3)


def test_the_word_stands_in_where_log_probabilities_are_about_something_else() -> None:
    token = Token("No", math.log(0.1), {"The": math.log(0.9)})
    assert of_reply(ChatReply("No", "stop", 1, (token,))) == 0.0
    assert of_reply(ChatReply("Maybe", "stop", 1, (token,))) is None


def sure(text: str) -> Token:
    return Token(text, 0.0, {text: 0.0})


def test_answers_of_an_object_are_read_at_their_own_tokens() -> None:
    """Tokens may begin before the word and end behind it."""
    chances = dict(zip(QUESTIONS, (0.9, 0.2, 0.7, 0.6, 0.4, 0.55), strict=True))
    said = {name: "yes" if chance > 0.5 else "no" for name, chance in chances.items()}
    tokens = [sure("{")]
    for name, chance in chances.items():
        last = name == "fidelity"
        shapes = ('"{}', '"') if name in ("chest", "quality") else (' "{}",'[1:], "")
        close = "" if last else ", "
        tokens += [sure(f'"{name}'), sure('": ')]
        word, after = shapes[0].removesuffix(","), shapes[1] or ""
        tokens.append(
            Token(
                word.format(said[name]),
                0.0,
                {
                    word.format("yes"): math.log(chance),
                    word.format("no"): math.log(1 - chance),
                },
            )
        )
        tokens += [sure(after), sure(close)]
    tokens.append(sure("}"))
    text = "".join(token.text for token in tokens)
    assert json.loads(text) == said
    found = of_object(ChatReply(text, "stop", 9, tuple(tokens)))
    assert found == pytest.approx(chances)
    assert of_object(ChatReply(text, "stop", 9)) == {n: float(s == "yes") for n, s in said.items()}


@pytest.mark.parametrize("text", ["", "[1]", '{"chest": ', '"yes"'])
def test_what_is_no_object_answers_nothing(text: str) -> None:
    assert of_object(ChatReply(text, "stop", 1)) == {}


def test_an_unclear_word_leaves_its_question_out() -> None:
    said = dict.fromkeys(QUESTIONS, "yes") | {"human": "perhaps"}
    found = of_object(ChatReply(json.dumps(said), "stop", 1))
    assert set(found) == set(QUESTIONS) - {"human"}
