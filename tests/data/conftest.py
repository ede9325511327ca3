import io

import numpy as np
import pytest
from PIL import Image

from kerasface.data import pack_faces, read_folder, write_class_folder, write_list, write_record_file

HEIGHT, WIDTH = 16, 12
LATIN_1 = "Andr\udce9"  # how Python reads the folder name b"Andr\xe9"
FORMATS = ("folder", "packed", "record", "csv", "spans")


@pytest.fixture(scope="session")
def faces_root(tmp_path_factory):
    """Four people with 2, 3, 4 and 5 images of 16×12; the red channel of every image is its own number."""
    root = tmp_path_factory.mktemp("faces")
    labels = np.repeat([0, 1, 2, 3], [2, 3, 4, 5])
    images = np.random.default_rng(1).integers(0, 256, (len(labels), HEIGHT, WIDTH, 3), dtype=np.uint8)
    images[..., 0] = 10 * np.arange(len(labels))[:, None, None]
    write_class_folder(images, labels, root)
    return root


@pytest.fixture(scope="session")
def every_format(faces_root, tmp_path_factory):
    """The same faces in each format: path by name of the format."""
    faces, root = read_folder(faces_root), tmp_path_factory.mktemp("formats")
    pack_faces(faces, root / "packed", photos_per_shard=5)
    write_record_file(faces, root / "faces.rec")
    write_list(faces, root / "faces.csv")
    from kerasface.data import open_faces

    write_list(open_faces(root / "packed"), root / "spans.csv")
    places = (faces_root, root / "packed", root / "faces.rec", root / "faces.csv", root / "spans.csv")
    return dict(zip(FORMATS, places, strict=True))


def png(pixels):
    """An encoded image of these pixels, or of one color."""
    pixels = np.broadcast_to(np.asarray(pixels, np.uint8), (HEIGHT, WIDTH, 3))
    content = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(content, "PNG")
    return content.getvalue()
