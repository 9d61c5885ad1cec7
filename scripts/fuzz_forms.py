"""Data sets in the forms in which tools write them, with one file to mutate.

What once did harm is in HARM, so that its neighbours are tried in every run.
"""

import functools
import pathlib
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).parents[1]))

from tests.datasets import forms

# Kind: the data set, and the file in it that is mutated.
FORMS = {
    "yolo": (forms.yolo, "labels/train/a.txt"),
    "yaml": (forms.yolo, "data.yaml"),
    "yaml_list": (forms.yolo_roboflow, "data.yaml"),
    "labelme": (forms.labelme, "a.json"),
    "cvat": (forms.cvat, "annotations.xml"),
    "voc": (forms.voc_labelmap, "labelmap.txt"),
    "voc_list": (forms.voc, "VOCdevkit/VOC2012/ImageSets/Segmentation/train.txt"),
    "label_studio": (forms.label_studio, "project-1-at-2024.json"),
    "via": (forms.via, "via_project.json"),
    "run_lengths": (forms.run_lengths, "train.csv"),
    "table": (forms.table, "list.csv"),
    "panoptic": (forms.panoptic, "annotations/panoptic_train2017.json"),
    "nnunet": (forms.nnunet, "Dataset001/dataset.json"),
    "ade20k": (forms.ade20k, "ADEChallengeData2016/objectInfo150.txt"),
    "davis": (forms.davis, "ImageSets/2017/train.txt"),
    "stack": (forms.stacks, "train-labels.tif"),
}
HARM = {  # all of them by time: patterns with two ways to read one text
    "yolo": [b"0 " + b"1234 " * 14 + b"x\n"],
    "yaml": [b"names:\n" + b" " * 3000 + b"x\n", b"names: [" + b"\n 'a'," * 10_000],
    "yaml_list": [b"train: " + b"a/" * 20_000 + b"\n", b"train: [" + b"., " * 9999],
    "voc": [b" " * 200_000],
    "run_lengths": [b"ImageId,EncodedPixels\n" + b"1" * 65_000 + b"\n"],
}


def seeds(kind):
    """The file as it should be, and what did harm."""
    write, name = FORMS[kind]
    with tempfile.TemporaryDirectory() as folder:
        write(pathlib.Path(folder))
        yield pathlib.Path(folder, name).read_bytes()
    yield from HARM.get(kind, ())


def place(data, kind, folder):
    """Put the file into its data set; returns the folder of that."""
    write, name = FORMS[kind]
    root = pathlib.Path(folder, kind)
    if not root.exists():
        write(root)
    (root / name).write_bytes(data)
    return root


def readers(kind):
    """Functions of the folder: all samples, and those of a split."""
    from kerasseg import datasets

    function = datasets.DATASETS[forms.FORMS[FORMS[kind][0]][0]]
    for split in (None, "train"):
        yield functools.partial(_read_all, function, split)


def _read_all(function, split, root):
    samples = function(root, split)
    return [samples[index] for index in range(len(samples))]
