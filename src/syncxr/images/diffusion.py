"""Films by any text-to-image pipeline of diffusers: RoentGen (Stable Diffusion), Sana, PixArt."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from diffusers import DiffusionPipeline
from diffusers import __version__ as diffusers_version
from diffusers.utils import logging as diffusers_logging
from packaging.version import Version
from PIL import Image as Pillow
from pydantic import Field

from syncxr.errors import SyncxrError
from syncxr.images.prompts import Prompt, Window, fit, windows_of
from syncxr.images.renderer import Film, RenderRequest
from syncxr.models import ModelOptions, full_batches
from syncxr.resources import Resources
from syncxr.sample import Entity, Image

_OURS = ("prompt", "generator", "output_type", "return_dict", "num_images_per_prompt", "latents")
"""Arguments of a pipeline that the renderer itself decides."""

_DTYPE = "dtype" if Version(diffusers_version) >= Version("0.42") else "torch_dtype"
"""What from_pretrained calls the precision: the old name is on its way out of diffusers."""


class DiffusionOptions(ModelOptions):
    """Options of the diffusion renderer, beside those of every model (folder, device, …).

    In a configuration::

        renderer:
          name: diffusion
          model: /models/RoentGen-v2      # a folder that save_pretrained wrote, or a hub id
          steps: 75
          guidance: 4.0
          size: 512

    Attributes:
        steps: Denoising steps; the pipeline's own number by default.
        guidance: Classifier-free guidance scale; the pipeline's own by default.
        size: Height and width at which films are made, pixels; the pipeline's own by default.
        film_size: Height and width of the film kept, if it is to be another.
        sections: What the prompt is made of: ``"both"`` is IMPRESSION, then as much of FINDINGS
            as the text encoder reads; ``"impression"`` is the paper's.
        prefix: Words before every prompt.
        negative_prompt: What the films should not show, for pipelines that take one.
        variant: Which of several stored precisions to read, e.g. ``"fp16"``.
        compile: Compile the denoiser: slow to start, then faster on a GPU.
        arguments: Further arguments of the pipeline's call, by their names there.
    """

    steps: int | None = Field(default=None, ge=1)
    guidance: float | None = Field(default=None, ge=0)
    size: int | None = Field(default=None, ge=16)
    film_size: int | None = Field(default=None, ge=16)
    sections: Literal["both", "impression"] = "both"
    prefix: str = ""
    negative_prompt: str = ""
    variant: str | None = None
    compile: bool = False
    arguments: dict[str, Any] = Field(default_factory=dict)


class DiffusionRenderer:
    """Renders reports with a pretrained text-to-image pipeline.

    Each film starts from noise of its own generator, drawn on the processor, so that it is the
    same noise on any device and in any batch. Batches are always full, see
    :func:`syncxr.models.full_batches`. The pipeline's safety checker, made for photographs, is
    left out.

    Args:
        options: See :class:`DiffusionOptions`.

    Raises:
        SyncxrError: The model is not there, or there is no such device.
    """

    Options: ClassVar = DiffusionOptions
    name = "diffusion"
    resources = Resources(gpus=1.0)

    def __init__(self, options: DiffusionOptions) -> None:
        options.check(DiffusionPipeline.config_name)
        options.place()
        self.options = options

    def shows(self, entity: Entity) -> bool:
        """Always: whatever can be said can be asked for; whether it is shown, nobody knows."""
        return True

    def render(self, requests: Sequence[RenderRequest]) -> list[Film]:
        """One film a request, in order.

        Raises:
            SyncxrError: The model cannot be loaded, does not fit into memory, refuses an option,
                or gives no numbers.
        """
        films: list[Film] = []
        for batch, count in full_batches(requests, self.options.at_once()):
            films += self._render(batch)[:count]
        return films

    def prompt(self, request: RenderRequest) -> Prompt:
        """What the pipeline is told of a report."""
        sections = {"impression": request.impression, "findings": request.findings}
        if self.options.sections == "impression" and request.impression:
            del sections["findings"]
        return fit(sections, self._windows, self.options.prefix)

    def _render(self, requests: Sequence[RenderRequest]) -> list[Film]:
        prompts = [self.prompt(request) for request in requests]
        generators = [torch.Generator("cpu").manual_seed(request.seed) for request in requests]
        try:
            with torch.inference_mode():
                pictures = self._pipeline(
                    prompt=[prompt.text for prompt in prompts],
                    generator=generators,
                    output_type="np",
                    **self._arguments,
                ).images
        except torch.OutOfMemoryError as error:
            raise SyncxrError(
                f"{len(requests)} films at once do not fit on {self.options.place()}; lower the "
                "renderer's batch_size"
            ) from error
        except ValueError as error:
            raise SyncxrError(f"renderer 'diffusion', {self.options.model}: {error}") from error
        return [
            self._film(picture, prompt, request.seed)
            for picture, prompt, request in zip(pictures, prompts, requests, strict=True)
        ]

    def _film(self, picture: Any, prompt: Prompt, seed: int) -> Film:
        if not np.isfinite(picture).all():
            raise SyncxrError(
                f"{self.options.model} gave a film of no numbers in {self._record['dtype']}; set "
                "dtype: bfloat16 or float32"
            )
        image = _grey(picture)
        made = list(image.shape)
        if self.options.film_size:
            image = _resized(image, self.options.film_size)
        return Film(
            image,
            parameters={
                **self._record,
                **prompt.to_dict(),
                "seed": seed,
                "made_at": made,
                "resized_to": list(image.shape) if self.options.film_size else None,
            },
        )

    @cached_property
    def _pipeline(self) -> Any:
        options = self.options
        diffusers_logging.disable_progress_bar()
        stored = options.load(DiffusionPipeline.load_config)
        extra: dict[str, Any] = {"variant": options.variant} if options.variant else {}
        if "safety_checker" in stored:
            extra["safety_checker"] = None
        pipeline = options.load(
            DiffusionPipeline.from_pretrained,
            **{_DTYPE: options.precision("float16" if "unet" in stored else "bfloat16")},
            **extra,
        ).to(options.place())
        pipeline.set_progress_bar_config(disable=True)
        if options.compile:
            _denoiser(pipeline).compile()
        return pipeline

    @cached_property
    def _arguments(self) -> dict[str, Any]:
        """What every call of the pipeline is given."""
        options = self.options
        taken = inspect.signature(type(self._pipeline).__call__).parameters
        for name in options.arguments:
            if name not in taken or name in _OURS:
                raise SyncxrError(
                    f"renderer 'diffusion', option 'arguments': {name!r} cannot be given to "
                    f"{type(self._pipeline).__name__}"
                )
        chosen: dict[str, Any] = {
            "num_inference_steps": options.steps,
            "guidance_scale": options.guidance,
            "height": options.size,
            "width": options.size,
        }
        chosen = {name: value for name, value in chosen.items() if value is not None}
        # Both would change what was asked for: the words of the prompt, the size of the film.
        plain: dict[str, Any] = {"clean_caption": False, "use_resolution_binning": False}
        plain = {name: value for name, value in plain.items() if name in taken}
        if options.negative_prompt:
            # One a film: Stable Diffusion wants as many as there are prompts.
            plain["negative_prompt"] = [options.negative_prompt] * options.at_once()
        return {**plain, **chosen, **options.arguments}

    @cached_property
    def _windows(self) -> Mapping[str, Window]:
        taken = inspect.signature(type(self._pipeline).__call__).parameters
        defaults = {name: value.default for name, value in taken.items()}
        return windows_of(self._pipeline, {**defaults, **self._arguments})

    @cached_property
    def _record(self) -> dict[str, Any]:
        """What every film of this renderer shares, JSON values."""
        device = self.options.place().type
        return {
            **self.options.identity(),
            "pipeline": type(self._pipeline).__name__,
            "scheduler": type(self._pipeline.scheduler).__name__,
            "dtype": str(_denoiser(self._pipeline).dtype).removeprefix("torch."),
            "device": device,
            "batch_size": self.options.at_once(),
            # Kernels of a GPU add in an order of their own; those of a processor may look at the
            # place in a batch.
            "deterministic": device == "cpu" and self.options.at_once() == 1,
            "arguments": self._arguments,
        }


def _denoiser(pipeline: Any) -> torch.nn.Module:
    found = getattr(pipeline, "unet", None)
    module: torch.nn.Module = pipeline.transformer if found is None else found
    return module


def _grey(picture: Any) -> Image:
    """Mean of the colours of a picture in [0, 1], (H, W, 3), as 8-bit grey."""
    grey: Image = (picture.astype(np.float64).mean(-1) * 255).round().astype(np.uint8)
    return grey


def _resized(image: Image, size: int) -> Image:
    resized = Pillow.fromarray(image).resize((size, size), Pillow.Resampling.LANCZOS)
    return np.asarray(resized, np.uint8)
