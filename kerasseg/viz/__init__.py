"""Pictures of label maps: colours, overlays, legends, galleries and charts.

Functions return RGB arrays uint8 [H, W, 3], `cut_out` RGBA, `curves` and `confusion`
figures, which they write to a file where one is named. Nothing here imports tensorflow.
matplotlib, which takes two seconds to import, is imported where text is rendered and
nowhere else.

    >>> import numpy as np
    >>> photo = np.zeros([4, 6, 3], "uint8")
    >>> overlay(photo, np.eye(4, 6, dtype="int32"), alpha=1.0)[0, 0].tolist()
    [230, 159, 0]
"""

from kerasseg.viz.charts import confusion, curves, differences
from kerasseg.viz.colors import IGNORED, OKABE_ITO, colorize, palette
from kerasseg.viz.contact_sheets import contact_sheet
from kerasseg.viz.cutouts import (
    blur_background,
    cut_out,
    foreground,
    grey_background,
    replace_background,
)
from kerasseg.viz.galleries import errors, gallery, side_by_side, triptych
from kerasseg.viz.legends import legend, with_legend
from kerasseg.viz.objects import color_objects, instance_gallery, instances
from kerasseg.viz.overlays import contours, display, overlay, select_bands
from kerasseg.viz.superpixels import boundaries, mean_colors

__all__ = [
    "IGNORED",
    "OKABE_ITO",
    "blur_background",
    "boundaries",
    "color_objects",
    "colorize",
    "confusion",
    "contact_sheet",
    "contours",
    "curves",
    "cut_out",
    "differences",
    "display",
    "errors",
    "foreground",
    "gallery",
    "grey_background",
    "instance_gallery",
    "instances",
    "legend",
    "mean_colors",
    "overlay",
    "palette",
    "replace_background",
    "select_bands",
    "side_by_side",
    "triptych",
    "with_legend",
]
