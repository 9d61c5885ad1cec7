"""Building blocks of encoders and decoders: functions from tensors to tensors.

Names are addresses: the caller gives `name="decoder2_1"` and the layers inside are
`decoder2_1_conv`, `decoder2_1_norm`, `decoder2_1_relu`. They are the checkpoint format.
"""

from kerasseg.blocks.attention import attend, attend_rules, channel_gate, scse
from kerasseg.blocks.context import aspp, aspp_rules, pyramid_pooling
from kerasseg.blocks.convolution import (
    BatchNorm,
    activate,
    conv,
    conv_norm_act,
    depthwise_conv,
    depthwise_conv_norm_act,
    double_conv,
    normalize,
    pad_symmetric,
    separable_conv,
)
from kerasseg.blocks.decoder import decoder_block, feature_pyramid, skips_of, top_down
from kerasseg.blocks.heads import (
    aux_sides,
    fcn_head,
    logits,
    rows,
    score_conv,
    side_logits,
)

__all__ = [
    "BatchNorm",
    "activate",
    "aspp",
    "aspp_rules",
    "attend",
    "attend_rules",
    "aux_sides",
    "channel_gate",
    "conv",
    "conv_norm_act",
    "decoder_block",
    "depthwise_conv",
    "depthwise_conv_norm_act",
    "double_conv",
    "fcn_head",
    "feature_pyramid",
    "logits",
    "normalize",
    "pad_symmetric",
    "pyramid_pooling",
    "rows",
    "score_conv",
    "scse",
    "separable_conv",
    "side_logits",
    "skips_of",
    "top_down",
]
