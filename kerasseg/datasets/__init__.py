"""Data sets: functions that return `Samples`, read one at a time on demand.

>>> from kerasseg import datasets
>>> samples = datasets.shapes(8, size=64)
>>> samples[0]["image"].shape, samples.classes
((64, 64, 3), ('background', 'disc', 'square', 'triangle'))
"""

from kerasseg.datasets.camvid import camvid
from kerasseg.datasets.check import check
from kerasseg.datasets.coco import coco
from kerasseg.datasets.convert import convert
from kerasseg.datasets.dsb2018 import dsb2018
from kerasseg.datasets.folder import folder
from kerasseg.datasets.isbi2012 import isbi2012
from kerasseg.datasets.mask_folders import mask_folders
from kerasseg.datasets.samples import Samples
from kerasseg.datasets.shapes import shapes
from kerasseg.names import public

DATASETS = {
    name: function
    for name, function in public(globals(), __name__).items()
    if function not in (Samples, check, convert)
}
__all__ = ["DATASETS", "Samples", "check", "convert", *DATASETS]
