/**
 * Holds this module to what kerasface.edge answers: export/vectors. It needs no test framework, so a compiler and a JVM
 * are enough:
 *
 *     Vectors FOLDER [GALLERY]
 *
 * @param FOLDER export/vectors
 * @param GALLERY where to write the gallery of the vectors, for Python to read
 */
package kerasface.core

import java.io.File
import java.util.Base64
import kotlin.math.abs
import kotlin.math.max
import kotlin.system.exitProcess

fun main(arguments: Array<String>) {
    val folder = File(arguments[0])
    val checks = Checks()
    alignment(checks, vectors(folder, "similarity"), vectors(folder, "warp"), vectors(folder, "crop"))
    points(checks, vectors(folder, "detection"))
    decisions(checks, vectors(folder, "decisions"), arguments.getOrNull(1)?.let(::File))
    json(checks)
    println("${checks.passed} passed, ${checks.failed} failed")
    exitProcess(if (checks.failed == 0) 0 else 1)
}

private fun alignment(checks: Checks, similarity: Map<*, *>, warps: Map<*, *>, crops: Map<*, *>) {
    for ((name, template) in similarity.map("templates")) {
        checks("template $name") {
            val (mine, theirs) = TEMPLATES.getValue(name as String) to template as Map<*, *>
            close(mine.points.flatMap { listOf(it.x, it.y) }, theirs["points"])
            close(listOf(mine.width.toDouble(), mine.height.toDouble()), listOf(theirs["width"], theirs["height"]))
        }
    }
    for (case in similarity.maps("cases")) {
        checks("similarity transform") {
            close(similarityTransform(case.points("source"), case.points("target")).numbers(), case["matrix"])
        }
    }
    val picture = picture(warps.map("picture"))
    for (case in warps.maps("cases")) {
        checks("warp ${case["matrix"]}, to the bit") {
            same(warp(picture, case.affine("matrix"), case.whole("width"), case.whole("height")), case["rgb"])
        }
    }
    val photo = picture(crops.map("picture"))
    for (case in crops.maps("cases")) {
        checks("crop to ${case["template"]}, to the bit") {
            same(crop(photo, case.points("points"), TEMPLATES.getValue(case["template"] as String)), case["rgb"])
        }
    }
    val target = TEMPLATES.getValue("arcface_112x112").points
    checks("points that coincide") {
        refused("coincide") { similarityTransform(target.map { Point(3.0, 4.0) }, target) }
    }
    checks("points that are no numbers") {
        refused("finite") { similarityTransform(target.map { Point(3.0, Double.NaN) }, target) }
    }
}

private fun points(checks: Checks, vectors: Map<*, *>) {
    val case = vectors.map("five_points")
    val mesh = case.points("mesh")
    checks("five points of a mesh") { close(fivePoints(mesh).flatMap { listOf(it.x, it.y) }, case["points"]) }
    for (face in vectors.maps("landmarks")) {
        checks("a face in a photo: ${face["box"]}") {
            val found = faceOfLandmarks(face.points("fractions"), face.whole("width"), face.whole("height"))
            close(listOf(found.low.x, found.low.y, found.high.x, found.high.y), face["box"])
            close(found.points.flatMap { listOf(it.x, it.y) }, face["points"])
        }
    }
}

