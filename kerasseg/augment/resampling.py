"""Sampling of images and labels at the same points, for `geometry`.

Points lie in the plane of the source: pixel (row, column) covers [row, row + 1) x
[column, column + 1), its centre lies at + 0.5. A *sampling grid* holds the
point of each pixel of the result: (rows [h], columns [w]) when the two are independent,
(rows [h, w], columns [h, w]) when they are not.
"""

import tensorflow as tf

CONTROL_POINTS = 3  # of the elastic warp along each side, as in U-Net


def crop_grid(shape, size, factor, corner, flips):
    """Sampling grid of a magnified, then cropped image.

    Args:
        shape: int32 [2], height and width of the source.
        size: (h, w) of the result.
        factor: float32 scalar, magnification of the source.
        corner: float32 [2], upper left corner of the crop in the magnified source.
        flips: pair of bool scalars: reverse the rows, the columns of the source.

    Returns:
        (rows float32 [h], columns float32 [w]).
    """
    grid = []
    for axis in range(2):
        points = (tf.range(size[axis], dtype=tf.float32) + 0.5 + corner[axis]) / factor
        length = tf.cast(shape[axis], tf.float32)
        grid.append(tf.where(flips[axis], length - points, points))
    return tuple(grid)


def warp_field(size, *, angle=0.0, shears=(0.0, 0.0), tilts=(0.0, 0.0), shift=0.0):
    """Where the pixels of a crop come from that is turned, sheared, tilted and warped.

    Args:
        size: (h, w) of the crop.
        angle: in radians, rotates the image counter-clockwise.
        shears: angles in radians by which columns and rows lean.
        tilts: by which share the crop is nearer at its lower and its right edge, and
            farther at the opposite ones, as a plane seen at an angle is.
        shift: float32 [h, w, 2] or 0, added to the points in pixels of the result.

    Returns:
        float32 [h, w, 2]: rows and columns in pixels of the magnified source, from the
        centre of the crop.
    """
    y, x = (tf.range(n, dtype=tf.float32) + (0.5 - n / 2) for n in size)
    y, x = tf.unstack(
        tf.stack(tf.meshgrid(y, x, indexing="ij"), axis=-1) + shift, axis=-1
    )
    depth = 1 + 2 * (tilts[0] * y / size[0] + tilts[1] * x / size[1])
    y, x = (y + tf.tan(shears[0]) * x) / depth, (x + tf.tan(shears[1]) * y) / depth
    cos, sin = tf.cos(angle), tf.sin(angle)
    return tf.stack([cos * y + sin * x, cos * x - sin * y], axis=-1)


def warp_grid(shape, size, factor, corner, flips, *, field):
    """Sampling grid of a crop that is warped about its centre.

    Args:
        shape, size, factor, corner, flips: see `crop_grid`.
        field: of `warp_field`.

    Returns:
        (rows float32 [h, w], columns float32 [h, w]).
    """
    grid = []
    for axis in range(2):
        points = (field[..., axis] + corner[axis] + size[axis] / 2) / factor
        length = tf.cast(shape[axis], tf.float32)
        grid.append(tf.where(flips[axis], length - points, points))
    return tuple(grid)


def elastic_shift(size, std_px, seed):
    """Smooth random displacements [h, w, 2] in pixels, bicubic between control points.

    Reference: Ronneberger et al., 2015, https://arxiv.org/abs/1505.04597
    """
    shape = [CONTROL_POINTS, CONTROL_POINTS, 2]
    control = tf.random.stateless_normal(shape, seed, stddev=std_px, alg="philox")
    return tf.image.resize(control, size, method="bicubic")


def crop_image(image, size, factor, corner, flips):
    """Sample an image on the `crop_grid` of the same arguments; 0 outside.

    Bilinear; the filter widens by 1 / factor when the image shrinks.

    Args:
        image: [H, W, C], any numeric dtype.

    Returns:
        float32 [h, w, C].
    """
    for axis, flip in enumerate(flips):
        if flip is not False:  # a Python False costs nothing
            image = tf.cond(
                flip,
                lambda image=image, axis=axis: tf.reverse(image, [axis]),
                lambda image=image: image,
            )
    # Half-pixel centres, borders and filter width are right in this operation only:
    # CropAndResize treats the outer half pixel as outside and aliases.
    return tf.raw_ops.ScaleAndTranslate(
        images=image[None],
        size=size,
        scale=tf.stack([factor, factor]),
        translation=-corner,
        kernel_type="triangle",
        antialias=True,
    )[0]


