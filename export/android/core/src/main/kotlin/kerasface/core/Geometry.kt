/**
 * Affine maps between pictures and the resampler: kerasface/edge/geometry.py written once more. A pixel's center has
 * whole coordinates.
 */
package kerasface.core

import kotlin.math.abs
import kotlin.math.ceil
import kotlin.math.floor
import kotlin.math.max
import kotlin.math.roundToLong
import kotlin.math.sqrt

/** In pixels. */
data class Point(val x: Double, val y: Double)

/** Pixels row after row, `0xAARRGGBB` as Android's Bitmap hands them over; what alpha says is ignored. */
class Picture(val width: Int, val height: Int, val pixels: IntArray)

/** `(x, y) → (a·x + b·y + c, d·x + e·y + f)`. */
data class Affine(val a: Double, val b: Double, val c: Double, val d: Double, val e: Double, val f: Double) {
    val determinant get() = a * e - b * d

    operator fun invoke(point: Point) = Point(a * point.x + b * point.y + c, d * point.x + e * point.y + f)

    /** The map that undoes this one. */
    fun inverse(): Affine {
        val (ia, ib) = e / determinant to -b / determinant
        val (id, ie) = -d / determinant to a / determinant
        return Affine(ia, ib, -(ia * c + ib * f), id, ie, -(id * c + ie * f))
    }

    /** The map that does `first`, then this one. */
    fun after(first: Affine): Affine {
        val (x, y) = this(Point(first.c, first.f))
        return Affine(
            a * first.a + b * first.d, a * first.b + b * first.e, x,
            d * first.a + e * first.d, d * first.b + e * first.e, y,
        )
    }

    internal fun rounded() = Affine(tidy(a), tidy(b), tidy(c), tidy(d), tidy(e), tidy(f))
}

/**
 * Resamples a picture through a similarity: bilinear, with antialiasing where it shrinks, black outside.
 *
 * Whole-number shrinking is done first by averaging blocks of the region that is needed; what remains, less than 2, by
 * averaging 2×2 bilinear samples per pixel.
 *
 * @param matrix pixels of `image` to pixels of the result; a similarity
 */
fun warp(image: Picture, matrix: Affine, width: Int, height: Int): Picture {
    val back = matrix.inverse()
    val shrink = sqrt(abs(back.determinant))
    val block = max(1, (shrink * (1 + ROUNDING)).toInt()) // rounding makes no 3 of a 4
    val needed = listOf(-0.5, height - 0.5).flatMap { y -> listOf(-0.5, width - 0.5).map { x -> back(Point(x, y)) } }
    val margin = 2 * block // one block for the bilinear neighbor, one for the rounding to whole blocks
    val columns = span(needed.map { it.x }, margin, image.width)
    val rows = span(needed.map { it.y }, margin, image.height)
    if (columns.isEmpty() || rows.isEmpty()) {
        return Picture(width, height, IntArray(width * height) { BLACK })
    }
    val region = reduce(image, block, columns, rows)
    // A crop that lies on the template is copied: its transform is the identity but for rounding.
    val samples = if (shrink > block * (1 + ROUNDING)) 2 else 1
    // From the corner-based result to the corner-based region.
    val toResult = Affine(1.0 / samples, 0.0, -0.5, 0.0, 1.0 / samples, -0.5)
    val toRegion = Affine(1.0 / block, 0.0, (0.5 - columns.first) / block, 0.0, 1.0 / block, (0.5 - rows.first) / block)
    // Rounded, since what is interpolated is cut off: a turn of 1e-17 would make one pixel in twenty darker by one.
    val way = toRegion.after(back.after(toResult)).rounded()
    val result = transform(region, way, width * samples, height * samples)
    return if (samples > 1) reduce(result, samples, 0 until result.width, 0 until result.height) else result
}

internal const val BLACK = 0xFF shl 24
private const val ROUNDING = 1e-9

private fun tidy(value: Double) = (value * 1e12).roundToLong() / 1e12

private fun span(values: List<Double>, margin: Int, limit: Int): IntRange {
    val from = floor(values.min()).toInt() - margin
    val until = ceil(values.max()).toInt() + margin
    return from.coerceIn(0, limit) until until.coerceIn(0, limit)
}
