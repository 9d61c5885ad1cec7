"""The error of refused model files."""


class ModelFileError(ValueError):
    """A model file that is not opened; the message names the file and the reason.

    Attributes:
        path: str, the file or folder.
    """

    def __init__(self, message, path):
        super().__init__(f"{path}: {message}")
        self.path = str(path)
