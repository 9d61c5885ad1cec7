"""SLIC superpixels: k-means in colour and position, limited to adjacent cells."""

import numpy as np

from kerasseg.classical._inputs import check_labels, check_number, lab
from kerasseg.classical._label_maps import absorb_small

SAMPLES = 6  # rows and columns of pixels sampled in each cell to update centres
FAR = 1e9  # squared distance to a cell beyond the border of the image
AWAY = 1e4  # position, in cells, of a centre that no pixel is to choose


def slic(
    image,
    num_segments: int = 300,
    *,
    compactness: float = 6.0,
    sigma: float = 1.0,
    iterations: int = 10,
    mask=None,
) -> np.ndarray:
    """Superpixels by simple linear iterative clustering (SLIC).

    The image is divided into a grid of cells with one centre each. A pixel can be
    assigned to the centres of its own and of the eight surrounding cells; the distance
    is that of CIELAB colours plus `compactness` times that of positions, in cells. The
    default compactness was chosen on 24 BSDS500 training images. Departs from the paper
    for speed: centres are updated from a sample of each cell's pixels (all pixels are
    assigned at the end), and the search window belongs to the pixel's cell, so that the
    whole assignment is one batched matrix product. Disconnected components are merged
    into the neighbour of nearest colour.

    Args:
        image: RGB [H, W, 3] or grey [H, W], numbers of any range.
        num_segments: number of superpixels, up to the number of pixels. Met exactly
            unless centres lose all their pixels; with a `mask`, nearly.
        compactness: colour difference that weighs as much as the width of a cell. 5
            follows edges, 30 gives nearly square superpixels.
        sigma: standard deviation of a Gaussian blur before, px; 0 for none.
        iterations: updates of the centres; 0 assigns pixels to the initial ones.
        mask: bool or integers [H, W]: superpixels only where it is not 0. None for the
            whole image.

    Returns:
        int32 [H, W], 0..K-1, 4-connected regions, -1 outside of the mask. O(HW),
        whatever `num_segments` is.

    Raises:
        ValueError: if the image or an argument is out of range.

    Example:
        >>> quadrants = np.kron([[0, 255], [255, 0]], np.ones([8, 8])).astype("uint8")
        >>> slic(quadrants, 4, sigma=0)[::8, ::8].tolist()
        [[0, 1], [2, 3]]

    Reference: Achanta et al., 2012, https://doi.org/10.1109/TPAMI.2012.120
    """
    check_number(compactness, "compactness", 1e-6)
    options = {"sigma": sigma, "iterations": iterations, "mask": mask}
    return _superpixels(image, num_segments, compactness, **options)


def slico(
    image,
    num_segments: int = 300,
    *,
    sigma: float = 1.0,
    iterations: int = 10,
    mask=None,
) -> np.ndarray:
    """Superpixels by SLICO: `slic` whose compactness adapts to each superpixel.

    Colour distances of a superpixel are divided by their maximum in it during earlier
    iterations, so that textured and smooth regions get equally regular shapes. This
    also weakens strong edges, so that `slic` follows borders better. The maximum over
    all iterations, as in the authors' program, did better than that of the last one:
    undersegmentation error .099 instead of .108 on seven BSDS500 training images, where
    scikit-image's `slic_zero` had .119 at the same number of segments, 187.

    Args:
        image, num_segments, sigma, iterations, mask: as in `slic`.

    Returns:
        int32 [H, W], 0..K-1, 4-connected regions, -1 outside of the mask.

    Example:
        >>> int(slico(np.zeros([30, 40], "uint8"), 12).max())
        11

    Reference: Achanta et al., 2012, https://doi.org/10.1109/TPAMI.2012.120
    """
    options = {"sigma": sigma, "iterations": iterations, "mask": mask}
    return _superpixels(image, num_segments, None, **options)


def _superpixels(image, num_segments, compactness, *, sigma, iterations, mask):
    check_number(sigma, "sigma", 0.0)
    check_number(iterations, "iterations", 0)
    colors = lab(image, sigma)
    size = colors.shape[:2]
    if mask is not None:
        mask = check_labels(mask, size, name="mask") > 0
        options = compactness, iterations
        return _inside(colors, mask, num_segments, options)
    check_number(num_segments, "num_segments", 1, size[0] * size[1])
    cells = grid(size, num_segments)
    labels = _assign(colors, cells, _centres(colors, cells, compactness, iterations))
    min_size = size[0] * size[1] / num_segments / 16
    return absorb_small(labels, colors, min_size, max_num=num_segments)


