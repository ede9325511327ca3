"""The tables of a card."""

from kerasface.zoo.manifest import AT_THRESHOLD
from kerasface.zoo.workshop.figures import representation
from kerasface.zoo.workshop.terms import data_sets_in

__all__ = ["data_table", "facts", "figure_table", "file_table", "percent", "threshold_table"]


def facts(record):
    """What the model is, in a table without headings."""
    model, spec = record.model, record.model.spec
    mean, std = (_one(values) for values in (spec.mean, spec.std))
    rows = [
        ("network", f"{record.backbone['name']}, {model.parameters:,} parameters"),
        ("arithmetic", f"{record.multiply_adds / 1e6:.1f} M multiply-adds a face"),
        ("embedding", f"{spec.embedding_size} numbers, compared by {spec.metric}"),
        ("input", f"{spec.input_height}×{spec.input_width} RGB, 0…255, template {spec.template}"),
        ("preprocessing", f"(x − {mean}) / {std}, {spec.color_order.upper()}; the files do it themselves"),
        ("built", f"{model.date} by kerasface {model.library_version}"),
        ("embedder_id", f"`{spec.embedder_id}`"),
        ("licence of the weights", model.licence_weights),
    ]
    return _table(("", ""), rows)


def data_table(record):
    """The sets, their terms, and what is known of people that they share with LFW."""
    rows = [(f"{one.name}, {one.home}", one.terms, one.lfw) for one in data_sets_in(record.model.training_data)]
    return _table(("set", "terms", "people shared with LFW"), rows)


def figure_table(record):
    """A row for each benchmark, file and representation; then the protocols."""
    groups, protocols = {}, {}
    shown = [figure for figure in record.model.figures if AT_THRESHOLD not in figure.metric]
    for figure in shown:
        words = representation(figure)
        groups.setdefault((figure.benchmark, words, figure.format), {})[figure.metric] = figure
        if figure.metric == "accuracy":
            protocols.setdefault(figure.benchmark, figure.protocol.removeprefix(f"{words}; "))
    metrics = list(dict.fromkeys(figure.metric for figure in shown))
    rows = []
    for (benchmark, words, format), by_metric in groups.items():
        rows.append((benchmark, words, format, *(_figure(by_metric.get(metric)) for metric in metrics)))
    lines = [
        _table(("benchmark", "embedding", "file", *metrics), rows),
        "",
        "± is the standard deviation over folds; in brackets 95 % intervals by resampling people, not pairs. A rate "
        "that the impostor pairs can't support has no figure.",
        "",
        *(f"- {benchmark}: {protocol}." for benchmark, protocol in protocols.items()),
    ]
    return "\n".join(lines)


def threshold_table(record):
    """The calibrated thresholds of each file, and why others are not there."""
    rows = []
    elsewhere = {(f.format, f.metric): f.value for f in record.model.figures if f.benchmark == "LFW"}
    for format, file in sorted(record.model.files.items()):
        for threshold in file.spec.thresholds:
            on_lfw = [percent(elsewhere[format, f"{rate}{AT_THRESHOLD}{threshold.far:g}"]) for rate in ("FAR", "TAR")]
            bound = "unknown" if threshold.far_upper is None else f"{threshold.far_upper:.2g}"
            pairs = f"{threshold.impostor_pairs:,}"
            rows.append(
                (
                    format,
                    f"{threshold.far:g}",
                    f"{threshold.cosine:.4f}",
                    bound,
                    pairs,
                    threshold.calibrated_on,
                    *on_lfw,
                )
            )
    head = ("file", "FAR (FMR)", "accept from cosine", "95 % upper bound of the FAR", "impostor pairs", "calibrated on")
    head += ("FAR on LFW", "TAR on LFW")
    lines = [
        "Of each file, chosen with that very file on people whom training did not see, never on LFW. For your own "
        "cameras and people: `kerasface calibrate`.",
        "",
        _table(head, rows),
    ]
    for far, reason in sorted(record.left_out.items()):
        lines += ["", f"No threshold at FAR {far}: {reason}"]
    return "\n".join(lines)


def file_table(record):
    """Size, proof and speed of each file."""
    timed = {file["path"]: file for file in record.latency["files"]}
    threads = [run["threads"] for run in next(iter(timed.values()))["runs"]]
    rows = []
    for format, file in sorted(record.model.files.items()):
        proof, name = record.proofs[format], file.path.rsplit("/", 1)[-1]
        times = [""] * (len(threads) + 2)
        if name in timed:
            runs = [f"{run['p50_ms']:.2f} ({run['p95_ms']:.2f})" for run in timed[name]["runs"]]
            memory = timed[name]["rss_mb"]
            times = [*runs, f"{timed[name]['load_ms']:.0f}", "" if memory is None else f"{memory:.0f}"]
        cosine = f"{proof['min_cosine']:.5f} ({proof['mean_cosine']:.5f}) to {proof['against']}"
        rows.append((f"`{name}`", format, f"{file.size / 1e6:.2f}", cosine, *times))
    latencies = [f"ms, {count} thread{'s' if count > 1 else ''}" for count in threads]
    runs = next(iter(timed.values()))["runs"][0]["runs"]
    proof = next(iter(record.proofs.values()))
    return "\n".join(
        [
            _table(("file", "format", "MB", "least (mean) cosine", *latencies, "load ms", "peak RSS MB"), rows),
            "",
            f"Proven on {proof['images_from']}. Times: `kerasface benchmark`, median (95th percentile) of {runs} runs "
            f"of one face, the files in turn, on {record.machine}. The Keras file is for training and "
            "further export, not for devices.",
        ]
    )


def percent(value):
    """A rate as people read it."""
    return f"{value:.2%}".replace("%", " %")


def _figure(figure):
    if figure is None:
        return "–"
    show = percent if figure.metric != "AUC" else "{:.4f}".format
    spread = "" if figure.std is None else f" ± {percent(figure.std)}"
    interval = "" if figure.low is None else f" [{show(figure.low)}, {show(figure.high)}]"
    return f"{show(figure.value)}{spread}{interval}"


def _table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(text) for text in line)} |" for line in lines)


def _one(values):
    return f"{values[0]:g}" if len(set(values)) == 1 else "(" + ", ".join(f"{value:g}" for value in values) + ")"


def _cell(text):
    return " ".join(str(text).split()).replace("|", r"\|")
