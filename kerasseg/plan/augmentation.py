"""Choice of an augmentation: flips that fit, a preset, crops that find rare things."""

from kerasseg.plan.choices import EMPTY, Choice

SELDOM = 0.25  # share of the images below which a class is rarely seen

# Of directions (see `facts.directions`): above, up and down differ beyond doubt.
ONE_WAY = 0.3
KEPT = 0.9  # part of a score that flipped images must keep for the flip to fit
CHANCE = 0.05  # p, below which directions of colour images are in doubt
USABLE = 0.3  # score below which a short training tells nothing
EXACT = 0.5  # share of crops without resampling, of which vessels and nuclei gained


def fitting(facts, scores=None):
    """Flips that the data allow, each with its reason.

    Args:
        facts: `DataFacts`.
        scores: {"as it is": s, flip: s, ...}, scores of a model that has seen no flips
            on validation images, flipped or not; None if there was no time for it.

    Returns:
        {flip: (bool, reason)} for "horizontal", "vertical" and "transposed".
    """
    sideways = facts.told.get("horizontal", (0.0, 1.0))[0]
    upright, found = (scores or {}).get("as it is") or 0.0, {}
    for flip in ("horizontal", "vertical", "transposed"):
        much, p = facts.told.get(flip, (0.0, 1.0))
        side = flip == "horizontal"
        limit = ONE_WAY if side else min(ONE_WAY, 2 * sideways + 0.1)
        measured = f"classes lie one way by {much:.2f} of 1, p {p:.3f}"
        if much > limit and p <= 0.01:
            found[flip] = False, f"{flip} flips do not fit ({measured})"
        elif upright >= USABLE and flip in scores:
            keeps = scores[flip] / upright
            found[flip] = (
                keeps >= KEPT,
                f"{flip} flips of validation images keep {keeps:.0%} of the score of a "
                "model that has seen none",
            )
        elif side or facts.grey or facts.channels == 1 or p > CHANCE:
            found[flip] = True, f"nothing speaks against {flip} flips ({measured})"
        else:  # most photographs have an up, which their labels may hardly show
            found[flip] = False, f"{flip} flips of colour images in doubt ({measured})"
    return found


def choose(facts, fits, size, zoom=1.0):
    """[augment], by a preset that fits; [[augment]] where crops must find rare things.

    Args:
        facts: `DataFacts`.
        fits: of `fitting`.
        size: (crop [height, width], reason).
        zoom: enlargement of the images.

    Returns:
        `Choice` of the whole table.
    """
    sideways, upside_down, turned = (
        fits[flip][0] for flip in ("horizontal", "vertical", "transposed")
    )
    any_way = sideways and upside_down
    flips = {(True, True): "both", (True, False): "horizontal"}
    flips |= {(False, True): "vertical", (False, False): None}
    name, why = _preset(facts, any_way, any_way and turned)
    low, high, why_scale = _scales(facts)
    table = {"name": name, "size": size[0]}
    table["scale"] = [round(low * zoom, 2), round(high * zoom, 2)]
    table["flip"] = flips[sideways, upside_down]
    if name != "street":  # it has none, because roads are level
        table["rotation"] = 90.0 if any_way and turned else 10.0
    if name in ("microscopy", "medical"):
        table["elastic"] = round(min(10.0, (facts.width_px or 20) / 2), 1)
    if zoom == 1:  # otherwise predictions are of resampled images, too
        table["exact"] = EXACT
    reasons = {
        "name": why,
        "size": size[1],
        "scale": why_scale + f", times {zoom:g}" * (zoom != 1),
        "flip": f"{fits['horizontal'][1]}; {fits['vertical'][1]}",
        "rotation": fits["transposed"][1],
        "elastic": "displacements of half the width of structures, 10 px at most",
        "exact": "scaled and rotated crops are blurred, images at prediction are not",
    }
    reasons = {key: text for key, text in reasons.items() if key in table}
    share, why_focus = focus(facts)
    if not share:
        return Choice("augment", None, table, reasons)
    return _focused(table, reasons, share, why_focus)


def _focused(table, reasons, share, why):
    """The same in two steps, of which the first one can lay crops over classes."""
    table = {**table, "name": "geometry", "focus": share}
    table["outside"] = "reflect" if "elastic" in table else "zero"
    light = {"name": "color", "brightness": 0.3, "contrast": 0.3, "noise": 0.1}
    reasons = {**reasons, "name": f"{reasons['name']}, in two steps", "focus": why}
    return Choice("augment", None, [table, light], reasons)


def _preset(facts, any_way, turns):
    if facts.dtype != "uint8" and not turns:
        return "medical", f"{facts.dtype} images in which directions differ, as scans"
    if facts.empty_share > EMPTY and any_way:
        share = f"{facts.empty_share:.0%} of the images show nothing, as in inspection"
        return "inspection", share
    if turns and (facts.grey or facts.channels == 1):
        return "microscopy", "grey images without an up or a left"
    if not any_way and facts.told.get("vertical", (0, 1))[0] > 0.5:
        return "street", "what is above and what is below is the same in all images"
    return "standard", "as usual for photographs"


def _scales(facts):
    if len(facts.side_px) and facts.side_px[3] > 4 * facts.side_px[1]:
        low, high = facts.side_px[1], facts.side_px[3]
        return 0.7, 1.5, f"sizes of regions spread widely, {low:g} to {high:g} px"
    return 0.8, 1.25, "regions are alike in size"


def focus(facts):
    """Share of the crops that are laid over a class, and the reason; 0 for none."""
    least = _least_seen(facts)
    if least >= SELDOM and facts.empty_share <= EMPTY:
        return 0.0, ""
    return 0.5, (
        f"one class is in {least:.0%} of the images, and {facts.empty_share:.0%} show "
        "nothing: half of the crops are laid over a class"
    )


def balance(facts):
    """Whether images of rare classes are drawn more often: list of `Choice`."""
    least = _least_seen(facts)
    if least >= SELDOM:
        return []
    reason = (
        f"one class is in {least:.1%} of the images, which are then drawn more often"
    )
    return [Choice("data", "balance", "classes", reason)]


def _least_seen(facts):
    """Share of the images that show the class which fewest of them show."""
    return min((x for x in facts.image_shares[1:] if x > 0), default=1.0)
