import itertools
import json

import numpy as np
import pytest

from kerasface.edge import benchmark as room
from kerasface.edge.benchmark import benchmark
from kerasface.errors import KerasfaceError


@pytest.fixture
def files(model_files):
    return [model_files["tflite"], model_files["onnx"]]


def test_each_file_is_measured_at_each_number_of_threads(files):
    seen = []
    result = benchmark(files, threads=(1, 2), runs=3, progress=lambda *counts: seen.append(counts))
    assert seen == [(done, 6) for done in range(1, 7)]
    assert [[run.threads for run in file.runs] for file in result.files] == [[1, 2], [1, 2]]
    assert [file.format for file in result.files] == ["tflite", "onnx"]
    tflite, onnx = result.files
    assert (tflite.bytes, onnx.bytes) == tuple(path.stat().st_size for path in files)
    assert tflite.nodes > 0
    assert "CAST" in tflite.outside
    assert onnx.nodes is onnx.outside is None
    for file in result.files:
        assert file.load_ms > 0
        assert 10 < file.rss_mb < 1000
    assert json.loads(result.to_json())["files"][1]["path"] == str(files[1])
    headings, rows = result.rows()
    assert len(rows) == 4
    assert {len(row) for row in rows} == {len(headings)}
    assert rows[0][headings.index("× first")] == "1.00"


def test_percentiles_are_of_the_timed_runs_and_turns_are_taken(files, monkeypatch):
    order = []

    class Session:
        input_shape, input_dtype = (1, 2, 2, 3), np.dtype("uint8")

        def __init__(self, name):
            self.name = name

        def run(self, picture):
            order.append(self.name)

    monkeypatch.setattr(room, "open_session", lambda content, path, threads=None: Session(path.name))
    # The n-th run of all takes n seconds; the five rounds of warming up are not counted.
    monkeypatch.setattr(room.time, "perf_counter", _clock(itertools.count(1)))
    monkeypatch.setattr(room, "_figures", lambda path, latencies: latencies)
    first, second = benchmark(files, threads=(1,), runs=4).files
    rounds = [order[i : i + 2] for i in range(0, len(order), 2)]
    assert len(rounds) == 9
    assert all(sorted(turn) == sorted(path.name for path in files) for turn in rounds)
    assert {turn[0] for turn in rounds} == {path.name for path in files}
    taken = [n for n, name in enumerate(order, start=1) if name == files[0].name][5:]
    assert first[0].p50_ms == pytest.approx(1000 * np.median(taken))
    assert first[0].p99_ms == pytest.approx(1000 * np.percentile(taken, 99))
    assert first[0].p50_ms + second[0].p50_ms == pytest.approx(1000 * (11 + 18))


def _clock(durations):
    now = itertools.accumulate(itertools.chain.from_iterable((0.0, float(d)) for d in durations))
    return lambda: next(now)


def test_what_cant_be_measured_is_said(files, tmp_path, make, block_model):
    with pytest.raises(KerasfaceError, match="no model file"):
        benchmark([tmp_path / "gone.tflite"])
    with pytest.raises(ValueError, match="0 files"):
        benchmark([])
    free = block_model.onnx()
    free.graph.input[0].type.tensor_type.shape.dim[1].dim_param = "H"
    path = tmp_path / "free.onnx"
    path.write_bytes(free.SerializeToString())
    with pytest.raises(KerasfaceError, match="any size"):
        benchmark([path])


def test_the_command_prints_a_table_and_keeps_the_figures(files, tmp_path):
    from typer.testing import CliRunner

    from kerasface.cli.app import app

    kept = tmp_path / "figures.json"
    done = CliRunner().invoke(
        app, ["benchmark", *map(str, files), "--threads", "1", "--runs", "2", "--json", str(kept)]
    )
    assert done.exit_code == 0, done.output
    assert "2 files in turn" in done.output
    measured = json.loads(kept.read_text())["files"]
    assert len(measured) == 2
    # Eighty columns: a file's name may be folded, a heading or a figure may not.
    assert all(f"│{file['runs'][0]['p50_ms']:.2f}" in done.output for file in measured)
    assert all(word in done.output for word in ("XNNPACK", "threads"))
