"""Published implementations of our architectures: all that their files leave unsaid.

Names of arrays say which layers a network has, not at which stride it works, how it
resizes or where it dilates: a file can fit a model by its names and give it other
outputs. A reference states these options beside the rules that rename its arrays.
"""

import dataclasses
from collections.abc import Callable

from kerasseg import encoders, weights
from kerasseg.names import look_up, parameters

# Options that change no output, or that names and shapes of arrays tell.
FREE = {"num_classes", "num_rays", "encoder", "encoder_weights", "input_shape"}
FREE |= {"image_size", "weights", "aux", "deep_supervision", "dropout", "norm"}
FREE |= {"attention", "base_filters", "decoder_filters", "head_filters", "filters"}
FREE |= {"inner_filters", "attention_filters", "hidden", "depth", "freeze_norm"}
FREE |= {"aspp_filters", "project_kernel_size", "head_conv"}
FREE |= {"num_convs", "concat_input", "use_c1", "center"}
FREE |= {"nms", "num_proposals", "content_size"}
# Options that a builder hands on to its encoder.
SHARED = ("output_stride", "input_range")


@dataclasses.dataclass(frozen=True)
class Reference:
    """A published implementation of an architecture.

    Attributes:
        rules: renaming rules of its files, see `kerasseg.weights.from_torch`, or a
            function of their arrays that returns them; those of encoders lie beside.
        options: of the builder, where the reference differs from our defaults; the
            encoder among them is the one that `zoo.from_reference` takes unasked.
        encoder_options: likewise of the encoder's function.
        by_encoder: likewise of the builder, for encoders of these names alone.
        encoders: names of the encoders that it describes; () are all of ours.
        num_classes: of its published files, without a background that is not shown.
        own_encoder: whether the encoder is the builder's own, which follows from its
            options.
        predict: options of prediction by which the reference finds what it does.
        read: function of a path, of one of its files or folders, that returns the path
            of the weights, and of the builder's options and of `predict` those that lie
            beside them; it refuses what is another network.
    """

    rules: tuple | Callable = ()
    options: dict = dataclasses.field(default_factory=dict)
    encoder_options: dict = dataclasses.field(default_factory=dict)
    _: dataclasses.KW_ONLY
    by_encoder: dict = dataclasses.field(default_factory=dict)
    encoders: tuple = ()
    num_classes: int | None = None
    own_encoder: bool = False
    predict: dict = dataclasses.field(default_factory=dict)
    read: Callable | None = None

    def describes(self, encoder):
        """Whether it is published on the encoder of that name."""
        return not self.encoders or encoder in self.encoders

    def rules_of(self, arrays):
        """Renaming rules of its files, of which these are the arrays."""
        return self.rules(arrays) if callable(self.rules) else self.rules


def rules_for(references, model, arrays):
    """Renaming rules of the reference that arrays come from.

    Args:
        references: dict of name to `Reference`.
        model: keras.Model of the references' builder.
        arrays: dict of published name to array.

    Returns:
        Rules of a reference that the model equals; where no names fit, of the one with
        the most, for `weights.assign` to list what is amiss.

    Raises:
        WeightsError: if the arrays fit by their names, but the model was built with
            other options than their reference.
    """
    inner = encoders.rules_of(model)
    wanted = {*weights.named_variables(model)}
    misfits, refused = {}, {}
    # Two references may have the same names and shapes, and other options
    # (torchvision's two Mask R-CNN files): all are tried before one is refused.
    for name, reference in references.items():
        given = reference.rules_of(arrays)
        rules = (*_unused(given, wanted), *given, *inner)
        found = {*weights.from_torch(arrays, model, rules)}
        if found != wanted:
            misfits[rules] = len(found ^ wanted)
        elif not (differing := _differences(name, reference, model)):
            return rules
        else:
            refused[name] = differing
    if refused:
        encoder = encoders.of(model).name
        # The message names the reference that needs the fewest changes.
        fitting = [x for x in refused if references[x].describes(encoder)] or refused
        name = min(fitting, key=lambda name: len(refused[name]))
        raise weights.WeightsError(_refusal(model, name, refused[name]))
    return min(misfits, key=misfits.get, default=inner)


def _unused(rules, wanted):
    """Rules that drop auxiliary heads, which train only, where a model has none."""
    if any(name.startswith("aux_") for name in wanted):
        return ()
    is_side = [isinstance(new, str) and new.startswith("aux_") for _, new in rules]
    return tuple((old, None) for (old, _), side in zip(rules, is_side) if side)


def _differences(name, reference, model):
    """Options of a model that are not those of a reference: "name=value (right)"."""
    built, encoder = getattr(model, "built_with", None), encoders.of(model)
    if built is None:
        return ["options that a model read from a file does not tell"]
    differing = _unequal(
        built.options, {**parameters(built.function), **reference.options}
    )
    if reference.own_encoder:
        return differing
    if not reference.describes(encoder.name):
        differing.append(
            f"encoder={encoder.name!r} ({' or '.join(reference.encoders)})"
        )
    inner = getattr(encoder, "built_with", None)
    if inner is None:
        return [*differing, f"encoder={encoder.name!r}, whose options are unknown"]
    right = parameters(inner.function)
    right |= {"output_stride": 32}
    right |= {name: built.options[name] for name in SHARED if name in built.options}
    stride = right["output_stride"]
    wanted = encoder_options(name, reference, encoder.name, stride)
    return differing + _unequal(inner.options, {**right, **wanted})


def encoder_options(name, reference, encoder, output_stride):
    """Options by which an encoder equals that of a reference.

    Args:
        name: of the reference, "smp/Unet"; it begins with the library.
        reference: `Reference`.
        encoder: its name.
        output_stride: of the model.

    Raises:
        ValueError: if the encoder is unknown, or does not have an option that its
            stride needs.
    """
    function = look_up(encoder, encoders.ENCODERS, "encoder")
    known, published = parameters(function), function.traits.as_published
    missing = [name for name in reference.encoder_options if name not in known]
    # At stride 32 nothing is dilated, and the options say how to dilate.
    if missing and output_stride < 32:
        raise ValueError(
            f"`encoder` must have the option {missing[0]!r} for output_stride="
            f"{output_stride}. Received: encoder={encoder!r}."
        )
    options = {k: v for k, v in reference.encoder_options.items() if k not in missing}
    return options | published.get(name.partition("/")[0], {})


def _unequal(given, right):
    """None stands for what names and shapes tell, as a decoder's width."""
    return [
        f"{name}={value!r} ({right[name]!r})"
        for name, value in given.items()
        if name not in FREE
        and value is not None
        and _plain(value) != _plain(right[name])
    ]


def _plain(value):
    return tuple(value) if isinstance(value, list) else value


def _refusal(model, name, differing):
    return (
        f"these weights are those of {name!r}, which computes something else than this "
        f"{model.name!r} of {', '.join(differing)}; in brackets what it should be. "
        f"Build it by kerasseg.zoo.from_reference({name!r}, weights=PATH)."
    )
