"""Loads model files of others: inspected first, then opened by their library.

A model file is a program: a `.keras` file can name any function of an installed
package, a SavedModel can read and write files when it is called. What is loaded here
uses known layers or known operations only, or it is refused with one typed error,
`ModelFileError`.
"""

from kerasseg.loading.errors import ModelFileError
from kerasseg.loading.keras_files import load_keras
from kerasseg.loading.saved_models import check_saved_model, load_saved_model

__all__ = ["ModelFileError", "check_saved_model", "load_keras", "load_saved_model"]
