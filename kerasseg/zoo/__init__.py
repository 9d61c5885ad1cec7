"""Architectures: each a function from keyword arguments to a keras.Model.

To add one, write its file and import it here; the contract tests pick it up.

Each function, and each model that it builds, says its task as `.task`, see `names`.
Models that predict more than classes of pixels are trained by losses of their own, the
function's attribute `.losses`: `zoo.yolact.losses(model, images, truth, seed=seed)` is
a dict of scalar terms, weighted already, whose sum a training step minimises. It runs
the parts of the model with training=True: there is no second model for training.

    images: [N, H, W, C] of the model's image size, raw 0..255.
    truth: dict of tensors; for StarDist and Panoptic-DeepLab maps that their losses
        describe, for the others, padded to G objects per image:
        boxes: float32 [N, G, 4] in pixels, zeros for padding.
        classes: int [N, G], 0..C-1, -1 for padding.
        masks: 0..1 of any type [N, G, H / 4, W / 4], the size of the model's masks: the
            share of each pixel that is covered, see `data.object_targets`. Mask R-CNN
            takes masks of any size, since it cuts its targets out of them.
    seed: int or keras.random.SeedGenerator of the random samples of anchors and boxes.
        An int gives the same samples each time, so a training loop wants a generator.
    divide: function (sum, count) -> mean of the terms that are means over objects or
        samples; a training step that divides its batch divides by the whole batch's.
"""

import dataclasses
import os

import keras

from kerasseg import encoders, weights
from kerasseg.names import Table, look_up, parameters
from kerasseg.weights import catalog
from kerasseg.zoo import _folders, _smp
from kerasseg.zoo._builder import build_encoder, encoder_parameters
from kerasseg.zoo._builder import load as load_weights
from kerasseg.zoo._ensemble import ensemble
from kerasseg.zoo._freezing import freeze, part_of, unfreeze
from kerasseg.zoo._references import encoder_options
from kerasseg.zoo.attention_unet import attention_unet
from kerasseg.zoo.bisenet_v2 import bisenet_v2
from kerasseg.zoo.center_mask import center_mask
from kerasseg.zoo.deeplab_v1 import deeplab_v1
from kerasseg.zoo.deeplab_v2 import deeplab_v2
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
from kerasseg.zoo.selfie_segmenter import selfie_segmenter
from kerasseg.zoo.stardist import stardist
from kerasseg.zoo.u2net import u2net
from kerasseg.zoo.unet import unet
from kerasseg.zoo.unet_3plus import unet_3plus
from kerasseg.zoo.unet_plus_plus import unet_plus_plus
from kerasseg.zoo.upernet import upernet
from kerasseg.zoo.yolact import yolact

# `@builder` gives its functions the attribute: the import above is all that a new
# architecture needs.
OWN = {
    name: value for name, value in sorted(globals().items()) if hasattr(value, "task")
}
BUILDERS = Table(OWN, __name__, "task")
REFERENCES = {name: builder for builder in OWN.values() for name in builder.references}
__all__ = [
    *(
        "BUILDERS",
        "REFERENCES",
        "ensemble",
        "entry_of",
        "freeze",
        "from_reference",
        "from_smp",
        "load",
    ),
    *("load_torch", "names", "part_of", "unfreeze"),
    *OWN,
]


def names(task=None):
    """Names of architectures, sorted.

    Args:
        task: "semantic" (a class for each pixel), "instance" (objects one by one, with
            boxes and masks), "stars" (star-convex outlines, which
            `instance.star_polygons` selects) or "panoptic" (classes, centres and
            offsets, which `instance.panoptic` groups); None for all.

    Raises:
        ValueError: for another task.

    Example:
        >>> "unet" in names("semantic"), "unet" in names("instance")
        (True, False)
    """
    tasks = sorted({builder.task for builder in BUILDERS.values()})
    if task not in (None, *tasks):
        raise ValueError(
            f"`task` must be one of {tasks} or None. Received: task={task!r}."
        )
    return [name for name, x in BUILDERS.items() if task in (None, x.task)]


