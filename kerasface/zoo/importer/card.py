"""The card that lies beside imported weights: what they are, where they come from, and the proof."""

__all__ = ["card"]


def card(spec, proof, *, arch, source, sha256, origin):
    """Returns the card's Markdown.

    Args:
        spec: `EmbedderSpec` of the import.
        proof: `Proof`.
        arch: name of the architecture.
        source: the file's name.
        sha256: of the source file.
        origin: where the source was got from, as the user says.
    """
    mean, std = (_short(values) for values in (spec.mean, spec.std))
    rows = {
        "architecture": arch,
        "embedding": f"{spec.embedding_size} numbers, compared by cosine",
        "input": f"{spec.input_height}×{spec.input_width}, template {spec.template}",
        "preprocessing": f"(x − {mean}) / {std}, {spec.color_order.upper()}; the model does it",
        "source": source,
        "origin": origin,
        "sha256 of the source": sha256,
        "licence, as its author states it": spec.licence,
        "training data": spec.training_data,
        "embedder_id": spec.embedder_id,
        "kerasface": spec.library_version,
    }
    return "\n".join(
        [
            f"# {spec.name}",
            "",
            "Imported weights. They are not part of kerasface, and their licence is not kerasface's.",
            "",
            "| | |",
            "|---|---|",
            *(f"| {name} | {_cell(text)} |" for name, text in rows.items()),
            "",
            "## Proof",
            "",
            f"Against the source in {proof.runtime}, in float32, over {proof.images} images ({proof.images_from}): "
            f"largest difference {proof.max_abs:.1e}, {proof.max_relative:.1e} of the embedding's largest coordinate; "
            f"smallest cosine {proof.min_cosine:.8f}.",
            "",
        ]
    )


def _short(values):
    return f"{values[0]:g}" if len(set(values)) == 1 else "(" + ", ".join(f"{value:g}" for value in values) + ")"


def _cell(text):
    return " ".join(str(text).split()).replace("|", r"\|")
