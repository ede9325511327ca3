/** EmbedderSpec, the one truth about an embedder, as kerasface/spec.py writes it, and the sidecar that carries it. */
package kerasface.core

import kotlin.math.abs

private const val FORMAT = 1.0
private val FLIPS = listOf("none", "sum", "concatenate")

/** A cosine from which two faces count as one person, and the rate of strangers for whom it does too. */
data class Threshold(val cosine: Double, val far: Double)

/** @param json what it was read from, for the gallery */
class EmbedderSpec(
    val name: String,
    val embedderId: String,
    val embeddingSize: Int,
    val template: Template,
    val flip: String,
    val thresholds: List<Threshold>,
    val json: Map<*, *>,
) {
    /** How many numbers an embedding has, mirror image included. */
    val templateSize get() = if (flip == "concatenate") 2 * embeddingSize else embeddingSize

    /** The cosine that decides: the strictest FAR's, since a false accept is the worse mistake; null: none. */
    val threshold: Double?
        get() = thresholds.filter { it.far == thresholds.minOf(Threshold::far) }.maxOfOrNull(Threshold::cosine)
}

/**
 * Reads the `.json` file that `kerasface export` writes beside a model.
 *
 * @param sha256 of the model's file, in hexadecimal: a sidecar of another file is refused
 */
fun readSidecar(text: String, sha256: String): EmbedderSpec {
    val sidecar = parseJson(text) as? Map<*, *>
    val spec = sidecar?.get("spec") as? Map<*, *>
        ?: throw KerasfaceException("The embedder's .json file is none of kerasface export: it lacks spec.")
    if (sidecar["sha256"] != sha256) {
        throw KerasfaceException("The embedder is not the file that its .json file was written for. Copy both again.")
    }
    return readSpec(spec)
}

/** Reads the spec itself. */
fun readSpec(json: Map<*, *>): EmbedderSpec {
    if (json["format"] != FORMAT) {
        throw KerasfaceException(
            "The spec should be of format 1; a newer kerasface wrote it. Received: ${json["format"]}",
        )
    }
    val name = json["name"] as? String ?: lacks("name")
    val template = TEMPLATES[json["template"]]
    if (template?.width?.toDouble() != json["input_width"] || template?.height?.toDouble() != json["input_height"]) {
        throw KerasfaceException(
            "$name takes no faces of a known template: expected ${TEMPLATES.keys.joinToString(" or ")}. " +
                "Received: ${json["template"]}, ${json["input_height"]}×${json["input_width"]}",
        )
    }
    return EmbedderSpec(
        name = name,
        embedderId = json["embedder_id"] as? String ?: lacks("embedder_id"),
        embeddingSize = (json["embedding_size"] as? Double)?.takeIf { it >= 1 }?.toInt() ?: lacks("embedding_size"),
        template = template ?: lacks("template"),
        flip = (json["flip"] as? String)?.takeIf(FLIPS::contains) ?: lacks("flip"),
        thresholds = (json["thresholds"] as? List<*> ?: lacks("thresholds")).map(::readThreshold),
        json = json,
    )
}

private fun readThreshold(json: Any?): Threshold {
    val cosine = (json as? Map<*, *>)?.get("cosine") as? Double ?: lacks("cosine")
    val far = json["far"] as? Double ?: lacks("far")
    if (abs(cosine) > 1 || far <= 0 || far >= 1) {
        lacks("thresholds")
    }
    return Threshold(cosine, far)
}

private fun lacks(field: String): Nothing =
    throw KerasfaceException("The spec has no good $field. Export the model again with kerasface export.")
