/** The gallery at rest: in the app's own folder, outside backups, encrypted under a key of the keystore. */
package kerasface.phone

import android.content.Context
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import android.util.AtomicFile
import kerasface.core.EmbedderSpec
import kerasface.core.Gallery
import kerasface.core.KerasfaceException
import java.io.File
import java.io.FileNotFoundException
import java.security.GeneralSecurityException
import java.security.KeyStore
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec

private const val KEYSTORE = "AndroidKeyStore"
private const val ALIAS = "kerasface.gallery"
private const val CIPHER = "AES/GCM/NoPadding"
private const val NONCE_BYTES = 12
private const val TAG_BITS = 128

class GalleryStore(private val context: Context) {
    private val file = AtomicFile(File(context.noBackupFilesDir, "gallery"))

    /** The gallery, empty where there is none yet. */
    fun load(spec: EmbedderSpec): Gallery {
        val content = try {
            file.readFully()
        } catch (error: FileNotFoundException) {
            return Gallery(spec)
        }
        val text = try {
            val cipher = Cipher.getInstance(CIPHER)
            cipher.init(Cipher.DECRYPT_MODE, key(), GCMParameterSpec(TAG_BITS, content, 0, NONCE_BYTES))
            cipher.doFinal(content, NONCE_BYTES, content.size - NONCE_BYTES).decodeToString()
        } catch (error: GeneralSecurityException) {
            throw KerasfaceException(context.getString(R.string.unreadable))
        } catch (error: IllegalArgumentException) { // shorter than nonce and tag
            throw KerasfaceException(context.getString(R.string.unreadable))
        }
        return Gallery.ofJson(text, spec)
    }

    fun save(gallery: Gallery) {
        val cipher = Cipher.getInstance(CIPHER)
        cipher.init(Cipher.ENCRYPT_MODE, key()) // the keystore draws the nonce
        val content = cipher.iv + cipher.doFinal(gallery.toJson().encodeToByteArray())
        val stream = file.startWrite()
        try {
            stream.write(content)
            file.finishWrite(stream)
        } catch (error: Exception) {
            file.failWrite(stream)
            throw error
        }
    }

    /** Forgets everybody; what a copy of the file still holds can't be read any more. */
    fun destroy() {
        file.delete()
        keyStore().deleteEntry(ALIAS)
    }

    private fun keyStore() = KeyStore.getInstance(KEYSTORE).apply { load(null) }

    private fun key(): SecretKey {
        (keyStore().getKey(ALIAS, null) as? SecretKey)?.let { return it }
        val purposes = KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT
        val generator = KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, KEYSTORE)
        generator.init(
            KeyGenParameterSpec.Builder(ALIAS, purposes)
                .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
                .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
                .setKeySize(256)
                .build(),
        )
        return generator.generateKey()
    }
}
