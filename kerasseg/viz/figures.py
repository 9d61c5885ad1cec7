"""Figures that a notebook shows."""

import io

from matplotlib.figure import Figure


class Chart(Figure):
    """matplotlib's figure, shown by a notebook that has not imported pyplot, too."""

    def _repr_png_(self):
        data = io.BytesIO()
        self.savefig(data, format="png", dpi=100, bbox_inches="tight")
        return data.getvalue()