private fun decisions(checks: Checks, vectors: Map<*, *>, file: File?) {
    val spec = readSpec(vectors.map("spec"))
    val gallery = Gallery(spec)
    for (person in vectors.maps("enrolled")) {
        (person["embeddings"] as List<*>).forEach { gallery.enroll(person["name"] as String, numbers(it)) }
    }
    checks("the strictest threshold decides") { equal(spec.threshold, vectors["threshold"]) }
    checks("no threshold") { equal(readSpec(spec.json + ("thresholds" to emptyList<Any>())).threshold, null) }
    checks("an empty gallery") { equal(Gallery(spec).identify(DoubleArray(8), -1.0), Match(null, -1.0, null)) }
    val reread = Gallery.ofJson(gallery.toJson(), spec)
    for (probe in vectors.maps("probes")) {
        checks("who is it: ${probe["name"]}") {
            for (source in listOf(gallery, reread)) {
                val match = source.identify(numbers(probe["embedding"]), probe["threshold"] as Double)
                equal(listOf(match.name, match.nearest), listOf(probe["name"], probe["nearest"]))
                close(listOf(match.score), listOf(probe["score"]))
            }
        }
    }
    checks("a gallery's file holds it") {
        equal(reread.names.map { it to reread.photos(it) }, gallery.names.map { it to gallery.photos(it) })
    }
    checks("another embedder's gallery") {
        val other = readSpec(spec.json + ("embedder_id" to "other"))
        refused("Received: embedder other") { Gallery.ofJson(gallery.toJson(), other) }
    }
    checks("nobody is called nothing") { refused("name") { Gallery(spec).enroll(" \n", DoubleArray(8) { 0.1 }) } }
    checks("photos without a direction") {
        refused("in common") { Gallery(spec).enroll("Ann", DoubleArray(8) { Double.NaN }) }
    }
    checks("an embedding that is no number is nobody's") {
        equal(gallery.identify(DoubleArray(8) { Double.NaN }, -1.0), Match(null, -1.0, null))
    }
    readings(checks, spec)
    checks("who is removed is unknown") {
        reread.names.forEach(reread::remove)
        equal(reread.identify(numbers(vectors.maps("probes").first()["embedding"]), -1.0).name, null)
    }
    for (case in vectors.maps("selection")) {
        checks("which face is meant of ${case["sides"]}") {
            val sides = numbers(case["sides"])
            val faces = sides.map { Face(Point(0.0, 0.0), Point(it, it), emptyList()) }
            when (val meant = case["meant"] as Double?) {
                null -> refused(if (sides.isEmpty()) "No face" else "similar size") { theFace(faces) }
                else -> equal(faces.indexOf(theFace(faces)), meant.toInt())
            }
        }
    }
    sidecar(checks, spec)
    flips(checks, spec)
    file?.writeText(gallery.toJson())
}

/** What kerasface/edge/galleries/content.py takes and refuses. */
private fun readings(checks: Checks, spec: EmbedderSpec) {
    fun file(name: String, length: Double, times: Int = 1): String {
        val template = listOf(0.6 * length, 0.8 * length) + List(6) { 0.0 }
        val person = mapOf("name" to name, "photos" to 1.0, "templates" to listOf(template))
        val gallery = mapOf("kerasface_gallery" to 1.0, "spec" to spec.json, "policy" to "mean")
        return writeJson(gallery + ("people" to List(times) { person }))
    }
    for (length in listOf(0.00051, 1.0, 1.0009)) {
        checks("a template of length $length") { equal(Gallery.ofJson(file("Ann", length), spec).names, listOf("Ann")) }
    }
    for ((name, length) in listOf("Ann" to 0.0, "Ann" to 0.00049, "Ann" to 1.0011, " " to 1.0)) {
        checks("a damaged gallery: '$name', $length") {
            refused("damaged") { Gallery.ofJson(file(name, length), spec) }
        }
    }
    checks("a person twice") { refused("holds Ann twice") { Gallery.ofJson(file("Ann", 1.0, times = 2), spec) } }
}

private fun sidecar(checks: Checks, spec: EmbedderSpec) {
    val text = writeJson(mapOf("sha256" to "5eed", "spec" to spec.json))
    checks("a sidecar") { equal(readSidecar(text, "5eed").embedderId, spec.embedderId) }
    checks("a sidecar of another file") { refused("is not the file") { readSidecar(text, "other") } }
    checks("no sidecar") { refused("lacks spec") { readSidecar("[]", "5eed") } }
    checks("a newer format") { refused("newer kerasface") { readSpec(spec.json + ("format" to 2.0)) } }
    checks("an unknown template") { refused("known template") { readSpec(spec.json + ("template" to "none")) } }
}

