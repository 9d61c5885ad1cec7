"""Building blocks of object detectors: boxes, anchors, matching, NMS, ROIAlign, masks.

Modules load on first use:

    >>> from kerasseg import detection
    >>> boxes = np.array([[0.0, 0.0, 4.0, 3.0]])
    >>> float(detection.boxes.area(boxes)[0])
    12.0

They are functions of tensors in `keras.ops`, for every backend: all shapes but the
batch are static, so that they compile under XLA, and they compute in float32 under
mixed precision, too. `anchors` and `mask_grid` are numpy. Instances as arrays are in
`kerasseg.instance`.

Boxes are (x1, y1, x2, y2) in pixels with exclusive ends: pixel i covers i to i + 1, its
centre lies at i + 0.5. Padded objects have class -1 and a box of zeros.
"""

from kerasseg.names import lazy

__all__ = [
    "anchors",
    "boxes",
    "detections",
    "gather",
    "losses",
    "mask_grid",
    "matching",
    "nms",
    "pasting",
    "roi_align",
    "targets",
    "two_stage",
]
__getattr__, __dir__ = lazy(__name__, dict.fromkeys(__all__))
