"""`kerasseg predict` on clips and cameras."""


def add_arguments(command):
    """Add the options of clips to a parser."""
    group = command.add_argument_group("clips and cameras")
    group.add_argument(
        "--smooth",
        type=float,
        nargs="?",
        const=0.5,
        metavar="S",
        help="mean with the past, moved along by optical flow, of which S remains in "
        "each frame (alone: 0.5)",
    )
    group.add_argument(
        "--follow",
        type=float,
        nargs="?",
        const=0.05,
        metavar="R",
        help="objects stay within about R diagonals of where they were, for a model "
        "that has learned the first frame (alone: 0.05)",
    )
    group.add_argument(
        "--frames", type=int, metavar="N", help="only the first N frames"
    )


def options_of(arguments):
    """The options of clips, as `runs.predict` takes them."""
    return {
        "smooth": arguments.smooth,
        "follow": arguments.follow,
        "num_frames": arguments.frames,
    }


def lines(films):
    """Lines about the clips that were written."""
    for film in films:
        rate = film["frames_per_s"]
        speed = "" if rate is None else f", {rate:g} per second"
        yield f"Wrote {film['files'][0]} and its table: {film['frames']} frames{speed}."
