package org.vskd.sample

import android.app.Activity
import android.hardware.Sensor
import android.hardware.SensorEvent
import android.hardware.SensorEventListener
import android.hardware.SensorManager
import android.os.Bundle
import android.os.Handler
import android.os.HandlerThread
import android.widget.TextView

/** Shows the label of the newest window. The model runs on a thread of its own. */
class MainActivity : Activity(), SensorEventListener {
    private lateinit var text: TextView
    private lateinit var sensors: SensorManager
    private lateinit var worker: HandlerThread

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        text = TextView(this).apply { textAlignment = TextView.TEXT_ALIGNMENT_CENTER }
        setContentView(text)
        sensors = getSystemService(SENSOR_SERVICE) as SensorManager
        check(VskdNative.open(null)) { "the stream cannot be opened" }
    }

    override fun onResume() {
        super.onResume()
        val accelerometer = sensors.getDefaultSensor(Sensor.TYPE_ACCELEROMETER)
        if (accelerometer == null) {
            text.text = getString(R.string.no_sensor)
            return
        }
        VskdNative.reset()
        worker = HandlerThread("vskd").apply { start() }
        // The period is a hint: the stream measures the rate, and says WRONG_RATE where the watch gives another one.
        val periodUs = (1_000_000 / VskdNative.rate()).toInt()
        sensors.registerListener(this, accelerometer, periodUs, Handler(worker.looper))
    }

    override fun onPause() {
        sensors.unregisterListener(this)
        if (::worker.isInitialized) {
            worker.quitSafely()
            worker.join() // the stream belongs to one thread
        }
        super.onPause()
    }

    override fun onSensorChanged(event: SensorEvent) {
        val sample = event.values.copyOf(3) // m/s^2; device.yaml converts to the unit of the contract
        for (decision in decisionsOf(sample, longArrayOf(event.timestamp / 1000))) {
            val said = if (decision.status == 0) decision.label ?: "?" else "status ${decision.status}"
            runOnUiThread { text.text = said }
        }
    }

    override fun onAccuracyChanged(sensor: Sensor, accuracy: Int) = Unit
}
