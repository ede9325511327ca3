"""The Beam transform on the local runner; Beam has an environment of its own (`make test-beam`)."""

import json

import pytest

from kerasface.alignment import AlignmentSettings, align_tree, read_log
from kerasface.alignment.jobs import list_jobs
from tests.alignment.conftest import contents

pytestmark = [pytest.mark.beam, pytest.mark.usefixtures("fetched_assets")]


def test_writes_the_bytes_of_the_plain_path(photos, aligned, tmp_path):
    from kerasface.alignment.beam import align_with_beam

    report = align_with_beam(photos, tmp_path / "set", AlignmentSettings())
    assert report == aligned[1]
    assert contents(tmp_path / "set") == contents(aligned[0])


def test_two_workers_write_them_too(photos, aligned, tmp_path):
    from kerasface.alignment.beam import align_with_beam

    options = ["--direct_num_workers=2", "--direct_running_mode=multi_threading"]
    align_with_beam(photos, tmp_path / "set", options=options)
    assert contents(tmp_path / "set") == contents(aligned[0])


def test_goes_on_after_what_was_done(photos, few, tmp_path):
    from kerasface.alignment.beam import align_with_beam

    target = tmp_path / "set"
    align_tree(few, target)
    (few / "Two").mkdir()
    (few / "Two" / "both.png").write_bytes((photos / "Two" / "both.png").read_bytes())
    report = align_with_beam(few, target)
    assert (report.done_before, report.counts["several"], report.photos) == (2, 1, 3)
    assert list(read_log(target)) == ["Grace/1.jpg", "Odd/sea.jpg", "Two/both.png"]
    assert align_with_beam(few, target).done_before == 3


def test_the_transform_stands_in_a_pipeline_of_ones_own(few, aligned, tmp_path):
    import apache_beam as beam

    from kerasface.alignment.beam import AlignPhotos

    with beam.Pipeline() as pipeline:
        records = pipeline | beam.Create(list_jobs(few)) | AlignPhotos(few, tmp_path / "set")
        lines = records | beam.Map(lambda record: record.to_json())
        lines | beam.io.WriteToText(str(tmp_path / "log"), num_shards=1, shard_name_template="")
    found = {record["photo"]: record for record in map(json.loads, (tmp_path / "log").read_text().splitlines())}
    expected = read_log(aligned[0])
    assert found == {name: json.loads(expected[name].to_json()) for name in found}
    assert set(found) == {"Grace/1.jpg", "Odd/sea.jpg"}
    assert (tmp_path / "set" / "Grace" / "1.jpg").read_bytes() == (aligned[0] / "Grace" / "1.jpg").read_bytes()


def test_the_command(photos, aligned, tmp_path, monkeypatch, capsys):
    import sys

    from kerasface.cli import main

    monkeypatch.setattr(sys, "argv", ["kerasface", "align", str(photos), str(tmp_path / "set"), "--runner", "beam"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert not ended.value.code
    assert "12 crops of 19 photos" in capsys.readouterr().out
    assert contents(tmp_path / "set") == contents(aligned[0])
