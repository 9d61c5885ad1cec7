"""Facts about builders and encoders: parameters, operations, taps, paper, weights."""

import inspect
import math


def describe(architecture, encoder=None, num_classes=21, size=512):
    """Facts about a builder: parameters, operations, taps, paper, weights.

    Args:
        architecture: name in `kerasseg.zoo`, or of an encoder alone.
        encoder: name in `kerasseg.encoders`; None for the builder's default.
        num_classes: classes of the model that is counted.
        size: height and width of the image whose operations are counted.

    Returns:
        JSON-able dict.
    """
    from kerasseg import encoders, zoo
    from kerasseg.names import look_up, parameters

    if architecture in encoders.ENCODERS:
        model = encoders.build(architecture, (size, size, 3))
        about = _encoder_facts(architecture, model.output)
        return {**about, **_size_facts(model, size)}
    builder = look_up(architecture, zoo.BUILDERS, "architecture")
    known = parameters(builder)
    encoder = encoder or known["encoder"]
    options = {"num_classes": num_classes} if "num_classes" in known else {}
    # Heads of detectors run at several sizes, which counting layers does not see.
    one_size = "image_size" in known
    sized = "image_size" if one_size else "input_shape"
    options[sized] = (size, size) if one_size else (size, size, 3)
    model = builder(encoder=encoder, **options)
    # The encoder is the first nested model that returns a dict.
    taps = next(
        (layer.output for layer in model.layers if isinstance(layer.output, dict)), {}
    )
    return {
        "architecture": architecture,
        "about": inspect.getdoc(builder).splitlines()[0],
        "reference": _reference(builder),
        "task": builder.task,
        "num_classes": options.get("num_classes"),
        **_encoder_facts(encoder, taps),
        **_size_facts(model, size, counts_flops=not one_size),
        "encoders": encoders.names(),
    }


def _encoder_facts(name, taps):
    """Paper, taps and origin of the ImageNet weights of an encoder."""
    from kerasseg import encoders

    function = encoders.ENCODERS[name]
    return {
        "encoder": name,
        "encoder_about": inspect.getdoc(function).splitlines()[0],
        "encoder_reference": _reference(function),
        "imagenet_weights": function.traits.publisher or "none published",
        "taps": {name: tap.shape[-1] for name, tap in taps.items()},
    }


def _size_facts(model, size, *, counts_flops=True):
    from kerasseg.profiling.operations import gflops

    return {
        "trainable_parameters": sum(
            math.prod(weight.shape) for weight in model.trainable_variables
        ),
        "parameters": model.count_params(),
        "gflops": round(gflops(model), 2) if counts_flops else None,
        "image_size": size,
    }


def _reference(function):
    """The paper that a function's docstring names, or None."""
    _, found, reference = inspect.getdoc(function).partition("Reference: ")
    return reference.split("\n\n")[0].replace("\n", " ") if found else None
