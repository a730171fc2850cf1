import numpy as np
import torch

from syncxr.assets import fetch
from syncxr.curation.judge import QUESTIONS
from syncxr.curation.labelled_films.stock import Stock
from syncxr.curation.network import (
    ANATOMY_SIDE,
    EMBEDDING,
    TEXTURE_SIDE,
    InspectorNet,
    prepare,
)


def test_views_have_fixed_size_whatever_the_film(stock: Stock) -> None:
    for film in (stock.films[0], stock.films[0][:, :90], np.zeros((16, 900), np.uint8)):
        coarse, fine = prepare(film)
        assert coarse.shape == (ANATOMY_SIDE, ANATOMY_SIDE)
        assert fine.shape == (TEXTURE_SIDE, TEXTURE_SIDE)
        assert coarse.dtype == fine.dtype == np.uint8


def test_the_coarse_view_forgets_most_of_the_response_curve(stock: Stock) -> None:
    film = stock.films[0]
    darker = np.rint(255 * (film / 255.0) ** 2).astype(np.uint8)
    views = [prepare(image)[0].astype(float) for image in (film, darker)]
    raw = np.abs(film.astype(float) - darker).mean()
    assert np.abs(views[0] - views[1]).mean() < 0.6 * raw


def test_imagenet_weights_fit_the_tower_exactly() -> None:
    network = InspectorNet()
    path = next(fetch("efficientnet-lite0").glob("*.pth"))
    network.anatomy.load_imagenet(path)
    saved = torch.load(path, weights_only=True)
    own = network.anatomy.state_dict()
    torch.testing.assert_close(
        own["blocks.10.project_conv.weight"], saved["_blocks.10._project_conv.weight"]
    )
    torch.testing.assert_close(
        own["conv_stem.weight"], saved["_conv_stem.weight"].sum(1, keepdim=True)
    )


def test_every_trainable_weight_gets_a_gradient() -> None:
    torch.manual_seed(0)
    network = InspectorNet()
    coarse = torch.rand(4, 1, ANATOMY_SIDE, ANATOMY_SIDE)
    fine = torch.rand(4, 1, TEXTURE_SIDE, TEXTURE_SIDE)
    logits, embedding = network(coarse, fine)
    assert logits.shape == (4, len(QUESTIONS))
    assert embedding.shape == (4, EMBEDDING)
    logits.square().sum().backward()
    silent = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert silent == []


def test_content_questions_do_not_hear_the_texture_tower() -> None:
    network = InspectorNet().eval()
    coarse = torch.rand(1, 1, ANATOMY_SIDE, ANATOMY_SIDE)
    with torch.inference_mode():
        first, second = (
            network(coarse, torch.full((1, 1, TEXTURE_SIDE, TEXTURE_SIDE), grey))[0][0]
            for grey in (0.1, 0.9)
        )
    torch.testing.assert_close(first[:3], second[:3], rtol=0, atol=0)
    assert (first[3:] != second[3:]).all()
