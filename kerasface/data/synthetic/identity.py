"""Who a synthetic face is: geometry and colors that stay the same in every picture of it."""

from dataclasses import dataclass, field, fields

import numpy as np

__all__ = ["Brows", "Ears", "Eyes", "Hair", "Identity", "Marks", "Mouth", "Nose", "Outline", "Skin"]


def _between(low, high):
    """A float field that `_draw` samples uniformly; the range stands where the field is named."""
    return field(metadata={"range": (low, high)})


def _draw(cls, rng, **chosen):
    # low + span * random() and not rng.uniform: compilers may fuse the latter's multiply-add, and the last bit of a
    # parameter would then depend on the machine.
    values = {}
    for item in fields(cls):
        if item.name not in chosen:
            low, high = item.metadata["range"]
            values[item.name] = low + (high - low) * rng.random()
    return cls(**values, **chosen)


@dataclass(frozen=True)
class Outline:
    """The skull: half-widths and depth of horizontal elliptic sections, in units (see `Identity`)."""

    chin: float
    """Height of the chin below the eyes."""
    cheek: float = _between(37.0, 46.0)
    """Half-width at the cheekbones."""
    temple: float = _between(0.84, 1.0)
    """Half-width of the forehead as a share of `cheek`."""
    jaw: float = _between(0.0, 1.0)
    """From a pointed jaw, 0, to a square one, 1."""
    crown: float = _between(64.0, 74.0)
    """Height of the crown above the eyes."""
    depth: float = _between(36.0, 44.0)
    """From the axis of the neck to the plane of the face."""
    cheekbone: float = _between(0.0, 2.2)
    """How far the cheekbones stand out."""
    chin_bump: float = _between(0.3, 2.6)
    """How far the chin stands out."""


@dataclass(frozen=True)
class Eyes:
    """Eyes and lids, in units; the eye line is y = 0."""

    color: tuple[float, float, float]
    """Iris, RGB in [0, 1], display values."""
    spacing: float = _between(14.4, 20.6)
    """Half the distance between the pupils."""
    width: float = _between(5.5, 9.6)
    """Half-width of the opening."""
    upper: float = _between(2.1, 5.4)
    """Height of the upper lid over the corner line."""
    lower: float = _between(1.3, 3.2)
    """Depth of the lower lid under the corner line."""
    tilt: float = _between(-0.20, 0.28)
    """Slope of the corner line; positive lifts the outer corner."""
    peak: float = _between(-0.35, 0.35)
    """Where the upper lid is highest, as a share of the half-width; positive is outward."""
    iris: float = _between(2.9, 3.8)
    """Radius of the iris."""
    crease: float = _between(1.3, 3.6)
    """Distance of the lid's crease above the lid."""
    crease_depth: float = _between(0.0, 0.75)
    """Darkness of the crease; near 0 a monolid."""
    socket: float = _between(0.6, 3.2)
    """Depth of the eye socket."""
    bags: float = _between(0.0, 0.4)
    """Darkness under the eyes."""


@dataclass(frozen=True)
class Brows:
    """Eyebrows, in units."""

    height: float = _between(7.8, 14.2)
    """Above the eye line."""
    length: float = _between(8.0, 11.5)
    """Half-length."""
    thickness: float = _between(0.7, 3.1)
    """Half-thickness at the inner third."""
    arch: float = _between(0.0, 3.4)
    """Height of the bow over its ends."""
    slope: float = _between(-0.14, 0.18)
    """Positive lifts the outer end."""
    density: float = _between(0.55, 0.95)
    """Opacity of the hairs."""


