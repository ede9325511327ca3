"""How a synthetic face is seen: everything that changes from one picture of a person to the next."""

from dataclasses import dataclass

import numpy as np

from kerasface.data.synthetic.identity import Identity

__all__ = ["Capture", "Expression", "Light"]


@dataclass(frozen=True)
class Light:
    """A key light, and the ambient light that fills its shadows."""

    azimuth: float = -0.5
    """Radians; positive comes from the image's right, ±π/2 is from the side."""
    elevation: float = 0.5
    """Radians above the camera."""
    key: float = 0.75
    """Irradiance of a surface that faces the light; 1 shows white as white."""
    ambient: float = 0.35
    """Irradiance from everywhere."""
    warmth: float = 0.0
    """-1 bluish to 1 orange, of both lights."""
    tint: float = 0.0
    """-1 green to 1 magenta, of the ambient light."""


@dataclass(frozen=True)
class Expression:
    """What the muscles do; all 0 is a resting face."""

    smile: float = 0.0
    """-0.5 (sad) to 1."""
    open: float = 0.0
    """Mouth, 0 to 1."""
    lids: float = 0.0
    """-0.3 (wide open) to 1 (closed)."""
    brows: float = 0.0
    """-1 (frown) to 1 (raised)."""
    gaze: float = 0.0
    """-1 (image left) to 1."""


@dataclass(frozen=True)
class Capture:
    """One picture's pose, light, expression, surroundings, camera and accessories.

    The defaults are a frontal, evenly lit, sharp portrait of a resting face, exactly aligned.

    Example:
        >>> turned = Capture(yaw=0.6, light=Light(azimuth=1.2, ambient=0.1))
    """

    yaw: float = 0.0
    """Radians, at most 1 either way; positive turns the face to the image's right."""
    pitch: float = 0.0
    """Radians, at most 1 either way; positive turns it down."""
    roll: float = 0.0
    """Radians that alignment left over; positive is clockwise."""
    shift: tuple[float, float] = (0.0, 0.0)
    """(x, y) that alignment left over, in 1/112 of the crop's side."""
    zoom: float = 1.0
    """Scale that alignment left over."""
    light: Light = Light()
    expression: Expression = Expression()
    background: tuple[tuple[float, float, float], tuple[float, float, float]] = ((0.62, 0.66, 0.70), (0.45, 0.50, 0.55))
    """Two RGB display colors between which the background varies."""
    clothes: tuple[float, float, float] = (0.25, 0.28, 0.36)
    blur: float = 0.0
    """0 (sharp) to 1."""
    noise: float = 0.0
    """Standard deviation of the sensor's noise in display values, of 255."""
    shave: float = 1.0
    """Factor on the opacity of beard and mustache."""
    blush: float = 1.0
    """Factor on the redness of cheeks and lips."""
    fringe: bool | None = None
    """Hair over the forehead; None as the identity usually has it."""
    tied: bool = False
    """Long hair tied behind the head."""
    hat: tuple[float, float, float] | None = None
    """Color of a knitted hat, or none."""
    glasses: tuple[float, float, float] | None = None
    """Color of the frames, or none."""
    texture: int = 0
    """Seed of the background's pattern, the strands of hair and the noise."""

    @classmethod
    def draw(cls, rng: np.random.Generator, identity: Identity) -> "Capture":
        """Returns a random capture of a person.

        Args:
            rng: the generator to draw from; the same state gives the same capture on every platform.
            identity: whose habits decide on glasses and fringe.
        """

        def between(low, high):
            return low + (high - low) * rng.random()

        def around(spread):
            # A sum of two uniforms peaks in the middle: most people look nearly into the camera, few far away.
            return spread * (rng.random() + rng.random() - 1.0)

        def color(low, high):
            gray, strength = between(low, high), 0.45 * rng.random()
            return (
                gray + strength * (between(low, high) - gray),
                gray + strength * (between(low, high) - gray),
                gray + strength * (between(low, high) - gray),
            )

        harsh, exposure = rng.random(), between(0.65, 1.25)
        light = Light(
            azimuth=between(-1.4, 1.4),
            elevation=between(-0.25, 1.0),
            key=exposure * (between(0.55, 0.8) + 0.6 * harsh),
            ambient=exposure * (between(0.28, 0.5) - 0.24 * harsh),
            warmth=around(1.0),
            tint=around(0.8),
        )
        wall = color(0.0, 1.0)
        expression = Expression(
            smile=between(-0.5, 1.0),
            open=max(0.0, between(-0.9, 1.0)),
            lids=between(-0.25, 0.3) if rng.random() < 0.96 else 1.0,
            brows=between(-1.0, 1.0),
            gaze=around(1.0),
        )
        return cls(
            yaw=around(0.7),
            pitch=around(0.36),
            roll=around(0.14),
            shift=(around(5.0), around(5.0)),
            zoom=1.0 + around(0.12),
            light=light,
            expression=expression,
            background=(wall, tuple(0.6 * a + 0.4 * b for a, b in zip(wall, color(0.0, 1.0), strict=True))),
            clothes=color(0.05, 0.9),
            blur=max(0.0, between(-0.6, 0.7)),
            noise=between(1.0, 7.0),
            shave=between(0.45, 1.0),
            blush=between(0.3, 1.3),
            fringe=(not identity.hair.fringe) if rng.random() < 0.1 else None,
            tied=rng.random() < 0.3,
            hat=color(0.08, 0.85) if rng.random() < 0.05 else None,
            glasses=color(0.03, 0.4) if rng.random() < identity.glasses else None,
            texture=int(rng.integers(2**31)),
        )
