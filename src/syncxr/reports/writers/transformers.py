"""Any causal language model of the transformers library, in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
import transformers
from transformers import LogitsProcessor, LogitsProcessorList

from syncxr.errors import SyncxrError
from syncxr.models import ModelOptions
from syncxr.reports.writer import Completion, Prompt
from syncxr.resources import Resources


class TransformersWriter:
    """A model in the layout of the Hugging Face libraries, asked in batches.

    Prompts are put into the model's own chat template where it has one, and are padded on the
    left. Every prompt draws from its own random numbers, one a token, so that what is drawn does
    not depend on the batch; the probabilities do, in their last digits, and with them, now and
    then, a word. Grammars are not supported: draft in two steps.

    As YAML::

        writer:
          name: transformers
          model: meta-llama/Llama-3.1-8B-Instruct   # with revision: its commit; or a folder
          revision: COMMIT
          dtype: bfloat16
          batch_size: 16
        drafting:
          strategy: two-step
          temperature: 0.7
    """

    Options = ModelOptions
    name = "transformers"
    resources = Resources(gpus=1.0, whole_machine=True)

    def __init__(self, options: ModelOptions) -> None:
        options.check("config.json")
        self.options = options
        self._model: Any = None
        self._tokenizer: Any = None

    def write(self, prompts: Sequence[Prompt]) -> Iterator[Completion]:
        """One completion a prompt, in order, batch by batch.

        Raises:
            SyncxrError: The model cannot be loaded, or a prompt comes with a grammar.
        """
        if any(prompt.grammar is not None for prompt in prompts):
            raise SyncxrError(
                "writer 'transformers' takes no grammar; set drafting: {strategy: two-step}"
            )
        self._load()
        size = self.options.at_once()
        for start in range(0, len(prompts), size):
            yield from self._batch(prompts[start : start + size])

    def provenance(self) -> dict[str, Any]:
        """Model, library, precision and the settings on which the text depends."""
        return {
            "writer": self.name,
            **self.options.identity(),
            "engine": f"transformers {transformers.__version__}, torch {torch.__version__}",
            "device": self.options.place().type,
            "dtype": str(self.options.precision()).removeprefix("torch."),
            "batch_size": self.options.at_once(),
            "note": "random numbers belong to the prompt, but the last digits of probabilities "
            "depend on the batch; the stored draft is the record",
        }

    def _load(self) -> None:
        if self._model is not None:
            return
        self._tokenizer = self.options.load(
            transformers.AutoTokenizer.from_pretrained, padding_side="left"
        )
        if self._tokenizer.pad_token_id is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        model = self.options.load(
            transformers.AutoModelForCausalLM.from_pretrained, dtype=self.options.precision()
        )
        self._model = model.eval().to(self.options.place())

    def _batch(self, prompts: Sequence[Prompt]) -> Iterator[Completion]:
        inputs = self._inputs([prompt.text for prompt in prompts])
        stops = sorted({stop for prompt in prompts for stop in prompt.stop})
        with torch.inference_mode():
            output = self._model.generate(
                **inputs,
                max_new_tokens=max(prompt.max_tokens for prompt in prompts),
                # Drawn by the processor, which leaves one token to be the likeliest.
                do_sample=False,
                temperature=None,
                top_p=None,
                top_k=None,
                logits_processor=LogitsProcessorList([Draws(prompts)]),
                pad_token_id=self._tokenizer.pad_token_id,
                **({"stop_strings": stops, "tokenizer": self._tokenizer} if stops else {}),
            )
        written = output[:, inputs["input_ids"].shape[1] :].tolist()
        read = inputs["attention_mask"].sum(1).tolist()
        for prompt, tokens, length in zip(prompts, written, read, strict=True):
            yield replace(self._completion(prompt, tokens), prompt_tokens=length)

    def _inputs(self, texts: list[str]) -> Any:
        templated = self._tokenizer.chat_template is not None
        if templated:
            texts = [
                self._tokenizer.apply_chat_template(
                    [{"role": "user", "content": text}], add_generation_prompt=True, tokenize=False
                )
                for text in texts
            ]
        # A template writes the special tokens itself.
        inputs = self._tokenizer(
            texts, padding=True, add_special_tokens=not templated, return_tensors="pt"
        )
        inputs.pop("token_type_ids", None)
        return inputs.to(self._model.device)

    def _completion(self, prompt: Prompt, tokens: list[int]) -> Completion:
        """What was written up to the end, the stop or the limit, whichever came first."""
        ends = self._ends()
        end = next((at for at, token in enumerate(tokens) if token in ends), len(tokens))
        kept = tokens[: min(end, prompt.max_tokens)]
        text = self._tokenizer.decode(kept, skip_special_tokens=True)
        stops = [at for stop in prompt.stop if (at := text.find(stop)) >= 0]
        cut = not stops and end >= prompt.max_tokens
        return Completion(
            text[: min(stops, default=len(text))],
            len(kept),
            f"cut off at {prompt.max_tokens} tokens" if cut else "",
        )

    def _ends(self) -> set[int]:
        named = self._model.generation_config.eos_token_id
        ends = named if isinstance(named, list) else [named]
        return {*ends, self._tokenizer.eos_token_id, self._tokenizer.pad_token_id}


class Draws(LogitsProcessor):  # type: ignore[misc]
    """Draws the next token of each row from the row's own random numbers.

    By inversion of the cumulative distribution: one number in [0, 1) a token, whatever else is in
    the batch.
    """

    def __init__(self, prompts: Sequence[Prompt]) -> None:
        self._temperatures = torch.tensor([[prompt.temperature] for prompt in prompts])
        self._numbers = [np.random.default_rng(prompt.seed) for prompt in prompts]

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Scores, shape (B, V), with one token of each row left.

        Args:
            input_ids: Tokens so far, shape (B, T).
            scores: Logits, shape (B, V).
        """
        temperatures = self._temperatures.to(scores.device)
        greedy = temperatures == 0
        warm = scores.float() / temperatures.masked_fill(greedy, 1.0)
        cumulative = warm.softmax(-1).cumsum(-1)
        numbers = torch.tensor([[rng.random()] for rng in self._numbers], dtype=torch.float32)
        # Rounding leaves the sum a little off one.
        numbers = numbers.to(scores.device) * cumulative[:, -1:]
        drawn = torch.searchsorted(cumulative, numbers, right=True).clamp(max=scores.shape[-1] - 1)
        chosen = torch.where(greedy, scores.argmax(-1, keepdim=True), drawn)
        return torch.full_like(scores, -torch.inf).scatter(1, chosen, 0.0)
