// Alignment, decision and gallery: plain Kotlin, which any JVM runs.
plugins {
    alias(libs.plugins.kotlin.jvm)
}

kotlin {
    jvmToolchain(17)
}

val vectors by tasks.registering(JavaExec::class) {
    description = "Holds this module to what kerasface.edge answers."
    group = "verification"
    classpath = sourceSets.test.get().runtimeClasspath
    mainClass = "kerasface.core.VectorsKt"
    args(rootDir.resolve("../vectors"))
}

tasks.check {
    dependsOn(vectors)
}
