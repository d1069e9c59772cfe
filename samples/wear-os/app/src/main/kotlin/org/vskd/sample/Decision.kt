package org.vskd.sample

/** A decision: [status] 0 is no trouble, other numbers are those of `vskd_status`; [label] is null where it is unknown. */
data class Decision(val status: Int, val label: String?, val timeUs: Long)

/** All decisions that follow from samples, in m/s^2 as Android gives them; row after row of three axes. */
fun decisionsOf(samples: FloatArray, timesUs: LongArray): List<Decision> {
    val found = mutableListOf<Decision>()
    var from = 0
    while (from < timesUs.size) {
        val answer = checkNotNull(VskdNative.push(samples, timesUs, from)) { "samples and times do not fit together" }
        from += answer[0].toInt()
        if (answer.size > 1) {
            val label = VskdNative.label(answer[2].toInt())?.toString(Charsets.UTF_8)
            found += Decision(answer[1].toInt(), label, answer[6])
        }
    }
    return found
}
