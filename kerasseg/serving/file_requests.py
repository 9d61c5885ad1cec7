"""Requests whose body is a picture's file; what `/predict` takes and gives."""

from starlette.exceptions import HTTPException

from kerasseg.serving.segmenter import ANSWERS

HOW = "Send the file itself: curl --data-binary @photo.jpg URL/predict"


def begin(request, model):
    """The answer that a request wants: by ?answer=, or its Accept header.

    Args:
        request: starlette.requests.Request, whose body has not been read.
        model: `Segmenter`.

    Returns:
        A key of `ANSWERS`.

    Raises:
        HTTPException: for another answer, or a body of another kind.
    """
    for name in request.query_params:
        if name != "answer":
            raise HTTPException(400, f"The only option is answer=. Received: {name}=.")
    kind = request.query_params.get("answer")
    if kind is None:
        kind = "mask" if _prefers_png(request.headers.get("accept", "")) else "json"
    if kind not in ANSWERS:
        choices = ", ".join(ANSWERS)
        raise HTTPException(400, f"answer= must be one of {choices}. Received: {kind}.")
    if kind == "cutout" and model.no_cut_out:
        raise HTTPException(400, model.no_cut_out)
    media = request.headers.get("content-type", "").partition(";")[0].lower()
    if media in ("multipart/form-data", "application/json"):
        raise HTTPException(
            415, f"The body must be an image file. Received: {media}. {HOW}"
        )
    return kind


def _prefers_png(accept):
    """Whether an Accept header names PNG, and not JSON with a higher weight."""
    weights = {}
    for one in accept.lower().split(","):
        media, *parameters = (x.strip() for x in one.split(";"))
        given = [x.partition("=")[2] for x in parameters if x.startswith("q=")]
        try:
            weights[media] = float(given[0]) if given else 1.0
        except ValueError:
            weights[media] = 0.0
    png = weights.get("image/png", 0.0)
    return png > 0 and png >= weights.get("application/json", 0.0)


def unpack(data, begun):
    """Bytes of the picture's file in the body `data`, and what `pack` has to know."""
    if not data:
        raise HTTPException(400, f"The body must be an image file, not empty. {HOW}")
    return data, begun


def pack(model, image, found, kind):
    """The answer: bytes, and headers with their kind."""
    return model.answer(image, found, kind), {"content-type": ANSWERS[kind]}
