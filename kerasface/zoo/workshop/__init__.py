"""Workshop of the zoo: from a recipe to files that are trained, measured, described and shipped."""

from kerasface.zoo.workshop.card import card
from kerasface.zoo.workshop.page import page, write_page
from kerasface.zoo.workshop.record import BuildRecord
from kerasface.zoo.workshop.run import build

__all__ = ["BuildRecord", "build", "card", "page", "write_page"]
