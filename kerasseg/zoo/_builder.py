"""Facts about a builder, stated beside its code, and the loader of its weights."""

import functools

from kerasseg import encoders
from kerasseg import weights as weight_files
from kerasseg.encoders import pretrained
from kerasseg.encoders.arguments import checked
from kerasseg.names import look_up, parameters
from kerasseg.zoo._references import rules_for

COUNTS = ("num_classes", "num_rays")


def builder(task="semantic", *, references=None, losses=None):
    """Decorator of builders: states their task, published weights and losses.

    The function gets attributes of these names, and each model that it returns the
    attribute `task`. Arguments that builders share are checked, and `weights=` is
    loaded into the model that the function built.

    Args:
        task: see `kerasseg.zoo.names`.
        references: dict of name to `Reference`: the published implementations that
            models can equal.
        losses: function that trains the model, see `kerasseg.zoo`; None where any loss
            of logits does.
    """
    references = dict(references or {})

    def decorate(function):
        answer = checked(function)

        # wraps, so that `inspect.signature`, from which recipes take their keys, sees
        # through.
        @functools.wraps(function)
        def build(*args, weights=None, **kwargs):
            model = answer(*args, weights=weights, **kwargs)
            model.task = task
            return model if weights is None else load(model, weights, references)

        build.task, build.references, build.losses = task, references, losses
        return build

    return decorate


def load(model, source, references, *, skip_mismatch=None):
    """Put published weights, or ours, into a model that a builder returned.

    Args:
        model: keras.Model.
        source: path, name or dict of arrays, see `kerasseg.encoders.pretrained.load`.
        references: of the builder, see `builder`.
        skip_mismatch: "head": where the file is of other classes, leave the layers as
            they are whose shapes follow from their number, and say so.

    Returns:
        The model.

    Raises:
        ValueError: for another `skip_mismatch`.
        WeightsError: if the file cannot be read, or does not fit, or is of a reference
            that computes something else.
    """
    if skip_mismatch not in (None, "head"):
        raise ValueError(
            "`skip_mismatch` must be None or 'head'. "
            f"Received: skip_mismatch={skip_mismatch!r}."
        )
    skip = head_of(model) if skip_mismatch else ()
    rules = functools.partial(rules_for, references, model)
    return pretrained.load(model, source, rules=rules, skip=skip)


def head_of(model):
    """Paths of the variables whose shapes follow from the number of classes.

    Args:
        model: keras.Model as a builder returned it.

    Raises:
        ValueError: if it was read from a file, which does not tell its options.
    """
    built = getattr(model, "built_with", None)
    if built is None:
        raise ValueError(
            "`model` must come from a function of kerasseg.zoo, not from a file. "
            f"Received: model {model.name!r}."
        )
    count = next(name for name in COUNTS if name in built.options)
    # No list of head layers could be forgotten by a new builder: what changes its shape
    # with one class more is the head.
    other = built.function(**{**built.options, count: built.options[count] + 1})
    shapes = {path: x.shape for path, x in weight_files.named_variables(other).items()}
    table = weight_files.named_variables(model)
    return {path for path, x in table.items() if shapes.get(path) != x.shape}


def encoder_parameters(builder, encoder=None):
    """Options of an encoder's function and their defaults, but for the builder's own.

    Args:
        builder: function of the zoo.
        encoder: name; None is the builder's default.

    Raises:
        ValueError: if the encoder is unknown.
    """
    encoder = encoder or parameters(builder).get("encoder")
    known = parameters(look_up(encoder, encoders.ENCODERS, "encoder"))
    given = ("input_shape", "weights", "output_stride")
    return {name: value for name, value in known.items() if name not in given}


def build_encoder(builder, options, inner):
    """Encoder with options of its own, which builders do not pass on.

    Args:
        builder: function of the zoo.
        options: dict of its arguments; "encoder" is a name.
        inner: dict of further arguments of the encoder's function.

    Returns:
        keras.Model to give the builder as `encoder`.
    """
    options = {**parameters(builder), **options}
    return encoders.build(
        options["encoder"],
        options.get("input_shape", (None, None, options.get("channels", 3))),
        weights=options.get("encoder_weights"),
        output_stride=options.get("output_stride"),
        options=inner,
    )
