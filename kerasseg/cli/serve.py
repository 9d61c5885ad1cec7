"""The command `kerasseg serve`: a model behind HTTP."""

import os

from kerasseg.cli import options, published


def add_arguments(command):
    """Give the parser of `kerasseg serve` its arguments."""
    command.add_argument(
        "model",
        nargs="?",
        metavar="RUN|NAME",
        help="run folder, or name of published weights (default: the newest run)",
    )
    published.add_licence_argument(command)
    published.add_host_argument(command)
    command.add_argument("--port", type=int, default=8000, help="default: 8000")
    limits = command.add_argument_group("limits")
    limits.add_argument(
        "--max-mb", type=float, default=20.0, metavar="MB", help="of a file (20)"
    )
    limits.add_argument(
        "--max-megapixels",
        type=float,
        default=4.0,
        metavar="MP",
        help="of an image (4); memory grows with it, less so with --tile",
    )
    limits.add_argument(
        "--timeout",
        type=float,
        default=30.0,
        metavar="S",
        help="for a file to arrive, and again for its answer (30)",
    )
    limits.add_argument(
        "--max-requests", type=int, default=100, metavar="N", help="at once (100)"
    )
    limits.add_argument(
        "--together",
        type=int,
        metavar="N",
        help="images of one size that go through the model together if they wait "
        "(default: as many as have 32768 pixels, which is what helps a CPU)",
    )
    options.add_arguments(command)


def run(arguments):
    """Serve a model: POST a picture to /predict, get JSON or a PNG mask."""
    _check(arguments)
    from kerasseg import runs, serving
    from kerasseg.serving import server  # the error for a missing extra comes first
    from kerasseg.serving.app import Limits

    del server
    chosen, name = _chosen(arguments)
    model, task, look, prediction = runs.ready(chosen, options.given(arguments))
    segmenter = serving.Segmenter(
        *(model, task, look, prediction),
        name=name,
        max_pixels=int(1e6 * arguments.max_megapixels),
        together=arguments.together,
    )
    segmenter.warm_up()
    limits = Limits(
        max_bytes=int(1e6 * arguments.max_mb),
        timeout_s=arguments.timeout,
        max_requests=arguments.max_requests,
    )

    def tell(url):
        print(f"Serving {name} at {url}/predict (Ctrl-C ends it).", flush=True)

    place = {"host": arguments.host, "port": arguments.port}
    serving.launch(segmenter, **place, limits=limits, on_start=tell)
    return {}


def _check(arguments):
    for flag in ("max_mb", "max_megapixels", "timeout", "max_requests", "together"):
        value = getattr(arguments, flag)
        if value is not None and not 0 < value < float("inf"):
            name = flag.replace("_", "-")
            raise ValueError(f"--{name} must be above 0. Received: {value}.")
    if not 0 <= arguments.port <= 65535:
        raise ValueError(f"--port must be in 0..65535. Received: {arguments.port}.")


def _chosen(arguments):
    """Run folder or catalogue entry, and its name."""
    from kerasseg.weights import catalog

    given = arguments.model
    is_folder = given is None or os.path.isdir(given)
    arguments.weights = given if not is_folder and catalog.is_name(given) else None
    arguments.run_dir = None if arguments.weights or given is None else [given]
    chosen = published.chosen(arguments)
    if arguments.weights:
        return chosen, chosen.name
    first = chosen[0] if isinstance(chosen, list) else chosen
    return chosen, os.path.basename(os.path.abspath(given or first))
