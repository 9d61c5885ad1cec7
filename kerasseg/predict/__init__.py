"""Prediction: class maps or objects of images, large images and folders of files.

>>> from kerasseg import predict
>>> class_ids = predict.class_ids(model, image)  # doctest: +SKIP
>>> found = predict.instances(instance_model, image)  # doctest: +SKIP
>>> predict.folder(model, "photos", "predictions")  # doctest: +SKIP
"""

from kerasseg.names import lazy

# Loaded on first use: the options alone, which the command line needs, are light.
_PLACES = {
    "class_ids": "pixels",
    "class_ids_of_batch": "pixels",
    "largest_region_px": "pixels",
    "most_probable": "pixels",
    "predict_tiled": "pixels",
    "probabilities": "pixels",
    "without_small": "pixels",
    "instances": "objects",
    "instances_of_all_scores": "objects",
    "stars": "star_objects",
    "panoptic": "panoptic_maps",
    "engine": "engines",
    "folder": "files",
    "folder_of_instances": "files",
}
_MODULES = (
    "converted",
    "converters",
    "engines",
    "forward",
    "in_graph",
    "merging",
    "options",
    "preprocessing",
    "runtimes",
    "tiles",
)
__all__ = list(_PLACES)
__getattr__, __dir__ = lazy(__name__, {**_PLACES, **dict.fromkeys(_MODULES)})
