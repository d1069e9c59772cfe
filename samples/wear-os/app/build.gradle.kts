plugins {
    id("com.android.application")
    id("org.jetbrains.kotlin.android")
}

// The folder that `vskd firmware generate` wrote: gradle -Pvskd.firmware=/path/to/firmware
val firmware = providers.gradleProperty("vskd.firmware").get()

android {
    namespace = "org.vskd.sample"
    compileSdk = 35
    defaultConfig {
        applicationId = "org.vskd.sample"
        minSdk = 30
        targetSdk = 35
        versionCode = 1
        versionName = "1"
        externalNativeBuild { cmake { arguments("-DVSKD_FIRMWARE=$firmware") } }
    }
    externalNativeBuild { cmake { path = file("src/main/cpp/CMakeLists.txt") } }
    compileOptions {
        sourceCompatibility = JavaVersion.VERSION_17
        targetCompatibility = JavaVersion.VERSION_17
    }
    kotlinOptions { jvmTarget = "17" }
}
