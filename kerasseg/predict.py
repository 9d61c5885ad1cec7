"""Class ids and probabilities of whole images, large images and folders of files.

>>> import keras, numpy as np
>>> x = keras.Input([None, None, 3])
>>> model = keras.Model(x, keras.layers.Conv2D(2, 1)(x))
>>> class_ids(model, np.zeros([5, 7], "uint8")).shape
(5, 7)
"""

import json
import os
import pathlib
import time

import numpy as np

from kerasseg import crf, files, images, inference, names, tiles, viz

SAVED = ("overlay", "mask", "polygons")
OPTIONS = ("tile_px", "overlap_px", "flips", "refine")


def probabilities(
    model, image, *, tile_px=None, overlap_px=None, flips=False, refine=None
):
    """Class probabilities of one image.

    Args:
        model: image -> logits [N, H, W, K], or a dict of outputs with "logits".
        image: [H, W] or [H, W, C], any size; see
            `inference.prepare`.
        tile_px: run on tiles of this size (or (height, width)), blended where they
            overlap, to bound memory; None runs on the whole image.
        overlap_px: overlap of tiles; None for a quarter of the tile, at most 64.
        flips: average over mirrored copies: True or "horizontal" for two, "both" for
            all four.
        refine: "crf" for `crf.dense_crf` as it is, or a function of image and
            probabilities, `functools.partial(crf.dense_crf, srgb=5)`; works on the
            whole image, with tiles too.

    Returns:
        float32 [H, W, K]: softmax, or sigmoid for K = 1.

    Raises:
        ValueError: if the image does not fit the model or the refinement.
    """
    refine = _refinement(refine)
    if tile_px is None:
        answer = inference.to_probabilities
        found = inference.infer(model, [image], answer, flips=flips)[0]
    else:
        parts = _stripes(model, image, tile_px, overlap_px, flips)
        found = np.concatenate([stripe for _, stripe in parts])
    return found if refine is None else refine(image, found)


def class_ids(model, image, *, tile_px=None, overlap_px=None, flips=False, refine=None):
    """The most probable class of each pixel.

    Args:
        model, image, tile_px, overlap_px, flips, refine: as in `probabilities`.

    Returns:
        int32 [H, W]. With one logit: 1 where its probability is above 0.5.
    """
    if refine is not None:
        options = {"tile_px": tile_px, "overlap_px": overlap_px, "flips": flips}
        return decide(probabilities(model, image, **options, refine=refine))[0]
    if tile_px is not None:
        parts = _stripes(model, image, tile_px, overlap_px, flips)
        return np.concatenate([decide(stripe)[0] for _, stripe in parts])
    return class_ids_of_batch(model, [image], flips=flips)[0]


def class_ids_of_batch(model, images, *, flips=False):
    """The most probable class of each pixel of several images of one size.

    Args:
        model, flips: as in `probabilities`.
        images: N images [H, W] or [H, W, C].

    Returns:
        int32 [N, H, W].
    """
    if not flips:  # the short way: classes are chosen inside the compiled function
        return inference.infer(model, images, inference.to_class_ids)
    answer = inference.to_probabilities
    return decide(inference.infer(model, images, answer, flips=flips))[0]


def predict_tiled(model, image, *, tile_px=512, overlap_px=None, flips=False, out=None):
    """Class ids and confidence of an image of any size in bounded memory.

    Memory holds one row of tiles. With `image` and `out` memory-mapped
    (`np.lib.format.open_memmap`), an image larger than memory is no problem.

    Args:
        model, tile_px, overlap_px, flips: as in `probabilities`.
        image: [H, W] or [H, W, C], also memory-mapped; read tile by tile.
        out: dict of arrays [H, W] to write to, "class_ids" and "confidence", one or
            both; None makes them.

    Returns:
        `out`: "class_ids" int32 and "confidence" float32, the probability of the
        chosen class. Equal to the whole image's under the condition in `tiles.stripes`
        (probabilities within 1e-6, class ids but for ties).
    """
    size = np.shape(image)[:2]
    if out is None:
        out = {"class_ids": np.empty(size, "i4"), "confidence": np.empty(size, "f4")}
    names.check_options(out, ("class_ids", "confidence"), "`out`")
    for name, array in out.items():
        if array.shape != size:
            raise ValueError(
                f"`out[{name!r}]` must have the size of the image, {size}. "
                f"Received: shape={array.shape}."
            )
    for top, stripe in _stripes(model, image, tile_px, overlap_px, flips):
        for name, values in zip(("class_ids", "confidence"), decide(stripe)):
            if name in out:
                out[name][top : top + len(stripe)] = values
    return out


