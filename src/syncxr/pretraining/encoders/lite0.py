"""Names of the tensors in the efficientnet-lite0 asset."""

from __future__ import annotations

import re

_LITE0_STAGES = (1, 2, 2, 3, 3, 4, 1)
_LITE0_OUTER = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}
_LITE0_FIRST = {"depthwise_conv": "conv_dw", "bn1": "bn1", "project_conv": "conv_pw", "bn2": "bn2"}
_LITE0_BLOCK = {
    "expand_conv": "conv_pw",
    "bn0": "bn1",
    "depthwise_conv": "conv_dw",
    "bn1": "bn2",
    "project_conv": "conv_pwl",
    "bn2": "bn3",
}


def lite0_name(key: str) -> str:
    """Timm's name of a tensor of the efficientnet-lite0 asset.

    The asset counts its 16 blocks through, timm by stage (1, 2, 2, 3, 3, 4, 1 blocks); the first
    block has no expansion, so its parts are named differently.
    """
    block = re.fullmatch(r"_blocks\.(\d+)\._(\w+)\.(\w+)", key)
    if block is None:
        head, _, rest = key.partition(".")
        return f"{_LITE0_OUTER[head]}.{rest}"
    number = int(block[1])
    parts = _LITE0_BLOCK if number else _LITE0_FIRST
    places = [(stage, i) for stage, count in enumerate(_LITE0_STAGES) for i in range(count)]
    stage, within = places[number]
    return f"blocks.{stage}.{within}.{parts[block[2]]}.{block[3]}"
