/** The one screen: who is it, enroll, people. */
package kerasface.phone

import android.content.ActivityNotFoundException
import android.net.Uri
import android.os.Bundle
import android.view.View
import android.widget.Button
import android.widget.CheckBox
import android.widget.EditText
import android.widget.LinearLayout
import android.widget.TextView
import androidx.activity.ComponentActivity
import androidx.activity.result.ActivityResultLauncher
import androidx.activity.result.PickVisualMediaRequest
import androidx.activity.result.contract.ActivityResultContracts.PickMultipleVisualMedia
import androidx.activity.result.contract.ActivityResultContracts.PickVisualMedia
import androidx.activity.result.contract.ActivityResultContracts.TakePicture
import androidx.activity.viewModels
import androidx.lifecycle.Lifecycle
import androidx.lifecycle.lifecycleScope
import androidx.lifecycle.repeatOnLifecycle
import kotlinx.coroutines.launch

private val PHOTOS = PickVisualMediaRequest(PickVisualMedia.ImageOnly)
private val BUTTONS = listOf(
    R.id.identify_chosen, R.id.identify_taken, R.id.enroll_chosen, R.id.enroll_taken, R.id.delete_everybody,
)

class MainActivity : ComponentActivity() {
    private val faces: FacesViewModel by viewModels()

    private val chooseOne = registerForActivityResult(PickVisualMedia()) { it?.let(faces::identify) }
    private val takeOne = registerForActivityResult(TakePicture()) { faces.answerOfCamera(it)?.let(faces::identify) }
    private val chooseSome = registerForActivityResult(PickMultipleVisualMedia()) { if (it.isNotEmpty()) enroll(it) }
    private val takeAnother = registerForActivityResult(TakePicture()) {
        faces.answerOfCamera(it)?.let { photo -> enroll(listOf(photo)) }
    }

    private val name get() = findViewById<EditText>(R.id.name)
    private val consent get() = findViewById<CheckBox>(R.id.consent)

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.main)
        onClick(R.id.identify_chosen) { chooseOne.launch(PHOTOS) }
        onClick(R.id.identify_taken) { takeOne.launchCamera() }
        onClick(R.id.enroll_chosen) { ifAgreed { chooseSome.launch(PHOTOS) } }
        onClick(R.id.enroll_taken) { ifAgreed { takeAnother.launchCamera() } }
        onClick(R.id.delete_everybody) { faces.deleteEverybody() }
        lifecycleScope.launch {
            repeatOnLifecycle(Lifecycle.State.STARTED) { faces.state.collect(::show) }
        }
    }

    private fun onClick(id: Int, action: () -> Unit) = findViewById<Button>(id).setOnClickListener { action() }

    private fun ifAgreed(action: () -> Unit) = when {
        name.text.isBlank() -> faces.say(getString(R.string.needs_name))
        !consent.isChecked -> faces.say(getString(R.string.needs_consent))
        else -> action()
    }

    private fun enroll(photos: List<Uri>) {
        faces.enroll(name.text.toString().trim(), photos)
        // The next person is asked anew.
        name.text.clear()
        consent.isChecked = false
    }

    private fun ActivityResultLauncher<Uri>.launchCamera() = try {
        launch(faces.askCamera())
    } catch (error: ActivityNotFoundException) {
        faces.answerOfCamera(false)
        faces.say(getString(R.string.no_camera))
    }

    private fun show(screen: Screen) {
        findViewById<View>(R.id.busy).visibility = if (screen.busy) View.VISIBLE else View.GONE
        findViewById<TextView>(R.id.message).text = screen.message
        BUTTONS.forEach { findViewById<Button>(it).isEnabled = !screen.busy }
        val people = findViewById<LinearLayout>(R.id.people)
        people.removeAllViews()
        for (person in screen.people) {
            val row = layoutInflater.inflate(R.layout.person, people, false)
            row.findViewById<TextView>(R.id.person).text = getString(R.string.person, person.name, person.photos)
            val delete = row.findViewById<Button>(R.id.delete)
            delete.isEnabled = !screen.busy
            delete.setOnClickListener { faces.delete(person.name) }
            people.addView(row)
        }
    }
}
