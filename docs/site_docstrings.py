"""Reads the docstrings' "Example:" as what the parser calls "Examples:", so that code is shown as code."""

import re

import griffe


class Examples(griffe.Extension):
    """A Griffe extension; mkdocs.yml names it."""

    def on_object(self, *, obj, **kwargs):
        if obj.docstring is not None:
            obj.docstring.value = re.sub(r"(?m)^( *)Example:$", r"\1Examples:", obj.docstring.value)
