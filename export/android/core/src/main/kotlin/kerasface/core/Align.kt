/** Five points to an aligned crop: kerasface/edge/align.py written once more. */
package kerasface.core

/** Where the five points lie in a crop: image-left eye, image-right eye, nose, image-left and -right mouth corner. */
class Template(val points: List<Point>, val width: Int, val height: Int)

private val ARCFACE = listOf(
    Point(38.2946, 51.6963),
    Point(73.5318, 51.5014),
    Point(56.0252, 71.7366),
    Point(41.5493, 92.3655),
    Point(70.7299, 92.2041),
)

val TEMPLATES = mapOf(
    "arcface_112x112" to Template(ARCFACE, width = 112, height = 112),
    "arcface_112x96" to Template(ARCFACE.map { Point(it.x - 8, it.y) }, width = 96, height = 112),
)

/**
 * The turn, scale and shift that bring points onto others with the least squared error.
 *
 * With points as complex numbers, `t ≈ a·s + b`: `a = Σ conj(s - s̄)(t - t̄) / Σ|s - s̄|²`, `b = t̄ - a·s̄`: Umeyama's
 * solution without reflection (TPAMI 1991, eq. 40–42).
 */
fun similarityTransform(source: List<Point>, target: List<Point>): Affine {
    val center = mean(source)
    val aim = mean(target)
    var real = 0.0
    var imaginary = 0.0
    var spread = 0.0
    for ((s, t) in source zip target) {
        val (sx, sy) = Point(s.x - center.x, s.y - center.y)
        val (tx, ty) = Point(t.x - aim.x, t.y - aim.y)
        real += sx * tx + sy * ty
        imaginary += sx * ty - sy * tx
        spread += sx * sx + sy * sy
    }
    if (!(spread > 0)) {
        throw KerasfaceException("Points must be finite and not all coincide. Received: $source")
    }
    val a = real / spread
    val b = imaginary / spread
    return Affine(a, -b, aim.x - (a * center.x - b * center.y), b, a, aim.y - (b * center.x + a * center.y))
}

/** Cuts an aligned face out of a photo: bilinear, antialiased where it shrinks, black outside the photo. */
fun crop(image: Picture, points: List<Point>, template: Template): Picture {
    val matrix = similarityTransform(points, template.points)
    if (!(matrix.determinant > 0)) {
        throw KerasfaceException("Points don't lie as a face's do. Received: $points")
    }
    return warp(image, matrix, template.width, template.height)
}

internal fun mean(points: List<Point>) = Point(points.sumOf { it.x } / points.size, points.sumOf { it.y } / points.size)