def from_reference(
    name,
    num_classes=None,
    *,
    encoder=None,
    weights=None,
    skip_mismatch=None,
    options=None,
):
    """Model that computes what a published implementation does.

    Args:
        name: of the reference, a key of `REFERENCES`: "torchvision/fcn_resnet50",
            "smp/Unet". It fixes every option on which the outputs depend.
        num_classes: channels of the logits, or rays; None takes those of the published
            files, or else the builder's default.
        encoder: name of an encoder, where the reference is published on several.
        weights: None, a path or a dict of arrays: a file of that implementation, or the
            folder of one of StarDist's models. What lies beside it and says options
            (config.json) is read, too.
        skip_mismatch: "head" leaves the layers as they are whose shapes follow from the
            number of classes, where the file has others, and says so.
        options: dict of further arguments of the builder: `input_shape`, `aux`, or what
            was not the implementation's default when the file was trained.

    Returns:
        keras.Model of the builder `REFERENCES[name]`; its attribute `predict_options`
        are those by which the implementation predicts, if it says any.

    Raises:
        ValueError: if the name, the encoder or an option is unknown.
        WeightsError: if the file cannot be read or does not fit.

    Example:
        >>> model = from_reference("smp/Linknet", 3, encoder="resnet18")
        >>> model(np.zeros([1, 64, 64, 3])).shape
        TensorShape([1, 64, 64, 3])
    """
    builder = look_up(name, REFERENCES, "reference")
    reference = builder.references[name]
    said, predict = {}, {}
    if reference.read and isinstance(weights, (str, os.PathLike)):
        weights, said, predict = reference.read(weights)
    # What follows from the encoder, what the file says, then what the caller does.
    special = reference.by_encoder.get(encoder, {}) | said | (options or {})
    reference = dataclasses.replace(reference, options=reference.options | special)
    # The first parameter of every builder: `num_classes`, or StarDist's `num_rays`.
    count, *_ = parameters(builder)
    given = {count: reference.num_classes, **reference.options}
    given |= {count: num_classes} if num_classes else {}
    given["encoder"] = _encoder_of(builder, reference, name, encoder)
    model = builder(**{key: x for key, x in given.items() if x is not None})
    model.predict_options = {**reference.predict, **predict}
    if weights is None:
        return model
    return load_weights(model, weights, {name: reference}, skip_mismatch=skip_mismatch)


def from_smp(folder):
    """Model of a folder that segmentation_models.pytorch's `save_pretrained` wrote.

    Such folders are also what its users publish on the Hugging Face Hub. The
    configuration says which reference it is, and its options.

    Args:
        folder: path, with `config.json` and `model.safetensors`.

    Returns:
        keras.Model, see `from_reference`. It returns logits whatever the
        `activation` there, and takes raw images, 0..255, normalised by ImageNet's mean
        and deviation inside.

    Raises:
        ValueError: if the encoder is unknown.
        WeightsError: if a file is missing, or an option there has a value that is not
            computed here.
    """
    name, arguments = _smp.reference_of(folder)
    return from_reference(name, **arguments)


def _encoder_of(builder, reference, name, encoder):
    """Name of a reference's encoder, or the encoder where it has options of its own."""
    encoder = (
        encoder or reference.options.get("encoder") or parameters(builder)["encoder"]
    )
    if not reference.describes(encoder):
        raise ValueError(
            f"`encoder` of {name!r} must be one of {', '.join(reference.encoders)}. "
            f"Received: encoder={encoder!r}."
        )
    options = {**parameters(builder), **reference.options}
    stride = options.get("output_stride", 32)
    inner = encoder_options(name, reference, encoder, stride)
    if not inner:
        return encoder
    shape = options.get("input_shape", (None, None, 3))
    return encoders.build(encoder, shape, output_stride=stride, options=inner)


