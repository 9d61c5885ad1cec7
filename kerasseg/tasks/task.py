"""The contract of a task: all that differs between kinds of models, in one object."""

import dataclasses
from collections.abc import Callable

from kerasseg.predict.options import as_options, check_bands, defaults
from kerasseg.tasks import frames


@dataclasses.dataclass(frozen=True)
class Task:
    """Building, training, scoring, pictures, use and serving of one kind of models.

    A new kind of model is a builder that names its task, and one file that makes such
    an object. `recipe` below is a resolved recipe, `builder` a function of
    `kerasseg.zoo`, `options` an instance of the task's options.

    Attributes:
        name: as builders say it: "semantic".
        about: a few words for lists: "a class for each pixel".
        options: frozen dataclass of prediction options, see `predict.options`.
        monitor: the score of a validation that decides which weights are best.
        row_score: the score of one image that orders the gallery, a key of its row.
        first_class: id of the first class that models tell apart, in the data set's
            list: 1 for models without a background.
        needs_instances: whether samples must have `instances` and `classes`.
        matches: names of a model's outputs -> whether a model that does not say its
            task is of this one.
        resolve: (recipe, builder) -> None; checks the recipe and fills in defaults, in
            place; raises `tasks.checks.OptionError`.
        model_options: (recipe, class names, channels) -> arguments of the builder that
            follow from the data.
        loss: (recipe, builder) -> what a training step minimises.
        truth: recipe -> `objects` argument of `data.pipeline`.
        predict: (model, image, options) -> what is found in one image.
        predict_batch: (model, images of one size, options) -> list of what is found in
            each, by one pass of the model; None if images go through it one by one.
        ids: what is found in one image -> int32 [H, W], class ids, or the numbers of
            its objects or segments from 1.
        rows: (what is found in one image, class_names, options) ->
            `predict.tables.Found`, its objects and areas; None if there are none.
        opacity: (task, model, image, options) -> [H, W] in 0..1, how far each pixel is
            something else than background; see `cut_out`.
        scorer: (model, samples, options) -> object with `predict(images)`,
            `add(sample, found) -> row`, `result()`, and `batch_px`, the pixels of small
            images that go through the model together; those that know probabilities
            of pixels also have `details(samples)`, see `evaluate.details`.
        table: result of a scorer -> text.
        card: results of results.json -> list of lines of Markdown.
        gallery: ({heading: rows}, samples, options) -> picture; a row has "name",
            "score", "sample" and "found".
        folder: (model, inputs, out, *, class_names, palette, options) -> report; writes
            predictions of image files as `predict.folder`.
        drawer: (class_names, palette, options) -> function (image, found) -> picture,
            of one size for all images of one size, and `predict.tables.Found`, for
            clips; None if there is none.
        num_classes: model -> how many classes it tells apart; None if it does not say.
        signatures: (model, max_pixels, value_range) -> dict of TensorFlow functions.
        program: (model, value_range) -> the one of them that files for other runtimes
            hold, see `predict.in_graph.program`.
        differences: (outputs of the model, outputs of another runtime) for one image,
            dicts of arrays -> {"agreement": share of equal answers, "error": the
            largest difference, "iou": of what was found}.
        outputs: dict from output of the signatures to its dtype, shape and meaning.
        file_options: what `program` and `signatures` do, as options of prediction,
            where that is not what their defaults do; None for what is left to whoever
            reads the answers.
        choose: (task, model, samples, options, recipe) -> (dict of prediction options
            that score best on the samples, list of JSON-able dicts of what was tried).
    """

    name: str
    about: str
    options: type
    monitor: str
    row_score: str
    first_class: int
    needs_instances: bool
    matches: Callable
    resolve: Callable
    model_options: Callable
    loss: Callable
    truth: Callable
    predict: Callable
    ids: Callable
    scorer: Callable
    table: Callable
    card: Callable
    gallery: Callable
    folder: Callable
    num_classes: Callable
    signatures: Callable
    program: Callable
    differences: Callable
    outputs: dict
    file_options: dict = dataclasses.field(default_factory=dict)
    opacity: Callable = lambda task, model, image, options: (
        task.ids(task.predict(model, image, options)) > 0
    )
    choose: Callable = lambda task, model, samples, options, recipe: ({}, [])
    drawer: Callable | None = None
    predict_batch: Callable | None = None
    rows: Callable | None = None

    def make_options(self, given=None, channels=None):
        """The options of the task from a dict of some, an instance, or None.

        `channels` are those of the images, where bands for pictures must be among them.

        Raises:
            ValueError: if a name is unknown, with the nearest, or a value is wrong.
        """
        options = as_options(self.options, given)
        if channels is not None:
            check_bands(options, channels)
        return options

    def default_options(self):
        """Default of each option by name."""
        return defaults(self.options)

    def cut_out(self, image, opacity, options):
        """Picture of what a model finds, without background: uint8 [H, W, 4], RGBA.

        Args:
            image: [H, W, C], of which `picture_bands` of the options are shown.
            opacity: of the image, by `opacity`.
            options: of prediction.
        """
        from kerasseg import viz
        from kerasseg.predict import files

        image = viz.select_bands(image, getattr(options, "picture_bands", None))
        return files.cut_out(image, opacity)

    def video(
        self,
        model,
        source,
        out,
        *,
        class_names=None,
        palette=None,
        options=None,
        clip=None,
    ):
        """A clip or a camera through a model; arguments as in `tasks.video`."""
        from kerasseg import video

        options, clip = self.make_options(options), clip or video.ClipOptions()
        look = {"class_names": class_names, "palette": palette}
        memories = clip.memories()
        answer = frames.drawer(self, model, options, **look, memories=memories)
        return video.process(source, out, answer, num_frames=clip.num_frames)


def percent(value, digits=1):
    """A score in 0..1 as text in percent; "-" for None."""
    return "-" if value is None else f"{100 * value:.{digits}f}"
