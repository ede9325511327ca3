"""The doctor on machines that lack things: what it finds, what it says to do, and when it calls a machine well."""

import json
import signal
import sys
import tomllib
from pathlib import Path

import pytest

from kerasface.doctor import check_up, checkup, packages, places, probe, runtimes
from kerasface.doctor.finding import Checkup, Finding
from kerasface.edge.delegation import delegation

REQUIRES = (
    "numpy>=2.0",
    "ai-edge-litert>=2.0",
    'tensorflow-cpu>=2.20; extra == "train"',
    'keras<4,>=3.15; extra == "train"',
    'kerasface[train]; extra == "dev"',
    'pytest>=8; extra == "dev"',
)


@pytest.fixture
def installed(monkeypatch):
    """Sets which distributions are installed, by name and version; kerasface asks for REQUIRES."""

    def set_to(**versions):
        versions = {name.replace("_", "-"): version for name, version in versions.items()}

        def version(name):
            if name not in versions:
                raise packages.metadata.PackageNotFoundError(name)
            return versions[name]

        monkeypatch.setattr(packages.metadata, "version", version)
        monkeypatch.setattr(packages.metadata, "requires", lambda name: list(REQUIRES))
        return {finding.what: finding for finding in packages.package_findings()}

    return set_to


def test_all_is_there(installed):
    found = installed(numpy="2.4.0", ai_edge_litert="2.3.0", tensorflow_cpu="2.21.0", keras="3.15.1")
    assert {finding.state for finding in found.values()} == {"ok"}
    assert found["keras"] == Finding("train", "keras", "ok", "3.15.1")
    assert "pytest" not in found  # the project's own extras are nobody's lack


def test_a_missing_base_package_is_wrong_and_a_missing_extra_is_not(installed):
    found = installed(numpy="2.4.0")
    litert, extra = found["ai-edge-litert"], found["not installed"]
    assert (litert.state, litert.fix) == ("wrong", "pip install 'ai-edge-litert>=2.0'")
    assert (extra.area, extra.state, extra.found) == ("train", "absent", "tensorflow-cpu, keras")
    assert extra.fix.startswith("pip install 'kerasface[train]'")


def test_every_extra_of_a_user_is_looked_at():
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    (every,) = project["optional-dependencies"]["all"]
    assert set(packages.EXTRAS) == set(every.removeprefix("kerasface[").removesuffix("]").split(","))


@pytest.mark.parametrize("version", ["2.15.0", "4.0.0"])
def test_a_version_that_does_not_work_is_wrong_in_an_extra_too(installed, version):
    keras = installed(numpy="2.4.0", keras=version)["keras"]
    assert keras.state == "wrong"
    assert version in keras.found
    assert ">=3.15" in keras.fix


def test_other_builds_of_a_package_are_as_good(installed):
    found = installed(numpy="2.4.0", tflite_runtime="2.14.0", tensorflow="2.21.0")
    assert found["tflite-runtime"].state == "ok"
    assert found["tensorflow"].state == "ok"
    assert "tensorflow-cpu" not in found
    both = installed(numpy="2.4.0", ai_edge_litert="2.3.0", tensorflow="2.21.0", tensorflow_cpu="2.21.0")
    assert both["one TensorFlow"].state == "wrong"
    assert both["one TensorFlow"].fix.startswith("pip uninstall tensorflow tensorflow-cpu")


def test_not_installed_at_all(monkeypatch):
    def requires(name):
        raise packages.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(packages.metadata, "requires", requires)
    (only,) = packages.package_findings()
    assert (only.state, only.fix) == ("wrong", "pip install . (in its folder)")


def test_the_runtime_here_is_asked(fetched_assets):
    found = {finding.what: finding for finding in runtimes.litert_findings()}
    assert found["TFLite runtime"].found == "ai_edge_litert"
    taken = delegation(fetched_assets.paths[0])
    assert taken.nodes > 0
    assert found["XNNPACK delegate"].state == "ok"
    assert f"runs {taken.nodes} of {taken.nodes + len(taken.outside)} " in found["XNNPACK delegate"].found


def test_a_runtime_that_crashes_is_a_finding(monkeypatch, tmp_path):
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\nkill -{signal.SIGILL:d} $$\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    (only,) = runtimes.litert_findings()
    assert only.state == "wrong"
    assert f"ended by signal {signal.SIGILL:d}" in only.found
    program.write_text("#!/bin/sh\necho 'ImportError: libcudart.so' >&2\nexit 1\n")
    assert runtimes.tensorflow_findings()[0].found == "ImportError: libcudart.so"
    program.write_text("#!/bin/sh\nexec sleep 5\n")
    monkeypatch.setattr(probe, "_SECONDS", 0.2)
    assert runtimes.onnx_findings()[0].found == "no answer in 0.2 s"


