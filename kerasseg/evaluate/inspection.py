"""Good and bad parts: images with and without anything to find, judged as a whole."""

FALSE_ALARM_RATE = 0.05


def inspection(rows, rate=FALSE_ALARM_RATE):
    """Bad images that are found, and good ones that raise a false alarm.

    An image is called bad where a region of any class but the first is found in it,
    of whatever class and wherever. Regions below a least area may be left out, see the
    option `min_area_px` of prediction: the larger it is, the fewer the false alarms.

    Args:
        rows: the "samples" of a result, dicts of "present" (names of classes in the
            label) and "largest_px" (area of the largest region that is found).
        rate: most false alarms of a good image, 0..1, for the choice of that area.

    Returns:
        dict: "bad" and "good" (numbers of images), "found" of the bad and
        "false_alarms" of the good ones as predicted, and "chosen": "min_area_px", the
        least with which false alarms are at most `rate`, with its "found" and
        "false_alarms". None without good or without bad images.

    Example:
        >>> areas = [(1, 50), (1, 9), (0, 0), (0, 12)]
        >>> rows = [{"present": ["hole"] * bad, "largest_px": px} for bad, px in areas]
        >>> inspection(rows)["chosen"]
        {'min_area_px': 13, 'found': 1, 'false_alarms': 0}
    """
    rows = [row for row in rows if "largest_px" in row]
    bad = [row["largest_px"] for row in rows if row["present"]]
    good = sorted(
        (row["largest_px"] for row in rows if not row["present"]), reverse=True
    )
    if not bad or not good:
        return None
    # The false alarm that is one too many, and no smaller one.
    least = good[int(rate * len(good))] + 1

    def counts(area):
        found = sum(px >= area for px in bad)
        return {"found": found, "false_alarms": sum(px >= area for px in good)}

    totals = {"bad": len(bad), "good": len(good), **counts(1)}
    return {**totals, "chosen": {"min_area_px": least, **counts(least)}}
