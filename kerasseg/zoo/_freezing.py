"""Parts of a model that stay as they are while others learn."""

from kerasseg import encoders
from kerasseg.names import nearest


def part_of(model, part):
    """Layers of a part of a model.

    Args:
        model: keras.Model of this package.
        part: "encoder", or how the names of its layers begin ("decoder", "aspp"), or
            of those in the encoder ("stage4") or in instance models ("mask_head").

    Returns:
        List of layers, the encoder as one.

    Raises:
        ValueError: if no layer is of that part.
    """
    is_part = encoders.is_encoder if part == "encoder" else lambda layer: False
    found = [x for x in model.layers if x.name.startswith(part) or is_part(x)]
    inner = [y for x in model.layers if encoders.is_encoder(x) for y in x.layers]
    found = found or [x for x in inner if x.name.startswith(part)]
    if not (found and part):
        beginnings = {x.name.split("_")[0] for x in [*model.layers, *inner]}
        hint = nearest(part, {"encoder", *beginnings})
        raise ValueError(
            "`part` must be 'encoder' or the beginning of layer names. "
            f"Received: part={part!r}.{hint}"
        )
    return found


def freeze(model, part="encoder"):
    """Keep a part of a model as it is: weights and batch statistics.

    Compile the model afterwards, or again.

    Args:
        model: keras.Model of this package; it is changed.
        part: see `part_of`.

    Returns:
        The model.

    Raises:
        ValueError: if no layer is of that part.
    """
    for layer in part_of(model, part):
        layer.trainable = False
    return model


def unfreeze(model, part=None, *, norm=True):
    """Let a part of a model learn again.

    Compile the model afterwards, or again. Usual: train with a frozen encoder, unfreeze
    it, and go on with a tenth of the learning rate.

    Args:
        model: keras.Model of this package; it is changed.
        part: see `part_of`; None is the whole model.
        norm: whether batch normalisation learns, too; False keeps its statistics,
            factors and offsets, as small batches need.

    Returns:
        The model.

    Raises:
        ValueError: if no layer is of that part.

    Example:
        >>> from kerasseg import zoo
        >>> model = freeze(zoo.unet(2, "tiny", decoder_filters=[8, 8]))
        >>> num = len(model.trainable_variables)
        >>> len(unfreeze(model, "encoder").trainable_variables) > num
        True
    """
    model.trainable = True  # which does not reach its layers
    for layer in model.layers if part is None else part_of(model, part):
        layer.trainable = True
        if not norm:
            encoders.freeze_norm(layer)
    return model
