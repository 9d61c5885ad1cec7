"""Models as files for other programs: SavedModel for serving, and other formats."""

from kerasseg.export.about import describe
from kerasseg.export.checks import ExportError
from kerasseg.export.comparison import compare, table
from kerasseg.export.formats import FORMATS, check, save, save_raw
from kerasseg.export.saved_model import saved_model
from kerasseg.predict.engines import of_file as as_model

__all__ = [
    "FORMATS",
    "ExportError",
    "as_model",
    "check",
    "compare",
    "describe",
    "save",
    "save_raw",
    "saved_model",
    "table",
]
