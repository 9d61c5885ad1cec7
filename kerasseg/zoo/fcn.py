"""FCN: a classifier made convolutional, class scores resized to the image."""

import keras
import numpy as np
from keras import layers

from kerasseg import blocks, encoders
from kerasseg.encoders.atrous import check_output_stride
from kerasseg.layers import CropLike
from kerasseg.zoo._builder import builder
from kerasseg.zoo._dilated_fcn import REFERENCES, dilated_fcn


@builder(references=REFERENCES)
def fcn(
    num_classes=21,
    encoder="vgg16",
    *,
    encoder_weights=None,
    input_shape=(None, None, 3),
    output_stride=8,
    num_convs=1,
    concat_input=False,
    aux=False,
    weights=None,
):
    """FCN-32s, -16s or -8s on VGG16, or torchvision's dilated form on other encoders.

    `encoder="vgg16"` is the network of the paper: fc6 and fc7 as convolutions of 7x7
    and 1x1, scores of pool4 and pool3 added on the way up (`output_stride` 16 and 8),
    transposed convolutions without bias that begin as bilinear interpolation. Instead
    of padding the image by 100 pixels, convolutions keep the size.

    Any other encoder is made dense to `output_stride`, scored by one 3x3 and one 1x1
    convolution, and the logits are resized.

    Args:
        num_classes: channels of the logits; 1 is one binary logit.
        encoder: name in `kerasseg.encoders`, or a keras.Model with taps.
        encoder_weights: None, "imagenet" or a path.
        input_shape: (H, W, C), sizes may be None; raw RGB 0..255.
        output_stride: 8, 16 or 32: stride of the finest scores.
        num_convs: 3x3 convolutions in front of the scores; 2 in mmsegmentation (not for
            VGG16).
        concat_input: join their result with the features once more by another one, as
            mmsegmentation (not for VGG16).
        aux: add the auxiliary head on `c4`, or on the tap that is named (not for
            VGG16).
        weights: None or a path to weights of the whole model.

    Returns:
        keras.Model: image [N, H, W, C] -> float32 logits [N, H, W, num_classes]; with
        `aux` a dict {"logits", "aux"}.

    Raises:
        ValueError: for an unknown encoder or output stride, or options of the dilated
            form with VGG16.

    Reference: Shelhamer et al., 2017, https://arxiv.org/abs/1605.06211; torchvision's
    fcn_resnet50 for the dilated form.
    """
    check_output_stride(output_stride, "fcn")
    if not encoders.traits_of(encoder).convolutional_fc:
        return dilated_fcn(
            num_classes,
            encoder,
            encoder_weights=encoder_weights,
            input_shape=input_shape,
            output_stride=output_stride,
            num_convs=num_convs,
            concat_input=concat_input,
            aux=aux,
        )
    if aux or concat_input or num_convs != 1:
        raise ValueError(
            "`aux`, `num_convs` and `concat_input` need another encoder than 'vgg16'. "
            f"Received: aux={aux!r}, num_convs={num_convs}, "
            f"concat_input={concat_input!r}."
        )
    image = keras.Input(input_shape, name="image")
    taps = encoders.build(encoder, input_shape, weights=encoder_weights)(image)
    x = taps["c5"]
    # The dense layers of VGG16 as convolutions: 102.8 million of the 134 million
    # weights are fc6's 7 x 7 x 512 x 4096.
    for name, kernel_size in (("fc6", 7), ("fc7", 1)):
        x = blocks.conv(x, 4096, kernel_size, name=name)
        x = layers.Activation("relu", name=f"{name}_relu")(x)
        x = layers.Dropout(0.5, name=f"{name}_dropout")(x)
    x = blocks.conv(x, num_classes, 1, name="score")
    stride = 32
    for level, tap in ((4, "c3"), (3, "c2")):
        if stride == output_stride:
            break
        # The taps of VGG16 lie before its poolings, the paper's skips behind.
        pool = layers.MaxPooling2D(2, padding="same", name=f"pool{level}")(taps[tap])
        skip = blocks.conv(pool, num_classes, 1, name=f"score_pool{level}")
        x = _upsample(x, skip, 2, name=f"up{level}")
        x = layers.Add(name=f"fuse_pool{level}")([x, skip])
        stride //= 2
    x = _upsample(x, image, stride, name=f"up_{stride}x")
    return keras.Model(image, blocks.logits(x), name="fcn")


def _upsample(x, like, factor, *, name):
    """Learned bilinear upsampling; "same" poolings overshoot at the far side only."""
    x = layers.Conv2DTranspose(
        x.shape[-1],
        2 * factor,
        strides=factor,
        padding="same",
        use_bias=False,
        kernel_initializer=bilinear_kernel,
        name=name,
    )(x)
    return CropLike("start", name=f"{name}_crop")([x, like])


@keras.saving.register_keras_serializable("kerasseg")
def bilinear_kernel(shape, dtype=None):
    """Initializer: each channel interpolates itself bilinearly, none other.

    Args:
        shape: (size, size, K, K) of a transposed convolution with stride size / 2.

    Returns:
        Array of that shape.
    """
    size = shape[0]
    # Distance of each of the kernel's pixels from its centre: a triangle of sum
    # `factor`.
    ramp = 1 - np.abs(np.arange(size) + 0.5 - size / 2) / (size / 2)
    kernel = np.einsum("i,j,kl->ijkl", ramp, ramp, np.eye(shape[2], shape[3]))
    return keras.ops.convert_to_tensor(kernel, dtype=dtype or "float32")
