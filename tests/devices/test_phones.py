"""The phones' apps as far as files tell: no network, versions once, every file in its place, Python's own constants."""

import base64
import json
import plistlib
import re
import tomllib
import xml.etree.ElementTree as ET

import pytest

from kerasface.edge import align
from kerasface.edge.detection import landmarks
from tests.doc_scripts import ROOT

ANDROID, IOS = ROOT / "export" / "android", ROOT / "export" / "ios"
MAIN = ANDROID / "app" / "src" / "main"
NAME = "{http://schemas.android.com/apk/res/android}name"
NODE = "{http://schemas.android.com/tools}node"
MODELS = ("face_landmarker.task", "embedder.tflite", "embedder.tflite.json")


def text(*paths):
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(paths))


def android_attribute(element, name):
    return element.get(NAME.replace("name", name))


@pytest.fixture(scope="module")
def manifest():
    return ET.parse(MAIN / "AndroidManifest.xml").getroot()


def test_the_android_app_has_no_permission(manifest):
    asked = {element.get(NAME): element.get(NODE) for element in manifest.iter() if "permission" in element.tag}
    assert asked == {
        "android.permission.INTERNET": "remove",
        "android.permission.ACCESS_NETWORK_STATE": "remove",
    }


def test_the_android_app_drops_the_librarys_statistics_and_is_in_no_backup(manifest):
    removed = [element.get(NAME) for element in manifest.iter("service") if element.get(NODE) == "remove"]
    assert removed == ["com.google.android.datatransport.runtime.backends.TransportBackendDiscovery"]
    application = manifest.find("application")
    assert android_attribute(application, "allowBackup") == "false"
    exported = [e.get(NAME) for e in application if android_attribute(e, "exported") == "true"]
    assert exported == [".MainActivity"]


def test_a_build_with_a_permission_fails():
    build = text(ANDROID / "app" / "build.gradle.kts")
    pattern = re.search(r'Regex\("""(.+?)"""\)', build).group(1)
    merged = '<uses-permission\n android:name="{}" />'
    assert re.search(pattern, merged.format("android.permission.INTERNET"))
    assert not re.search(pattern, merged.format("kerasface.phone.DYNAMIC_RECEIVER_NOT_EXPORTED_PERMISSION"))
    assert "SingleArtifact.MERGED_MANIFEST" in build


def test_every_android_resource_is_there_and_used():
    code = text(*(MAIN / "kotlin").rglob("*.kt"))
    resources = text(*(MAIN / "res").rglob("*.xml"), MAIN / "AndroidManifest.xml")
    used = set(re.findall(r"\bR\.(\w+)\.(\w+)", code)) | set(re.findall(r"@(string|xml|layout)/(\w+)", resources))
    strings = ET.parse(MAIN / "res" / "values" / "strings.xml").getroot()
    there = {("string", element.get("name")) for element in strings}
    there |= {("id", name) for name in re.findall(r'"@\+id/(\w+)"', resources)}
    there |= {(folder, path.stem) for folder in ("layout", "xml") for path in (MAIN / "res" / folder).glob("*.xml")}
    assert used == there


def test_android_versions_stand_once():
    catalog = tomllib.loads(text(ANDROID / "gradle" / "libs.versions.toml"))
    references = [entry["version"]["ref"] for kind in ("libraries", "plugins") for entry in catalog[kind].values()]
    assert set(references) == set(catalog["versions"])
    scripts = text(*ANDROID.glob("*.kts"), *ANDROID.glob("*/*.kts"))
    named = {name.replace(".", "-") for name in re.findall(r"\blibs\.(?:plugins\.)?([\w.]+)", scripts)}
    assert named == set(catalog["libraries"]) | set(catalog["plugins"])
    assert re.findall(r'"[^"]*\d+\.\d+\.\d+[^"]*"', scripts) == ['"0.1.0"']  # the app's own
    compiler = json.loads(text(ANDROID / "package.json"))["devDependencies"]["kotlin-compiler"]
    assert compiler == catalog["versions"]["kotlin"]
    assert (
        json.loads(text(ANDROID / "package-lock.json"))["packages"][""]["devDependencies"]["kotlin-compiler"]
        == compiler
    )
    assert re.findall(r"pod '(\w+)', '([\d.]+)'", text(IOS / "Podfile")) == [
        ("MediaPipeTasksVision", catalog["versions"]["mediapipe"])
    ]


