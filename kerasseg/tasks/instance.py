"""Instance segmentation by detectors of one image size: boxes, classes, masks."""

from kerasseg.detection.mask_grid import mask_size
from kerasseg.predict.options import InstanceOptions, arguments
from kerasseg.tasks import choosing, differences, objects
from kerasseg.tasks.checks import OptionError
from kerasseg.tasks.task import Task

DETECTIONS = {"boxes", "classes", "scores", "masks", "num"}
OUTPUTS = {
    "boxes": "float32 [N, K, 4], (x1, y1, x2, y2) in pixels of the image",
    "classes": "int32 [N, K], -1 for padding",
    "scores": "float32 [N, K], best first",
    "masks": "float32 [N, K, h, w] in 0..1, to be resized to the image",
    "num": "int32 [N], how many were found",
    "sizes": "int32 [N, 2], height and width of the images (encoded only)",
}


def resolve(recipe, builder):
    """Check [loss], and the size of images, which follows from the augmentation."""
    objects.resolve_objective(recipe, builder)
    if "image_size" in recipe["model"]:
        message = "`image_size` follows from augment.size: leave it out."
        raise OptionError(message, "model", "image_size")
    size = _crop_size(recipe)
    try:
        mask_size(size if isinstance(size, (list, tuple)) else ())
    except ValueError:
        name = recipe["model"]["architecture"]
        raise OptionError(
            f"`size` must be [height, width], two multiples of 32, for {name!r}. "
            f"Received: {size!r}.",
            "augment",
            "size",
        ) from None


def _crop_size(recipe):
    """The size that [augment], or the last of [[augment]] that says so, gives."""
    steps = recipe["augment"]
    steps = steps if isinstance(steps, list) else [steps]
    return next((x["size"] for x in reversed(steps) if "size" in x), None)


def model_options(recipe, classes, channels):
    """Classes of the data without the background, and the size of training crops."""
    size = tuple(_crop_size(recipe))
    shape = {"image_size": size, "channels": channels}
    return {"num_classes": len(classes) - 1, **shape}


def predict(model, image, options):
    """`Instances` of one image."""
    from kerasseg.predict import instances

    return instances(model, image, **arguments(options))


def scorer(model, samples, options):
    """Average precision ranks objects of all scores, label maps show those above."""
    from kerasseg.predict import instances_of_all_scores

    def find(model, image):
        return instances_of_all_scores(model, image, options)

    return objects.Scorer(model, samples, options, find)


def folder(model, inputs, out, **options):
    """Pictures, label maps and one COCO file; see `objects.folder`."""
    return objects.folder(predict, model, inputs, out, **options)


def signatures(model, max_pixels, value_range=None):
    """From images to boxes, classes, scores and masks: uint8, float and encoded.

    As `program`; "encoded" takes files of several sizes in one request.
    """
    import tensorflow as tf

    from kerasseg.images.values import range_of_dtype
    from kerasseg.predict import forward, in_graph

    found = {
        "serving_default": program(
            model, range_of_dtype("uint8", value_range), dtype=tf.uint8
        ),
        "float": program(model, None, dtype=tf.float32),
    }
    if forward.input_shape(model)[-1] in (1, 3):
        find = in_graph.of_floats(model, dict)
        found["encoded"] = _of_encoded(model, find, max_pixels, value_range)
    return found


def program(model, value_range, dtype=None):
    """From images of any size to boxes, classes, scores and masks.

    They are resized to the model's size with their proportions, black at right and
    below; boxes are in pixels of the image, and masks span it.
    """
    import tensorflow as tf

    from kerasseg.predict import forward, in_graph

    size = forward.input_shape(model)[:2]

    def answer(images):
        fitted, inner = in_graph.fit_batch(images, size)
        found = model(fitted, training=False)
        return _in_image(found, tf.shape(images)[1:3][None], inner[None], size)

    free = {"size": (None, None), "dtype": dtype}
    return in_graph.program(model, answer, value_range, **free)


def _in_image(found, sizes, inners, size):
    """Boxes and masks of images [N, 2] that were fitted into `inners` of a size."""
    import tensorflow as tf

    from kerasseg.detection.pasting import stretch_masks

    inners = tf.cast(inners, tf.float32)
    factors = tf.reverse(tf.cast(sizes, tf.float32) / inners, [-1])  # (x, y)
    # Masks span the model's image, padding included.
    shares = inners / tf.constant(size, tf.float32)
    boxes = found["boxes"] * tf.tile(factors, [1, 2])[:, None]
    return {**found, "boxes": boxes, "masks": stretch_masks(found["masks"], shares)}


def _of_encoded(model, find, max_pixels, value_range):
    import tensorflow as tf

    from kerasseg.predict import encoded, forward, in_graph

    height, width, channels = forward.input_shape(model)
    fitted = tf.TensorSpec([height, width, channels], tf.float32)
    inner = tf.TensorSpec([2], tf.int32)

    @tf.function(input_signature=[encoded.files_spec()])
    def find_in_files(image_bytes):
        sizes = encoded.sizes_of(image_bytes, max_pixels)
        with tf.control_dependencies([sizes]):  # nothing is decoded unchecked
            files = tf.identity(image_bytes)
        images, inners = tf.map_fn(
            lambda data: in_graph.fit_size(
                encoded.decode(data, channels, value_range), (height, width)
            ),
            files,
            fn_output_signature=(fitted, inner),
        )
        found = _in_image(find(images), sizes, inners, (height, width))
        return {**found, "sizes": sizes}

    return find_in_files


TASK = Task(
    name="instance",
    about="objects one by one, with boxes and masks",
    options=InstanceOptions,
    monitor="mask_ap",
    row_score="ap",
    first_class=1,
    needs_instances=True,
    matches=lambda outputs: outputs >= DETECTIONS,
    resolve=resolve,
    model_options=model_options,
    loss=objects.objective,
    truth=lambda recipe: recipe["train"]["max_objects"],  # objects are padded to it
    predict=predict,
    ids=lambda found: found.to_label_map(),
    rows=objects.rows,
    scorer=scorer,
    table=objects.table,
    card=objects.card,
    gallery=objects.gallery,
    folder=folder,
    drawer=objects.drawer,
    num_classes=lambda model: None,  # the outputs do not show it
    signatures=signatures,
    program=program,
    differences=differences.of_detections,
    outputs=OUTPUTS,
    file_options={"fit": "resize", "score_threshold": None},
    choose=choosing.threshold,
)