private fun flips(checks: Checks, spec: EmbedderSpec) {
    val face = Picture(2, 2, intArrayOf(1, 2, 3, 4))
    val run = { crop: Picture -> FloatArray(8) { if (it < 4) crop.pixels[it].toFloat() else 0f } }
    val expected = mapOf(
        "none" to listOf(1, 2, 3, 4, 0, 0, 0, 0),
        "sum" to listOf(3, 3, 7, 7, 0, 0, 0, 0),
        "concatenate" to listOf(1, 2, 3, 4, 0, 0, 0, 0, 2, 1, 4, 3, 0, 0, 0, 0),
    )
    for ((flip, numbers) in expected) {
        checks("flip $flip") {
            val direction = numbers.map { it.toDouble() }.toDoubleArray()
            val embedding = embed(readSpec(spec.json + ("flip" to flip)), face, run)
            close(embedding.toList(), direction.map { it / length(direction) })
        }
    }
    checks("a network of another size") { refused("expected 8 numbers") { embed(spec, face) { FloatArray(7) } } }
    checks("a network that gives nothing") { refused("without a direction") { embed(spec, face) { FloatArray(8) } } }
}

private fun json(checks: Checks) {
    val value = mapOf("a" to listOf(1.0, -2.5e-9, null, true), "\"\\\n" to "é \uD83D\uDE42", "empty" to listOf<Any>())
    checks("JSON there and back") { equal(parseJson(writeJson(value)), value) }
    checks("JSON escapes") { equal(parseJson(" [\"\\u00e9\\/\\t\", {}] "), listOf("é/\t", mapOf<String, Any>())) }
    for (text in listOf("", "[1", "[1 2]", "{\"a\"}", "\"\\u12", "nul", "1 2", "Infinity", "NaN")) {
        checks("no JSON: $text") { refused("No JSON") { parseJson(text) } }
    }
}

private class Checks {
    var passed = 0
    var failed = 0

    operator fun invoke(name: String, check: () -> Unit) {
        try {
            check()
            passed++
        } catch (error: Throwable) {
            failed++
            println("FAILED $name: $error")
        }
    }
}

private fun equal(received: Any?, expected: Any?) {
    check(received == expected) { "expected $expected, received $received" }
}

private fun close(received: List<Any?>, expected: Any?) {
    val (left, right) = numbers(received) to numbers(expected)
    check(left.size == right.size) { "expected ${right.size} numbers, received ${left.size}" }
    for ((mine, theirs) in left.toList() zip right.toList()) {
        check(abs(mine - theirs) <= 1e-9 * max(1.0, abs(theirs))) { "expected $theirs, received $mine" }
    }
}

private fun same(received: Picture, base64: Any?) {
    val expected = Base64.getDecoder().decode(base64 as String)
    val bytes = received.pixels.flatMap { listOf(it shr 16, it shr 8, it) }.map { it.toByte() }.toByteArray()
    val wrong = expected.indices.count { bytes.getOrNull(it) != expected[it] }
    check(wrong == 0 && bytes.size == expected.size) { "$wrong of ${expected.size} bytes differ" }
}

private fun refused(why: String, action: () -> Unit) {
    val error = runCatching(action).exceptionOrNull()
    check(error is KerasfaceException && why in error.message.orEmpty()) { "refused with: $error" }
}

/** As export/vectors/make.py says. */
private fun picture(size: Map<*, *>): Picture {
    val (width, height) = size.whole("width") to size.whole("height")
    val pixels = IntArray(width * height) { at ->
        val (x, y) = at % width to at / width
        val channel = { c: Int -> 3 * x * x + 5 * y * y + 7 * x * y + 4099 * c shr 6 and 0xFF }
        (channel(0) shl 16) or (channel(1) shl 8) or channel(2)
    }
    return Picture(width, height, pixels)
}

private fun vectors(folder: File, name: String) = parseJson(folder.resolve("$name.json").readText()) as Map<*, *>

private fun Affine.numbers() = listOf(a, b, c, d, e, f)

private fun Map<*, *>.map(key: String) = this[key] as Map<*, *>

private fun Map<*, *>.maps(key: String) = (this[key] as List<*>).map { it as Map<*, *> }

private fun Map<*, *>.whole(key: String) = (this[key] as Double).toInt()

private fun Map<*, *>.points(key: String) = (this[key] as List<*>).map { numbers(it).let { (x, y) -> Point(x, y) } }

private fun Map<*, *>.affine(key: String) = numbers(this[key]).let { Affine(it[0], it[1], it[2], it[3], it[4], it[5]) }

/** All numbers in nested lists. */
private fun numbers(value: Any?): DoubleArray =
    if (value is List<*>) value.flatMap { numbers(it).toList() }.toDoubleArray() else doubleArrayOf(value as Double)
