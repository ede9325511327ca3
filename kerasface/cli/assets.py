"""kerasface assets."""

from pathlib import Path

import typer

from kerasface.cli.console import console, error_console

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True, help="The face detector's models: a wheel carries them, a checkout fetches them."
)


@app.callback()
def _group():
    pass


@app.command()
def get(
    source: Path = typer.Option(None, "--from", help="A mediapipe wheel or a folder with the files; else through pip."),
):
    """Fetch MediaPipe's two models into the cache, checked by sha256.

    Example: kerasface assets get
    """
    from kerasface.edge import assets

    if source is None and not assets.missing():
        console.print(f"already there: {', '.join(str(assets.path(name)) for name in assets.ASSETS)}", soft_wrap=True)
        return
    with error_console.status("fetching"):
        fetched = assets.fetch(source)
    for path in fetched.paths:
        console.print(str(path), soft_wrap=True)
    console.print(f"from {fetched.origin}\nlicence: {fetched.licence}", soft_wrap=True)
