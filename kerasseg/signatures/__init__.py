"""What a SavedModel offers: TensorFlow functions, by what the model finds."""

from kerasseg.signatures import objects, pixels, stars

__all__ = ["objects", "pixels", "stars"]
