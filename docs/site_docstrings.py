"""Docstrings as the API pages want them: our "Example:" is their "Examples:", call arguments are a list."""

import re

import griffe


class OurSections(griffe.Extension):
    """A Griffe extension; mkdocs.yml names it."""

    def on_object(self, *, obj, **kwargs):
        if obj.docstring is not None:
            text = re.sub(r"(?m)^( *)Example:$", r"\1Examples:", obj.docstring.value)
            obj.docstring.value = re.sub(r"(?m)^( *)Call arguments:\n((?:\1 +.*\n?)+)", _listed, text)


def _listed(section):
    indent, body = section.groups()
    items = re.sub(rf"(?m)^{indent}    (?=\S)", f"{indent}    - ", re.sub(r"(?m)^ {8,}", "          ", body))
    return f"{indent}Call arguments:\n{items}"
