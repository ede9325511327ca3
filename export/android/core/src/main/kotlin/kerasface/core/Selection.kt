/** Which face a photo of one person shows, or why that can't be said: kerasface/edge/detection/selection.py once more. */
package kerasface.core

import kotlin.math.sqrt

private const val SIMILAR_SIDE = 0.7

private val Face.side get() = sqrt((high.x - low.x) * (high.y - low.y))

/** The one face that a photo is about. */
fun theFace(faces: List<Face>): Face {
    val largest = faces.maxByOrNull { it.side }
        ?: throw KerasfaceException("No face found. Take a photo that shows the face larger and from the front.")
    val similar = faces.count { it.side >= SIMILAR_SIDE * largest.side }
    if (similar > 1) {
        throw KerasfaceException("$similar faces of similar size: whose is meant? Crop the photo to one person.")
    }
    return largest
}
