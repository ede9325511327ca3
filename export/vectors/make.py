"""Writes the shared vectors: what kerasface.edge answers, for the same code in TypeScript, Kotlin and Swift.

    python export/vectors/make.py

Each file holds cases with their inputs and Python's answers. Pictures that are inputs follow a formula, so that they
need no decoder; pictures that are answers are RGB bytes in base64, row after row.
"""

import base64
import json
from pathlib import Path

import numpy as np

from kerasface.alignment.task_file import face_of_landmarks
from kerasface.edge import Gallery, decision_threshold
from kerasface.edge.align import TEMPLATES, crop, similarity_transform
from kerasface.edge.detection.blazeface import anchors, weighted_nms
from kerasface.edge.detection.detector import Face
from kerasface.edge.detection.landmarks import five_points
from kerasface.edge.detection.selection import the_face
from kerasface.edge.geometry import invert, square_view, warp
from kerasface.errors import KerasfaceError
from kerasface.spec import EmbedderSpec, Threshold

__all__ = ["VECTORS", "picture"]

HERE = Path(__file__).parent
# Five points of a face in a photo, roughly; noise makes them fit no similarity exactly.
FACE = np.array(TEMPLATES["arcface_112x112"].points)


def picture(width, height):
    """A picture of integers alone, coarse in one corner and finer than its pixels in the other.

    Channel c of the pixel at (x, y) is `((3·x·x + 5·y·y + 7·x·y + 4099·c) >> 6) & 255`.
    """
    y, x, c = np.mgrid[:height, :width, :3]
    return (((3 * x * x + 5 * y * y + 7 * x * y + 4099 * c) >> 6) & 255).astype(np.uint8)


def similarity(rng):
    """Points to points: Umeyama's transform of points that fit none exactly."""
    cases = []
    for template in TEMPLATES.values():
        for _ in range(4):
            source = placed(rng, scale=rng.uniform(0.3, 12), angle=rng.uniform(-np.pi, np.pi))
            source = np.round(source + rng.normal(size=(5, 2)) * 3, 3)
            matrix = similarity_transform(source, template.points)
            cases.append({"source": source, "target": template.points, "matrix": matrix})
    return {"templates": {name: vars(template) for name, template in TEMPLATES.items()}, "cases": cases}


def resampling(rng):
    """Pictures through similarities: enlarged, copied, shrunk a little and much, turned, mirrored, half outside."""
    width, height, cases = 190, 140, []
    image = picture(width, height)
    for scale in (2.3, 1.0, 0.73, 0.5, 0.4, 0.31, 0.19, 0.06, 0.25):
        for mirror in (False, True):
            angle = 0.0 if scale in (1.0, 0.5, 0.25) else rng.uniform(-np.pi, np.pi)
            linear = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            linear = linear @ np.diag([-1 if mirror else 1, 1])
            center = (width / 2, height / 2) if scale < 1 else rng.uniform(0, 1, 2) * (width, height)
            matrix = np.round(np.column_stack([linear, (12, 9) - linear @ center]), 6)
            cases.append({"matrix": matrix, "width": 24, "height": 18, "rgb": base64_of(warp(image, matrix, (24, 18)))})
    return {"picture": {"width": width, "height": height}, "cases": cases}


def crops(rng):
    """A picture and five points to an aligned crop, for either template; one shrinks, one enlarges."""
    cases = []
    for template, scale, angle in (("arcface_112x112", 2.6, 0.3), ("arcface_112x96", 0.7, -0.2)):
        points = np.round(placed(rng, scale=scale, angle=angle, center=(230, 200)) + rng.normal(size=(5, 2)), 3)
        cases.append(
            {"points": points, "template": template, "rgb": base64_of(crop(picture(450, 420), points, template))}
        )
    return {"picture": {"width": 450, "height": 420}, "cases": cases}


