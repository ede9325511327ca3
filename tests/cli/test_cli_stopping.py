"""Ctrl-C ends any command with exit code 130 and no traceback; `python -m kerasface` is the command too."""

import subprocess
import sys

import kerasface as package


class _Importing:
    """In the place of a module: Ctrl-C comes while it is imported from."""

    def __getattr__(self, name):
        raise KeyboardInterrupt


def _interrupted(*args, **options):
    raise KeyboardInterrupt


def test_ctrl_c_during_the_imports(monkeypatch, kerasface):
    monkeypatch.setitem(sys.modules, "kerasface.cli.app", _Importing())
    assert kerasface("--version")[0] == 130


def test_ctrl_c_while_a_command_runs(monkeypatch, kerasface):
    monkeypatch.setattr("kerasface.doctor.check_up", _interrupted)
    assert kerasface("doctor")[0] == 130


def test_ctrl_c_in_an_alignment_says_that_it_can_go_on(monkeypatch, kerasface, tmp_path, fetched_assets):
    monkeypatch.setattr("kerasface.alignment.align_tree", _interrupted)
    code, _, err = kerasface("align", tmp_path, tmp_path / "set")
    assert code == 130
    assert err.strip() == "stopped; the same command goes on"


def test_the_package_runs_as_a_module():
    command = [sys.executable, "-m", "kerasface", "--version"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.strip() == f"kerasface {package.__version__}"
