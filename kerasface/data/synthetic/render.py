"""From an identity and a capture to a picture."""

import numpy as np

from kerasface.data.synthetic.canvas import Face
from kerasface.data.synthetic.capture import Capture, Light
from kerasface.data.synthetic.features import paint_features
from kerasface.data.synthetic.geometry import Skull, Surface, View, normalized, sine_cosine
from kerasface.data.synthetic.identity import Identity
from kerasface.data.synthetic.scene import Lamp, draw_behind, draw_ear, draw_glasses, lay_over, paint_hair

__all__ = ["landmarks", "render_face", "render_identities", "render_identity"]


def render_face(identity: Identity, capture: Capture, size: int = 112) -> np.ndarray:
    """Renders one aligned crop of a synthetic face.

    The head is a stack of ellipses (`Skull`) that rays meet in closed form; features are painted where the rays meet
    it, so that they shift and foreshorten with the pose; relief (nose, sockets, cheekbones, chin) tilts the normals n;
    and a pixel's light is `albedo * (ambient + key * max(0, n·l)) + highlight`, shown by its square root.

    Args:
        identity: who.
        capture: how.
        size: side of the crop in pixels, at least 16.

    Returns:
        uint8 RGB, (size, size, 3); the same bytes for the same arguments on every platform (NumPy 2).

    Raises:
        ValueError: `size` below 16, or a head turned by more than 1 radian, of which a picture of the front of the
            head shows too little.
    """
    if size < 16:
        raise ValueError(f"size must be at least 16 pixels, or eyes are smaller than a pixel. Received: size={size}")
    if max(abs(capture.yaw), abs(capture.pitch)) > 1:
        raise ValueError(
            f"yaw and pitch must lie in [-1, 1] radians. Received: yaw={capture.yaw}, pitch={capture.pitch}"
        )
    skull, view = _placed(identity, capture, size)
    rng = np.random.default_rng(capture.texture)
    x, y = view.grid()
    direction, key, ambient = _light(capture.light)
    lamp = Lamp(direction, key, ambient)
    light = view.head(*direction)

    picture = draw_behind(identity, capture, view, lamp, x, y, rng)
    for side in (-1.0, 1.0):
        draw_ear(picture, identity, capture, view, lamp, x, y, side, 1.0)
    surface = Surface.seen(view, skull, x, y)
    face = Face(identity, view, skull, surface)
    paint_features(face, identity, capture, light)
    paint_hair(face, identity, capture, rng)
    lay_over(picture, surface.coverage, _shaded(face, light, key, ambient))
    near = -1.0 if view.yaw_sine > 0 else 1.0
    draw_ear(picture, identity, capture, view, lamp, x, y, near, min(1.0, (abs(view.yaw_sine) - 0.05) * 6))
    draw_glasses(picture, identity, capture, view, lamp, x, y)
    return _exposed(picture, capture, rng)


def landmarks(identity: Identity, capture: Capture, size: int = 112) -> np.ndarray:
    """Returns where the five landmarks of `render_face`'s picture lie.

    Returns:
        float64 (5, 2), (x, y) in pixels: image-left eye, image-right eye, nose tip, image-left and -right mouth corner.
    """
    _, view = _placed(identity, capture, size)
    return np.array([view.pixel(*view.camera(*point)[:2]) for point in view.head_points])


def render_identity(index: int, num_images: int, *, seed: int, size: int = 112) -> np.ndarray:
    """Renders the pictures of one identity of a set: `render_identities` a step at a time, for a progress bar.

    Args:
        index: which identity, from 0.
        num_images: at least 1.
        seed: of the set, a non-negative int.
        size: side of the crops in pixels, at least 16.

    Returns:
        uint8 RGB, (num_images, size, size, 3).

    Raises:
        ValueError: a negative index or seed, no images, or `size` below 16.
    """
    _check(0, index=index, seed=seed)
    _check(1, num_images=num_images)
    identity = Identity.draw(_generator(seed, index))
    captures = (Capture.draw(_generator(seed, index, j), identity) for j in range(num_images))
    return np.stack([render_face(identity, capture, size) for capture in captures])


