/** The five of a face mesh's points that alignment needs: kerasface/edge/detection/landmarks.py written once more. */
package kerasface.core

// Both corners and three points on each lid; image-left eye first.
private val EYES = listOf(
    listOf(33, 160, 158, 133, 153, 144, 159, 145),
    listOf(263, 387, 385, 362, 380, 373, 386, 374),
)
private const val NOSE = 4
private val MOUTH_CORNERS = listOf(61, 291)

/** A face found in a photo, in its pixels; its box is cut at the photo's border. */
class Face(val low: Point, val high: Point, val points: List<Point>)

/** Reduces a mesh to image-left eye, image-right eye, nose, image-left and image-right mouth corner. */
fun fivePoints(mesh: List<Point>): List<Point> =
    EYES.map { eye -> mean(eye.map(mesh::get)) } + mesh[NOSE] + MOUTH_CORNERS.map(mesh::get)

/**
 * A face of MediaPipe's FaceLandmarker.
 *
 * @param mesh its 478 points as fractions of the photo, 0 and 1 on the photo's edges; the last ten, the irises, and the
 * depths aren't needed
 */
fun faceOfLandmarks(mesh: List<Point>, width: Int, height: Int): Face {
    // A pixel's center has whole coordinates here, its corner there.
    val pixels = mesh.map { Point(it.x * width - 0.5, it.y * height - 0.5) }
    // A face is as large as what is seen of it: else one that the border cuts would pass for the photo's largest.
    val seen = pixels.map { Point(it.x.coerceIn(-0.5, width - 0.5), it.y.coerceIn(-0.5, height - 0.5)) }
    return Face(
        low = Point(seen.minOf { it.x }, seen.minOf { it.y }),
        high = Point(seen.maxOf { it.x }, seen.maxOf { it.y }),
        points = fivePoints(pixels),
    )
}
