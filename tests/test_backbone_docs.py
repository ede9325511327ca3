"""The page of the backbones says what its JSON says, the JSON what the networks are, and both what is published."""

import json
from pathlib import Path

import pytest

from kerasface import backbones
from tests.doc_scripts import load_script

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def script():
    return load_script("docs/backbones.py")


@pytest.fixture(scope="module")
def result(script):
    return json.loads(script.RESULT.read_text(encoding="utf-8"))


def test_the_page_is_what_its_json_gives(script, result):
    assert script.PAGE.read_text(encoding="utf-8") == script.page(result)


def test_every_backbone_is_counted_and_exported(script, result):
    assert [row["name"] for row in result["counted"]] == [name for name, *_ in script.NETWORKS]
    assert {row["name"] for row in result["counted"]} == set(backbones.names())
    families = [{family(row["name"]) for row in result[part]} for part in ("counted", "exported")]
    assert families[0] == families[1]


def family(name):
    return name.rstrip("0123456789") if name.startswith("iresnet") else name


def test_counts_are_the_published_ones(result):
    compared = 0
    for row in result["counted"]:
        text = row["published_parameters"]
        if text is not None:
            number = row["with_statistics" if "statistics" in text else "parameters"]
            digits = text.split()[0]
            places = len(digits.partition(".")[2])
            assert digits == (str(number) if digits.isdigit() else f"{number / 1e6:.{places}f}"), row
            compared += 1
        if row["published_flops"] is not None:
            assert row["published_flops"] == f"{row['flops'] / 1e9:.2f} G", row
            compared += 1
    assert compared >= 19


def test_the_json_is_of_todays_networks(script, result):
    for row, network in zip(result["counted"], script.NETWORKS, strict=True):
        if row["name"] in ("mobilefacenet", "mbf", "micro"):
            assert script.count(*network) == row


def test_every_exported_file_is_one_partition(result):
    for row in result["exported"]:
        assert (row["partitions"], row["outside"]) == (1, ["CAST", "L2_NORMALIZATION"]), row["name"]