def render_identities(
    num_identities: int, images_per_identity: int, *, seed: int, size: int = 112
) -> tuple[np.ndarray, np.ndarray]:
    """Renders a set of synthetic identities, `images_per_identity` captures of each.

    Synthetic faces: no picture shows a real person, and no accuracy on them says anything about real faces. They are
    for demos, tests and examples, which need data that is free, embedded and of known truth.

    Identity k and its capture j depend on `seed`, k and j alone: a larger set begins with the smaller ones, picture by
    picture within each identity. Sets of different seeds share no identity.

    Args:
        num_identities: at least 1.
        images_per_identity: at least 1.
        seed: a non-negative int.
        size: side of the crops in pixels, at least 16.

    Returns:
        images: uint8 RGB, (N, size, size, 3), N = num_identities * images_per_identity, identity after identity.
        labels: int32 (N,), 0 … num_identities - 1.

    Raises:
        ValueError: a count below 1, a negative seed, or `size` below 16.

    Example:
        >>> images, labels = render_identities(100, 12, seed=0)
    """
    _check(1, num_identities=num_identities, images_per_identity=images_per_identity)
    images = [render_identity(k, images_per_identity, seed=seed, size=size) for k in range(num_identities)]
    return np.concatenate(images), np.repeat(np.arange(num_identities, dtype=np.int32), images_per_identity)


def _check(least, **arguments):
    for name, value in arguments.items():
        if value < least:
            raise ValueError(f"{name} must be at least {least}. Received: {name}={value}")


def _generator(seed, *key):
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def _placed(identity, capture, size):
    skull = Skull(identity.outline, drop=3.5 * capture.expression.open)
    return skull, View(identity, capture, skull, size)


def _light(light: Light):
    """Returns the unit vector to the key light, its color and the ambient color, linear (3, 1, 1)."""
    across, toward = sine_cosine(light.azimuth)
    up, level = sine_cosine(light.elevation)
    warm = np.array([1 + 0.22 * light.warmth, 1.0, 1 - 0.38 * light.warmth], np.float32)[:, None, None]
    tint = np.array([1 + 0.12 * light.tint, 1 - 0.3 * light.tint, 1 + 0.12 * light.tint], np.float32)[:, None, None]
    return (across * level, -up, toward * level), np.float32(light.key) * warm, np.float32(light.ambient) * warm * tint


def _shaded(face, light, key, ambient):
    nx, ny, nz = face.surface.normal
    nx, ny, nz = normalized(nx - nz * face.tilt_x, ny - nz * face.tilt_y, nz)
    lx, ly, lz = (np.float32(v) for v in light)
    toward = np.maximum(nx * lx + ny * ly + nz * lz, 0) * (1 - face.shadow)
    # Halfway between light and camera; the 16th power by squaring.
    view_x, view_y, view_z = face.view.head(0.0, 0.0, 1.0)
    hx, hy, hz = normalized(np.float32(light[0] + view_x), np.float32(light[1] + view_y), np.float32(light[2] + view_z))
    shine = np.maximum(nx * hx + ny * hy + nz * hz, 0)
    for _ in range(4):
        shine = shine * shine
    shine = shine * face.gloss * (1 - face.shadow)
    # Light from the sky: less under the chin and brows.
    sky = 0.8 - 0.25 * ny
    toward, sky = toward * face.shade, sky * face.shade
    return [
        plane * (a * sky + k * toward) + k * shine
        for plane, a, k in zip(face.albedo, ambient.ravel(), key.ravel(), strict=True)
    ]


def _exposed(picture, capture, rng):
    size = picture.shape[1]
    display = np.sqrt(np.clip(picture, 0, 1)) * np.float32(255)
    if capture.blur:
        display = _blurred(display, 3.0 * capture.blur * size / 112)
    # Two uniform bytes have a triangular sum of standard deviation 104.5.
    grains = rng.integers(0, 256, (2, 3, size, size), np.uint8).astype(np.int16)
    display = display + (grains[0] + grains[1] - 255).astype(np.float32) * np.float32(capture.noise / 104.5)
    return np.ascontiguousarray((np.clip(display, 0, 255) + np.float32(0.5)).astype(np.uint8).transpose(1, 2, 0))


def _blurred(planes, passes):
    """Applies the kernel (1, 2, 1)/4 both ways as often as `passes`, the last time in part."""
    while passes > 0:
        share = np.float32(0.25 * min(1.0, passes))
        rest = 1 - 2 * share
        wide = np.pad(planes, ((0, 0), (1, 1), (0, 0)), mode="edge")
        planes = planes * rest + (wide[:, :-2] + wide[:, 2:]) * share
        wide = np.pad(planes, ((0, 0), (0, 0), (1, 1)), mode="edge")
        planes = planes * rest + (wide[:, :, :-2] + wide[:, :, 2:]) * share
        passes -= 1.0
    return planes
