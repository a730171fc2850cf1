"""A vision-language model in this process as judge: transformers' own InternVL, for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from PIL import Image as Pillow
from transformers import AutoModelForImageTextToText, AutoProcessor

from syncxr.curation.answers import probability
from syncxr.curation.judge import HALF, QUESTIONS, Verdict, VerdictOptions, checked
from syncxr.curation.likeness import Likeness, SimilarityOptions
from syncxr.curation.questions import WORDING, load_wording
from syncxr.errors import SyncxrError
from syncxr.models import ModelOptions
from syncxr.resources import Resources
from syncxr.sample import Image


class LocalJudgeOptions(ModelOptions, VerdictOptions):
    """Options of the local judge, beside those of every model and of every judge.

    In a configuration::

        judge:
          name: transformers
          model: /models/InternVL3-8B-hf     # a model that transformers itself knows
          similarity: {features: rad-dino, model: /models/rad-dino}

    Attributes:
        questions: File with the words of the questions; the one in the package by default.
        similarity: Comparison with known-bad films; none by default.
        batch_size: None here: the six questions about one film are one batch.
    """

    batch_size: None = None
    questions: Path = WORDING
    similarity: SimilarityOptions | None = None


class LocalJudge:
    """Asks an image-text-to-text model of transformers the six questions: film first, then words.

    The six questions about one film are one batch, so that a verdict depends on its film alone.
    An answer is the probability of yes among yes and no as the next token, summed over their
    spellings.

    Args:
        options: See :class:`LocalJudgeOptions`.

    Raises:
        SyncxrError: The model is not there, unreadable questions, no bad films.
    """

    Options: ClassVar = LocalJudgeOptions
    name = "transformers"
    resources = Resources(gpus=1.0)

    def __init__(self, options: LocalJudgeOptions) -> None:
        options.check("config.json")
        options.place()
        self.options = options
        self._wording = load_wording(options.questions)
        self._likeness = Likeness(options.similarity) if options.similarity else None
        self._answered = False

    @cached_property
    def record(self) -> dict[str, Any]:
        """What the answers depend on."""
        return {
            **self.options.identity(),
            "dtype": str(self.options.precision()).removeprefix("torch."),
            "questions_sha256": self._wording.sha256,
            "similarity": self._likeness.record() if self._likeness else None,
        }

    def judge(self, images: Sequence[Image]) -> list[Verdict]:
        """One verdict a film, in order.

        Raises:
            SyncxrError: The model cannot be loaded or says neither yes nor no, or an image is not
                greyscale uint8.
        """
        films = [checked(image, index) for index, image in enumerate(images)]
        answers = [self._ask(film) for film in films]
        self._answered = self._answered or any(answers)
        if films and not self._answered:
            raise SyncxrError(
                f"judge 'transformers': {self.options.model} answers neither yes nor no; it must "
                "be tuned to follow instructions about images"
            )
        likeness = self._likeness
        similar: Sequence[float | None] = likeness(films) if likeness else [None] * len(films)
        limit = likeness.max_similarity if likeness else 1.0
        return [
            self.options.verdict(answer, HALF, value, limit)
            for answer, value in zip(answers, similar, strict=True)
        ]

    def _ask(self, film: Image) -> dict[str, float]:
        picture = Pillow.fromarray(np.repeat(film[..., None], 3, -1))
        texts = [self._prompt(self._wording.each(question)) for question in QUESTIONS]
        inputs = self._processor(
            images=[[picture]] * len(texts),
            text=texts,
            padding=True,
            add_special_tokens=False,  # The chat template has written them.
            return_tensors="pt",
        ).to(self._model.device, self._model.dtype)
        with torch.inference_mode():
            made = self._model.generate(
                **inputs,
                max_new_tokens=1,
                do_sample=False,
                output_logits=True,
                return_dict_in_generate=True,
            )
        rows = torch.log_softmax(made.logits[0].float(), -1).cpu().numpy()
        found = {q: self._probability(row) for q, row in zip(QUESTIONS, rows, strict=True)}
        return {question: value for question, value in found.items() if value is not None}

    def _prompt(self, text: str) -> str:
        content = [{"type": "image"}, {"type": "text", "text": text}]
        prompt: str = self._processor.apply_chat_template(
            [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=False
        )
        return prompt

    def _probability(self, logprobs: Any) -> float | None:
        return probability({text: float(logprobs[id]) for text, id in self._spellings.items()})

    @cached_property
    def _spellings(self) -> Mapping[str, int]:
        """Tokens that read yes or no, whatever their case and the spaces around them."""
        tokenizer = self._processor.tokenizer
        texts = {id: tokenizer.decode([id]) for id in tokenizer.get_vocab().values()}
        words = {id: text for id, text in texts.items() if text.strip().casefold() in ("yes", "no")}
        if not words:
            raise SyncxrError(f"{self.options.model} has no token for yes or no")
        # Two tokens may decode to one text; the id keeps them apart.
        return {text + " " * place: id for place, (id, text) in enumerate(words.items())}

    @cached_property
    def _processor(self) -> Any:
        processor = self.options.load(AutoProcessor.from_pretrained)
        # The next token must follow the question, not its padding.
        processor.tokenizer.padding_side = "left"
        return processor

    @cached_property
    def _model(self) -> Any:
        model = self.options.load(
            AutoModelForImageTextToText.from_pretrained, dtype=self.options.precision()
        )
        return model.eval().to(self.options.place())
