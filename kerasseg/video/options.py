"""Options of clips, in one place for Python and the command line."""

import dataclasses

from kerasseg.video.following import Follower
from kerasseg.video.smoothing import Smoother


@dataclasses.dataclass(frozen=True)
class ClipOptions:
    """Options of a clip, beside those of its frames.

    Attributes:
        smooth: part of the past in the probabilities of a frame, 0 to below 1, see
            `Smoother`; None for none.
        follow: distance that objects stay within from one frame to the next, as a share
            of the diagonal, see `Follower`; None for no limit. For models that have
            learned the objects of the first frame.
        num_frames: frames to take at most, from the first; None takes all.

    Raises:
        ValueError: if an option is out of its range.
    """

    smooth: float | None = None
    follow: float | None = None
    num_frames: int | None = None

    def __post_init__(self):
        self.memories()  # made for their checks
        if self.num_frames is not None and self.num_frames < 1:
            raise ValueError(
                f"`num_frames` must be 1 or more. Received: {self.num_frames!r}."
            )

    def memories(self):
        """New functions (frame, probabilities) -> probabilities, in their order."""
        kinds = ((Follower, self.follow), (Smoother, self.smooth))
        return [kind(value) for kind, value in kinds if value is not None]
