/** What the screen shows, and what its buttons do, one after the other, off the main thread. */
package kerasface.phone

import android.app.Application
import android.net.Uri
import androidx.lifecycle.AndroidViewModel
import androidx.lifecycle.SavedStateHandle
import androidx.lifecycle.viewModelScope
import kerasface.core.Gallery
import kerasface.core.KerasfaceException
import kerasface.core.theFace
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.launch
import java.io.FileNotFoundException

data class Person(val name: String, val photos: Int)

data class Screen(val people: List<Person> = emptyList(), val message: String = "", val jobs: Int = 0) {
    val busy get() = jobs > 0
}

private const val ASKED = "asked of the camera"

class FacesViewModel(private val app: Application, private val saved: SavedStateHandle) : AndroidViewModel(app) {
    private val worker = Dispatchers.Default.limitedParallelism(1)
    private val store = GalleryStore(app)
    private var engine: FaceEngine? = null
    private var gallery: Gallery? = null
    private val screen = MutableStateFlow(Screen())

    val state: StateFlow<Screen> = screen

    init {
        deleteCameraPhotos(app, except = saved[ASKED])
        work {
            gallery()
            ""
        }
    }

    fun say(message: String) = screen.update { it.copy(message = message) }

    /** Where the camera's app is to put its photo; remembered, since Android may end this process meanwhile. */
    fun askCamera(): Uri = newCameraPhoto(app).also { saved[ASKED] = it }

    /** The photo that the camera was asked for; null where there is none. */
    fun answerOfCamera(taken: Boolean): Uri? {
        val photo = saved.remove<Uri>(ASKED) ?: return null
        if (!taken) {
            deleteCameraPhoto(app, photo)
        }
        return photo.takeIf { taken }
    }

    fun enroll(name: String, photos: List<Uri>) = work(photos) {
        val gallery = gallery()
        val embeddings = photos.map { uri ->
            val photo = readPhoto(app, uri)
            engine().embed(photo, listOf(theFace(engine().faces(photo)))).single()
        }
        embeddings.forEach { gallery.enroll(name, it) }
        store.save(gallery)
        app.getString(R.string.enrolled, name)
    }

    fun identify(uri: Uri) = work(listOf(uri)) {
        val gallery = gallery()
        val photo = readPhoto(app, uri)
        val lines = engine().embed(photo, engine().faces(photo)).map { embedding ->
            val match = gallery.identify(embedding, threshold())
            match.name?.let { app.getString(R.string.known, it, match.score, threshold()) }
                ?: app.getString(R.string.unknown, match.score, threshold())
        }
        lines.joinToString("\n").ifEmpty { app.getString(R.string.no_face) }
    }

    fun delete(name: String) = work {
        val gallery = gallery()
        gallery.remove(name)
        store.save(gallery)
        ""
    }

    /** Works without a model too, and where the gallery can't be read. */
    fun deleteEverybody() = work {
        store.destroy()
        gallery = null
        ""
    }

    /** After the job that may still run. */
    override fun onCleared() {
        CoroutineScope(worker).launch { engine?.close() }
    }

    private fun engine(): FaceEngine = engine ?: try {
        FaceEngine(app).also { engine = it }
    } catch (error: FileNotFoundException) {
        throw KerasfaceException(app.getString(R.string.no_models))
    }

    private fun gallery(): Gallery {
        threshold()
        return gallery ?: store.load(engine().spec).also { gallery = it }
    }

    private fun threshold(): Double =
        engine().spec.threshold ?: throw KerasfaceException(app.getString(R.string.no_threshold))

    /** Whatever becomes of the job, the camera's photos among `photos` don't outlive it. */
    private fun work(photos: List<Uri> = emptyList(), action: () -> String) {
        screen.update { it.copy(jobs = it.jobs + 1, message = "") }
        viewModelScope.launch(worker) {
            val message = try {
                action()
            } catch (error: Exception) {
                gallery = null // what wasn't stored doesn't count
                error.message ?: error.toString()
            } finally {
                photos.forEach { deleteCameraPhoto(app, it) }
            }
            val people = runCatching { gallery().run { names.map { Person(it, photos(it)) } } }.getOrNull().orEmpty()
            screen.update { Screen(people, message, it.jobs - 1) }
        }
    }
}
