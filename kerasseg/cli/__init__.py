"""The command `kerasseg`."""

from kerasseg.cli.main import main

__all__ = ["main"]
