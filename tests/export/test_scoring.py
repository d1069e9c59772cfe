"""Accuracy per recording, and logits of the network as a deployed model sees them."""

import numpy as np
import torch

from tests.export.conftest import sensor_contract, windows
from vskd.bundle.contract import ParityNumbers
from vskd.bundle.encoding import model_input
from vskd.bundle.runtime import LiteRTModel
from vskd.distillation.model import Model
from vskd.export.scoring import Checker, LabelledWindow, Measurement, as_it_is, recording_accuracy, torch_logits


def test_windows_of_one_recording_are_averaged():
    items = [
        LabelledWindow("a", windows(1)[0], 0),
        LabelledWindow("a", windows(1)[0], 0),
        LabelledWindow("b", windows(1)[0], 1),
    ]
    logits = np.log(np.array([[0.9, 0.1], [0.4, 0.6], [0.8, 0.2]], dtype=np.float32))
    assert recording_accuracy(items, logits) == 0.5  # a: mean (0.65, 0.35) is right although its second window is wrong


def test_torch_logits_are_those_of_a_batch(tiny_student: Model):
    items = [LabelledWindow(str(n), w, 0) for n, w in enumerate(windows(5))]
    with torch.no_grad():
        together = tiny_student(torch.from_numpy(np.stack(windows(5)))).logits.numpy()
    np.testing.assert_allclose(torch_logits(tiny_student, items), together, atol=1e-6)


def test_the_checker_measures_accuracy_and_parity(tiny_student: Model, tiny_float: bytes):
    contract = sensor_contract()
    predicted = torch_logits(tiny_student, [LabelledWindow("", w, 0) for w in windows(4)]).argmax(axis=1)
    labels = [int(predicted[0]), int(predicted[1]), int(predicted[2]), int(predicted[3] + 1) % 4]  # the last one wrong
    items = [LabelledWindow(str(n), w, labels[n]) for n, w in enumerate(windows(4))]
    measured = Checker(tiny_student, items, lambda w: model_input(w, contract)).measure(tiny_float, "Checking")
    assert measured.accuracy == 0.75
    assert measured.parity.argmax_agreement == 1.0 and measured.parity.max_abs_error < 1e-4 and measured.parity.n == 4


def test_the_network_s_own_accuracy_and_what_is_done_before_it(tiny_student: Model):
    items = [LabelledWindow(str(n), w, 0) for n, w in enumerate(windows(5))]
    checker = Checker(tiny_student, items, lambda w: w, lambda w: (2 * w).astype(np.float32))
    doubled = [LabelledWindow(i.id, 2 * i.window, 0) for i in items]
    np.testing.assert_allclose(checker.expected, torch_logits(tiny_student, doubled), atol=1e-6)
    assert checker.accuracy == float(np.mean(checker.expected.argmax(axis=1) == 0))
    assert isinstance(checker.accuracy, float)
    assert as_it_is(np.array([1, 2], np.uint8)).dtype == np.float32


def test_how_sure_right_answers_are(tiny_student: Model, tiny_float: bytes):
    """Of each window that the model labels rightly, the probability; the others do not count."""
    contract = sensor_contract()
    given = windows(6, seed=5)
    labelled = [LabelledWindow(str(n), w, n % 4) for n, w in enumerate(given)]
    checker = Checker(tiny_student, labelled, lambda w: model_input(w, contract))
    measured = checker.measure(tiny_float, "x")
    model = LiteRTModel(tiny_float)
    logits = np.stack([model.predict(model_input(w, contract)[np.newaxis])[0] for w in given])
    probabilities = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    right = [row.max() for n, row in enumerate(probabilities) if row.argmax() == n % 4]
    np.testing.assert_allclose(measured.sure, right, rtol=1e-5)


def test_figures_in_the_log_do_not_list_every_probability():
    figures = ParityNumbers(n=2, argmax_agreement=1.0, mean_abs_error=0.1, max_abs_error=0.2)
    assert "0.123" not in repr(Measurement(0.5, figures, (0.123,))) and "accuracy=0.5" in repr(
        Measurement(0.5, figures)
    )
    assert Measurement(0.5, figures).sure == ()


def test_the_windows_of_a_recording_are_averaged_as_probabilities_and_each_recording_counts_once():
    """Averaged logits of "a" would say 1; of three recordings two are right, one of them with three windows."""
    names, labels = ("a", "a", "a", "b", "c"), (0, 0, 0, 1, 1)
    items = [LabelledWindow(i, np.zeros((3, 32), np.float32), y) for i, y in zip(names, labels, strict=True)]
    logits = np.array([[2, 0], [2, 0], [0, 9], [0, 1], [5, 0]], dtype=np.float32)
    assert logits[:3].mean(axis=0).argmax() == 1
    assert recording_accuracy(items, logits) == 2 / 3
    assert type(recording_accuracy(items, logits)) is float
