"""One photo to its crops and its line of the log: the function that every runner runs."""

import dataclasses
import io

import numpy as np
from PIL import Image

from kerasface.alignment.choice import choose
from kerasface.alignment.quality import measure_quality
from kerasface.alignment.record import AlignedFace, PhotoRecord
from kerasface.edge.align import crops
from kerasface.edge.detection.detector import FaceDetector
from kerasface.edge.images import EncodedImage, load_image
from kerasface.errors import KerasfaceError

__all__ = ["Aligned", "Aligner"]

# Without halving the colors. PNG takes three times the space; embeddings of 80 LFW crops by a published MobileFaceNet
# keep a cosine of .9989 at least to those of the lossless crops.
_JPEG = {"quality": 95, "subsampling": 0}
_DIGITS = 3  # of a pixel, a degree, a score; what a log needs


@dataclasses.dataclass(frozen=True)
class Aligned:
    """What came of a photo.

    Args:
        record: `PhotoRecord`.
        files: of its crops, `(path below the target folder, JPEG)`.
    """

    record: PhotoRecord
    files: tuple[tuple[str, bytes], ...] = ()


class Aligner:
    """Aligns photos one by one; whatever is wrong with a photo becomes its record, never an exception.

    It can be pickled; the detector opens where the first photo is aligned.

    Args:
        settings: `AlignmentSettings`.

    Example:
        >>> aligned = Aligner(AlignmentSettings()).align(path.read_bytes(), PhotoJob("Ann/1.png", "Ann/1"))
        >>> aligned.record.status, aligned.files[0][0]
        ('ok', 'Ann/1.jpg')
    """

    def __init__(self, settings):
        self.settings = settings
        self._detector = None

    def __getstate__(self):
        return {**self.__dict__, "_detector": None}

    def align(self, content, job):
        """Aligns one photo.

        Args:
            content: bytes of its file.
            job: `PhotoJob`.

        Returns:
            an `Aligned`.

        Raises:
            KerasfaceError: the detector's models aren't here.
        """
        detector = self.open() if job.faces is None else None
        photo = EncodedImage(content, job.photo)
        try:
            image = load_image(photo)
        except KerasfaceError as error:
            return Aligned(PhotoRecord(job.photo, "unreadable", str(error), len(content)))
        try:
            return self._align(image, len(content), job, detector)
        # A photo that a network or the resampler stumbles over must not end a run of millions.
        except Exception as error:
            return Aligned(PhotoRecord(job.photo, "failed", f"{type(error).__name__}: {error}", len(content)))

    def open(self):
        """Opens the detector, an object with `detect`, `detect_all` and `best_score` of an image, and returns it.

        Raises:
            KerasfaceError: its models aren't here.
        """
        if self._detector is None:
            if self.settings.task_file is None:
                # One thread: jobs share the cores between them.
                self._detector = FaceDetector(min_score=self.settings.min_score, threads=1)
            else:
                from kerasface.alignment.task_file import TaskFileDetector

                self._detector = TaskFileDetector(self.settings.task_file, min_score=self.settings.min_score)
        return self._detector

    def _find(self, image, detector):
        return detector.detect_all(image) if self.settings.faces == "all" else detector.detect(image)

    def _align(self, image, photo_bytes, job, detector):
        found = list(job.faces) if detector is None else self._find(image, detector)
        if not found:
            reason = "no points were given for it" if detector is None else self._why_none(image, detector)
            return Aligned(PhotoRecord(job.photo, "none", reason, photo_bytes))
        settings = self.settings
        faces, files = [], []
        chosen = choose(found, settings.faces, image.shape)
        cut = crops([image] * len(chosen), [face.points for face in chosen], settings.template)
        for number, (face, pixels) in enumerate(zip(chosen, cut, strict=True), start=1):
            quality = measure_quality(pixels, face.points, face.score, settings.template)
            reason, file, jpeg = quality.shortcoming(settings), None, b""
            if reason is None:
                # No photo's own name can end so, as all stems then do.
                file = f"{job.stem}@{number}.jpg" if settings.faces == "all" else f"{job.stem}.jpg"
                jpeg = _encoded(pixels)
                files.append((file, jpeg))
            faces.append(
                AlignedFace(file, len(jpeg), reason, _rounded(face.box), _rounded(face.points), _short(quality))
            )
        status = "low_quality" if not files else "several" if len(found) > 1 else "ok"
        reason = faces[0].reason if not files else None
        record = PhotoRecord(job.photo, status, reason, photo_bytes, len(found), tuple(faces))
        return Aligned(record, tuple(files))

    def _why_none(self, image, detector):
        best = detector.best_score(image)
        if best is None:
            return "no face found"
        if best >= self.settings.min_score:
            return f"a score of {best:.2f}, but no face at a closer look"
        return f"best score {best:.2f}, below {self.settings.min_score:g}"


def _encoded(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", **_JPEG)
    return buffer.getvalue()


def _rounded(numbers):
    rounded = np.round(np.asarray(numbers, np.float64), _DIGITS).tolist()
    return tuple(map(tuple, rounded)) if np.ndim(numbers) > 1 else tuple(rounded)


def _short(quality):
    return type(quality)(**{name: round(value, _DIGITS) for name, value in dataclasses.asdict(quality).items()})
