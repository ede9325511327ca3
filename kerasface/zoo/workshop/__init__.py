"""Workshop of the zoo: from a recipe to files that are trained, measured, described and shipped."""

from kerasface.zoo.workshop.card import card
from kerasface.zoo.workshop.page import README_MARKS, page, summary, write_page
from kerasface.zoo.workshop.record import BuildRecord
from kerasface.zoo.workshop.run import build

__all__ = ["README_MARKS", "BuildRecord", "build", "card", "page", "summary", "write_page"]
