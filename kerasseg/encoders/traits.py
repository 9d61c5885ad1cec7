"""Facts about an encoder that decoders and loaders of weights must know."""

import dataclasses
from collections.abc import Callable

from kerasseg.encoders.arguments import checked


@dataclasses.dataclass(frozen=True)
class Traits:
    """Facts about one encoder, stated beside its code.

    Attributes:
        publisher: whose files `weights="imagenet"` reads; None if there are none.
        rules: renaming rules of published files, see `kerasseg.weights.from_torch`.
        unit: block of which each level consists, if decoders of the same block mirror
            the encoder; its function then takes `base_filters`, `depth` and `norm`.
        convolutional_fc: FCN and DeepLab turn the dense layers fc6 and fc7, which
            follow it in the classifier, into convolutions.
        head_filters: channels of the segmentation head that its authors put on it.
        dense: whether it has dense features, of `output_stride` 16 and 8.
        as_published: options by which it equals the encoder of its name in another
            library, whose references (`zoo.REFERENCES`, "smp/Unet") take them:
            {"smp": {"publisher": "torchvision"}}.
        load: function (model, source) that loads files of the publisher, where names
            do not tell all; None where `rules` do.
    """

    publisher: str | None = None
    rules: tuple = ()
    unit: Callable | None = None
    convolutional_fc: bool = False
    head_filters: int | None = None
    dense: bool = True
    as_published: dict = dataclasses.field(default_factory=dict)
    load: Callable | None = None


def encoder(**facts):
    """Decorator of encoder functions: states their traits and checks arguments.

    Args:
        facts: attributes of `Traits` that differ from the defaults.

    Example:
        >>> @encoder(publisher="torchvision")
        ... def mine(input_shape=(None, None, 3), *, weights=None, output_stride=32):
        ...     ...
        >>> mine.traits.publisher
        'torchvision'
    """

    def state(function):
        build = checked(function)
        build.traits = Traits(**facts)
        return build

    return state
