"""EmbedderSpec: what it refuses, and that its JSON carries all of it."""

import dataclasses
import json

import pytest

from kerasface.spec import EmbedderSpec, Threshold

REQUIRED = {"name": "small.arcface_nothing", "embedder_id": "3f" * 16, "embedding_size": 128}
THRESHOLD = {"cosine": 0.3, "far": 1e-3, "calibrated_on": "a set", "precision": "fp32", "impostor_pairs": 3000}
# Every field away from its default, so that one that the JSON forgets is noticed.
FULL = EmbedderSpec(
    **REQUIRED,
    input_height=112,
    input_width=96,
    color_order="bgr",
    mean=(127.5, 128.0, 100.25),
    std=(128.0, 1.0, 57.0),
    template="arcface_112x96",
    flip="concatenate",
    thresholds=(Threshold(**THRESHOLD), Threshold(**{**THRESHOLD, "far": 1e-2, "cosine": -0.1})),
    training_data="Célebrités, 3 059 people",
    licence="Apache-2.0",
    library_version="0.1.0",
)


def test_json_carries_every_field():
    defaults = EmbedderSpec(**REQUIRED)
    same = [f.name for f in dataclasses.fields(FULL) if getattr(FULL, f.name) == getattr(defaults, f.name)]
    assert set(same) <= {*REQUIRED, "input_height", "metric"}
    assert EmbedderSpec.from_json(FULL.to_json()) == FULL
    assert EmbedderSpec.from_json(defaults.to_json()) == defaults


def test_equal_specs_give_equal_texts():
    again = FULL.replace(thresholds=FULL.thresholds[::-1])
    assert again.to_json() == FULL.to_json()


def test_thresholds_stand_by_falling_far():
    assert [t.far for t in FULL.thresholds] == [1e-2, 1e-3]


@pytest.mark.parametrize("number", [128, 128.0])
def test_one_number_stands_for_three_channels(number):
    spec = EmbedderSpec(**REQUIRED, mean=number, std=number)
    assert spec.mean == spec.std == (128.0, 128.0, 128.0)


def test_replace_leaves_the_original_alone():
    other = FULL.replace(name="other.name")
    assert (other.name, FULL.name) == ("other.name", REQUIRED["name"])
    assert other.replace(name=FULL.name) == FULL


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("mean", (1.0, 2.0)),
        ("mean", (float("nan"), 0.0, 0.0)),
        ("std", (1.0,) * 4),
        ("std", (1.0, 0.0, 1.0)),
        ("std", float("inf")),
        ("std", -1),
        ("embedding_size", 0),
        ("input_height", 0),
        ("input_width", -112),
        ("color_order", "rbg"),
        ("template", "arcface_128x128"),
        ("flip", "average"),
        ("metric", "euclidean"),
    ],
)
def test_refuses_what_no_embedder_can_have(field, value):
    with pytest.raises(ValueError, match="EmbedderSpec expects .* Received: "):
        EmbedderSpec(**{**REQUIRED, field: value})


@pytest.mark.parametrize("change", [{"cosine": 1.01}, {"cosine": float("nan")}, {"far": 0.0}, {"far": 1.0}])
def test_refuses_a_threshold_that_cannot_be(change):
    with pytest.raises(ValueError, match=f"expects {next(iter(change))} .* Received: "):
        Threshold(**{**THRESHOLD, **change})


def tampered(**changes):
    fields = json.loads(FULL.to_json())
    fields.update(changes)
    return json.dumps({key: value for key, value in fields.items() if value is not ...})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no JSON", "not an EmbedderSpec"),
        ("[1, 2]", "not an EmbedderSpec"),
        ("3", "not an EmbedderSpec"),
        ("", "not an EmbedderSpec"),
        (tampered(format=...), "not an EmbedderSpec"),
        (tampered(format=2), "upgrade.*format=2"),
        (tampered(quality="good"), "quality"),
        (tampered(name=...), "name"),
        (tampered(thresholds=[{**THRESHOLD, "eer": 0.1}]), "eer"),
        (tampered(thresholds=7), "not an EmbedderSpec"),
        (tampered(embedding_size="128"), "not an EmbedderSpec"),
        (tampered(flip="average"), "flip"),
    ],
)
def test_refuses_other_json(text, message):
    with pytest.raises(ValueError, match=message):
        EmbedderSpec.from_json(text)
