"""Long recordings in a report: truth and answers over time, under the signal."""

import numpy as np
import numpy.typing as npt

from vskd.bundle.timeline import segments
from vskd.distillation.experiment import Experiment
from vskd.evaluation.windows import WindowPredictions
from vskd.modalities.timeline_figure import timeline_figure
from vskd.modalities.window import WindowInputs
from vskd.preprocessing.stores.window_store import WindowStore

SHOWN = 3
"""Long recordings in a report."""


def timeline_pictures(experiment: Experiment, windows: WindowPredictions | None) -> dict[str, bytes]:
    """Title -> PNG of a few long recordings, spread over all; empty where none shows several classes."""
    inputs = experiment.inputs
    if windows is None or not isinstance(inputs, WindowInputs):
        return {}
    long = [i for i in windows.recordings if experiment.recordings[i].timeline]
    chosen = [long[k] for k in np.unique(np.linspace(0, len(long) - 1, SHOWN).round().astype(int))] if long else []
    return {f"Truth and answers over time: {i}": _picture(experiment, inputs, windows, i) for i in chosen}


def _picture(experiment: Experiment, inputs: WindowInputs, windows: WindowPredictions, recording: str) -> bytes:
    part, timeline = windows.recordings[recording], experiment.recordings[recording].timeline
    times = windows.times[part]
    answered = segments(times, windows.predicted[part], windows.probabilities[part].max(axis=1))
    moments, signal = signal_of(inputs.store, recording)
    return timeline_figure(
        moments,
        signal,
        {
            "truth": timeline.stretches(float(times[-1, 1])) if timeline else (),
            "answers": [(s.start_s, s.end_s, s.label) for s in answered],
        },
        experiment.index.labels,
        channels=inputs.store.axes,
        unit=inputs.first[0].unit if len(inputs.first) == 1 else "",
        null_class=experiment.index.null_class,
    )


def signal_of(store: WindowStore, recording: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]:
    """A recording put together from its windows: (samples,) seconds and (channels, samples)."""
    times = store.times(recording)
    length = int(store.settings["length"])
    stride = store.settings["stride"] or max(1, length // 2)
    period = (times[0, 1] - times[0, 0]) / length
    fresh = min(stride, length)
    parts = [store.window(recording, k)[:, :fresh] for k in range(len(times))]
    moments = (times[:, :1] + np.arange(fresh) * period).reshape(-1)
    return moments, np.concatenate(parts, axis=1)
