"""Pages from results: the cards of the zoo."""

from kerasseg.report.cards import card, fill, update

__all__ = ["card", "fill", "update"]
