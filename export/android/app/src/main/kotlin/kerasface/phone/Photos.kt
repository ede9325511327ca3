/** Photos of the picker or the camera, and where the camera's lie until they are read. */
package kerasface.phone

import android.content.Context
import android.graphics.Bitmap
import android.graphics.ColorSpace
import android.graphics.ImageDecoder
import android.net.Uri
import androidx.core.content.FileProvider
import kerasface.core.Picture
import java.io.File
import java.util.UUID
import kotlin.math.max

// A bitmap of 4 bytes a pixel and its copy have to fit into the app's memory.
private const val LONGEST_SIDE = 4096

/** Reads a photo upright, in sRGB; a larger one than 4096 pixels is halved, or divided by three, and so on. */
fun readPhoto(context: Context, uri: Uri): Bitmap {
    val source = ImageDecoder.createSource(context.contentResolver, uri)
    val bitmap = ImageDecoder.decodeBitmap(source) { decoder, info, _ ->
        decoder.allocator = ImageDecoder.ALLOCATOR_SOFTWARE
        decoder.setTargetColorSpace(ColorSpace.get(ColorSpace.Named.SRGB))
        decoder.setTargetSampleSize((max(info.size.width, info.size.height) + LONGEST_SIDE - 1) / LONGEST_SIDE)
    }
    return if (bitmap.config == Bitmap.Config.ARGB_8888) bitmap else bitmap.copy(Bitmap.Config.ARGB_8888, false)
}

fun Bitmap.toPicture(): Picture {
    val pixels = IntArray(width * height)
    getPixels(pixels, 0, width, 0, 0, width, height)
    return Picture(width, height, pixels)
}

fun Picture.toBitmap(): Bitmap = Bitmap.createBitmap(pixels, width, height, Bitmap.Config.ARGB_8888)

private fun cameraFolder(context: Context) = File(context.cacheDir, "photos")

private fun authority(context: Context) = "${context.packageName}.photos"

/** Where the camera's app is to put one photo: a file of its own, which no other job reads or deletes. */
fun newCameraPhoto(context: Context): Uri {
    val folder = cameraFolder(context).apply { mkdirs() }
    return FileProvider.getUriForFile(context, authority(context), File(folder, "${UUID.randomUUID()}.jpg"))
}

/** Deletes a photo of the camera's; the picker's are not ours. */
fun deleteCameraPhoto(context: Context, photo: Uri) {
    if (photo.authority == authority(context)) {
        context.contentResolver.delete(photo, null, null)
    }
}

/** Deletes what is left where Android ended the process before the job's end. */
fun deleteCameraPhotos(context: Context, except: Uri?) {
    cameraFolder(context).listFiles().orEmpty().filter { it.name != except?.lastPathSegment }.forEach { it.delete() }
}
