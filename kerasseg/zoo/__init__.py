"""Architectures: each a function from keyword arguments to a keras.Model.

To add one, write its file and import it here; the contract tests pick it up.
"""

from kerasseg.names import public
from kerasseg.zoo.deeplab_v3 import deeplab_v3
from kerasseg.zoo.deeplab_v3_plus import deeplab_v3_plus
from kerasseg.zoo.fcn import fcn
from kerasseg.zoo.fpn import fpn
from kerasseg.zoo.linknet import linknet
from kerasseg.zoo.lraspp import lraspp
from kerasseg.zoo.manet import manet
from kerasseg.zoo.pan import pan
from kerasseg.zoo.pspnet import pspnet
from kerasseg.zoo.segformer import segformer
from kerasseg.zoo.unet import unet
from kerasseg.zoo.unet_plus_plus import unet_plus_plus
from kerasseg.zoo.upernet import upernet

BUILDERS = public(globals(), __name__)


def names():
    """Names of all architectures, sorted."""
    return list(BUILDERS)
