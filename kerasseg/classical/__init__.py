"""Segmentation without training: arrays in, int32 label maps [H, W] out.

Superpixels, region growing, markers and foreground on numpy, OpenCV, SciPy and
scikit-image. Nothing here imports tensorflow.

    >>> photo = np.kron([[0, 255], [255, 0]], np.ones([8, 8])).astype("uint8")
    >>> int(slic(photo, 4, sigma=0).max())
    3
"""

from kerasseg.classical.kmeans import kmeans
from kerasseg.classical.region_growing import region_growing
from kerasseg.classical.slic import slic, slico
