"""Prediction: class maps or objects of images, large images and folders of files.

>>> from kerasseg import predict
>>> class_ids = predict.class_ids(model, image)  # doctest: +SKIP
>>> found = predict.instances(instance_model, image)  # doctest: +SKIP
>>> predict.folder(model, "photos", "predictions")  # doctest: +SKIP
"""

from kerasseg.names import lazy

__all__ = [
    "class_ids",
    "class_ids_of_batch",
    "folder",
    "folder_of_instances",
    "instances",
    "most_probable",
    "predict_tiled",
    "probabilities",
]
# Loaded on first use: the options alone, which the command line needs, are light.
__getattr__, __dir__ = lazy(
    __name__,
    {
        **dict.fromkeys(("folder", "folder_of_instances"), "files"),
        "instances": "objects",
        **dict.fromkeys(
            (
                *("class_ids", "class_ids_of_batch", "most_probable"),
                *("predict_tiled", "probabilities"),
            ),
            "pixels",
        ),
        **dict.fromkeys(("forward", "in_graph", "merging", "options", "tiles")),
    },
)