def load_torch(model, source, *, skip_mismatch=None):
    """Put the weights of a PyTorch reference into one of our models.

    Names are mapped by the rules that lie beside the model's builder and its encoder's.
    A whole model must have been built with the options of the reference that the names
    are of: `from_reference` does that.

    Args:
        model: keras.Model of a function in `kerasseg.zoo` or `kerasseg.encoders`.
        source: path, see `kerasseg.weights.read`, a state dict as a dict of arrays, or
            an `Entry`, whose options are those that the model must have.
        skip_mismatch: see `from_reference`.

    Returns:
        The model.

    Raises:
        ValueError: if the model's builder is unknown.
        WeightsError: if the file cannot be read; lists unknown, missing and misshapen
            arrays, or options that differ; the model is then unchanged.
    """
    references = getattr(BUILDERS.get(model.name), "references", {})
    if isinstance(source, catalog.Entry):
        if known := references.get(source.reference):
            known = dataclasses.replace(known, options=known.options | source.options)
            references = {source.reference: known}
        source = source.path()
    if model.name in BUILDERS:
        return load_weights(model, source, references, skip_mismatch=skip_mismatch)
    if model.name in encoders.ENCODERS:
        traits = encoders.traits_of(model)
        if traits.load is not None:
            return traits.load(model, source)
        return weights.load(model, source, rules=traits.rules, part=True)
    raise ValueError(
        "`model` must come from kerasseg.zoo or kerasseg.encoders, its name kept. "
        f"Received: model {model.name!r}."
    )


def load(name, num_classes=None, *, accept_licence=False):
    """Model with published weights, as its publisher computes it.

    Args:
        name: of `weights.catalog.names()` (`kerasseg weights` lists them), an `Entry`
            of that catalogue, or a folder, see `entry_of`.
        num_classes: for fine-tuning: classes of your own. The last layers, whose
            shapes follow from it, then begin anew; all others keep their weights.
        accept_licence: True for weights whose licence is not open, after reading it.

    Returns:
        keras.Model with the attributes `task`, `classes` (names, in the order of the
        outputs), `licence` of the weights, and `predict_options`, which suit them and
        which `tasks.predict` takes where it is given none.

    Raises:
        ValueError: if the name is unknown, or of an encoder.
        WeightsError: if the licence must be accepted, or the file is wrong.
        weights.downloads.DownloadError: if the file cannot be had.

    Example:
        >>> model = load("shapes")
        >>> model.classes
        ('background', 'disc', 'square', 'triangle')
    """
    entry = name
    if not isinstance(name, catalog.Entry):
        entry = entry_of(name, accept_licence=accept_licence)
    if entry.task == "encoder":
        raise ValueError(
            f"{entry.name!r} are weights of an encoder: write "
            f"encoder={entry.architecture!r}, encoder_weights='imagenet'."
        )
    path, skip = entry.path(), None if num_classes is None else "head"
    if entry.reference:
        options = _of_channels(entry)
        # Files of one reference may be of several data sets, as SegFormer's.
        published = options.pop("num_classes", None)
        model = from_reference(
            entry.reference,
            num_classes or published,
            encoder=entry.encoder,
            weights=path,
            skip_mismatch=skip,
            options=options,
        )
    else:
        model = _built(entry, num_classes)
        load_torch(model, path, skip_mismatch=skip)
    model.classes = entry.classes if num_classes is None else ()
    # Keras saves no attributes: a .keras file has none of these.
    model.predict_options = {**getattr(model, "predict_options", {}), **entry.predict}
    model.licence = entry.licence
    return model


def entry_of(name, *, accept_licence=False):
    """`Entry` of published weights, or of a folder in which another library saved some.

    Args:
        name: as for `load`, or the path of a folder: with the weights and config.json
            of `save_pretrained` of segmentation_models.pytorch, or of transformers'
            SegFormer or UPerNet on ConvNeXt, or of StarDist.
        accept_licence: as for `load`.

    Raises:
        ValueError: if the name is unknown.
        WeightsError: if a folder has no such files, or another network.
    """
    is_path = isinstance(name, (str, os.PathLike)) and name not in catalog.entries()
    if is_path and os.path.isdir(name):
        return _folders.entry_of(name, REFERENCES)
    return catalog.entry(name, accept_licence=accept_licence)


def _of_channels(entry):
    """Options of an entry's builder, with those of images of other than 3 channels."""
    if entry.channels == 3:
        return dict(entry.options)
    return {"input_shape": (None, None, entry.channels), **entry.options}


def _built(entry, num_classes):
    """Model of one of our own entries, without its weights."""
    builder, encoder = BUILDERS[entry.architecture], entry.encoder
    if entry.encoder_options:
        encoder = encoders.build(encoder, options=entry.encoder_options)
    count, *_ = parameters(builder)
    given = {count: num_classes, "encoder": encoder}
    given = {key: x for key, x in given.items() if x is not None}
    return builder(**{**_of_channels(entry), **given})
