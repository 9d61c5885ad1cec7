"""What instance models are trained towards: one function for each of them.

Each is a function (model, images, truth, *, seed) -> dict of scalar terms, weighted
already; their sum is what a training step minimises. It runs the parts of the model
with training=True: there is no second model for training.

images: [N, H, W, C] of the model's image size, raw 0..255. truth is a dict of tensors;
for StarDist and Panoptic-DeepLab maps that their functions describe, for the others,
padded to G objects an image:

    boxes: float32 [N, G, 4] in pixels, zeros for padding.
    classes: int [N, G], 0..C-1, -1 for padding.
    masks: 0..1 of any type [N, G, H / 4, W / 4], the canvas of the model's masks: the
        share of a pixel that is covered, see `data.object_targets`. Mask R-CNN takes
        masks of any size, since it cuts its targets out of them.

seed is an int or a keras.random.SeedGenerator for what is drawn by chance. An int draws
the same each time, so a training loop wants a generator.
"""

from kerasseg.zoo.center_mask import center_mask_losses
from kerasseg.zoo.mask_rcnn import mask_rcnn_losses
from kerasseg.zoo.panoptic_deeplab import panoptic_deeplab_losses
from kerasseg.zoo.stardist import stardist_losses
from kerasseg.zoo.yolact import yolact_losses

__all__ = [
    "OBJECTIVES",
    "center_mask_losses",
    "mask_rcnn_losses",
    "panoptic_deeplab_losses",
    "stardist_losses",
    "yolact_losses",
]

OBJECTIVES = {
    "center_mask": center_mask_losses,
    "mask_rcnn": mask_rcnn_losses,
    "panoptic_deeplab": panoptic_deeplab_losses,
    "stardist": stardist_losses,
    "yolact": yolact_losses,
}
