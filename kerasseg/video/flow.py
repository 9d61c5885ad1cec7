"""Motion between frames: optical flow, what it carries along, and what it hides."""

import cv2
import numpy as np

# Of the squared difference of colours in 0..1, as Lai et al. use it.
SHARPNESS = 50.0


def motion(previous, current):
    """Where the pixels of a frame were in the one before, by dense inverse search.

    Args:
        previous, current: uint8 [H, W, 3] or [H, W].

    Returns:
        float32 [H, W, 2]: pixel (x, y) of `current` was at (x + [0], y + [1]).

    Raises:
        ValueError: if sizes or dtypes differ.

    Reference: Kroeger et al., 2016, https://arxiv.org/abs/1603.03590
    """
    frames = [np.asarray(frame) for frame in (current, previous)]
    if frames[0].shape != frames[1].shape or {x.dtype.name for x in frames} != {
        "uint8"
    }:
        raise ValueError(
            "`previous` and `current` must be uint8 of one size. Received: "
            f"{frames[1].dtype} {frames[1].shape}, {frames[0].dtype} {frames[0].shape}."
        )
    grey = [cv2.cvtColor(x, cv2.COLOR_RGB2GRAY) if x.ndim == 3 else x for x in frames]
    sides = grey[0].shape
    # The search refuses frames below its patches of 8 px at a quarter of the size.
    pads = [(0, max(0, 64 - side)) for side in sides]
    grey = [np.pad(x, pads, mode="edge") if any(map(max, pads)) else x for x in grey]
    search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    return search.calc(*grey, None)[: sides[0], : sides[1]]


def warp(values, flow, *, nearest=False):
    """Values of the previous frame where its pixels are in the current one.

    Args:
        values: [H, W] or [H, W, C]: float32 or uint8; any integers if `nearest`.
        flow: of `motion`.
        nearest: take the nearest pixel, as for class ids, instead of interpolating.

    Returns:
        Like `values`. Beyond the border, the border goes on.

    Example:
        >>> right = np.full([1, 3, 2], [-1, 0], "float32")  # everything moved right
        >>> warp(np.array([[1, 2, 3]]), right, nearest=True).tolist()
        [[1, 1, 2]]
    """
    values, (height, width) = np.asarray(values), flow.shape[:2]
    x = np.arange(width, dtype="float32") + flow[..., 0]
    y = np.arange(height, dtype="float32")[:, None] + flow[..., 1]
    if nearest:
        rows = np.clip(np.rint(y).astype(int), 0, height - 1)
        return values[rows, np.clip(np.rint(x).astype(int), 0, width - 1)]
    channels = values.shape[2] if values.ndim == 3 else 1
    # OpenCV takes four channels at a time.
    parts = [values[..., i : i + 4] for i in range(0, channels, 4)]
    parts = parts if values.ndim == 3 else [values]
    border = cv2.BORDER_REPLICATE
    moved = [
        cv2.remap(np.ascontiguousarray(part), x, y, cv2.INTER_LINEAR, borderMode=border)
        for part in parts
    ]
    return np.concatenate([m.reshape(p.shape) for m, p in zip(moved, parts)], axis=-1)


def visible(previous, current, flow):
    """Certainty that a pixel shows what it showed in the frame before.

    Args:
        previous, current: uint8 [H, W, 3].
        flow: of `motion`.

    Returns:
        float32 [H, W] in 0..1: exp(-50 d^2) for a difference d of the colour, in 0..1,
        to the one that the flow carries along; 0 where that comes from outside.

    Reference: Lai et al., 2018, https://arxiv.org/abs/1808.00449
    """
    height, width = flow.shape[:2]
    carried = warp(previous, flow).astype("float32")
    squares = ((carried - current.astype("float32")) / 255) ** 2
    certain = np.exp(-SHARPNESS * squares.mean(-1))
    x = np.arange(width) + flow[..., 0]
    y = np.arange(height)[:, None] + flow[..., 1]
    inside = (x > -0.5) & (x < width - 0.5) & (y > -0.5) & (y < height - 0.5)
    return (certain * inside).astype("float32")
