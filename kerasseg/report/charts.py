"""Small charts as SVG, inside of a page: no file, no script, sharp at any size."""

from kerasseg.tasks.task import percent

WORDS = '<text font-size="12" fill="currentColor" '
AXES = (
    '<path d="M40 10V210H240" fill="none" stroke="currentColor" stroke-opacity=".5"/>'
    f'{WORDS}x="38" y="226">0</text>{WORDS}x="226" y="226">100</text>'
    f'{WORDS}x="14" y="16">100</text>'
)
DIAGONAL = (
    '<path d="M40 210L240 10" stroke="currentColor" stroke-opacity=".5" '
    'stroke-dasharray="4"/>'
)


def reliability(bins):
    """Accuracy of pixels by their confidence; `bins` of `evaluate.details`."""
    total = sum(pixels for pixels, _, _ in bins)
    dots = "".join(
        f'<circle cx="{_x(confidence)}" cy="{_y(right)}" '
        f'r="{2 + 8 * (pixels / total) ** 0.5:.1f}" fill="#0072b2" fill-opacity=".7">'
        f"<title>confidence {percent(confidence)} %, right {percent(right)} %, "
        f"{percent(pixels / total)} % of the pixels</title></circle>"
        for pixels, confidence, right in bins
    )
    return _square(DIAGONAL + dots, "confidence, %", "right, %")


def curve(points, across, up, *, diagonal=False):
    """A curve in a square of 0..1, given as [xs, ys]; `across` and `up` are words."""
    line = " ".join(f"{_x(x)},{_y(y)}" for x, y in zip(*points))
    line = f'<polyline points="{line}" fill="none" stroke="#0072b2" stroke-width="2"/>'
    return _square(DIAGONAL * diagonal + line, across, up)


def histogram(scores):
    """Numbers of images by score in 0..1, ten bars."""
    counts = [0] * 10
    for score in scores:
        # A score of exactly 1 belongs to the last bar.
        counts[min(max(int(10 * score), 0), 9)] += 1
    bars = "".join(
        f'<rect x="{30 * i}" y="{80 - 80 * n / max(counts):.1f}" width="28" '
        f'height="{80 * n / max(counts):.1f}" fill="#0072b2"><title>{10 * i} to '
        f"{10 * i + 10} %: {n} images</title></rect>"
        for i, n in enumerate(counts)
    )
    return (
        f'<svg viewBox="0 0 300 100" width="300" role="img">{bars}{WORDS}x="0" y="97">'
        f'0 %</text>{WORDS}x="262" y="97">100 %</text></svg>'
    )


def _x(share):
    return f"{40 + 200 * share:.1f}"


def _y(share):
    return f"{210 - 200 * share:.1f}"


def _square(content, across, up):
    return (
        f'<svg viewBox="0 0 260 250" width="260" role="img">{AXES}{content}'
        f'{WORDS}x="140" y="243" text-anchor="middle">{across}</text>{WORDS}'
        f'transform="translate(12 110) rotate(-90)" text-anchor="middle">{up}</text>'
        "</svg>"
    )
