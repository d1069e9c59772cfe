"""`vskd bundle`: what is verified and shown, of bundles intact and not."""

import dataclasses
import hashlib
import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.bundle.test_signature import make_key
from vskd.bundle.file_reading import FileReading
from vskd.bundle.parts import PARTS
from vskd.bundle.signature import sign_bundle
from vskd.cli.bundle import PARTS_SHOWN, personalise, show, sign, verify
from vskd.cli.bundle import bundle as group
from vskd.datasets.opened import open_dataset
from vskd.firmware_bridge import device_report


def test_bundle_verify(vskd, record, bundle: Path) -> None:
    import vskd.bundle.bundle as library

    report = library.VerifyReport(bundle, "ab" * 32, ("golden.json", "manifest.json"), 4, 0)
    seen = record(library, "verify_bundle", report)
    text = vskd("bundle", "verify", bundle).out
    assert seen == [{"path": bundle, "time_limit_s": 120.0}]
    assert "2 files unchanged, 4 golden vectors reproduced" in text
    assert "ab" * 32 in text
    assert json.loads(vskd("bundle", "verify", bundle, "--json").out)["golden_vectors"] == 4


def test_bundle_show(vskd, record, bundle: Path) -> None:
    import vskd.bundle.bundle as library

    manifest = {"contract": {"unit": "g", "axes": ["x", "y", "z"], "stride": None}, "ids": [f"a{n}" for n in range(50)]}
    opened = SimpleNamespace(digest="ab" * 32, manifest=SimpleNamespace(model_dump=lambda mode: manifest))
    record(library, "load_bundle", opened)
    device = {"part": "a part", "energy": {"battery_days": 12.34567}, "macs": 5}
    asked = record(device_report, "device_report", device)
    lines = dict(line.split(None, 1) for line in vskd("bundle", "show", bundle).out.splitlines()[2:])
    assert lines["contract.unit"] == "g"
    assert lines["contract.axes"] == "x, y, z"
    assert lines["contract.stride"] == "-"
    assert lines["ids"] == "50 entries (all of them: --json)"
    assert (lines["device.energy.battery_days"], lines["device.macs"]) == ("12.35", "5")
    content = json.loads(vskd("bundle", "show", bundle, "--json").out)
    assert (content["manifest"], content["device"]) == (manifest, device)
    vskd("bundle", "show", bundle, "--part", "wear-os", "--battery-mah", "40", "--decisions-per-hour", "7")
    usual = {"bundle": opened, "part_name": "cortex-m4-256k", "battery_mah": 100.0, "decisions_per_hour": None}
    assert asked[0] == usual
    assert asked[-1] == {**usual, "part_name": "wear-os", "battery_mah": 40.0, "decisions_per_hour": 7.0}


def test_a_bundle_is_made_for_one_person(vskd, record, bundle: Path, tmp_path: Path) -> None:
    import vskd.bundle.personalise as library

    def report(after: int) -> library.PersonalReport:
        made = SimpleNamespace(digest="ab" * 32)
        return library.PersonalReport(made, ("unit: g, since the file does not say",), 9, 5, 8, 4, after)

    (tmp_path / "mine.csv").write_text("file,label\n", encoding="utf-8")
    words = ("bundle", "personalise", bundle, "--recordings", tmp_path / "mine.csv", "--out", tmp_path / "MINE")
    seen = record(library, "personalise", report(7))
    answer = vskd(*words)
    usual = {"strength": 0.05, "reading": FileReading()}
    assert seen == [{"bundle": bundle, "table": tmp_path / "mine.csv", "out": tmp_path / "MINE"} | usual]
    lines = [re.split(r"  +", line) for line in answer.out.splitlines()]
    assert ["recordings", "9"] in lines and ["known before", "5"] in lines and ["of classes with several", "8"] in lines
    assert ["of these known before", "4"] in lines and ["of these known now, each left out in turn", "7"] in lines
    assert "since the file does not say" in answer.out and "WARNING" not in answer.err
    assert answer.err == f"next: vskd predict {tmp_path / 'MINE'} RECORDING\n" and "next" not in answer.out
    sensor = ("--rate", "50", "--unit", "g", "--columns", "1,2,3", "--time", 0, "--variable", "acc")
    content = json.loads(vskd(*words, *sensor, "--box", "1,2,3,4", "--every", 5, "--json", "--strength", 2).out)
    assert (content["digest"], content["known before"], content["notes"]) == ("ab" * 32, 5, list(report(7).notes))
    said = FileReading(50.0, "g", (1, 2, 3), 0, "acc", (1.0, 2.0, 3.0, 4.0), 5)
    assert seen[-1].items() >= {"strength": 2.0, "reading": said}.items()
    record(library, "personalise", report(3))
    assert "would know fewer than before" in vskd(*words).err
    record(library, "personalise", dataclasses.replace(report(0), repeated=0, repeated_known=0))
    assert "several" not in vskd(*words).out


