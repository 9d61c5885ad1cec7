"""A model behind HTTP (extra `serve`): pictures in; masks, objects and areas out.

It is a thin front of Starlette, uvicorn and prometheus-client. Many models, versions or
GPUs are the business of TensorFlow Serving, see `export.saved_model`.
"""

from kerasseg.serving.segmenter import Segmenter

__all__ = ["Segmenter", "launch"]


def launch(segmenter, *, host="127.0.0.1", port=8000, limits=None, on_start=None):
    """Serve a model until a signal ends the process; requests under way are answered.

    Args:
        segmenter: `Segmenter`.
        host: address to listen at; the default is reached from this machine only, and
            answers only requests to a name of it, which no foreign web page can send.
        port: 0 for any that is free.
        limits: `serving.app.Limits`; None for the defaults.
        on_start: function of the URL, called when requests are accepted.

    Raises:
        ImportError: without the extra; names it.
        OSError: if the address is taken or not of this machine.
    """
    from kerasseg.serving import server

    server.run(segmenter, host, port, limits, on_start)
