"""A vision chat model behind an OpenAI-compatible server as judge: InternVL on vLLM, for one."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar, Literal, TypeVar

from PIL import Image as Pillow
from pydantic import BaseModel, ConfigDict, Field, create_model

from syncxr.chat.messages import ChatFailure, ChatReply, ChatRequest, image_message
from syncxr.chat.options import ChatOptions
from syncxr.chat.server import ChatServer
from syncxr.curation.answers import of_object, of_reply
from syncxr.curation.judge import HALF, QUESTIONS, Verdict, VerdictOptions, checked
from syncxr.curation.likeness import Likeness, SimilarityOptions
from syncxr.curation.questions import WORDING, Wording, load_wording
from syncxr.errors import SyncxrError
from syncxr.resources import Resources
from syncxr.sample import Image

K = TypeVar("K")
V = TypeVar("V")

_SPELLINGS = ("yes", "no", "Yes", "No", "Yes.", "No.")

_OBJECT_TOKENS = 160
"""Six keys with their answers take about 60 tokens."""


class ChatJudgeOptions(ChatOptions, VerdictOptions):
    """Options of the chat judge, beside those of the server and of every judge.

    In a configuration::

        judge:
          name: chat
          base_url: http://localhost:8000/v1
          model: OpenGVLab/InternVL3-38B
          engine: vllm
          similarity: {features: rad-dino, model: /models/rad-dino, bad_films: /data/bad-films}

    Attributes:
        ask: ``"each"``: one call a question. ``"all"``: one call a film, answered by one JSON
            object; six times fewer calls, but answers may lean on one another
            (``syncxr agreement`` measures how much).
        logprobs: Ask for the log-probabilities of yes and no; without them, answers are 1 or 0.
        questions: File with the words of the questions; the one in the package by default.
        similarity: Comparison with known-bad films; none by default.
    """

    ask: Literal["each", "all"] = "each"
    logprobs: bool = True
    questions: Path = WORDING
    similarity: SimilarityOptions | None = None


class _Object(BaseModel):
    model_config = ConfigDict(extra="forbid")


_fields: dict[str, Any] = {name: (Literal["yes", "no"], Field(...)) for name in QUESTIONS}
SixAnswers: type[BaseModel] = create_model("SixAnswers", __base__=_Object, **_fields)
"""Form of a reply to all questions at once."""


class ChatJudge:
    """Asks a vision chat model the six questions: the film first, then the words.

    An answer is the probability of yes among yes and no, from the likeliest first tokens; where
    the server reports none, or they are about something else, it is the word that was said, 1 or
    0. What is neither yes nor no is asked again, with the reply held to these words where the
    server can do that, and at a higher temperature. A question still without an answer refuses its
    film (``unanswered``), and a model that has never given one ends the run.

    Args:
        options: See :class:`ChatJudgeOptions`.

    Raises:
        SyncxrError: No server address, no key, unreadable questions, no bad films.
    """

    Options: ClassVar = ChatJudgeOptions
    name = "chat"
    resources = Resources(waits=True)

    def __init__(self, options: ChatJudgeOptions) -> None:
        self.options = options
        self._server = ChatServer(_server_options(options))
        self._wording: Wording = load_wording(options.questions)
        self._likeness = Likeness(options.similarity) if options.similarity else None
        # Several shards may be judged at a time; models are not made for that.
        self._comparing = Lock()
        self._answered = False

    @property
    def sends_to(self) -> tuple[str, ...]:
        """Where films go."""
        return self._server.sends_to

    @cached_property
    def record(self) -> dict[str, Any]:
        """What the answers depend on; not the address, which may change from day to day."""
        with self._comparing:
            similarity = self._likeness.record() if self._likeness else None
        return {
            "model": self.options.model,
            "ask": self.options.ask,
            "questions_sha256": self._wording.sha256,
            "similarity": similarity,
        }

    def judge(self, images: Sequence[Image]) -> list[Verdict]:
        """One verdict a film, in order.

        Raises:
            SyncxrError: The server cannot be used, the model has never answered yes or no, or an
                image is not greyscale uint8.
        """
        films = [_png(checked(image, index)) for index, image in enumerate(images)]
        answers = self._all(films) if self.options.ask == "all" else self._each(films)
        return [
            self.options.verdict(
                answer, HALF, value, self._likeness.max_similarity if self._likeness else 1.0
            )
            for answer, value in zip(answers, self._similarities(images), strict=True)
        ]

    def _similarities(self, images: Sequence[Image]) -> Sequence[float | None]:
        if self._likeness is None:
            return [None] * len(images)
        with self._comparing:
            return self._likeness(images)

    def _each(self, films: Sequence[bytes]) -> list[dict[str, float]]:
        def request(place: tuple[int, str], again: bool) -> ChatRequest:
            film, question = place
            # The first token tells how likely yes is, whatever a wordy model adds to it.
            return ChatRequest(
                [image_message([films[film]], self._wording.each(question))],
                max_tokens=8 if again else 1,
                temperature=1.0 if again else 0.0,
                choices=_SPELLINGS if again else (),
                top_logprobs=self._top,
            )

        places = [(film, question) for film in range(len(films)) for question in QUESTIONS]
        answers: list[dict[str, float]] = [{} for _ in films]
        for (film, question), answer in self._ask(places, request, of_reply).items():
            answers[film][question] = answer
        return answers

    def _all(self, films: Sequence[bytes]) -> list[dict[str, float]]:
        def request(film: int, again: bool) -> ChatRequest:
            return ChatRequest(
                [image_message([films[film]], self._wording.all())],
                max_tokens=_OBJECT_TOKENS,
                temperature=1.0 if again else 0.0,
                schema=SixAnswers,
                top_logprobs=self._top,
            )

        found = self._ask(range(len(films)), request, lambda reply: of_object(reply) or None)
        return [found.get(film, {}) for film in range(len(films))]

    def _ask(
        self,
        places: Sequence[K],
        request: Callable[[K, bool], ChatRequest],
        read: Callable[[ChatReply], V | None],
    ) -> dict[K, V]:
        """What was answered at each place; a place without a usable answer is asked once more.

        Raises:
            SyncxrError: No question has ever been answered: every film would be refused.
        """
        answers: dict[K, V] = {}
        failures: list[str] = []
        for again in (False, True):
            wanted = [place for place in places if place not in answers]
            failures = []
            replies = self._server.ask(request(place, again) for place in wanted)
            for place, reply in zip(wanted, replies, strict=True):
                found = None if isinstance(reply, ChatFailure) else read(reply)
                if found is None:
                    failures.append(_said(reply))
                else:
                    answers[place] = found
        self._answered = self._answered or bool(answers)
        if failures and not self._answered:
            raise SyncxrError(
                f"judge 'chat': model {self.options.model!r} gives no answers ({failures[0]}); it "
                "must see images and say yes or no, with any thinking switched off"
            )
        return answers

    @property
    def _top(self) -> int:
        return 20 if self.options.logprobs else 0


def _server_options(options: ChatJudgeOptions) -> ChatOptions:
    return ChatOptions(**{name: getattr(options, name) for name in ChatOptions.model_fields})


def _said(reply: ChatReply | ChatFailure) -> str:
    return f"it says {reply.text!r}" if isinstance(reply, ChatReply) else reply.reason


def _png(film: Image) -> bytes:
    # Not encode_png of datasets, which marks what it writes as synthetic: films may be real.
    buffer = io.BytesIO()
    Pillow.fromarray(film).save(buffer, format="PNG")
    return buffer.getvalue()
