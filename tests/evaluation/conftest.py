"""Models that need no training and read their answer off the pixels they are given.

Films carry a watermark that survives resizing, equalisation and being written to a file: one block
a finding along the top edge, white where the finding is there. Lesions are painted in a grey of
their own each. So a score of 1 says that films, labels, masks, prompts and findings arrive
together, through every step between the file and the table.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Pillow

from syncxr.pretraining.preprocessing import Preprocessing
from syncxr.pretraining.prompt import Prompt
from syncxr.sample import Image

FINDINGS = ("nodule", "pleural effusion", "pneumonia", "pneumothorax")
BLOCK = 1 / len(FINDINGS)
BAND = 1 / 8


def paint(
    shown: Iterable[str],
    size: tuple[int, int] = (160, 144),
    boxes: Mapping[str, tuple[int, int, int, int]] | None = None,
    seed: int = 0,
) -> Image:
    """A film of noise in 60 to 120 with a watermark, and lesions (x, y, w, h) in 200, 201, …."""
    height, width = size
    film = np.random.default_rng(seed).integers(60, 120, size).astype(np.uint8)
    film[: int(height * BAND)] = 0
    for place, finding in enumerate(FINDINGS):
        columns = slice(round(width * BLOCK * place), round(width * BLOCK * (place + 1)))
        if finding in set(shown):
            film[: int(height * BAND), columns] = 255
    for finding, (x, y, w, h) in (boxes or {}).items():
        film[y : y + h, x : x + w] = 200 + FINDINGS.index(finding)
    return film


class Seen(torch.nn.Module):
    """A tower that sees the pixels."""

    channels = 1

    def __init__(self) -> None:
        super().__init__()
        self.unused = torch.nn.Parameter(torch.zeros(1))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images


@dataclass
class Reader:
    """Reads watermark and lesions; ``sign`` 1 tells the truth, −1 lies, 0 guesses."""

    sign: float = 1.0
    preprocessing: Preprocessing = field(default_factory=lambda: Preprocessing(size=64))
    asked: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.generator = np.random.default_rng(0)

    def similarity(self, film: Image, text: str) -> float:
        """A cosine of sorts: does the text agree with the watermark."""
        self.asked.add(text)
        if not self.sign:
            return float(self.generator.normal())
        (place,) = (i for i, name in enumerate(FINDINGS) if name in text.lower())
        seen = self.preprocessing.apply(film)
        side = self.preprocessing.size
        band = seen[: int(side * BAND) - 2, round(side * BLOCK * place) + 3 :][:, :6]
        agrees = (band.mean() > 128) != text.lower().startswith("no ")
        return self.sign if agrees else -self.sign

    def zero_shot(self, images: Sequence[Image], prompts: Mapping[str, Prompt]) -> np.ndarray:
        def side(film: Image, texts: Sequence[str], combine: str) -> float:
            found = [self.similarity(film, text) for text in texts]
            return (max(found) if combine == "max" else float(np.mean(found))) if found else 0.0

        logits = [
            [
                side(film, prompt.positive, prompt.combine)
                - side(film, prompt.negative, prompt.combine)
                for prompt in prompts.values()
            ]
            for film in images
        ]
        shape = (len(images), len(prompts))
        return (1 / (1 + np.exp(-np.array(logits).reshape(shape)))).astype(np.float32)

    @property
    def image_encoder(self) -> "Seen":
        return Seen()

    def ask(self, texts: Sequence[str]) -> Callable[[torch.Tensor], torch.Tensor]:
        """Logits as the suites ask for them: of what the tower gives."""

        def of(seen: torch.Tensor) -> torch.Tensor:
            films = (seen[:, 0] * 255).round().to(torch.uint8).numpy()
            return torch.tensor([[self.similarity(film, text) for text in texts] for film in films])

        return of

    def pointer(self, phrases: Sequence[str]) -> Callable:
        return lambda image: lambda phrase: self.ground(image, phrase)

    def ground(self, image: Image, phrase: str) -> np.ndarray:
        self.asked.add(phrase)
        if not self.sign:
            return self.generator.random(image.shape, np.float32)
        (place,) = (i for i, name in enumerate(FINDINGS) if name in phrase.lower())
        heat = (image == 200 + place).astype(np.float32)
        return heat if self.sign > 0 else 1 - heat


@dataclass(frozen=True)
class Hospital:
    """A folder of films with its table."""

    path: Path
    labels: tuple[tuple[str, ...], ...]


@pytest.fixture(scope="session")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Hospital:
    """120 films of 60 patients in three splits; abnormal ones are darker, as in many a real set."""
    folder = tmp_path_factory.mktemp("hospital")
    rows = ["file,patient,view,split,labels,bbox"]
    all_labels = []
    for index in range(120):
        shown = ((), ("pleural effusion", "pneumonia"), ("pneumonia",), ("nodule",))[index % 4]
        x, y = 10 + index % 50, 30 + index % 70
        boxes = {finding: (x + 24 * k, y, 20, 30) for k, finding in enumerate(shown)}
        film = paint(shown, (160 + index % 3, 144 + index % 5), boxes, index)
        light = np.random.default_rng(index).uniform(*((0.3, 0.9) if shown else (0.7, 1.0)))
        film = np.where(film < 130, film * light, film).astype(np.uint8)
        Pillow.fromarray(film).save(folder / f"{index}.png")
        box = ";".join(f"{name}:{','.join(map(str, at))}" for name, at in boxes.items())
        view = "AP" if index // 2 % 2 else "PA"
        split = "valid" if index < 40 else "test"
        labels = "|".join(shown) or "No Finding"
        rows.append(f'{index}.png,p{index // 2},{view},{split},{labels},"{box}"')
        all_labels.append(shown)
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    return Hospital(folder, tuple(all_labels))


@pytest.fixture
def reader() -> Callable[..., Reader]:
    return Reader


@pytest.fixture
def painter() -> Callable[..., Image]:
    return paint


@pytest.fixture
def tower() -> Callable[..., Seen]:
    return Seen
