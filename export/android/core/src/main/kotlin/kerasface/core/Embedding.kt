/** What is done around the network, whoever runs it: kerasface/edge/embedder.py's share. */
package kerasface.core

import kotlin.math.sqrt

/**
 * Embeds an aligned face as the spec's flip wants it.
 *
 * @param run a crop to the network's numbers
 * @return of unit length; it is biometric data of the person shown
 */
fun embed(spec: EmbedderSpec, face: Picture, run: (Picture) -> FloatArray): DoubleArray {
    val checked = { crop: Picture ->
        val numbers = run(crop)
        if (numbers.size != spec.embeddingSize) {
            throw KerasfaceException(
                "${spec.name} is not an embedder as its spec says: expected ${spec.embeddingSize} numbers. " +
                    "Received: ${numbers.size}",
            )
        }
        unit(DoubleArray(numbers.size) { numbers[it].toDouble() })
    }
    val embedding = checked(face)
    return when (spec.flip) {
        "sum" -> checked(mirror(face)).let { other -> unit(DoubleArray(other.size) { embedding[it] + other[it] }) }
        "concatenate" -> unit(embedding + checked(mirror(face)))
        else -> embedding
    }
}

internal fun length(values: DoubleArray) = sqrt(values.sumOf { it * it })

private fun unit(values: DoubleArray): DoubleArray {
    val norm = length(values)
    if (!(norm > 0 && norm.isFinite())) {
        throw KerasfaceException("The embedder gave an embedding without a direction: it is damaged. Export it again.")
    }
    return DoubleArray(values.size) { values[it] / norm }
}

private fun mirror(face: Picture) = Picture(
    face.width,
    face.height,
    IntArray(face.pixels.size) { face.pixels[it - 2 * (it % face.width) + face.width - 1] },
)
