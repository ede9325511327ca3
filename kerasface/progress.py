"""The progress bar that commands and the demo share."""

import contextlib

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

__all__ = ["progress_bar"]


@contextlib.contextmanager
def progress_bar(console, description):
    """Shows a bar while the block runs; on something that is no terminal, nothing.

    Args:
        console: `rich.console.Console`.
        description: text before the bar.

    Yields:
        a function `update(done, total)`.

    Example:
        >>> with progress_bar(Console(), "embedding") as update:
        ...     represent(embed, images, progress=update)
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(description, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
