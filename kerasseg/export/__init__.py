"""Models as files for other programs: SavedModel for serving, and other formats."""

from kerasseg.export.checks import ExportError
from kerasseg.export.formats import FORMATS, save
from kerasseg.export.saved_model import describe, saved_model

__all__ = ["FORMATS", "ExportError", "describe", "save", "saved_model"]