@dataclass(frozen=True)
class Nose:
    """The nose, in units."""

    length: float = _between(16.0, 24.5)
    """Height of the tip below the eyes."""
    width: float = _between(5.4, 11.8)
    """Half-width over the wings."""
    bridge: float = _between(3.2, 5.6)
    """Half-width of the bridge."""
    height: float = _between(6.0, 11.5)
    """How far the tip stands out."""
    root: float = _between(0.05, 0.5)
    """Height at the root as a share of `height`."""
    tip: float = _between(3.6, 6.0)
    """Radius of the tip."""
    nostrils: float = _between(0.9, 1.9)
    """Half-height of the visible nostrils."""


@dataclass(frozen=True)
class Mouth:
    """The mouth at rest, in units."""

    y: float = _between(36.5, 44.0)
    """Height of the corners below the eyes."""
    width: float = _between(9.4, 17.6)
    """Half-width."""
    upper: float = _between(1.3, 5.2)
    """Thickness of the upper lip."""
    lower: float = _between(2.0, 6.8)
    """Thickness of the lower lip."""
    bow: float = _between(0.0, 1.5)
    """Depth of the notch of the upper lip."""
    corner: float = _between(-1.1, 1.1)
    """Positive lifts the corners."""
    redness: float = _between(0.15, 0.85)
    """From skin color, 0, to red, 1."""


@dataclass(frozen=True)
class Ears:
    """Ears, in units."""

    size: float = _between(8.5, 13.0)
    """Half-height."""
    stand: float = _between(1.5, 6.5)
    """How far they stand off the head."""


@dataclass(frozen=True)
class Hair:
    """Hair as it usually is; a capture may part it otherwise."""

    color: tuple[float, float, float]
    """RGB in [0, 1], display values."""
    bald: bool
    """No hair on the head."""
    fringe: bool
    """A fringe over the forehead."""
    line: float = _between(27.0, 43.0)
    """Height of the hairline above the eyes."""
    peak: float = _between(-3.0, 6.0)
    """Positive: a widow's peak; negative: a round line."""
    temples: float = _between(0.0, 11.0)
    """How far the line recedes at the temples."""
    volume: float = _between(2.0, 11.0)
    """How far the hair stands off the head."""
    length: float = _between(0.0, 1.0)
    """Below 0.55 it ends at the ears, above it falls to the shoulders."""
    curl: float = _between(0.0, 1.0)
    """From straight to curly."""


@dataclass(frozen=True)
class Skin:
    """The skin's colors and lines."""

    color: tuple[float, float, float]
    """RGB in [0, 1], display values under white light."""
    blush: float = _between(0.0, 0.75)
    """Redness of cheeks and nose."""
    folds: float = _between(0.0, 0.8)
    """Darkness of the folds between nose and mouth."""
    forehead_lines: float = _between(-0.8, 0.55)
    """Darkness of two lines on the forehead; none below 0."""


@dataclass(frozen=True)
class Marks:
    """What lies at fixed places of the skin."""

    moles: tuple[tuple[float, float, float], ...] = ()
    """(x, y, radius) each, in units."""
    freckles: tuple[tuple[float, float, float], ...] = ()
    """(x, y, radius) each, in units."""
    mustache: float = 0.0
    """Opacity."""
    goatee: float = 0.0
    """Opacity on the chin."""
    beard: float = 0.0
    """Opacity along the jaw."""


# Display values from light to dark, with two undertones; people lie between neighbors.
_SKINS = (
    ((0.97, 0.83, 0.76), (0.95, 0.83, 0.71)),
    ((0.91, 0.72, 0.61), (0.90, 0.74, 0.58)),
    ((0.80, 0.58, 0.46), (0.79, 0.61, 0.44)),
    ((0.64, 0.43, 0.32), (0.62, 0.44, 0.30)),
    ((0.46, 0.29, 0.21), (0.44, 0.30, 0.20)),
    ((0.34, 0.21, 0.16), (0.31, 0.21, 0.15)),
)
# Black to blond, between which people lie; then red and gray.
_HAIRS = (
    (0.09, 0.075, 0.075),
    (0.17, 0.115, 0.09),
    (0.31, 0.20, 0.13),
    (0.47, 0.30, 0.17),
    (0.79, 0.62, 0.38),
    (0.60, 0.28, 0.13),
    (0.66, 0.65, 0.64),
)
_IRISES = ((0.20, 0.12, 0.07), (0.36, 0.22, 0.11), (0.42, 0.40, 0.20), (0.33, 0.47, 0.36), (0.33, 0.50, 0.66))


