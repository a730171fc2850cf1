"""The trained model's own path (towers, method, prompts, map) between files and rows.

Towers that know stand in for trained ones; ConVIRT and GLoRIA join them as they join any.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, max_pool2d

from syncxr.evaluation.prompts import load_prompt_set
from syncxr.evaluation.testsets.test_set import open_test_set
from syncxr.evaluation.zero_shot.classification import evaluate, predict, score_zero_shot
from syncxr.evaluation.zero_shot.grounding import ground
from syncxr.evaluation.zero_shot.grounding_scores import score_grounding
from syncxr.pretraining.encoders.features import ImageFeatures, TextFeatures, Tokens
from syncxr.pretraining.methods.convirt import ConVIRT, ConVIRTOptions
from syncxr.pretraining.methods.gloria import GLoRIA, GLoRIAOptions
from syncxr.pretraining.model import DualEncoder
from syncxr.pretraining.preprocessing import Preprocessing
from syncxr.pretraining.prompt import Prompt

FINDINGS = ("nodule", "pleural effusion", "pneumonia", "pneumothorax")
SIDE = 64
PAIR = load_prompt_set("pair")
WIDTH = 2 * len(FINDINGS)
"""A direction for each finding and one for its absence."""


class Films(nn.Module):
    """Sees the grey that each lesion is painted in."""

    channels = local_channels = WIDTH

    def __init__(self, sign: float) -> None:
        super().__init__()
        self.sign = sign
        self.unused = nn.Parameter(torch.zeros(1))  # a model is where its tensors are

    def forward(self, images: Tensor) -> ImageFeatures:
        greys = torch.arange(200, 200 + len(FINDINGS)).view(1, -1, 1, 1)
        other = ((images * 255 - greys).abs() > 0.1).float()
        # The rim of a lesion takes on the greys of others when the film is resized.
        there = adaptive_avg_pool2d(1 - max_pool2d(other, 3, 1, 1), 16)
        absent = (there.amax((2, 3), keepdim=True) == 0).float().expand_as(there)
        spatial = self.sign * torch.cat([there, 0.1 * absent], 1)
        return ImageFeatures(spatial.mean((2, 3)), spatial, spatial)


class Texts(nn.Module):
    """Knows the findings' names and "no"."""

    channels = WIDTH

    def tokens(self, texts: Sequence[str], device: torch.device) -> Tokens:
        ids = torch.tensor([self._place(text) for text in texts], device=device).view(-1, 1)
        return Tokens(ids, torch.ones_like(ids), torch.zeros_like(ids))

    def _place(self, text: str) -> int:
        (place,) = (i for i, name in enumerate(FINDINGS) if name in text)
        return place + len(FINDINGS) * text.startswith("no ")

    def forward(self, tokens: Tokens) -> TextFeatures:
        pooled = torch.eye(WIDTH)[tokens.ids[:, 0]]
        return TextFeatures(pooled, pooled.unsqueeze(1), tokens.mask, tokens.words)


def model(name: str, sign: float) -> DualEncoder:
    method: Any = ConVIRT(ConVIRTOptions()) if name == "convirt" else GLoRIA(GLoRIAOptions())
    found = DualEncoder(Films(sign), Texts(), method, Preprocessing(size=SIDE))
    names = {
        "convirt": ("image_projection", "text_projection"),
        "gloria": ("global_projection", "local_projection"),
    }
    for projection in names[name]:
        setattr(method, projection, nn.Identity())
    return found


@pytest.mark.parametrize("name", ["convirt", "gloria"])
@pytest.mark.parametrize("prompts", ["pair", "severity-location"])
def test_zero_shot_of_an_oracle_is_1_and_of_its_opposite_0(
    hospital: object, name: str, prompts: str
) -> None:
    test, given = open_test_set("folder", hospital.path, "test"), load_prompt_set(prompts)
    for sign in (1, -1):
        found = evaluate(model(name, sign), test, given, name=name, samples=50).results
        assert {r.value for r in found if r.metric == "AUROC"} == {float(sign > 0)}


@pytest.mark.parametrize("name", ["convirt", "gloria"])
def test_grounding_of_an_oracle_is_1_and_of_its_opposite_0(hospital: object, name: str) -> None:
    test = open_test_set("folder", hospital.path, "test")
    for sign in (1, -1):
        pointed = ground(model(name, sign), test, PAIR, findings=["pneumonia", "nodule"])
        results = score_grounding(pointed, PAIR, model=name, samples=50).results
        for row in results:
            if row.metric == "pointing game":
                # Away from the lesion the lying map is flat, up to the rim of the mask.
                assert row.value == 1 if sign > 0 else row.value < 0.01
            elif row.metric == "CNR (signed)":
                assert sign * row.value > 1
            elif row.metric == "IoU" and row.protocol == "fixed 0.5":
                assert row.value > 0.5 if sign > 0 else row.value < 0.05


def test_a_single_text_scores_by_its_logit(hospital: object) -> None:
    test = open_test_set("folder", hospital.path, "test")
    given = load_prompt_set("single")
    predictions = predict(model("convirt", 1), test, given)
    assert predictions.scores.min() == 0  # of a probability it would be .5
    found = score_zero_shot(predictions, given, model="c").results
    assert {r.value for r in found if r.metric == "AUROC"} == {1.0}


def test_the_mean_or_the_greatest_logit_counts(hospital: object) -> None:
    test = open_test_set("folder", hospital.path, "test")
    film = next(test.film(item) for item in test.items if item.labels["pneumonia"])
    texts, other = ("pneumonia", "nodule"), ("no pneumonia",)
    convirt = model("convirt", 1)
    alone = convirt.zero_shot([film], {t: Prompt((t,), ()) for t in (*texts, *other)})[0]
    found = convirt.zero_shot(
        [film],
        {
            "mean": Prompt(texts, (), "mean"),
            "max": Prompt(texts, (), "max"),
            "both": Prompt(texts, other, "max"),
        },
    )[0]
    assert found[0] == pytest.approx(alone[:2].mean())
    assert found[1] == pytest.approx(alone[:2].max()) and alone[0] != alone[1]
    assert found[2] == pytest.approx(1 / (1 + np.exp(alone[2] - alone[:2].max())))
