"""The choice among models by what their trials have measured."""

import dataclasses

from kerasseg.plan import length

# Score of published weights from which on they are a beginning: mean IoU of two
# classes is 0.5 for a model that sees one of them only; average precision of objects 0.
LEAST_BEFORE = {"semantic": 0.6, "stars": 0.3}
TIE = 0.01  # difference of scores below which the faster model is taken


@dataclasses.dataclass(frozen=True)
class Trial:
    """Measurements of a candidate on this machine and these data.

    Attributes:
        setup_s: seconds until the first step was done: building and tracing.
        step_s: seconds per update of `batch_size` crops, reading included.
        batch_size: of these steps.
        image_s: seconds to predict and score a validation image.
        peak_mb: memory beyond that of the process before, at its peak.
        steps: updates that were done.
        scores: {"as it is": mean IoU on crops of validation images, flip: ...}; {}
            where nothing was scored.
        before: score of the weights that it began with, on validation images.
        error: why it could not be tried; None if it could.
    """

    setup_s: float = 0.0
    step_s: float = 0.0
    batch_size: int = 0
    image_s: float = 0.0
    peak_mb: float = 0.0
    steps: int = 0
    scores: dict = dataclasses.field(default_factory=dict)
    before: float | None = None
    error: str | None = None

    @property
    def score(self):
        """Score on the images as they are; None if there is none."""
        return self.scores.get("as it is")

    def __str__(self):
        if self.error:
            return f"left out: {self.error}"
        score = ""
        if self.before is not None:
            score = f", {100 * self.before:.1f} % by published weights before"
        if self.score is not None:
            score += (
                f", {100 * self.score:.1f} % mean IoU on validation crops after "
                f"{self.steps} steps"
            )
        return (
            f"{self.step_s:.2f} s per step of {self.batch_size}, {self.image_s:.2f} s "
            f"per validation image, {self.peak_mb:.0f} MB{score}"
        )


def settled(candidate, trial):
    """The candidate, without weights that knew nothing of the data."""
    if trial.before is None or trial.before >= LEAST_BEFORE[candidate.kind]:
        return candidate
    return dataclasses.replace(candidate, init="")


def pick(candidates, trials, budgets):
    """Choose among candidates.

    Args:
        candidates: list of `Candidate`, the most promising one first.
        trials: {name: Trial}.
        budgets: {name: `length.Budget`}.

    Returns:
        (`Candidate`, reason).

    Raises:
        ValueError: if none could be tried.
    """
    tried = [one for one in candidates if not trials[one.name].error]
    told = "; ".join(f"{one.name}: {trials[one.name]}" for one in candidates)
    if not tried:
        raise ValueError(
            f"No model can be trained here. Received: {told}. Fix: smaller crops, "
            "--set 'augment.size=[128, 128]', or batches, --set train.batch_size=1."
        )
    if len(tried) == 1:
        return tried[0], f"{tried[0].why} ({told})"
    if all(trials[one.name].score is not None for one in tried):
        most = max(trials[one.name].score for one in tried)
        good = [one for one in tried if trials[one.name].score >= most - TIE]
        best = min(good, key=lambda one: trials[one.name].step_s)
        why = "it did best in an equally long trial"
        if trials[best.name].score < most:
            why = f"within {100 * TIE:.0f} % of the best in equally long trials, faster"
        return best, f"{why} ({told})"
    steps = {x.name: length.steps(trials[x.name], budgets[x.name]) for x in tried}
    for one in tried:
        if steps[one.name] >= one.least_steps:
            return one, f"{one.why}; time for {steps[one.name]} steps ({told})"
    best = max(tried, key=lambda one: steps[one.name] / one.least_steps)
    return best, f"there is too little time for the others ({told})"
