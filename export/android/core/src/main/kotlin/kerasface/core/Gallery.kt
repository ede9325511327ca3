/** Names and face templates: kerasface/edge/galleries/gallery.py written once more, under its policy "mean". */
package kerasface.core

private const val FORMAT = 1.0
// As kerasface/edge/galleries/content.py reads them: a mean of unit vectors is no longer than they are.
private val LENGTHS = 5e-4..1.001
private const val NOTICE =
    "Biometric data: names and face templates in clear. Keep it to yourself, delete it when it has served."

/**
 * The answer to "who is this?".
 *
 * @param name null: unknown
 * @param score cosine to the nearest person's template; -1 when the gallery is empty
 */
data class Match(val name: String?, val score: Double, val nearest: String?)

/** People known by the mean of their embeddings, bound to the one embedder that made them. */
class Gallery(val spec: EmbedderSpec) {
    private class Person(val mean: DoubleArray, val photos: Int)

    private val people = sortedMapOf<String, Person>()

    val names get() = people.keys.toList()

    fun photos(name: String) = people[name]?.photos ?: 0

    /** Adds a photo of a person; a known name's template becomes the mean of the old ones and the new one. */
    fun enroll(name: String, embedding: DoubleArray) {
        if (name.isBlank()) {
            throw KerasfaceException("Whose photo is it? Write the person's name.")
        }
        val known = people[name] ?: Person(DoubleArray(embedding.size), 0)
        val count = known.photos + 1
        val mean = DoubleArray(embedding.size) { (known.mean[it] * known.photos + embedding[it]) / count }
        if (!(length(mean) >= 1e-3)) { // NaN too
            throw KerasfaceException("The photos of $name have nothing in common: are they of one person?")
        }
        people[name] = Person(mean, count)
    }

    fun remove(name: String) {
        people.remove(name)
    }

    /** Who a face is: the nearest person when the cosine is at least the threshold, else unknown. */
    fun identify(embedding: DoubleArray, threshold: Double): Match {
        val scores = people.mapValues { (_, person) ->
            person.mean.indices.sumOf { person.mean[it] * embedding[it] } / length(person.mean)
        }.filterValues { it.isFinite() }.mapValues { it.value.coerceIn(-1.0, 1.0) } // NaN would be the greatest
        val (nearest, score) = scores.maxByOrNull { it.value } ?: return Match(null, -1.0, null)
        return Match(nearest.takeIf { score >= threshold }, score, nearest)
    }

    /** As `kerasface gallery export` writes it and `kerasface gallery import` reads it. */
    fun toJson(): String = writeJson(
        mapOf(
            "kerasface_gallery" to FORMAT,
            "notice" to NOTICE,
            "spec" to spec.json,
            "policy" to "mean",
            "people" to people.map { (name, person) ->
                mapOf("name" to name, "photos" to person.photos, "templates" to listOf(person.mean.toList()))
            },
        ),
    )

    companion object {
        /** Reads what `toJson` wrote; another embedder's gallery is refused, this file's own thresholds decide. */
        fun ofJson(text: String, spec: EmbedderSpec): Gallery {
            val json = parseJson(text) as? Map<*, *>
            if (json?.get("kerasface_gallery") != FORMAT || json["policy"] != "mean") {
                throw KerasfaceException("This is no gallery of this app's format.")
            }
            val owner = (json["spec"] as? Map<*, *>)?.get("embedder_id")
            if (owner != spec.embedderId) {
                throw KerasfaceException(
                    "The gallery belongs to embedder $owner: embeddings of different models can't be compared. " +
                        "Received: embedder ${spec.embedderId}. Bring that model back, or delete everybody and " +
                        "enroll anew.",
                )
            }
            return Gallery(spec).apply {
                for (person in json["people"] as? List<*> ?: emptyList<Any>()) {
                    val (name, read) = readPerson(person, spec.templateSize)
                    if (people.put(name, read) != null) {
                        throw KerasfaceException("The gallery is damaged: it holds $name twice.")
                    }
                }
            }
        }

        private fun readPerson(json: Any?, size: Int): Pair<String, Person> {
            val person = json as? Map<*, *>
            val name = person?.get("name") as? String
            val photos = person?.get("photos") as? Double
            val row = (person?.get("templates") as? List<*>)?.singleOrNull() as? List<*>
            val mean = row?.mapNotNull { it as? Double }.orEmpty().toDoubleArray()
            if (name.isNullOrBlank() || photos == null || photos < 1 || mean.size != size || length(mean) !in LENGTHS) {
                throw KerasfaceException("The gallery is damaged.")
            }
            return name to Person(mean, photos.toInt())
        }
    }
}
