"""StarDist: objects as star-convex polygons, on a U-Net."""

import keras

from kerasseg import blocks, encoders
from kerasseg.detection import losses as terms
from kerasseg.zoo._builder import builder
from kerasseg.zoo._star_unet import REFERENCES, star_unet
from kerasseg.zoo.unet import unet


def stardist_losses(model, images, truth, *, seed=None, divide=terms.divide):
    """Losses of StarDist, two terms.

    `kerasseg.zoo` describes the common form; `seed` is not used.

    Args:
        model: of `stardist`.
        images: [N, H, W, C], raw 0..255.
        truth: dict of probabilities [N, h, w, 1] and distances [N, h, w, R], of
            `instance.star_distances.star_targets` with the same rays and grid.

    Returns:
        dict of scalars: "probability" and "distances" (times 0.2, as in the authors'
        code).
    """
    found = model(images, training=True)
    probability, distances = terms.star_losses(
        found["logits"],
        found["distances"],
        truth["probabilities"],
        truth["distances"],
        divide=divide,
    )
    # 0.2 as in the authors' code: distances are in pixels, the cross-entropy near 1.
    return {"probability": probability, "distances": 0.2 * distances}


@builder("stars", references=REFERENCES, losses=stardist_losses)
def stardist(
    num_rays=32,
    encoder="plain",
    *,
    encoder_weights=None,
    input_shape=(None, None, 3),
    grid=1,
    base_filters=32,
    decoder_filters=(256, 128, 64, 32, 16),
    head_filters=128,
    as_published=False,
    depth=3,
    weights=None,
):
    """StarDist on `zoo.unet`: object probability and star-convex outline per pixel.

    For round objects of one class, such as nuclei, even where hundreds touch.
    `instance.star_distances.star_targets` makes the truth of label maps,
    `zoo.stardist.losses` trains, `instance.star_polygons.decode` finds the objects. The
    U-Net is batch-normalised and, if "plain", a level deeper than that of the authors'
    code, which also halves the image for grid 2, instead of leaving the last step of
    the decoder out; `as_published` is theirs, for the weights that they publish.

    Args:
        num_rays: R, at least 3.
        encoder: "plain", name in `kerasseg.encoders`, or a keras.Model with taps.
        encoder_weights: None, "imagenet" or a path.
        input_shape: (H, W, C), sizes may be None; raw pixels 0..255.
        grid: pixels of the image per pixel of the outputs, 1 or 2; with 2, sizes that
            the encoder can halve without a rest.
        base_filters: see `unet`; "plain" only.
        decoder_filters: see `unet`; other encoders only.
        head_filters: channels of the 3x3 convolution before the outputs.
        as_published: the network of the authors' files, without normalisation; "plain"
            only. `from_reference` builds it and says how its images are prepared.
        depth: of that network: poolings behind that of the grid.
        weights: None or a path to weights of the whole model.

    Returns:
        keras.Model: image [N, H, W, C] -> dict of logits float32 [N, h, w, 1], whose
        sigmoid is the object probability d, and distances float32 [N, h, w, R], r_k in
        pixels of the image; h = H / grid, w = W / grid.

    Raises:
        ValueError: for an unknown encoder, a grid or number of rays out of range, or a
            depth of another network.

    Example:
        >>> model = stardist(num_rays=8, base_filters=2, head_filters=4)
        >>> {name: x.shape[-1] for name, x in model.output.items()}
        {'logits': 1, 'distances': 8}

    Reference: Schmidt et al., 2018, https://arxiv.org/abs/1806.03535; Weigert et al.,
    2020, https://arxiv.org/abs/1908.03636
    """
    if num_rays < 3:
        raise ValueError(f"`num_rays` must be at least 3. Received: {num_rays}.")
    if grid not in (1, 2):
        raise ValueError(f"`grid` must be 1 or 2. Received: grid={grid}.")
    if as_published:
        if encoder != "plain" or encoder_weights is not None:
            raise ValueError(
                "`as_published` needs encoder='plain' without weights of its own. "
                f"Received: encoder={encoder!r}, encoder_weights={encoder_weights!r}."
            )
        image, x = star_unet(input_shape, grid, base_filters, depth)
    elif depth != 3:
        raise ValueError(f"`depth` needs as_published=True. Received: depth={depth}.")
    else:
        # Its head for one class is left out of the model below.
        base = unet(
            1,
            encoder,
            encoder_weights=encoder_weights,
            input_shape=input_shape,
            base_filters=base_filters,
            decoder_filters=decoder_filters,
        )
        mirrored = encoders.traits_of(encoder).unit is blocks.double_conv
        # With grid 2 the decoder's step to full size is left out: nothing reads it.
        steps = 4 if mirrored else len(decoder_filters)
        last = steps if grid == 1 else steps - 1
        image, x = base.input, base.get_layer(f"decoder{last}_2_relu").output
    x = blocks.conv_norm_act(x, head_filters, norm=None, name="features")
    scores = blocks.conv(x, 1, 1, name="probability_head")
    distances = blocks.conv(x, num_rays, 1, name="distances_head")
    outputs = {
        "logits": blocks.logits(scores),
        "distances": blocks.logits(distances, name="distances"),
    }
    return keras.Model(image, outputs, name="stardist")