def warp_image(image, grid, factor, mirrored):
    """Sample an image bilinearly on a `warp_grid`.

    Args:
        image: [H, W, C], any numeric dtype.
        grid: (rows [h, w], columns [h, w]).
        factor: magnification of the grid; an image that shrinks is first resized with
            a filter, or it would alias. None: it never does.
        mirrored: whether outside is the mirror image, else 0.

    Returns:
        float32 [h, w, C].
    """
    shape = tf.shape(image)[:2]
    lengths = tf.unstack(tf.cast(shape, tf.float32))
    points = fold(grid, lengths) if mirrored else grid
    if factor is not None:
        factor = tf.minimum(factor, 1.0)
        image = tf.cond(
            factor < 1,
            lambda: _shrink(image, factor),
            lambda: tf.cast(image, tf.float32),
        )
        points = [x * factor for x in points]
    inside = _pixels(grid[0], shape[0])[1] & _pixels(grid[1], shape[1])[1]
    return _bilinear(image, points, inside | mirrored)


def fold(grid, lengths):
    """Points of a sampling grid inside the source that mirrors at its borders show.

    Args:
        grid: of either kind.
        lengths: height and width of the source, float32 scalars.

    Returns:
        [rows, columns], each within 0..length.
    """
    folded = [tf.math.floormod(x, 2 * n) for x, n in zip(grid, lengths)]
    return [tf.minimum(x, 2 * n - x) for x, n in zip(folded, lengths)]


def sample_nearest(values, grid, fill):
    """Sample labels or masks at the nearest pixel.

    Args:
        values: [..., H, W], any dtype.
        grid: of either kind.
        fill: value outside.

    Returns:
        [..., h, w] in the dtype of `values`.
    """
    height, width = tf.shape(values)[-2], tf.shape(values)[-1]
    rows, inside_rows = _pixels(grid[0], height)
    columns, inside_columns = _pixels(grid[1], width)
    if grid[0].shape.rank == 1:
        # Rows are copied whole: two transpositions are four times as fast as a gather
        # along the columns.
        sampled = tf.linalg.matrix_transpose(tf.gather(values, rows, axis=-2))
        sampled = tf.linalg.matrix_transpose(tf.gather(sampled, columns, axis=-2))
        inside = inside_rows[:, None] & inside_columns
    else:
        flat = tf.reshape(values, tf.concat([tf.shape(values)[:-2], [-1]], axis=0))
        sampled = tf.gather(flat, rows * width + columns, axis=-1)
        inside = inside_rows & inside_columns
    return tf.where(inside, sampled, tf.cast(fill, values.dtype))


def _pixels(points, length):
    """Return the pixels that contain the points, clipped, and which are inside."""
    index = tf.cast(tf.floor(points), tf.int32)
    return tf.clip_by_value(index, 0, length - 1), (index >= 0) & (index < length)


def _shrink(image, factor):
    """The image by exactly `factor`, so that pixels of a crop at it are copied.

    Without a last row or column whose centre would lie outside of the image.
    """
    size = tf.cast(tf.shape(image)[:2], tf.float32) * factor
    size = tf.maximum(1, tf.cast(tf.floor(size + 0.499), tf.int32))
    return crop_image(image, size, factor, tf.zeros([2]), (False, False))


def _bilinear(image, points, inside):
    """Sample between the four nearest centres; the border repeats, 0 if not inside."""
    height, width = tf.shape(image)[0], tf.shape(image)[1]
    rows, columns = (x - 0.5 for x in points)
    down = (rows - tf.floor(rows))[..., None]
    right = (columns - tf.floor(columns))[..., None]
    top, bottom = (_pixels(x, height)[0] for x in (rows, rows + 1))
    first, second = (_pixels(x, width)[0] for x in (columns, columns + 1))
    pixels = tf.reshape(tf.cast(image, tf.float32), [-1, image.shape[-1]])
    # One more pixel, a black one: faster than to mask the result, as broadcasting over
    # three channels is slow.
    pixels = tf.pad(pixels, [[0, 1], [0, 0]])

    def at(row, column):
        index = tf.where(inside, row * width + column, height * width)
        return tf.gather(pixels, index)

    upper = at(top, first)
    upper += (at(top, second) - upper) * right
    lower = at(bottom, first)
    lower += (at(bottom, second) - lower) * right
    return upper + (lower - upper) * down