def test_what_is_tested_without_a_phone_needs_none():
    kotlin = set(
        re.findall(r"^import ([\w.]+)", text(*(ANDROID / "core" / "src" / "main").rglob("*.kt")), re.MULTILINE)
    )
    assert all(name.startswith("kotlin.") for name in kotlin)
    assert set(re.findall(r"^import (\w+)", text(*(IOS / "Core").glob("*.swift")), re.MULTILINE)) == {"Foundation"}


def test_mediapipe_is_asked_neither_to_normalize_nor_to_quantize():
    """Both stand inside the exported file, or cost cosines: tests/export/test_export_mediapipe.py."""
    kotlin, swift = text(*(MAIN / "kotlin").rglob("*.kt")), text(IOS / "App" / "FaceEngine.swift")
    assert re.findall(r"setL2Normalize\((\w+)\)|setQuantize\((\w+)\)", kotlin) == [("false", ""), ("", "false")]
    assert re.findall(r"l2Normalize = (\w+)|quantize = (\w+)", swift) == [("false", ""), ("", "false")]


def test_swift_has_pythons_constants():
    """Where no Swift compiler is, the numbers are compared at least; with one `make test-swift` runs the vectors."""
    numbers = [
        float(n) for n in re.findall(r"\b\d+(?:\.\d+)?\b", text(IOS / "Core" / "Align.swift").split("let templates")[0])
    ]
    points = [value for point in align.TEMPLATES["arcface_112x112"].points for value in point]
    assert numbers[-len(points) :] == points
    mesh = text(IOS / "Core" / "Landmarks.swift").split("/// A face")[0]
    (eyes,) = re.findall(r"let eyes = \[(.+?)\n\]", mesh, re.DOTALL)
    assert tuple(int(n) for n in re.findall(r"\d+", eyes)) == sum(landmarks._EYES, ())
    assert f"nose = {landmarks._NOSE}\n" in mesh
    assert f"mouthCorners = {list(landmarks._MOUTH_CORNERS)}" in mesh


def test_the_ios_app_says_what_it_needs_and_closes_the_way_out():
    info = plistlib.loads((IOS / "App" / "Info.plist").read_bytes())
    assert "agreed" in info["NSCameraUsageDescription"]
    security = info["NSAppTransportSecurity"]
    assert set(security) == {"NSPinnedDomains"}
    (pinned,) = security["NSPinnedDomains"].values()
    (identity,) = pinned["NSPinnedLeafIdentities"]
    assert pinned["NSIncludesSubdomains"]
    assert base64.b64decode(identity["SPKI-SHA256-BASE64"]) == bytes(32)
    privacy = plistlib.loads((IOS / "App" / "PrivacyInfo.xcprivacy").read_bytes())
    assert privacy["NSPrivacyTracking"] is False
    assert privacy["NSPrivacyCollectedDataTypes"] == []


def test_the_xcode_project_holds_every_file():
    project = text(IOS / "Kerasface.xcodeproj" / "project.pbxproj")
    phases = {}
    for name, phase in re.findall(r"/\* (\S+) in (\w+) \*/ = \{isa = PBXBuildFile;", project):
        phases.setdefault(phase, set()).add(name)
    swift = {path.name for folder in ("App", "Core") for path in (IOS / folder).glob("*.swift")}
    assert phases == {"Sources": swift, "Resources": {*MODELS, "PrivacyInfo.xcprivacy"}}
    identifiers = re.findall(r"\b[0-9A-F]{24}\b", project)
    defined = set(re.findall(r"^\t\t([0-9A-F]{24})\b[^\n]* = \{", project, re.MULTILINE))
    assert set(identifiers) == defined


@pytest.mark.parametrize("folder", [ANDROID, IOS], ids=lambda folder: folder.name)
def test_the_readme_names_files_that_exist(folder):
    readme = text(folder / "README.md")
    rows = re.findall(r"^\| `([^`]+)` \|", readme, re.MULTILINE)
    assert len(rows) > 4
    assert [name for name in rows if not (folder / name).exists()] == []
    assert all(model in readme for model in MODELS)
    assert "Not run" in readme


def test_no_model_is_committed():
    ignored = text(ROOT / ".gitignore").splitlines()
    assert {"/export/android/app/src/main/assets/", "/export/ios/Models/"} <= set(ignored)
    code = text(*(MAIN / "kotlin").rglob("*.kt"))
    assert re.findall(r'(?:LANDMARKER|EMBEDDER) = "([^"]+)"', code) == list(MODELS[:2])
