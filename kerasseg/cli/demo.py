"""The command `kerasseg demo`: a page to try models on one's own pictures."""

from kerasseg.cli import published
from kerasseg.cli.options import number_list

# Those that need nothing but an image, and segment it within seconds.
METHODS = ("slic", "kmeans", "mean_shift", "felzenszwalb", "watershed", "threshold")


def add_arguments(command):
    """Give the parser of `kerasseg demo` its arguments."""
    command.add_argument("run_dir", nargs="?", metavar="RUN", help="run folder")
    command.add_argument(
        "--weights",
        action="append",
        metavar="NAME",
        help="published weights; may be repeated (default: those that come along)",
    )
    published.add_licence_argument(command)
    published.add_host_argument(command)
    command.add_argument("--port", type=int, help="default: the first free from 7860")
    command.add_argument(
        "--value-range",
        type=number_list,
        metavar="BLACK,WHITE",
        help="numbers of the pictures that are black and white, such as 0,4095",
    )
    command.add_argument("--open", action="store_true", help="open a browser")


def run(arguments):
    """Serve a page: drop pictures, choose a method, click to correct, download."""
    from kerasseg import demo
    from kerasseg.demo import page  # the error for a missing extra comes first
    from kerasseg.weights import catalog

    del page
    names = arguments.weights
    if names is None and arguments.run_dir is None:
        names = [x for x in catalog.names(only_open=True) if catalog.entry(x).stored]
        names.sort(key=lambda name: name != "people")  # of photographs, comes first
    segmenters = {}
    if arguments.run_dir is not None:
        segmenters[str(arguments.run_dir)] = _lazily(arguments.run_dir)
    for name in names or ():
        entry = catalog.entry(name, accept_licence=arguments.accept_licence)
        segmenters[name] = _lazily(entry)
    segmenters |= {f"{name} (classical)": demo.of_method(name) for name in METHODS}
    segmenters["by clicks alone"] = demo.untouched
    if arguments.value_range is not None:
        for name, segment in segmenters.items():
            segmenters[name] = _in_range(segment, arguments.value_range)
    demo.launch(
        segmenters,
        host=arguments.host,
        port=arguments.port,
        open_browser=arguments.open,
    )
    return {}


def _in_range(segment, value_range):
    """Segmenter of images whose numbers do not tell what is black and white."""

    def segment_scaled(image):
        from kerasseg import images

        return segment(images.scale(image, value_range))

    return segment_scaled


def _lazily(run):
    """Segmenter of a run that is loaded when it is first asked."""
    ready = []

    def segment(image):
        from kerasseg import demo, runs

        if not ready:
            ready.append(demo.of_run(*runs.ready(run)))
        return ready[0](image)

    return segment
