/** MediaPipe's two tasks with kerasface's alignment between them. */
package kerasface.phone

import android.content.Context
import android.graphics.Bitmap
import com.google.mediapipe.framework.image.BitmapImageBuilder
import com.google.mediapipe.tasks.core.BaseOptions
import com.google.mediapipe.tasks.vision.core.RunningMode
import com.google.mediapipe.tasks.vision.facelandmarker.FaceLandmarker
import com.google.mediapipe.tasks.vision.imageembedder.ImageEmbedder
import kerasface.core.EmbedderSpec
import kerasface.core.Face
import kerasface.core.Picture
import kerasface.core.Point
import kerasface.core.crop
import kerasface.core.embed
import kerasface.core.faceOfLandmarks
import kerasface.core.readSidecar
import java.io.Closeable
import java.security.MessageDigest

private const val LANDMARKER = "face_landmarker.task"
private const val EMBEDDER = "embedder.tflite"
private const val MAX_FACES = 8

/** Use it from one thread at a time. */
class FaceEngine(context: Context) : Closeable {
    val spec: EmbedderSpec = context.assets.run {
        open(LANDMARKER).close() // MediaPipe's own message wouldn't say where it belongs
        val digest = MessageDigest.getInstance("SHA-256").digest(open(EMBEDDER).use { it.readBytes() })
        val sidecar = open("$EMBEDDER.json").use { it.readBytes().decodeToString() }
        readSidecar(sidecar, digest.joinToString("") { "%02x".format(it) })
    }

    private val landmarker = FaceLandmarker.createFromOptions(
        context,
        FaceLandmarker.FaceLandmarkerOptions.builder()
            .setBaseOptions(BaseOptions.builder().setModelAssetPath(LANDMARKER).build())
            .setRunningMode(RunningMode.IMAGE)
            .setNumFaces(MAX_FACES)
            .build(),
    )

    // Preprocessing and normalization stand inside the exported file, and bytes in the place of its floats would cost
    // cosines: neither is asked of MediaPipe.
    private val embedder = ImageEmbedder.createFromOptions(
        context,
        ImageEmbedder.ImageEmbedderOptions.builder()
            .setBaseOptions(BaseOptions.builder().setModelAssetPath(EMBEDDER).build())
            .setRunningMode(RunningMode.IMAGE)
            .setL2Normalize(false)
            .setQuantize(false)
            .build(),
    )

    /** Every face of an upright photo, as far as MediaPipe sees it. */
    fun faces(photo: Bitmap): List<Face> =
        landmarker.detect(BitmapImageBuilder(photo).build()).faceLandmarks().map { landmarks ->
            val mesh = landmarks.map { Point(it.x().toDouble(), it.y().toDouble()) }
            faceOfLandmarks(mesh, photo.width, photo.height)
        }

    /** Aligns and embeds faces of a photo. */
    fun embed(photo: Bitmap, faces: List<Face>): List<DoubleArray> {
        val picture = photo.toPicture()
        return faces.map { embed(spec, crop(picture, it.points, spec.template), ::run) }
    }

    override fun close() {
        landmarker.close()
        embedder.close()
    }

    private fun run(face: Picture): FloatArray {
        val image = BitmapImageBuilder(face.toBitmap()).build()
        return embedder.embed(image).embeddingResult().embeddings().single().floatEmbedding()
    }
}
