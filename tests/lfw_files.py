"""LFW's layout on a disk, of a few people."""

import numpy as np
from PIL import Image


def write_lfw(root, images):
    """Writes crops and a pair list: two folds of two genuine and two impostor pairs, of four people each.

    Args:
        root: folder, made where missing.
        images: (16, H, W, 3) uint8 RGB, two of each of eight people, one person after the other.
    """
    for row, image in enumerate(np.asarray(images)):
        path = root / "aligned_112" / f"P{row // 2}" / f"P{row // 2}_{row % 2 + 1:04d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path, quality=95)
    lines = ["2\t2"]
    for fold in (0, 4):
        lines += [f"P{fold + i}\t1\t2" for i in range(2)]
        lines += [f"P{fold + i}\t1\tP{fold + i + 2}\t2" for i in range(2)]
    (root / "pairs.txt").write_text("\n".join(lines) + "\n")
