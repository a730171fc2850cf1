"""vLLM's offline engine, in this process: the fastest way to have one GPU machine write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import vllm
from pydantic import Field
from vllm import SamplingParams
from vllm.sampling_params import StructuredOutputsParams

from syncxr.models import ModelOptions
from syncxr.reports.writer import Completion, Prompt
from syncxr.resources import Resources


class VllmOptions(ModelOptions):
    """Options of :class:`VllmWriter`, beside those of every model.

    ``device`` and ``batch_size`` have no meaning here: vLLM takes the GPUs that it sees
    (``CUDA_VISIBLE_DEVICES``) and fills batches by itself.
    """

    tensor_parallel_size: int = Field(default=1, ge=1, description="GPUs that share the model.")
    max_model_len: int = Field(
        default=4096, ge=256, description="Longest prompt with its text, in tokens."
    )
    gpu_memory_utilization: float = Field(
        default=0.9, gt=0, le=1, description="Share of each GPU's memory that vLLM may take."
    )


class VllmWriter:
    """A model in vLLM (0.12 and later), asked for a whole shard at a time.

    Prompts are put into the model's own chat template where it has one. Grammars are kept by
    vLLM's structured outputs, which read the GBNF of this project as it is.

    Untested: no GPU was at hand where this was written, so no model has run here through vLLM.
    What was checked: vLLM 0.33's own ``SamplingParams`` and ``StructuredOutputsParams`` take what
    is passed here; ``LLM`` and ``RequestOutput`` have these arguments and fields in its sources;
    xgrammar, which vLLM decodes with, reads these grammars and accepts their texts.

    As YAML; vLLM is installed by itself (``pip install vllm``), as it pins its own torch::

        writer:
          name: vllm
          model: meta-llama/Llama-3.1-70B-Instruct   # with revision: its commit; or a folder
          revision: COMMIT
          tensor_parallel_size: 4
        drafting:
          strategy: two-step
          temperature: 0.7
    """

    Options = VllmOptions
    name = "vllm"
    resources = Resources(gpus=1.0, whole_machine=True)

    def __init__(self, options: VllmOptions) -> None:
        options.check("config.json")
        self.options = options
        self._engine: Any = None

    def write(self, prompts: Sequence[Prompt]) -> Iterator[Completion]:
        """One completion a prompt, in order, all when the last is written."""
        if not prompts:
            return
        engine = self._load()
        texts = [prompt.text for prompt in prompts]
        settings = [_sampling(prompt) for prompt in prompts]
        if engine.get_tokenizer().chat_template is None:
            outputs = engine.generate(texts, settings, use_tqdm=False)
        else:
            messages = [[{"role": "user", "content": text}] for text in texts]
            outputs = engine.chat(messages, settings, use_tqdm=False)
        for prompt, output in zip(prompts, outputs, strict=True):
            yield _completion(prompt, output.outputs[0])

    def provenance(self) -> dict[str, Any]:
        """Model, engine and the settings on which the text depends."""
        return {
            "writer": self.name,
            **self.options.identity(),
            "engine": f"vllm {vllm.__version__}",
            "dtype": self.options.dtype,
            "tensor_parallel_size": self.options.tensor_parallel_size,
            "note": "text may depend on what is batched together; the stored draft is the record",
        }

    def _load(self) -> Any:
        if self._engine is None:
            self._engine = self.options.load(
                vllm.LLM,
                dtype=self.options.dtype,
                tensor_parallel_size=self.options.tensor_parallel_size,
                max_model_len=self.options.max_model_len,
                gpu_memory_utilization=self.options.gpu_memory_utilization,
                # Prompts share long beginnings.
                enable_prefix_caching=True,
            )
        return self._engine


def _sampling(prompt: Prompt) -> SamplingParams:
    grammar = prompt.grammar
    return SamplingParams(
        temperature=prompt.temperature,
        seed=prompt.seed,
        max_tokens=prompt.max_tokens,
        stop=list(prompt.stop),
        structured_outputs=StructuredOutputsParams(grammar=grammar.gbnf()) if grammar else None,
    )


def _completion(prompt: Prompt, output: Any) -> Completion:
    faults = []
    if output.finish_reason == "length":
        faults.append(f"cut off at {prompt.max_tokens} tokens")
    elif prompt.grammar is not None and not prompt.grammar.accepts(output.text):
        faults.append("the text does not obey the grammar")
    return Completion(output.text, len(output.token_ids), "; ".join(faults))
