"""Installed packages beside the versions that kerasface asks for; both are read from the packages' own metadata."""

from importlib import metadata

from packaging.requirements import Requirement

from kerasface.doctor.finding import Finding

__all__ = ["EXTRAS", "installed_tensorflows", "package_findings"]

# The extras that a user chooses, and what each is for; the rest are the project's own.
EXTRAS = {
    "train": "training, evaluation of .keras files, export to TFLite",
    "onnx": "ONNX files",
    "import": "importing PyTorch weights",
    "parquet": "lists of faces in Parquet",
    "video": "kerasface watch on cameras and video files",
    "encrypted": "encrypted galleries",
    "large": "galleries of 100,000 people and more",
    "mediapipe": "alignment with MediaPipe's FaceLandmarker",
}
# Other distributions of the same module: builds with a GPU, and what old boards have instead.
_STAND_INS = {"tensorflow-cpu": "tensorflow", "tensorflow": "tensorflow-cpu", "ai-edge-litert": "tflite-runtime"}


def package_findings() -> list[Finding]:
    """Looks at every package that the base installation and the users' extras ask for.

    A package that the base asks for must be there. Of an extra nothing need be there, but what is must be of a version
    that works.

    Returns:
        list of `Finding`, the base's first.
    """
    try:
        wanted = [Requirement(text) for text in metadata.requires("kerasface") or ()]
    except metadata.PackageNotFoundError:
        fix = "pip install . (in its folder)"
        return [Finding("edge", "kerasface", "wrong", "imported from a folder, not installed", fix)]
    found = [_base(one) for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})]
    for extra in EXTRAS:
        found += _extra([one for one in wanted if _belongs(one, extra)], extra)
    return [*found, *_two_tensorflows()]


def _belongs(requirement, extra):
    marker = requirement.marker
    return marker is not None and not marker.evaluate({"extra": ""}) and marker.evaluate({"extra": extra})


def _base(requirement):
    name, version = _installed(requirement)
    if version is None:
        return Finding("edge", requirement.name, "wrong", "not installed", f"pip install '{_text(requirement)}'")
    return _judged("edge", requirement, name, version)


def _extra(requirements, extra):
    """What is there, one by one, and what is not, in one line with the one command that brings it."""
    installed = {requirement: _installed(requirement) for requirement in requirements}
    found = [_judged(extra, requirement, *there) for requirement, there in installed.items() if there[1] is not None]
    absent = [requirement.name for requirement, there in installed.items() if there[1] is None]
    if absent:
        fix = f"pip install 'kerasface[{extra}]' for {EXTRAS[extra]}"
        found.append(Finding(extra, "not installed", "absent", ", ".join(absent), fix))
    return found


def _judged(area, requirement, name, version):
    if name == requirement.name and not requirement.specifier.contains(version, prereleases=True):
        found = f"{version}, but kerasface needs {requirement.specifier}"
        return Finding(area, name, "wrong", found, f"pip install '{_text(requirement)}'")
    return Finding(area, name, "ok", version)


def _installed(requirement):
    """The name and version of what is installed for a requirement, or (name, None)."""
    for name in (requirement.name, _STAND_INS.get(requirement.name)):
        if name is not None and (version := _version(name)) is not None:
            return name, version
    return requirement.name, None


def installed_tensorflows() -> list[str]:
    """Returns which of TensorFlow's two distributions are installed."""
    return [name for name in ("tensorflow", "tensorflow-cpu") if _version(name) is not None]


def _two_tensorflows():
    names = installed_tensorflows()
    if len(names) < 2:
        return []
    found = f"{' and '.join(names)} are both installed and overwrite each other's files"
    fix = f"pip uninstall {' '.join(names)}, then install the one you want"
    return [Finding("train", "one TensorFlow", "wrong", found, fix)]


def _version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _text(requirement):
    return f"{requirement.name}{requirement.specifier}"
