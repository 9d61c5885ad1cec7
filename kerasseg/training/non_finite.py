"""The error of a step whose loss or gradient is not finite."""

MAX_SKIPPED_IN_A_ROW = 20  # more are no bad batch, but a model that has diverged


class NonFiniteError(ArithmeticError):
    """The loss or the gradient of a step was infinite or not a number.

    Attributes:
        step: number of the step that failed, counted from 1.
        loss, grad_norm: its values, float.
    """

    def __init__(self, message, step, loss, grad_norm):
        super().__init__(message)
        self.step = step
        self.loss = loss
        self.grad_norm = grad_norm


def explain(step, loss, grad_norm, sample_names, num_in_a_row):
    """Message of a NonFiniteError: what failed, on which samples, and what helps."""
    samples = f" Its samples: {', '.join(sample_names)}." if sample_names else ""
    message = (
        f"Step {step} gave loss={loss} and grad_norm={grad_norm}; both must be finite. "
        "The step was not applied, and what was saved before is untouched."
        f"{samples} Lower the learning rate, set `clip_norm`, or look for bad values "
        "in this batch."
    )
    if num_in_a_row > 1:
        message = f"{num_in_a_row} steps in a row were not finite. {message}"
    return message