def test_every_part_can_be_chosen() -> None:
    assert tuple(PARTS) == PARTS_SHOWN


@pytest.mark.parametrize("command", [["bundle", "verify"], ["bundle", "show"], ["predict"]])
@pytest.mark.parametrize("state", ["absent", "no digest", "tampered"])
def test_a_folder_that_is_no_intact_bundle_is_refused(vskd, bundle: Path, command: list[str], state: str) -> None:
    if state == "absent":
        bundle = bundle.with_name("nowhere")
    if state == "tampered":
        (bundle / "manifest.sha256").write_text(f"{'0' * 64}  manifest.json\n", encoding="utf-8")
    rest = [bundle.parent / "recording.csv"] if command == ["predict"] else []
    answer = vskd(*command, bundle, *rest)
    assert (answer.code, answer.out) == (1, "")
    assert str(bundle) in answer.err
    assert answer.err.count("\n") == 1


@pytest.fixture
def key(tmp_path: Path) -> Path:
    if shutil.which("ssh-keygen") is None:
        pytest.skip("needs OpenSSH's ssh-keygen")
    return make_key(tmp_path / "id_ed25519", comment="maker")


def test_signed_by_whom_is_printed_and_asked_for(vskd, finished_comparison, key: Path, tmp_path: Path) -> None:
    bundle = shutil.copytree(finished_comparison.bundle, tmp_path / "bundle")
    asked = ("--require-signature", key.with_suffix(".pub"))
    for command in (("bundle", "verify", bundle), ("predict", bundle, tmp_path / "recording.csv")):
        assert "is not signed" in vskd(*command, *asked).err
    assert "is not signed" in vskd("firmware", "generate", bundle, "--out", tmp_path / "firmware", *asked).err
    assert not (tmp_path / "firmware").exists()
    assert vskd("bundle", "sign", bundle, "--key", key).out == f"signed: {bundle / 'manifest.json.sig'}\n"
    assert vskd("bundle", "verify", bundle, *asked).out.splitlines()[-1] == "signed by: maker"
    assert json.loads(vskd("bundle", "verify", bundle, "--json", *asked).out)["signed_by"] == "maker"
    assert json.loads(vskd("bundle", "verify", bundle, "--json").out)["signed_by"] is None
    generated = vskd("firmware", "generate", bundle, "--out", tmp_path / "firmware", *asked)
    assert "no operator SUM" in generated.err  # the encoding is inside this bundle; the signature was believed


EXAMPLES = sorted({*group.examples, *verify.examples, *show.examples, *sign.examples, *personalise.examples})


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_of_the_help_work(
    run_example, finished_comparison, synthetic_root: Path, key: Path, tmp_path: Path, example: str
) -> None:
    bundle = shutil.copytree(finished_comparison.bundle, tmp_path / "bundle")
    sign_bundle(bundle, key)
    data, mine = open_dataset("synthetic", synthetic_root), tmp_path / "mine.csv"
    one_of_each = {data.class_names[r.label]: r.stream("accelerometer").path.resolve() for r in data.index}
    mine.write_text("\n".join(["file,label", *(f"{file},{name}" for name, file in one_of_each.items())]))
    places = {"BUNDLE": bundle, "MINE": tmp_path / "MINE", "mine.csv": mine}
    answer = run_example(example, places | {"id_ed25519": key, "id_ed25519.pub": key.with_suffix(".pub")})
    follows = f"next: vskd predict {places['MINE']} RECORDING\n" if "personalise" in example else ""
    assert (answer.code, answer.err) == (0, follows)
    assert str(places["MINE"] if "personalise" in example else bundle) in answer.out
    if "--json" in example:
        assert isinstance(json.loads(answer.out), dict)


