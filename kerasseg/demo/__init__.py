"""A page to try models and classical methods on one's own pictures (extra `demo`).

`launch` starts a server on this machine; nothing here needs gradio but `page`.
"""

from kerasseg.demo.answers import Answer, of_method, of_run, untouched
from kerasseg.demo.clicks import corrected

__all__ = ["Answer", "corrected", "launch", "of_method", "of_run", "untouched"]


def launch(segmenters, *, host="127.0.0.1", port=None, open_browser=False):
    """Serve the page until the process is stopped.

    Args:
        segmenters: dict from names to functions of an image, see `of_run`.
        host: address to listen at; the default is seen by this machine only.
        port: None for the first free one from 7860 on.
        open_browser: whether to open the page.

    Raises:
        ImportError: without gradio; names the extra.
    """
    from kerasseg.demo import page

    page.make(segmenters).launch(
        server_name=host,
        server_port=port,
        inbrowser=open_browser,
        share=False,  # a tunnel to the outside only if somebody builds one
        max_file_size="100mb",
        **page.LOOK,
    )
