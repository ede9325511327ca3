"""Figures between two marks of a page that people write."""

__all__ = ["put_between"]


def put_between(marks, text, path):
    """Replaces what stands between a pair of marks in a Markdown file."""
    begin, end = marks
    before, rest = path.read_text(encoding="utf-8").split(begin)
    path.write_text(f"{before}{begin}\n{text}\n{end}{rest.split(end)[1]}", encoding="utf-8")