def test_verify_and_show_name_the_same_digest(vskd, finished_comparison) -> None:
    """It is the hash of the manifest's bytes, as `sha256sum` gives it."""
    bundle = finished_comparison.bundle
    digest = hashlib.sha256((bundle / "manifest.json").read_bytes()).hexdigest()
    verified = json.loads(vskd("bundle", "verify", bundle, "--json").out)
    shown = json.loads(vskd("bundle", "show", bundle, "--json").out)
    assert verified["digest"] == shown["digest"] == digest
    assert set(verified["files"]) == {path.name for path in bundle.iterdir()} - {"manifest.sha256"}
    assert shown["manifest"] == json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))


def test_show_lists_every_leaf_once(vskd, finished_comparison) -> None:
    text = vskd("bundle", "show", finished_comparison.bundle).out
    keys = [line.split()[0] for line in text.splitlines()]
    assert len(keys) == len(set(keys) | {"bundle", "sha256"})
    for needle in ("contract.encoding.method", "provenance.labels", "accuracy.int8", "files.model.tflite"):
        assert needle in keys


def test_a_wrong_golden_vector_is_an_error(vskd, comparison_copy) -> None:
    """All hashes agree, as after a careful forgery; the answers do not."""
    bundle = comparison_copy.bundle
    golden = json.loads((bundle / "golden.json").read_text(encoding="utf-8"))
    golden["vectors"][0]["output"][0] += 1
    (bundle / "golden.json").write_text(json.dumps(golden), encoding="utf-8")
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"]["golden.json"] = hashlib.sha256((bundle / "golden.json").read_bytes()).hexdigest()
    (bundle / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    digest = hashlib.sha256((bundle / "manifest.json").read_bytes()).hexdigest()
    (bundle / "manifest.sha256").write_text(f"{digest}  manifest.json\n", encoding="utf-8")
    assert vskd("bundle", "show", bundle).code == 0
    answer = vskd("bundle", "verify", bundle)
    assert (answer.code, answer.out) == (1, "")
    assert "golden.json: vector synthetic-0 gives" in answer.err and answer.err.count("\n") == 1


def test_a_file_is_no_bundle(vskd, bundle: Path) -> None:
    for command in ("verify", "show"):
        answer = vskd("bundle", command, bundle / "manifest.json")
        assert answer.code == 2
        assert f"vskd bundle {command} --help" in answer.err


def test_decisions_of_a_golden_stream_are_counted_too(vskd, record, bundle: Path) -> None:
    import vskd.bundle.bundle as library

    record(library, "verify_bundle", library.VerifyReport(bundle, "ab" * 32, ("a", "b", "c"), 4, 9))
    lines = vskd("bundle", "verify", bundle).out.splitlines()
    assert lines == [
        f"{bundle}: 3 files unchanged, 4 golden vectors and 9 decisions of a golden stream reproduced",
        f"sha256 of the manifest: {'ab' * 32}",
    ]


def test_long_lists_are_counted_and_figures_of_a_device_alone_are_rounded(vskd, record, bundle: Path) -> None:
    """40 entries are written out, 41 are not."""
    import vskd.bundle.bundle as library

    manifest = {"a": {"b": {"c": 0.123456789}}, "forty": list(range(40)), "more": list(range(41)), "none": None}
    opened = SimpleNamespace(digest="ab" * 32, manifest=SimpleNamespace(model_dump=lambda mode: manifest))
    record(library, "load_bundle", opened)
    record(device_report, "device_report", {"deep": {"x": 0.123456789, "n": None}, "count": 123456})
    assert [re.split(r"  +", line) for line in vskd("bundle", "show", bundle).out.splitlines()] == [
        ["bundle", str(bundle)],
        ["sha256 of the manifest", "ab" * 32],
        ["a.b.c", "0.123456789"],
        ["forty", ", ".join(map(str, range(40)))],
        ["more", "41 entries (all of them: --json)"],
        ["none", "-"],
        ["device.deep.x", "0.1235"],
        ["device.deep.n", "-"],
        ["device.count", "123456"],
    ]
    content = json.loads(vskd("bundle", "show", bundle, "--json").out)
    assert (content["path"], content["digest"]) == (str(bundle), "ab" * 32)
