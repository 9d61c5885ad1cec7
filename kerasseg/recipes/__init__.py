"""Recipes: TOML -> keyword arguments -> objects; only here do names become things.

A recipe has seven tables. `[model]`, `[data]`, `[augment]`, `[loss]` (one table or a
list of them) and `[optimizer]` name a function or class of the library and give its
keyword arguments; `[train]` holds the settings of the loop, with defaults of its own,
`[predict]` what validation, evaluation and prediction are to use (`zoom`, `tile_px`).
[data] takes `value_range`, [black, white], where images do not tell (`images.values`),
and `group`, a pattern of names, for a split by groups (`datasets.split`).
The string "none" stands for None, which TOML lacks. Models of objects bring their
loss, of which `[loss]` sets options only (`num_rois` of Mask R-CNN), and take the size
of their images from `[augment]`.
"""

from kerasseg.recipes.build import (
    build_augment,
    build_loss,
    build_model,
    build_optimizer,
    build_samples,
    build_truth,
    builder_of,
    task_of,
    with_flips,
)
from kerasseg.recipes.options import TABLES, as_list
from kerasseg.recipes.text import (
    FOLDER,
    SHAPES,
    RecipeError,
    complete,
    name,
    named,
    places,
    read,
    read_data,
    with_data,
)
from kerasseg.recipes.write import dump

__all__ = [
    "FOLDER",
    "SHAPES",
    "TABLES",
    "RecipeError",
    "as_list",
    "build_augment",
    "build_loss",
    "build_model",
    "build_optimizer",
    "build_samples",
    "build_truth",
    "builder_of",
    "complete",
    "dump",
    "name",
    "named",
    "places",
    "read",
    "read_data",
    "task_of",
    "with_data",
    "with_flips",
]
