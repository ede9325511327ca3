/** Pillow's `Image.reduce` and its bilinear `Image.transform`, to the bit. */
package kerasface.core

import kotlin.math.floor
import kotlin.math.max
import kotlin.math.min

/** Averages blocks of `factor`×`factor` pixels of a box; blocks at the right and lower edge may be smaller. */
internal fun reduce(image: Picture, factor: Int, columns: IntRange, rows: IntRange): Picture {
    val width = (columns.count() + factor - 1) / factor
    val height = (rows.count() + factor - 1) / factor
    val pixels = IntArray(width * height)
    for (y in 0 until height) {
        val top = rows.first + y * factor
        val bottom = min(top + factor, rows.last + 1)
        for (x in 0 until width) {
            val left = columns.first + x * factor
            val right = min(left + factor, columns.last + 1)
            val count = (bottom - top) * (right - left)
            var red = count shr 1
            var green = red
            var blue = red
            for (row in top until bottom) {
                for (at in row * image.width + left until row * image.width + right) {
                    val pixel = image.pixels[at]
                    red += pixel shr 16 and 0xFF
                    green += pixel shr 8 and 0xFF
                    blue += pixel and 0xFF
                }
            }
            // Pillow divides by a whole number's multiplication, which it finds in single precision.
            val multiplier = (4294967296.0 / (256.0 * count)).toFloat().toLong()
            val share = { sum: Int -> (sum * multiplier shr 24).toInt() }
            pixels[y * width + x] = BLACK or (share(red) shl 16) or (share(green) shl 8) or share(blue)
        }
    }
    return Picture(width, height, pixels)
}

/**
 * Samples a picture bilinearly; black outside.
 *
 * @param way from the result to the picture, a pixel's corner at whole numbers in both
 */
internal fun transform(image: Picture, way: Affine, width: Int, height: Int): Picture {
    val pixels = IntArray(width * height) { BLACK }
    for (y in 0 until height) {
        for (x in 0 until width) {
            val (u, v) = way(Point(x + 0.5, y + 0.5))
            if (u >= 0 && u < image.width && v >= 0 && v < image.height) {
                pixels[y * width + x] = sample(image, u - 0.5, v - 0.5)
            }
        }
    }
    return Picture(width, height, pixels)
}

private fun sample(image: Picture, u: Double, v: Double): Int {
    val column = floor(u).toInt()
    val row = floor(v).toInt()
    val left = max(column, 0)
    val right = min(column + 1, image.width - 1)
    val upper = image.width * max(row, 0)
    val lower = image.width * min(row + 1, image.height - 1)
    var pixel = BLACK
    for (shift in intArrayOf(16, 8, 0)) {
        val at = { index: Int -> (image.pixels[index] shr shift and 0xFF).toDouble() }
        val first = mix(at(upper + left), at(upper + right), u - column)
        val second = mix(at(lower + left), at(lower + right), u - column)
        pixel = pixel or (mix(first, second, v - row).toInt() shl shift) // cut off, not rounded
    }
    return pixel
}

private fun mix(from: Double, to: Double, share: Double) = from + (to - from) * share
