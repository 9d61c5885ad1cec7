"""Run-length codes of BMP files, decoded in proportion to what is in the file.

Pillow's decoder fills lines pixel by pixel: 110 s for a line of 178 million.
"""


def unpack(codes, width, height, *, is_rle4):
    """Indices of the pixels, the lowest line first; what is skipped is 0.

    Args:
        codes: bytes of the file from the first code on.
        width, height: pixels.
        is_rle4: two pixels per byte, not one.

    Returns:
        bytearray of width * height.

    Raises:
        ValueError: if codes are missing, or reach beyond a line.
    """
    pixels = bytearray(width * height)
    place, x, y = 0, 0, 0
    while y < height and (x < width or y < height - 1):
        num, value = codes[place : place + 2] or (0, 1)
        place += 2
        if num == 0 and value == 0:  # the end of a line
            x, y = 0, y + 1
            continue
        if num == 0 and value == 1:  # the end of the picture, or of the file
            raise ValueError(f"{y} of {height} lines")
        if num == 0 and value == 2:  # so many pixels to the right and lines up
            right, up = codes[place : place + 2]
            place += 2
            if not right and not up:
                raise ValueError("a step to nowhere")
            x, y = x + right, y + up
            part = b""
        elif num == 0:  # pixels one by one, filled up to 16 bits
            num_bytes = (value + 1) // 2 if is_rle4 else value
            part = codes[place : place + num_bytes]
            place += num_bytes + num_bytes % 2
            if is_rle4:
                part = bytes(half for two in part for half in (two >> 4, two & 15))
            if len(part) < value:
                raise ValueError(f"{y} of {height} lines")
            part = part[:value]
        else:
            two = bytes([value >> 4, value & 15]) if is_rle4 else bytes([value] * 2)
            part = (two * 128)[:num]
        if x + len(part) > width:
            raise ValueError("a run beyond its line")
        pixels[y * width + x : y * width + x + len(part)] = part
        x += len(part)
    return pixels
