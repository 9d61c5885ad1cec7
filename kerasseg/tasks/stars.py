"""Objects of one class as star-convex polygons: StarDist."""

import dataclasses

from kerasseg.names import parameters
from kerasseg.predict.options import StarOptions, arguments
from kerasseg.tasks import choosing, differences, instance, objects

OUTPUTS = {
    "logits": "float32 [N, h, w, 1], sigmoid: object probability",
    "distances": "float32 [N, h, w, R] along the rays, in pixels of the image",
}


def model_options(recipe, classes, channels):
    """Channels of the data, which must have one class."""
    if len(classes) != 2:
        name = recipe["model"]["architecture"]
        raise ValueError(
            f"{name!r} finds objects of one class. Received: {', '.join(classes[1:])}."
        )
    return {"input_shape": (None, None, channels)}


def truth(recipe):
    """Maps of object probabilities and distances, for the model's rays and grid."""
    from kerasseg.data import maps

    model = recipe["model"]
    known = parameters(maps.stars)
    return maps.stars(**{name: model[name] for name in known if name in model})


def predict(model, image, options):
    """`Instances` of one image."""
    from kerasseg.predict import stars

    return stars(model, image, **arguments(options))


def scorer(model, samples, options):
    """Scores polygons of the options' threshold on: below, each pixel suggests one."""

    def find(model, image):
        return predict(model, image, options)

    return objects.Scorer(model, samples, options, find)


def folder(model, inputs, out, **options):
    """Pictures, label maps and one COCO file; see `objects.folder`."""
    return objects.folder(predict, model, inputs, out, **options)


def signatures(model, max_pixels, value_range=None):
    """From images to the maps that polygons are found in: uint8, float and encoded.

    Polygons are left to the client: `instance.star_polygons.decode` needs numpy and
    scipy only.
    """
    from kerasseg.predict import in_graph

    return in_graph.functions(model, dict, max_pixels, value_range)


TASK = dataclasses.replace(
    instance.TASK,
    name="stars",
    about="round objects one by one",
    options=StarOptions,
    matches=lambda outputs: outputs >= {"logits", "distances"},
    resolve=objects.resolve_objective,
    model_options=model_options,
    truth=truth,
    predict=predict,
    scorer=scorer,
    folder=folder,
    drawer=objects.drawer,
    num_classes=lambda model: 1,
    signatures=signatures,
    program=objects.program,
    differences=differences.of_maps,
    outputs=OUTPUTS,
    file_options=dict.fromkeys(("score_threshold", "overlap_threshold", "max_objects")),
    choose=choosing.threshold,
)