@pytest.mark.parametrize(
    ("facts", "nvidia", "state", "words"),
    [
        ({"gpus": ["/physical_device:GPU:0"], "cuda": True}, True, "ok", "1 seen by TensorFlow"),
        ({"gpus": [], "cuda": False}, False, "absent", "none in this machine"),
        ({"gpus": [], "cuda": False}, True, "wrong", "built without CUDA"),
        ({"gpus": [], "cuda": True}, True, "wrong", "does not see it"),
    ],
)
def test_gpus(monkeypatch, facts, nvidia, state, words):
    monkeypatch.setattr(runtimes, "probe", lambda name: ({**facts, "backend": "tensorflow"}, ""))
    monkeypatch.setattr(runtimes.shutil, "which", lambda name: "/bin/nvidia-smi" if nvidia else None)
    backend, gpu = runtimes.tensorflow_findings()
    assert backend.state == "ok"
    assert gpu.state == state
    assert words in gpu.found
    assert ("tensorflow[and-cuda]" in gpu.fix) == (state == "wrong")


@pytest.mark.parametrize("there", [("tensorflow-cpu",), ("tensorflow",), ()])
def test_a_broken_tensorflow_is_replaced_by_the_one_that_is_there(monkeypatch, there):
    def version(name):
        if name not in there:
            raise packages.metadata.PackageNotFoundError
        return "2.20.0"

    monkeypatch.setattr(packages.metadata, "version", version)
    monkeypatch.setattr(runtimes, "probe", lambda name: (None, "it crashed"))
    (finding,) = runtimes.tensorflow_findings()
    assert (finding.state, finding.found) == ("wrong", "it crashed")
    assert finding.fix == f"pip install --force-reinstall {there[0] if there else 'tensorflow'}"


def test_another_backend_is_told(monkeypatch):
    monkeypatch.setattr(runtimes, "probe", lambda name: ({"gpus": [], "cuda": False, "backend": "jax"}, ""))
    backend = runtimes.tensorflow_findings()[0]
    assert backend.state == "absent"
    assert "KERAS_BACKEND=tensorflow" in backend.fix


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("KERASFACE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("KERASFACE_ZOO", raising=False)
    return tmp_path / "cache"


def test_files(cache, monkeypatch):
    found = {finding.what: finding for finding in places.place_findings()}
    assert found["cache"].found == f"{cache}, 0.0 MB"
    for model in ("face_landmark.tflite", "face_detection_short_range.tflite"):
        assert (found[model].state, found[model].fix) == ("absent", "kerasface assets get")
    own = found["your own embedders"]
    assert (own.state, own.fix) == ("absent", "kerasface zoo import")  # training puts nothing there
    assert "zoo's host" not in found
    monkeypatch.setenv("KERASFACE_ZOO", "ftp://somewhere")
    found = {finding.what: finding for finding in places.place_findings()}
    assert found["zoo's host"].state == "wrong"
    assert "https://host/path" in found["zoo's host"].found


def test_a_cache_that_cannot_be_written(cache):
    cache.write_text("a file where the folder should be")
    found = {finding.what: finding for finding in places.place_findings()}
    assert found["cache"].state == "wrong"
    assert "KERASFACE_CACHE" in found["cache"].fix


def test_everything_is_looked_at_in_groups(cache, monkeypatch):
    monkeypatch.setattr(runtimes, "probe", lambda name: (None, "asked"))
    found = check_up().findings
    assert {"Python", "numpy", "TFLite runtime", "cache", "ONNX Runtime", "TensorFlow"} <= {one.what for one in found}
    areas = [finding.area for finding in found]
    assert areas == sorted(areas, key=checkup._AREAS.index)
    monkeypatch.setattr(checkup, "find_spec", lambda name: None)
    assert {"ONNX Runtime", "TensorFlow"}.isdisjoint(one.what for one in check_up().findings)


def test_only_what_is_wrong_makes_a_machine_unwell():
    fine, absent, wrong = (Finding("edge", "x", state, "found", "fix") for state in ("ok", "absent", "wrong"))
    assert Checkup((fine, absent)).healthy
    assert not Checkup((fine, absent, wrong)).healthy
    assert json.loads(Checkup((wrong,)).to_json())["findings"][0]["fix"] == "fix"


@pytest.mark.parametrize(
    ("state", "code", "last"), [("absent", 0, "nothing is wrong"), ("wrong", 1, "to mend: 1, marked")]
)
def test_the_command_answers_with_its_exit_code(kerasface, monkeypatch, state, code, last):
    findings = (Finding("edge", "one", "ok", "[2.0]"), Finding("files", "two", state, "gone", "kerasface assets get"))
    monkeypatch.setattr(checkup, "check_up", lambda: Checkup(findings))
    exit_code, out, err = kerasface("doctor")
    assert exit_code == code, err
    assert out.strip().splitlines()[-1].startswith(last)
    row, fix = (line for line in out.splitlines() if "two" in line)
    assert ("✗" in row) == (state == "wrong")
    assert fix.strip() == f"{'✗' if state == 'wrong' else '–'} files, two: kerasface assets get"
    assert "[2.0]" in out
