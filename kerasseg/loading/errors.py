"""The error of refused model files."""

from kerasseg.names import bounded


class ModelFileError(ValueError):
    """A model file that is not opened; the message names the file and the reason.

    Attributes:
        path: str, the file or folder.
    """

    def __init__(self, message, path):
        super().__init__(f"{bounded(path)}: {bounded(message)}")
        self.path = str(path)
