"""Networks of mmsegmentation, without the compiled operators of mmcv.

None of these networks needs one, but their package imports all of its heads.
"""

import sys
from unittest import mock

from torch import nn
from torch.nn import functional

WIDTHS = [256, 512, 1024, 2048]
DENSE = {"strides": (1, 2, 1, 1), "dilations": (1, 1, 2, 4)}
OPTIONS = {  # as in the published configurations; those of features at stride 8
    "FCNHead": {"num_convs": 2, "concat_input": True},
    "PSPHead": {},
    "ASPPHead": {"dilations": (1, 12, 24, 36)},
    "DepthwiseSeparableASPPHead": {
        "dilations": (1, 12, 24, 36),
        "c1_in_channels": 256,
        "c1_channels": 48,
    },
}


class Segmenter(nn.Module):
    """ResNetV1c, a decoding and an auxiliary head, by the names of their files.

    `aux` is whether the latter's logits are given, too.
    """

    def __init__(self, head, depth=50, aux=True):
        super().__init__()
        self.aux = aux
        sys.modules["mmcv.ops"] = mock.MagicMock()
        from mmseg.models import backbones, decode_heads

        options = {"num_classes": 3, "norm_cfg": {"type": "BN"}}
        self.backbone = backbones.ResNetV1c(
            depth=depth,
            **(DENSE if head in OPTIONS else {}),
            norm_cfg=options["norm_cfg"],
            contract_dilation=True,
        )
        inputs = {"in_channels": 2048, "in_index": 3}
        if head not in OPTIONS:
            inputs = {"in_channels": WIDTHS, "in_index": [0, 1, 2, 3]}
        head_options = {**inputs, **OPTIONS.get(head, {}), **options}
        self.decode_head = getattr(decode_heads, head)(channels=512, **head_options)
        self.auxiliary_head = decode_heads.FCNHead(
            num_convs=1,
            concat_input=False,
            in_channels=1024,
            in_index=2,
            channels=256,
            **options,
        )

    def forward(self, image):
        features = self.backbone(image)
        heads = {"out": self.decode_head}
        heads |= {"aux": self.auxiliary_head} if self.aux else {}
        return {
            name: functional.interpolate(
                head(features), size=image.shape[2:], mode="bilinear"
            )
            for name, head in heads.items()
        }