def _inside(colors, mask, num_segments, options):
    """Superpixels of the pixels of a mask: int32 [H, W], -1 outside.

    Cells cover the box around the mask, so many that about `num_segments` lie in it.
    """
    area = np.count_nonzero(mask)
    labels = np.full(mask.shape, -1, "int32")
    if not area:
        check_number(num_segments, "num_segments", 1, mask.size)
        return labels
    check_number(num_segments, "num_segments", 1, area)
    rows, cols = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    box = np.s_[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    colors, mask = colors[box], mask[box]
    num_cells = min(round(num_segments * mask.size / area), mask.size)
    cells = grid(mask.shape, num_cells)
    compactness, iterations = options
    centres = _centres(colors, cells, compactness, iterations, mask)
    found = np.where(mask, _assign(colors, cells, centres), -1)
    min_size = area / num_segments / 16
    labels[box] = absorb_small(found, colors, min_size, num_segments, mask=mask)
    return labels


def grid(size, num):
    """Rows and columns of a grid of at least `num`, nearly square cells.

    Of the two numbers of rows next to the ideal, the one with fewer cells is taken.
    """
    height, width = size
    ideal = min(max(np.sqrt(num * height / width), 1), height)
    choices = {int(np.floor(ideal)), min(int(np.ceil(ideal)), height)}
    pairs = [(rows, -(-num // rows)) for rows in choices if -(-num // rows) <= width]
    return min(pairs or [(height, -(-num // height))], key=lambda pair: np.prod(pair))


def _centres(colors, cells, compactness, iterations, mask=None):
    """Cluster centres: colours, positions (in cells, from the cell's centre), weights.

    With a mask, pixels outside count for no centre.

    Returns:
        float32 [gh, gw, 6]: L, a, b, y, x, weight of squared colour distances.
    """
    rows, cols = map(_sampled_pixels, colors.shape[:2], cells)
    features = _cell_features(colors, rows, cols, cells)  # [gh, gw, 7, P]
    centres = np.empty([*cells, 6], "float32")
    centres[..., :5] = features[:, :, :5].mean(3)
    # SLICO starts at a compactness of 10, as the authors' program does.
    centres[..., 5] = (compactness or 10.0) ** -2
    counted = None
    if mask is not None:
        inside = mask[rows[:, None, :, None], cols[:, None, :]].reshape(*cells, -1)
        num = inside.sum(2)
        sums = (features[:, :, :5] * inside[:, :, None]).sum(3)
        centres[num > 0, :5] = sums[num > 0] / num[num > 0, None]
        touched = _touched(mask, cells)
        centres[~touched, 3] = AWAY
        for cell in np.argwhere(touched & (num == 0)).tolist():
            centres[(*cell, np.s_[:3])] = _mean_color(colors, mask, cells, cell)
        counted = inside.ravel().astype("float32")
    # Candidates 0..8 of a cell are the centres of the 3 x 3 cells around it, by rows.
    index = np.arange(cells[0] * cells[1]).reshape(cells)[..., None]
    largest = np.ones(index.size, "float32")  # at least 1: even surfaces divide by it
    for _ in range(iterations):
        choice = (_distance_factors(centres) @ features).argmin(2)  # [gh, gw, P]
        down, right = choice // 3 - 1, choice % 3 - 1
        owner = (index + down * cells[1] + right).ravel()
        position = (features[:, :, 3] - down, features[:, :, 4] - right)
        values = [features[:, :, 0], features[:, :, 1], features[:, :, 2], *position]
        count = np.bincount(owner, counted, minlength=index.size)
        found = count > 0  # a centre without pixels stays where it is
        flat = centres.reshape(-1, 6)  # a view: `centres` is updated
        for k, value in enumerate(values):
            value = value.ravel() if counted is None else value.ravel() * counted
            total = np.bincount(owner, value, minlength=index.size)
            flat[found, k] = total[found] / count[found]
        if compactness is None:
            distances = _color_distances(flat, owner, features)
            if counted is not None:
                distances = distances * counted
            np.maximum.at(largest, owner, distances)
            flat[:, 5] = 1 / largest
    return centres


def _touched(mask, cells):
    """Whether each cell has a pixel of a mask: bool [gh, gw]."""
    top, left = (_cell_edges(*pair)[:-1] for pair in zip(mask.shape, cells))
    rows = np.logical_or.reduceat(mask, top, axis=0)
    return np.logical_or.reduceat(rows, left, axis=1)


def _mean_color(colors, mask, cells, cell):
    """Mean colour of the pixels of a mask in a cell (row, column)."""
    edges = (_cell_edges(*pair) for pair in zip(mask.shape, cells))
    part = tuple(slice(*edge[k : k + 2]) for edge, k in zip(edges, cell))
    return colors[part][mask[part]].mean(0)


def _color_distances(centres, owner, features):
    """Squared colour distances of pixels to the centres that they are assigned to."""
    colors = np.moveaxis(features[:, :, :3], 2, 3).reshape(-1, 3)
    return np.square(colors - centres[owner, :3]).sum(1)


def _sampled_pixels(length, num):
    """Indices of pixels spread evenly over each of `num` cells: [num, <= SAMPLES]."""
    edges = _cell_edges(length, num)
    sizes = np.diff(edges)
    steps = min(SAMPLES, int(sizes.max()))
    inside = (np.arange(steps) + 0.5) * sizes[:, None] / steps
    return edges[:-1, None] + inside.astype("int64")


def _cell_edges(length, num):
    """First pixel of each of `num` cells along an axis, and `length`."""
    return np.ceil(np.arange(num + 1) * (length / num) - 0.5).astype("int64")


def _cell_features(colors, rows, cols, cells, first=0):
    """Features L, a, b, y, x, squared colour and 1 of the pixels: [gh, gw, 7, P]."""
    pixels = colors[rows[:, None, :, None], cols[:, None, :]]
    gh, gw, p, q, _ = pixels.shape
    features = np.empty([gh, gw, 7, p, q], "float32")
    features[:, :, :3] = np.moveaxis(pixels, 4, 2)
    centre = [np.arange(first, first + gh) + 0.5, np.arange(gw) + 0.5]
    scale = [num / length for num, length in zip(cells, colors.shape[:2])]
    y = (rows + 0.5) * scale[0] - centre[0][:, None]
    x = (cols + 0.5) * scale[1] - centre[1][:, None]
    features[:, :, 3] = y[:, None, :, None]
    features[:, :, 4] = x[None, :, None, :]
    features[:, :, 5] = np.square(features[:, :, :3]).sum(2)
    features[:, :, 6] = 1
    return features.reshape(gh, gw, 7, p * q)


def _distance_factors(centres):
    """Matrices [gh, gw, 9, 7] from a cell's features to distances to 9 candidates.

    The squared distance |f - c|^2 w + |u - p|^2, of colour f and position u from a
    centre's c and p, is linear in the features but for |u|^2. All candidates share
    |u|^2, and it is left out.
    """
    gh, gw, _ = centres.shape
    padded = np.zeros([gh + 2, gw + 2, 6], "float32")
    padded[1:-1, 1:-1] = centres
    # Farther than any colour, however much colours weigh.
    outside = np.full([gh + 2, gw + 2], FAR * max(1, centres[..., 5].max()), "float32")
    outside[1:-1, 1:-1] = 0
    factors = np.empty([gh, gw, 9, 7], "float32")
    for k, (down, right) in enumerate(np.ndindex(3, 3)):
        near = padded[down : down + gh, right : right + gw]
        weight, color = near[..., 5:], near[..., :3]
        position = near[..., 3:5] + np.array([down - 1, right - 1], "float32")
        factors[:, :, k, :3] = -2 * weight * color
        factors[:, :, k, 3:5] = -2 * position
        factors[:, :, k, 5] = weight[..., 0]
        constant = weight[..., 0] * np.square(color).sum(-1)
        constant += np.square(position).sum(-1)
        factors[:, :, k, 6] = constant + outside[down : down + gh, right : right + gw]
    return factors


def _assign(colors, cells, centres):
    """Index of the nearest centre of every pixel: int32 [H, W].

    One row of cells at a time, which bounds memory. Cells differ by a pixel in width;
    the narrower ones are padded by their last pixel.
    """
    factors = _distance_factors(centres)
    top, left = map(_cell_edges, colors.shape[:2], cells)
    widths = np.diff(left)
    inside = np.arange(widths.max()) < widths[:, None]  # [gw, q]
    cols = np.minimum(left[:-1, None] + np.arange(widths.max()), left[1:, None] - 1)
    labels = np.empty(colors.shape[:2], "int32")
    for row in range(cells[0]):
        rows = np.arange(top[row], top[row + 1])[None]
        features = _cell_features(colors, rows, cols, cells, first=row)
        choice = (factors[row] @ features[0]).argmin(1)  # [gw, P]
        index = np.arange(cells[1])[:, None] + row * cells[1]
        # From a candidate 0..8 of the cell to the index of its centre.
        index = index + (choice // 3 - 1) * cells[1] + choice % 3 - 1
        index = index.reshape(cells[1], rows.size, -1).transpose(1, 0, 2)
        labels[rows[0]] = index[:, inside]
    return labels