def _stripes(model, image, tile_px, overlap_px, flips):
    """(top, probabilities [h, W, K]) from the top of the image to its bottom."""
    inference.check_flips(flips)
    inference.check_image(image, inference.input_shape(model)[-1])
    tile_px = (tile_px, tile_px) if isinstance(tile_px, int) else tuple(tile_px)
    if overlap_px is None:
        overlap_px = min(64, min(tile_px) // 4)
    if not 0 <= overlap_px < min(tile_px):
        raise ValueError(
            "`tile_px` must be above `overlap_px`, and both positive. "
            f"Received: tile_px={tile_px}, overlap_px={overlap_px}."
        )

    def infer(top, bottom, left, right):
        part = image[top:bottom, left:right]
        answer = inference.to_probabilities
        return inference.infer(model, [part], answer, flips=flips)[0]

    size = np.shape(image)[:2]
    return tiles.stripes(infer, size, tile_px=tile_px, overlap_px=overlap_px)


def _refinement(refine):
    """The function that a `refine` argument stands for, or None."""
    if refine is None or callable(refine):
        return refine
    if refine == "crf":
        return crf.dense_crf
    raise ValueError(
        f"`refine` must be None, 'crf' or a function. Received: refine={refine!r}."
    )


def decide(probabilities):
    """Class ids int32 and confidence float32, [...], of probabilities [..., K]."""
    if probabilities.shape[-1] == 1:
        above = probabilities[..., 0]
        return (above > 0.5).astype("int32"), np.maximum(above, 1 - above)
    return probabilities.argmax(-1).astype("int32"), probabilities.max(-1)


def folder(
    model,
    inputs,
    out,
    *,
    class_names=None,
    palette=None,
    save=("overlay", "mask"),
    options=None,
    on_image=None,
):
    """Predict image files and write pictures, masks and polygons.

    Args:
        model: as in `probabilities`.
        inputs: an image file, a folder of them, or a list of files and folders.
        out: folder; gets overlays/NAME.png (.jpg for JPEG images), masks/NAME.png
            (class ids, with palette) and polygons/NAME.json.
        class_names: names by class id, for the legend and the polygons.
        palette: uint8 [K, 3]; None for `viz.palette`.
        save: what to write, of "overlay", "mask", "polygons".
        options: dict of `tile_px`, `overlap_px`, `flips`, `refine` for `class_ids`.
        on_image: function of a dict, called after each file: "index" (from 1), "num",
            "path", "files", "seconds", "error" (None or a message).

    Returns:
        {"images": [the dicts above that went well], "failed": [the others]}. A bad
        file does not stop the others.

    Raises:
        ValueError: if `save` or `options` hold unknown names, names or colours are
            missing, there is no image, or an input file would be overwritten.
    """
    options = dict(options or {})
    names.check_options(options, OPTIONS, "`options`")
    names.check_options(save, SAVED, "`save`")
    inference.check_flips(options.get("flips", False))
    _refinement(options.get("refine"))
    _check_rows(model, class_names=class_names, palette=palette)
    jobs = _jobs(inputs, pathlib.Path(out), save)
    result = {"images": [], "failed": []}
    for index, (path, targets) in enumerate(jobs, 1):
        start, error = time.perf_counter(), None
        try:
            _predict_file(model, path, targets, class_names, palette, options)
        except (ValueError, OSError) as problem:  # images.ImageError is a ValueError
            error = str(problem) if str(path) in str(problem) else f"{path}: {problem}"
        seconds = round(time.perf_counter() - start, 4)
        written = [] if error else [str(target) for target in targets.values()]
        event = {"index": index, "num": len(jobs), "path": str(path), "error": error}
        event |= {"files": written, "seconds": seconds}
        result["failed" if error else "images"].append(event)
        if on_image is not None:
            on_image(event)
    return result


def _check_rows(model, **tables):
    """Refuse names or colours that are fewer than the model's classes."""
    num = inference.num_classes(model)
    for name, rows in tables.items():
        if rows is not None and num is not None and len(rows) < num:
            raise ValueError(
                f"`{name}` must have {num} entries, one a class. Received: {len(rows)}."
            )


def _jobs(inputs, out, save):
    """Pairs (image file, {kind: file to write}), with a name of its own for each."""
    paths = []
    for path in [inputs] if isinstance(inputs, (str, os.PathLike)) else inputs:
        path = pathlib.Path(path)
        paths += images.find_images(path) if path.is_dir() else [path]
    if not paths:
        raise ValueError("`inputs` must be image files or a folder. Received: none.")
    jobs, taken = [], set()
    for path in paths:
        name, copy = path.stem, 2
        while name in taken:  # a.png and a.jpg: a and a_2
            name, copy = f"{path.stem}_{copy}", copy + 1
        taken.add(name)
        picture = ".jpg" if path.suffix.lower() in (".jpg", ".jpeg") else ".png"
        targets = {
            "overlay": out / "overlays" / (name + picture),
            "mask": out / "masks" / (name + ".png"),
            "polygons": out / "polygons" / (name + ".json"),
        }
        jobs.append((path, {kind: targets[kind] for kind in SAVED if kind in save}))
    known = {path.resolve() for path in paths}
    for path in (path for _, targets in jobs for path in targets.values()):
        if path.resolve() in known:
            raise ValueError(
                f"`out` must not hold the inputs. Received: out={str(out)!r}, which "
                f"would overwrite {path}."
            )
    return jobs


def _predict_file(model, path, targets, class_names, palette, options):
    channels = inference.input_shape(model)[-1]
    image = images.read_image(path, channels=channels if channels in (1, 3) else None)
    label = class_ids(model, image, **options)
    if "mask" in targets:
        colors = palette
        if palette is None and label.max() < 256:
            colors = viz.palette(256)
        images.write_mask(targets["mask"], label, palette=colors)
    look = {"palette": palette, "ignore_label": None}
    if "overlay" in targets:
        picture = viz.overlay(image, label, class_names=class_names, **look)
        images.write_image(targets["overlay"], picture)
    if "polygons" in targets:
        _write_polygons(targets["polygons"], label, class_names)


def _write_polygons(path, label, class_names):
    regions = viz.contours(label, ignore_label=None)
    for region in regions:
        if class_names is not None:
            region["class"] = str(class_names[region["class_id"]])
    content = {"height": label.shape[0], "width": label.shape[1], "regions": regions}
    text = json.dumps(content, ensure_ascii=False)
    files.replace(path, lambda part: part.write_text(text, encoding="utf-8"))
