"""Pascal VOC's colours of classes."""

import numpy as np

VOID = (224, 224, 192)  # of the borders of objects, index 255
NUM_CLASSES = 21


def ids_of_palette(colors):
    """{color: class id} of colours: VOC's ids if all are VOC's, else as sorted.

    Example:
        >>> ids_of_palette([(0, 0, 0), (0, 128, 0), (128, 0, 0)])
        {(0, 0, 0): 0, (128, 0, 0): 1, (0, 128, 0): 2}
        >>> ids_of_palette([(0, 0, 9), (0, 0, 0)])
        {(0, 0, 0): 0, (0, 0, 9): 1}
    """
    colors = sorted(tuple(color) for color in colors)
    known = {tuple(color): i for i, color in enumerate(palette(NUM_CLASSES).tolist())}
    known[VOID] = 255
    if all(color in known for color in colors):
        return dict(sorted(((c, known[c]) for c in colors), key=lambda item: item[1]))
    return {color: class_id for class_id, color in enumerate(colors)}


def contradicting_colors(palettes):
    """{color: class id} of colours of which one has several numbers in files.

    Args:
        palettes: {number: (r, g, b)} of what occurs in each file. Those in which two
            numbers have one colour, such as all black ones, say nothing.

    Returns:
        As `ids_of_palette`; None if no colour has several numbers, or there are more
        than 32 colours.

    Example:
        >>> red, blue = (255, 0, 0), (0, 0, 255)
        >>> contradicting_colors([{0: red, 1: blue}, {0: red, 2: blue}])
        {(0, 0, 255): 0, (255, 0, 0): 1}
        >>> contradicting_colors([{0: red, 1: blue}, {0: red}])
    """
    numbers = {}
    for colors in palettes:
        if len({*colors.values()}) == len(colors):
            for number, color in colors.items():
                numbers.setdefault(color, set()).add(number)
    if len(numbers) > 32 or all(len(some) == 1 for some in numbers.values()):
        return None
    return ids_of_palette(numbers)


def palette(num=256):
    """VOC's palette, uint8 [num, 3]: bits of the index, spread over the channels.

    Example:
        >>> palette(3).tolist()
        [[0, 0, 0], [128, 0, 0], [0, 128, 0]]
    """
    ids = np.arange(num)
    colors = np.zeros([num, 3], int)
    for bit in range(8):
        for channel in range(3):
            # VOC's rule: the bits of an id go, three by three, into the high bits of
            # the colour.
            colors[:, channel] |= ((ids >> (3 * bit + channel)) & 1) << (7 - bit)
    return colors.astype("uint8")
