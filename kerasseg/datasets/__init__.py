"""Data sets: functions that return `Samples`, read one at a time on demand.

>>> from kerasseg import datasets
>>> samples = datasets.shapes(8, size=64)
>>> samples[0]["image"].shape, samples.classes
((64, 64, 3), ('background', 'disc', 'square', 'triangle'))
"""

import pathlib

from kerasseg.datasets import _forms
from kerasseg.datasets.ade20k import ade20k
from kerasseg.datasets.annotators import annotators
from kerasseg.datasets.balance import balance
from kerasseg.datasets.camvid import camvid
from kerasseg.datasets.chase_db1 import chase_db1
from kerasseg.datasets.check import check
from kerasseg.datasets.cityscapes import cityscapes
from kerasseg.datasets.class_masks import class_masks
from kerasseg.datasets.coco import coco
from kerasseg.datasets.convert import convert
from kerasseg.datasets.cvat import cvat
from kerasseg.datasets.davis import davis
from kerasseg.datasets.dsb2018 import dsb2018
from kerasseg.datasets.examine import examine
from kerasseg.datasets.folder import folder
from kerasseg.datasets.folds import fold
from kerasseg.datasets.isbi2012 import isbi2012
from kerasseg.datasets.label_studio import label_studio
from kerasseg.datasets.labelme import labelme
from kerasseg.datasets.magnetic_tile import magnetic_tile
from kerasseg.datasets.mask_folders import mask_folders
from kerasseg.datasets.nnunet import nnunet
from kerasseg.datasets.panoptic import panoptic
from kerasseg.datasets.pseudo import with_pseudo_labels
from kerasseg.datasets.repair import repair
from kerasseg.datasets.run_lengths import run_lengths
from kerasseg.datasets.samples import Samples
from kerasseg.datasets.shapes import shapes
from kerasseg.datasets.split import split
from kerasseg.datasets.stacks import stacks
from kerasseg.datasets.table import table
from kerasseg.datasets.tfrecord import tfrecord
from kerasseg.datasets.via import via
from kerasseg.datasets.voc import voc
from kerasseg.datasets.whole import whole
from kerasseg.datasets.yolo import yolo
from kerasseg.images import check_folder
from kerasseg.names import Table, public

# What is no data set.
TOOLS = (balance, check, convert, examine, fold, repair, split, whole)
TOOLS += (with_pseudo_labels,)
OWN = {
    name: function
    for name, function in public(globals(), __name__).items()
    if function not in (Samples, *TOOLS)
}
DATASETS = Table(OWN, __name__)
__all__ = [
    *(
        "DATASETS",
        "Samples",
        "balance",
        "check",
        "convert",
        "examine",
        "find_format",
        "fold",
        "repair",
        "split",
        "whole",
        "with_pseudo_labels",
    ),
    *OWN,
]


def find_format(root):
    """The form of a folder, told from what lies in it, and the function that reads it.

    Forms of annotations come before plain images and masks, which many folders hold
    besides. Files are told by their content, JSON by the keys at its two ends.

    Args:
        root: folder of a data set.

    Returns:
        NamedTuple of `name`, of the function in `DATASETS`; `title` of the form;
        `evidence`, the files that told; `others`, names of other functions that could
        read the folder.

    Raises:
        ImageError: if no form is known; says what the folder looks like, and the fix.

    Example:
        >>> import pathlib, tempfile
        >>> root = pathlib.Path(tempfile.mkdtemp())
        >>> _ = (root / "data.yaml").write_text("names: [cell]")
        >>> _ = (root / "a.txt").write_text("0 0 0 .5 0 .5 .5 0 .5")
        >>> found = find_format(root)
        >>> found.name, found.evidence
        ('yolo', 'data.yaml and text files of polygons')
    """
    check_folder(root)
    return _forms.find_format(pathlib.Path(root), DATASETS)
