"""Architectures: each a function from keyword arguments to a keras.Model.

To add one, write its file and import it here; the contract tests pick it up.
"""

from kerasseg.encoders import is_encoder
from kerasseg.names import public
from kerasseg.zoo import objectives, published
from kerasseg.zoo.attention_unet import attention_unet
from kerasseg.zoo.bisenet_v2 import bisenet_v2
from kerasseg.zoo.center_mask import center_mask
from kerasseg.zoo.deeplab import deeplab_v1, deeplab_v2
from kerasseg.zoo.deeplab_v3 import deeplab_v3
from kerasseg.zoo.deeplab_v3_plus import deeplab_v3_plus
from kerasseg.zoo.encoder_decoder import encoder_decoder
from kerasseg.zoo.fast_scnn import fast_scnn
from kerasseg.zoo.fcn import fcn
from kerasseg.zoo.fpn import fpn
from kerasseg.zoo.linknet import linknet
from kerasseg.zoo.lraspp import lraspp
from kerasseg.zoo.manet import manet
from kerasseg.zoo.mask_rcnn import mask_rcnn
from kerasseg.zoo.ocrnet import ocrnet
from kerasseg.zoo.pan import pan
from kerasseg.zoo.panoptic_deeplab import panoptic_deeplab
from kerasseg.zoo.pspnet import pspnet
from kerasseg.zoo.res_unet import res_unet
from kerasseg.zoo.segformer import segformer
from kerasseg.zoo.segnet import segnet
from kerasseg.zoo.stardist import stardist
from kerasseg.zoo.u2net import u2net
from kerasseg.zoo.unet import unet
from kerasseg.zoo.unet_3plus import unet_3plus
from kerasseg.zoo.unet_plus_plus import unet_plus_plus
from kerasseg.zoo.upernet import upernet
from kerasseg.zoo.yolact import yolact

BUILDERS = public(globals(), __name__)
INSTANCE = {"center_mask", "mask_rcnn", "yolact"}
BOTTOM_UP = {"panoptic_deeplab", "stardist"}


def names(task=None):
    """Names of architectures, sorted.

    Args:
        task: "semantic" (a class for each pixel), "instance" (objects one by one),
            "bottom_up" (maps that functions of `kerasseg.instance` group into objects),
            or None for all.

    Raises:
        ValueError: for another task.

    Example:
        >>> "unet" in names("semantic"), "unet" in names("instance")
        (True, False)
    """
    tasks = {
        None: BUILDERS,
        "semantic": [name for name in BUILDERS if name not in INSTANCE | BOTTOM_UP],
        "instance": [name for name in BUILDERS if name in INSTANCE],
        "bottom_up": [name for name in BUILDERS if name in BOTTOM_UP],
    }
    if task not in tasks:
        raise ValueError(
            "`task` must be 'semantic', 'instance', 'bottom_up' or None. "
            f"Received: task={task!r}."
        )
    return list(tasks[task])


def freeze(model, part="encoder"):
    """Keep a part of a model as it is: weights and batch statistics.

    Compile the model afterwards, or again.

    Args:
        model: keras.Model of this package; it is changed.
        part: "encoder", or how the names of its layers begin ("decoder", "aspp"),
            among them the nested parts of instance models ("fpn", "mask_head").

    Returns:
        The model.

    Raises:
        ValueError: if no layer is of that part.
    """
    frozen = [
        layer
        for layer in model.layers
        if layer.name.startswith(part) or (part == "encoder" and is_encoder(layer))
    ]
    if not frozen:
        raise ValueError(
            "`part` must be 'encoder' or the beginning of layer names. "
            f"Received: part={part!r}."
        )
    for layer in frozen:
        layer.trainable = False
    return model


for _name, _builder in BUILDERS.items():
    _builder.task = (
        "instance"
        if _name in INSTANCE
        else {"stardist": "stars", "panoptic_deeplab": "panoptic"}.get(
            _name, "semantic"
        )
    )
    _builder.losses = objectives.OBJECTIVES.get(_name)
