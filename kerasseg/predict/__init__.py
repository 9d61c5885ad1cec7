"""Prediction: class maps or objects of images, large images and folders of files.

>>> from kerasseg import predict
>>> class_ids = predict.class_ids(model, image)  # doctest: +SKIP
>>> found = predict.instances(instance_model, image)  # doctest: +SKIP
>>> predict.folder(model, "photos", "predictions")  # doctest: +SKIP
"""

from kerasseg.predict.files import folder, folder_of_instances
from kerasseg.predict.objects import instances
from kerasseg.predict.pixels import (
    class_ids,
    class_ids_of_batch,
    decide,
    predict_tiled,
    probabilities,
)

__all__ = [
    "class_ids",
    "class_ids_of_batch",
    "decide",
    "folder",
    "folder_of_instances",
    "instances",
    "predict_tiled",
    "probabilities",
]