def _mixed(first, second, share):
    return tuple(a + (b - a) * share for a, b in zip(first, second, strict=True))


@dataclass(frozen=True)
class Identity:
    """A person who does not exist: everything about a rendered face that its pictures share.

    Synthetic: drawn from the ranges written at the fields, not from measurements of anyone. Lengths are in units of
    1/112 of the side of an aligned crop at an average face's scale; y points down from the eye line, x to the image's
    right, z toward the camera.

    Example:
        >>> person = Identity.draw(np.random.default_rng(0))
    """

    outline: Outline
    eyes: Eyes
    brows: Brows
    nose: Nose
    mouth: Mouth
    ears: Ears
    hair: Hair
    skin: Skin
    marks: Marks
    glasses: float
    """Share of the pictures with glasses."""

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "Identity":
        """Returns a random identity.

        Args:
            rng: the generator to draw from; the same state gives the same identity on every platform.
        """
        tone = (len(_SKINS) - 1) * rng.random()
        step = min(int(tone), len(_SKINS) - 2)
        undertone = rng.random()
        skin = _mixed(_mixed(*_SKINS[step], undertone), _mixed(*_SKINS[step + 1], undertone), tone - step)
        # Fair hair and light eyes on dark skin would look painted on.
        shade = int(rng.random() * (len(_HAIRS) if tone < 2.4 else 3))
        hair_color = _mixed(_HAIRS[shade], _HAIRS[shade + 1] if shade < 4 else _HAIRS[shade], rng.random())
        if tone >= 2.4:
            hair_color = _mixed(hair_color, _HAIRS[0], 0.6)
        iris = _IRISES[int(rng.random() * (len(_IRISES) if tone < 2.4 else 2))]
        bearded = rng.random() < 0.3
        nose = _draw(Nose, rng)
        mouth = _draw(Mouth, rng)
        outline = _draw(Outline, rng, chin=mouth.y + 14.0 + 9.0 * rng.random())
        return cls(
            outline=outline,
            eyes=_draw(Eyes, rng, color=iris),
            brows=_draw(Brows, rng),
            nose=nose,
            mouth=mouth,
            ears=_draw(Ears, rng),
            hair=_draw(Hair, rng, bald=rng.random() < 0.08, fringe=rng.random() < 0.22, color=hair_color),
            skin=_draw(Skin, rng, color=skin),
            marks=_draw_marks(rng, bearded, freckled=rng.random() < 0.25),
            glasses=0.6 if rng.random() < 0.15 else 0.06,
        )


def _draw_marks(rng, bearded, freckled):
    def spots(count, low_y, high_y, radius):
        # Beside the nose and off the eyes: |x| from 9 to 31.
        return tuple(
            (
                (9.0 + 22.0 * rng.random()) * (1.0 if rng.random() < 0.5 else -1.0),
                low_y + (high_y - low_y) * rng.random(),
                radius * (0.75 + 0.5 * rng.random()),
            )
            for _ in range(count)
        )

    kind = int(rng.random() * 4) if bearded else -1
    full, opacity = kind in (0, 1), 0.45 + 0.5 * rng.random()
    return Marks(
        moles=spots((0, 1, 1, 2, 3, 4)[int(rng.random() * 6)], 9.0, 46.0, 1.3),
        freckles=spots(26 if freckled else 0, 7.0, 25.0, 0.7),
        mustache=opacity if full or kind == 2 else 0.0,
        goatee=opacity if full or kind == 3 else 0.0,
        beard=opacity if full else 0.0,
    )
