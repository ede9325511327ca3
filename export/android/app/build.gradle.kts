import com.android.build.api.artifact.SingleArtifact

plugins {
    alias(libs.plugins.android.application)
    alias(libs.plugins.kotlin.android)
}

android {
    namespace = "kerasface.phone"
    compileSdk = 36

    defaultConfig {
        applicationId = "kerasface.phone"
        minSdk = 28 // ImageDecoder: photos upright, in sRGB
        targetSdk = 36
        versionCode = 1
        versionName = "0.1.0"
    }

    androidResources {
        noCompress += listOf("tflite", "task")
    }
}

kotlin {
    jvmToolchain(17)
}

dependencies {
    implementation(project(":core"))
    implementation(libs.mediapipe.vision)
    implementation(libs.androidx.activity)
    implementation(libs.androidx.core)
    implementation(libs.androidx.lifecycle.runtime)
    implementation(libs.androidx.lifecycle.savedstate)
    implementation(libs.androidx.lifecycle.viewmodel)
    implementation(libs.coroutines)
}

/** Fails when a library has brought a permission of Android's into the app: this one has none, the network's least. */
abstract class CheckPermissions : DefaultTask() {
    @get:InputFile
    abstract val manifest: RegularFileProperty

    @TaskAction
    fun check() {
        val asked = Regex("""<uses-permission[^>]*"android\.permission\.\w+"""")
        val permissions = asked.findAll(manifest.get().asFile.readText()).map { it.value }.toList()
        if (permissions.isNotEmpty()) {
            throw GradleException("The merged manifest asks for: $permissions. Remove that in AndroidManifest.xml.")
        }
    }
}

androidComponents {
    onVariants { variant ->
        val name = variant.name.replaceFirstChar { it.uppercase() }
        val check = tasks.register<CheckPermissions>("check${name}Permissions") {
            manifest.set(variant.artifacts.get(SingleArtifact.MERGED_MANIFEST))
        }
        tasks.matching { it.name == "assemble$name" || it.name == "bundle$name" }.configureEach { dependsOn(check) }
    }
}
