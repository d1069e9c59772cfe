package org.vskd.sample

/** The generated firmware, see vskd_jni.c. Call it from one thread. */
object VskdNative {
    init {
        System.loadLibrary("vskd_sample")
    }

    /** Opens the stream; [model] are the bytes of model.tflite where the firmware was generated with `--weights in-place`. */
    external fun open(model: ByteArray?): Boolean

    /** How many samples were taken from [from] on; with a decision the six numbers of `vskd_decision` follow. */
    external fun push(samples: FloatArray, timesUs: LongArray, from: Int): LongArray?

    /** The name of a class in UTF-8. */
    external fun label(number: Int): ByteArray?

    /** Samples per second that the stream asks for. */
    external fun rate(): Float

    external fun reset()
}
