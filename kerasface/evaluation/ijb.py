"""IJB-B and IJB-C: templates of photos and video frames, from the published metadata files."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np

from kerasface.errors import KerasfaceError
from kerasface.evaluation.identification import open_set
from kerasface.evaluation.pairs import Pairs, PairSet, linked_people
from kerasface.evaluation.people import IdentificationReport
from kerasface.evaluation.pooling import pool
from kerasface.evaluation.protocol import VerificationReport, report_pairs
from kerasface.evaluation.representation import represent
from kerasface.evaluation.scores import pair_scores

__all__ = ["IjbSet", "embed_ijb", "evaluate_ijb", "identify_ijb", "read_ijb"]

_GALLERIES = {"ijbb": ("S1", "S2"), "ijbc": ("G1", "G2")}
_POINTS = 5
_BATCH = 128


@dataclasses.dataclass(frozen=True, eq=False)
class IjbSet:
    """IJB-B or IJB-C as its metadata describe it.

    Args:
        name: "IJB-B" or "IJB-C".
        photos: (N,) paths of the loosely cropped faces.
        points: (N, 5, 2) float64, eyes, nose and mouth corners in their pixels.
        scores: (N,) float64, the detector's.
        templates: (N,) int, the template of each face, numbered from 0.
        media: (N,) int, the photo or video that it comes from.
        numbers: (T,) int, the published number of each template.
        pairs: of the 1:1 protocol, indices into templates; None where the folder lacks its list.
        galleries: of the 1:N protocol: by name, (templates, subjects) of each gallery; empty where its lists lack.
        probes: (templates, subjects) of the 1:N protocol's mixed probes, or None.
    """

    name: str
    photos: tuple[Path, ...]
    points: np.ndarray
    scores: np.ndarray
    templates: np.ndarray
    media: np.ndarray
    numbers: np.ndarray
    pairs: Pairs | None
    galleries: dict[str, tuple[np.ndarray, np.ndarray]]
    probes: tuple[np.ndarray, np.ndarray] | None


def read_ijb(root: str | Path) -> IjbSet:
    """Reads the metadata of IJB-B or IJB-C in the form in which insightface published them.

    `meta/ijbc_face_tid_mid.txt`: `FILE TEMPLATE MEDIUM`; `meta/ijbc_name_5pts_score.txt`: `FILE x1 y1 … x5 y5 SCORE`,
    in the same order; `meta/ijbc_template_pair_label.txt`: `TEMPLATE TEMPLATE SAME`; `meta/ijbc_1N_gallery_G1.csv`,
    `_G2` and `ijbc_1N_probe_mixed.csv` (IJB-B: S1, S2) with columns TEMPLATE_ID,SUBJECT_ID,…; the faces lie in
    `loose_crop/`. The two protocols are independent: lists that are not there leave theirs out.

    Args:
        root: folder with `meta/` and `loose_crop/`.

    Returns:
        An `IjbSet`.

    Raises:
        KerasfaceError: a file that is missing, that does not fit the others, or that holds something else.

    Example:
        >>> ijb = read_ijb("data/IJBC")
        >>> len(ijb.photos), len(ijb.numbers), len(ijb.pairs)
        (469375, 23124, 15658489)

    Reference:
        Maze et al., IARPA Janus Benchmark-C: face dataset and protocol, ICB 2018; Whitelam et al., IARPA Janus
        Benchmark-B face dataset, CVPRW 2017.
    """
    meta = Path(root) / "meta"
    kinds = [kind for kind in _GALLERIES if (meta / f"{kind}_face_tid_mid.txt").is_file()]
    if len(kinds) != 1:
        raise KerasfaceError(
            f"{root} is no IJB folder: expected meta/ijbb_face_tid_mid.txt or meta/ijbc_face_tid_mid.txt in it. "
            f"Received: {'both' if kinds else 'neither'}."
        )
    kind = kinds[0]
    media_list, point_list = meta / f"{kind}_face_tid_mid.txt", meta / f"{kind}_name_5pts_score.txt"
    names, columns = _table(media_list, 3)
    named, described = _table(point_list, 2 + 2 * _POINTS)
    if names != named:
        raise KerasfaceError(f"{media_list} and {point_list} must name the same files in one order; they do not.")
    numbers, templates = np.unique(columns[:, 0].astype(np.int64), return_inverse=True)
    photos = tuple(Path(root) / "loose_crop" / name for name in names)
    pair_list = meta / f"{kind}_template_pair_label.txt"
    lists = [meta / f"{kind}_1N_gallery_{part}.csv" for part in _GALLERIES[kind]]
    probe_list = meta / f"{kind}_1N_probe_mixed.csv"
    identification = probe_list.is_file() and all(path.is_file() for path in lists)
    return IjbSet(
        name={"ijbb": "IJB-B", "ijbc": "IJB-C"}[kind],
        photos=photos,
        points=described[:, :-1].reshape(-1, _POINTS, 2),
        scores=described[:, -1],
        templates=templates,
        media=columns[:, 1].astype(np.int64),
        numbers=numbers,
        pairs=_pairs(pair_list, numbers) if pair_list.is_file() else None,
        galleries={path.stem[-2:]: _subjects(path, numbers) for path in lists} if identification else {},
        probes=_subjects(probe_list, numbers) if identification else None,
    )


def embed_ijb(
    embed: Callable[[np.ndarray], np.ndarray],
    ijb: IjbSet,
    *,
    flip: str = "sum",
    detector_weights: bool = True,
    template: str = "arcface_112x112",
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """Embeds every face once and pools them into templates.

    Faces are aligned by their published points, embedded to length 1, weighted by the detector's score, averaged over
    each medium and summed over a template's media (`pool`). insightface's script also lets a face weigh by the length
    of its raw embedding (its "N1", on unless switched off), which no exported embedder tells.

    Args:
        embed: callable, uint8 (B, H, W, 3) RGB -> (B, D) float.
        ijb: from `read_ijb`.
        flip: see `represent`.
        detector_weights: False counts every face alike.
        template: of the crops, `EmbedderSpec.template`.
        progress: called as `progress(done, total)`, in faces.

    Returns:
        (T, D) float32, rows of length 1, one a template.

    Raises:
        KerasfaceError: a face that is missing or cannot be embedded.

    Example:
        >>> templates = embed_ijb(embed, read_ijb("IJBC"))
    """
    parts = []
    for start in range(0, len(ijb.photos), _BATCH):
        rows = range(start, min(start + _BATCH, len(ijb.photos)))
        crops = np.stack([_aligned(ijb.photos[row], ijb.points[row], template) for row in rows])
        try:
            parts.append(represent(embed, crops, flip=flip, batch_size=_BATCH))
        except KerasfaceError as error:
            raise KerasfaceError(f"{error} Image 0 is {ijb.photos[start]}.") from error
        if progress is not None:
            progress(rows.stop, len(ijb.photos))
    weights = ijb.scores if detector_weights else None
    return pool(np.concatenate(parts), ijb.templates, media=ijb.media, weights=weights)


def evaluate_ijb(templates, ijb: IjbSet, *, flip: str = "sum", embedder: str = "") -> VerificationReport:
    """The 1:1 protocol: TAR at FAR 1e-1 … 1e-6 over the published pairs of templates.

    The protocol has no folds, so there is no accuracy; people are linked through genuine pairs (`linked_people`).

    Args:
        templates: (T, D) float, from `embed_ijb`.
        ijb: from `read_ijb`.
        flip, embedder: for the record.

    Returns:
        A `VerificationReport` without accuracies.

    Raises:
        KerasfaceError: the folder had no list of pairs.

    Example:
        >>> evaluate_ijb(embed_ijb(embed, ijb), ijb).result.tar_at_far[1e-4]
    """
    if ijb.pairs is None:
        raise KerasfaceError(f"{ijb.name}: the 1:1 protocol needs meta/…_template_pair_label.txt. Received: none")
    pair_set = PairSet(f"{ijb.name} 1:1", (), ijb.pairs)
    return report_pairs(pair_scores(templates, ijb.pairs), pair_set, flip=flip, embedder=embedder)


def identify_ijb(templates, ijb: IjbSet, *, flip: str = "sum", embedder: str = "") -> IdentificationReport:
    """The 1:N protocol: the mixed probes against either gallery, closed set (CMC) and open set (DIR@FPIR).

    A probe whose subject the gallery does not hold is unknown in it. The papers quote the mean over both galleries.

    Args:
        templates: (T, D) float, from `embed_ijb`.
        ijb: from `read_ijb`.
        flip, embedder: for the record.

    Returns:
        An `IdentificationReport`, a search for either gallery.

    Raises:
        KerasfaceError: the folder had no lists of galleries and probes.

    Example:
        >>> identify_ijb(embed_ijb(embed, ijb), ijb).searches
    """
    if ijb.probes is None:
        raise KerasfaceError(f"{ijb.name}: expected meta/…_1N_gallery_….csv and …_1N_probe_mixed.csv. Received: none")
    rows, subjects = ijb.probes
    searches = {
        name: open_set(templates[gallery], gallery_subjects, templates[rows], subjects, fpirs=(1e-1, 1e-2))
        for name, (gallery, gallery_subjects) in ijb.galleries.items()
    }
    return IdentificationReport(f"{ijb.name} 1:N", embedder, flip, searches, angles=None)


def _aligned(photo, points, template):
    from kerasface.edge.align import crop
    from kerasface.edge.images import load_image

    image = load_image(photo)
    try:
        return crop(image, points, template)
    except ValueError as error:
        raise KerasfaceError(f"{photo} cannot be aligned by its published points: {error}") from error


def _table(path, columns):
    """The first column as text and the others as numbers."""
    try:
        with open(path, encoding="utf-8") as file:
            lines = [line.split() for line in file]
        wrong = next((number for number, line in enumerate(lines, start=1) if len(line) != columns), None)
        if wrong is not None or not lines:
            received = f"line {wrong} with {len(lines[wrong - 1])}" if wrong else "no lines"
            raise KerasfaceError(f"{path}: expected {columns} columns. Received: {received}")
        return [line[0] for line in lines], np.array([line[1:] for line in lines], np.float64)
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise KerasfaceError(f"{path} cannot be read as a table of IJB: {error}") from error


def _pairs(path, numbers):
    try:
        table = np.loadtxt(path, dtype=np.int32, ndmin=2)
    except (OSError, ValueError) as error:
        raise KerasfaceError(f"{path}: expected `TEMPLATE TEMPLATE SAME`. {error}") from error
    if table.shape[1:] != (3,) or not np.isin(table[:, 2], (0, 1)).all():
        raise KerasfaceError(f"{path}: expected `TEMPLATE TEMPLATE SAME` with SAME 1 or 0. Received: {table.shape}")
    first, second = (_rows(path, table[:, side], numbers) for side in (0, 1))
    same = table[:, 2] == 1
    return Pairs(first, second, same, np.zeros(len(same), np.int8), linked_people(first, second, same))


def _subjects(path, numbers):
    try:
        table = np.loadtxt(path, dtype=np.int64, delimiter=",", skiprows=1, usecols=(0, 1), ndmin=2)
    except (OSError, ValueError) as error:
        raise KerasfaceError(f"{path}: expected TEMPLATE_ID,SUBJECT_ID,… below a line of headings. {error}") from error
    # A template has a line for each of its faces.
    templates, first = np.unique(table[:, 0], return_index=True)
    return _rows(path, templates, numbers), table[first, 1]


def _rows(path, wanted, numbers):
    rows = np.searchsorted(numbers, wanted).clip(max=len(numbers) - 1)
    missing = np.flatnonzero(numbers[rows] != wanted)
    if missing.size:
        raise KerasfaceError(f"{path} names template {wanted[missing[0]]}, which has no faces in the list of media.")
    return rows