def detection(rng):
    """The detector's arithmetic around its two networks."""
    views = []
    for _ in range(4):
        center, side, angle = rng.uniform(0, 900, 2), rng.uniform(40, 900), rng.uniform(-3, 3)
        case = {"center": center, "side": side, "angle": angle, "size": 192}
        views.append({**case, "matrix": square_view(**case), "inverse": invert(square_view(**case))})
    low = np.round(rng.uniform(0, 60, (24, 1, 2)) // 20 * 20 + rng.uniform(0, 6, (24, 1, 2)), 3)
    points = np.concatenate([low, low + np.round(rng.uniform(15, 22, (24, 1, 2)), 3), low + 5], axis=1)
    scores = np.round(rng.permutation(np.linspace(0.5, 0.99, 24)), 4)
    merged_scores, merged = weighted_nms(scores, points)
    mesh = np.round(rng.uniform(0, 192, (468, 2)), 2)
    # Inside the photo, half beyond its left and upper border, half beyond its right and lower one.
    fractions = [np.round(center + rng.uniform(-0.2, 0.2, (478, 2)), 3) for center in (0.5, 0.02, 0.97)]
    rows = [0, 1, 2, 33, 511, 512, 517, 518, 895]
    return {
        "views": views,
        "anchors": {"count": len(anchors()), "rows": rows, "centers": anchors()[rows]},
        "merging": {"scores": scores, "points": points, "merged_scores": merged_scores, "merged": merged},
        "five_points": {"mesh": mesh, "points": five_points(mesh)},
        "landmarks": [landmarked(640, 480, each) for each in fractions],
    }


def landmarked(width, height, fractions):
    """A face of MediaPipe's FaceLandmarker in a photo's pixels."""
    face = face_of_landmarks(fractions, width, height)
    return {"width": width, "height": height, "fractions": fractions, "box": face.box, "points": face.points}


def decisions(rng):
    """Who is it: templates of several photos, the calibrated threshold, unknown; and which face a photo is about."""
    spec = EmbedderSpec(
        name="vectors.test",
        embedder_id="5eed",
        embedding_size=8,
        thresholds=(
            Threshold(0.31, 1e-2, "vectors", "fp16", 5000, 0.012),
            Threshold(0.47, 1e-3, "vectors", "fp16", 5000, 0.0017),
            Threshold(0.52, 1e-3, "vectors, again", "fp16", 5000, 0.0016),
        ),
    )
    gallery, enrolled = Gallery(spec), []
    for name, count in (("Žofia", 1), ("Ann", 3), ("bob", 2)):
        embeddings = unit(rng.normal(size=8) + 0.4 * rng.normal(size=(count, 8)))
        gallery.enroll(name, embeddings, embedder_id=spec.embedder_id)
        enrolled.append({"name": name, "embeddings": embeddings})
    probes = np.concatenate([unit(e["embeddings"][:1] + 0.3 * rng.normal(size=(1, 8))) for e in enrolled])
    probes = np.concatenate([probes, unit(rng.normal(size=(4, 8)))])
    fields = ("name", "score", "nearest", "threshold")
    matches = [{field: getattr(match, field) for field in fields} for match in gallery.identify(probes)]
    return {
        "spec": json.loads(spec.to_json()),
        "threshold": decision_threshold(spec),
        "enrolled": enrolled,
        "probes": [{"embedding": probe, **match} for probe, match in zip(probes, matches, strict=True)],
        "selection": [chosen(sides) for sides in ([100], [100, 71], [100, 69], [60, 100], [80, 81, 79], [])],
    }


def chosen(sides):
    """Which of square faces with these sides is meant; None where that can't be said."""
    faces = [Face(np.array([0, 0, side, side], float), 0.9, np.zeros((5, 2))) for side in sides]
    try:
        meant = [face is the_face(faces, "photo") for face in faces].index(True) if faces else None
    except KerasfaceError:
        meant = None
    return {"sides": sides, "meant": meant}


VECTORS = {
    "similarity": similarity,
    "warp": resampling,
    "crop": crops,
    "detection": detection,
    "decisions": decisions,
}


def placed(rng, *, scale, angle, center=None):
    """The template's points as a face turned and scaled somewhere in a photo."""
    turn = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return (FACE - FACE.mean(0)) @ turn + (rng.uniform(200, 900, 2) if center is None else center)


def unit(embeddings):
    """Rounded to what a single-precision number holds, then brought to unit length again."""
    embeddings = np.round(embeddings / np.linalg.norm(embeddings, axis=-1, keepdims=True), 6)
    return embeddings / np.linalg.norm(embeddings, axis=-1, keepdims=True)


def base64_of(image):
    """RGB bytes as text."""
    return base64.b64encode(image.tobytes()).decode()


def vectors(name):
    """One file's content: plain lists and numbers."""
    made = VECTORS[name](np.random.default_rng(20))
    return json.loads(json.dumps({"about": VECTORS[name].__doc__, **made}, default=lambda array: array.tolist()))


if __name__ == "__main__":
    for name in VECTORS:
        text = json.dumps(vectors(name), ensure_ascii=False, indent=None, separators=(",", ":"))
        (HERE / f"{name}.json").write_text(text + "\n", encoding="utf-8")
