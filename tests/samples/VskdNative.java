package org.vskd.sample;

import java.io.DataInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The native half of the Wear OS sample in a Java machine: samples from standard input, decisions to standard output. */
public final class VskdNative {
    public native boolean open(byte[] model);
    public native long[] push(float[] samples, long[] timesUs, int from);
    public native byte[] label(int number);
    public native float rate();
    public native void reset();

    public static void main(String[] words) throws IOException {
        System.load(words[0]);
        VskdNative stream = new VskdNative();
        if (stream.push(new float[3], new long[1], 0) != null || !stream.open(null)) {
            System.exit(1);
        }
        byte[] given = new DataInputStream(System.in).readAllBytes();
        int count = given.length / 20;
        ByteBuffer buffer = ByteBuffer.wrap(given).order(ByteOrder.LITTLE_ENDIAN);
        float[] samples = new float[3 * count];
        long[] times = new long[count];
        for (int i = 0; i < count; i++) {
            times[i] = buffer.getLong();
            for (int axis = 0; axis < 3; axis++) {
                samples[3 * i + axis] = buffer.getFloat();
            }
        }
        stream.reset();
        for (int from = 0; from < count; ) {
            long[] answer = stream.push(samples, times, from);
            from += (int) answer[0];
            if (answer.length > 1) {
                StringBuilder line = new StringBuilder();
                for (int i = 1; i < answer.length; i++) {
                    line.append(answer[i]).append(' ');
                }
                System.out.println(line.toString().trim());
            }
        }
        if (stream.label(-1) != null || stream.push(samples, times, count) != null) {
            System.exit(1);
        }
        System.err.println(new String(stream.label(1), "UTF-8") + " " + stream.rate());
    }
}
