"""Architectures: each a function from keyword arguments to a keras.Model.

To add one, write its file and import it here; the contract tests pick it up.
"""

from kerasseg.names import public
from kerasseg.zoo.deeplab_v3 import deeplab_v3
from kerasseg.zoo.deeplab_v3_plus import deeplab_v3_plus
from kerasseg.zoo.fcn import fcn
from kerasseg.zoo.unet import unet

BUILDERS = public(globals(), __name__)


def names():
    """Names of all architectures, sorted."""
    return list(BUILDERS)
