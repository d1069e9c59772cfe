"""Bundles: complete or absent, and every change afterwards is found and named, before anything is parsed."""

import errno
import hashlib
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from vskd.bundle import bundle as module
from vskd.bundle.bundle import DIGEST, MANIFEST, REQUIRED, load_bundle, verify_bundle, write_bundle
from vskd.bundle.contract import parse_json
from vskd.bundle.golden import Golden
from vskd.bundle.learned import learned_from
from vskd.bundle.runtime import LiteRTModel
from vskd.errors import BundleError
from vskd.export.ship import ExportReport
from vskd.files import WriteError


def reseal(path: Path, **changes: object) -> None:
    """Make hashes consistent again after a change, as a careful forger would."""
    manifest = json.loads((path / MANIFEST).read_text())
    manifest |= changes
    for name in manifest["files"]:
        manifest["files"][name] = hashlib.sha256((path / name).read_bytes()).hexdigest()
    (path / MANIFEST).write_text(json.dumps(manifest))
    (path / DIGEST).write_text(f"{hashlib.sha256((path / MANIFEST).read_bytes()).hexdigest()}  {MANIFEST}\n")


def test_verify_reports_what_it_checked(sealed: ExportReport):
    report = verify_bundle(sealed.bundle.path)
    assert report.digest == sealed.bundle.digest == load_bundle(sealed.bundle.path).digest
    assert set(report.files) == {*REQUIRED, MANIFEST}
    assert report.golden_vectors == 4


def test_the_digest_file_is_what_sha256sum_checks(sealed: ExportReport):
    if shutil.which("sha256sum") is None:
        pytest.skip("needs the command sha256sum")
    done = subprocess.run(["sha256sum", "--check", DIGEST], cwd=sealed.bundle.path, capture_output=True, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("name", [*REQUIRED, MANIFEST, DIGEST])
def test_a_changed_file_is_named(bundle_copy: Path, name: str):
    content = bytearray((bundle_copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (bundle_copy / name).write_bytes(content)
    with pytest.raises(BundleError, match="changed after") as caught:
        load_bundle(bundle_copy)
    # a changed digest cannot tell which of the two files of the seal was changed
    assert name in str(caught.value) or name == DIGEST


@pytest.mark.parametrize("name", [*REQUIRED, MANIFEST, DIGEST])
def test_a_missing_file_is_named(bundle_copy: Path, name: str):
    (bundle_copy / name).unlink()
    with pytest.raises(BundleError, match=f"{name} is missing"):
        verify_bundle(bundle_copy)


@pytest.mark.parametrize("name", ["extra.bin", "firmware/extra.c", ".hidden"])
def test_an_extra_file_is_named(bundle_copy: Path, name: str):
    (bundle_copy / name).parent.mkdir(exist_ok=True)
    (bundle_copy / name).write_text("x")
    with pytest.raises(BundleError, match=f"{name} does not belong"):
        verify_bundle(bundle_copy)


def test_a_link_in_place_of_a_file_is_refused(bundle_copy: Path, tmp_path: Path):
    shutil.move(bundle_copy / "model.tflite", tmp_path / "elsewhere")
    (bundle_copy / "model.tflite").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BundleError, match=r"model\.tflite"):
        load_bundle(bundle_copy)


@pytest.mark.parametrize("name", [MANIFEST, DIGEST, "model.tflite"])
def test_a_link_is_as_good_as_nothing_and_is_not_followed(
    bundle_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    """Its target could be changed between two looks; it has the right content here."""
    shutil.move(bundle_copy / name, tmp_path / "elsewhere")
    (bundle_copy / name).symlink_to(tmp_path / "elsewhere")
    followed: list[str] = []
    sha256_file, read_bytes = module.sha256_file, Path.read_bytes
    monkeypatch.setattr(module, "sha256_file", lambda path: followed.append(path.name) or sha256_file(path))
    monkeypatch.setattr(Path, "read_bytes", lambda path: followed.append(path.name) or read_bytes(path))
    with pytest.raises(BundleError, match=f"{name} is missing"):
        load_bundle(bundle_copy)
    assert name not in followed


def test_a_linked_folder_does_not_belong(bundle_copy: Path, tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    (bundle_copy / "firmware").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BundleError, match="firmware does not belong"):
        load_bundle(bundle_copy)


def test_nothing_is_parsed_before_the_hashes_are_checked(bundle_copy: Path, monkeypatch: pytest.MonkeyPatch):
    parsed = []

    def spy(model, content, source):
        parsed.append(Path(source).name)
        return parse_json(model, content, source)

    monkeypatch.setattr(module, "parse_json", spy)
    (bundle_copy / "golden.json").write_text("{}")
    with pytest.raises(BundleError, match=r"golden\.json was changed"):
        verify_bundle(bundle_copy)
    assert parsed == [MANIFEST]
    parsed.clear()
    (bundle_copy / MANIFEST).write_text("{}")
    with pytest.raises(BundleError, match=r"manifest\.json was changed"):
        verify_bundle(bundle_copy)
    assert parsed == []


def test_a_file_changed_after_opening_is_found_on_reading(bundle_copy: Path):
    bundle = load_bundle(bundle_copy)
    (bundle_copy / "model.tflite").write_bytes(b"other")
    with pytest.raises(BundleError, match=r"model\.tflite was changed"):
        bundle.read("model.tflite")


def test_resealed_manifest_with_unknown_key_is_refused(bundle_copy: Path):
    reseal(bundle_copy, surprise=1)
    with pytest.raises(BundleError, match="surprise"):
        load_bundle(bundle_copy)


def test_resealed_manifest_without_a_required_file_is_refused(bundle_copy: Path):
    manifest = json.loads((bundle_copy / MANIFEST).read_text())
    del manifest["files"]["golden.json"]
    (bundle_copy / "golden.json").unlink()
    reseal(bundle_copy, files=manifest["files"])
    with pytest.raises(BundleError, match=r"golden\.json is missing"):
        load_bundle(bundle_copy)


def test_golden_vectors_are_replayed_even_if_all_hashes_agree(bundle_copy: Path):
    golden = parse_json(Golden, (bundle_copy / "golden.json").read_bytes(), "golden.json")
    first = golden.vectors[0].model_copy(update={"output": tuple(v + 1 for v in golden.vectors[0].output)})
    changed = golden.model_copy(update={"vectors": (first, *golden.vectors[1:])})
    (bundle_copy / "golden.json").write_text(changed.model_dump_json())
    reseal(bundle_copy)
    with pytest.raises(BundleError, match=f"vector {first.id} gives"):
        verify_bundle(bundle_copy)


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_not_a_bundle_folder(tmp_path: Path, kind: str):
    path = tmp_path / "no-bundle"
    if kind == "file":
        path.write_text("x")
    said = {"missing": f"^There is no folder {path}", "file": "not a bundle folder"}
    with pytest.raises(BundleError, match=said[kind]):
        load_bundle(path)


def arguments(sealed: ExportReport) -> dict[str, object]:
    bundle = sealed.bundle
    golden = parse_json(Golden, bundle.read("golden.json"), "golden.json")
    files = {"model": bundle.read("model.tflite"), "float_model": bundle.read("model_float.tflite")}
    return {**files, "golden": golden, "manifest": bundle.manifest}


def test_writing_again_gives_the_same_bundle_and_replaces_the_old_one(sealed: ExportReport, bundle_copy: Path):
    (bundle_copy / "left-over").write_text("x")
    assert write_bundle(bundle_copy, **arguments(sealed)).digest == sealed.bundle.digest
    verify_bundle(bundle_copy)
    assert [p.name for p in bundle_copy.parent.iterdir()] == [bundle_copy.name]


def test_a_folder_that_is_no_bundle_is_never_replaced(sealed: ExportReport, out: Path):
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    with pytest.raises(BundleError, match="is not a bundle"):
        write_bundle(out, **arguments(sealed))
    assert (out / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_read_only_output_leaves_nothing(sealed: ExportReport, out: Path, monkeypatch: pytest.MonkeyPatch, number: int):
    def refuse(*args, **kwargs):
        raise OSError(number, "refused", str(out.parent))

    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    with pytest.raises(WriteError, match="Cannot write"):
        write_bundle(out, **arguments(sealed))
    assert list(out.parent.iterdir()) == []


def test_full_disk_leaves_the_earlier_bundle(sealed: ExportReport, bundle_copy: Path, monkeypatch: pytest.MonkeyPatch):
    real = Path.write_bytes

    def full(self: Path, data: bytes) -> int:
        if self.name == "model_float.tflite":
            real(self, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device", str(self))
        return real(self, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(WriteError, match="No space left"):
        write_bundle(bundle_copy, **arguments(sealed))
    monkeypatch.undo()
    verify_bundle(bundle_copy)
    assert [p.name for p in bundle_copy.parent.iterdir()] == [bundle_copy.name]


def test_what_it_learned_from_is_sealed_with_it(sealed: ExportReport, out: Path):
    assert sealed.bundle.learned() is None
    told = learned_from(["00ff00ff00ff00ff"], 1)
    bundle = write_bundle(out, **arguments(sealed), learned=told)
    assert load_bundle(out).learned() == bundle.learned() == told
    assert set(verify_bundle(out).files) == {*REQUIRED, "learned.json", MANIFEST}
    content = json.loads((out / "learned.json").read_text())
    assert list(content) == ["schema", "recordings", "contents"]
    (out / "learned.json").write_text(json.dumps(content | {"schema": 2}))
    reseal(out)
    with pytest.raises(BundleError, match=r"learned\.json does not follow"):
        verify_bundle(out)


def test_reading_names_what_is_not_there_and_what_was_changed(bundle_copy: Path):
    bundle = load_bundle(bundle_copy)
    assert bundle.read_manifest() == (bundle_copy / MANIFEST).read_bytes()
    with pytest.raises(BundleError, match="has no file 'manifest.json'".replace(".", r"\.")):
        bundle.read(MANIFEST)
    (bundle_copy / MANIFEST).write_text("{}")
    with pytest.raises(BundleError, match=r"manifest\.json was changed"):
        bundle.read_manifest()
    (bundle_copy / "golden.json").unlink()
    with pytest.raises(BundleError, match=r"golden\.json cannot be read: No such file"):
        bundle.read("golden.json")


@pytest.mark.parametrize("text", ["", "{d}", "{d}  other.json", "{d}  manifest.json more", "{d}0  manifest.json", "ä"])
def test_a_digest_in_another_form_is_refused(bundle_copy: Path, text: str):
    digest = load_bundle(bundle_copy).digest
    (bundle_copy / DIGEST).write_text(text.format(d=digest), encoding="utf-8")
    with pytest.raises(BundleError, match=rf"{DIGEST} was changed"):
        load_bundle(bundle_copy)


@pytest.mark.parametrize("there", [(), (MANIFEST,), ("model.tflite",), (MANIFEST, "model.tflite")])
def test_only_an_empty_folder_or_a_bundle_is_replaced(sealed: ExportReport, out: Path, there: tuple[str, ...]):
    out.mkdir()
    for name in there:
        (out / name).write_text("x")
    if len(there) == 1:
        with pytest.raises(BundleError, match="is not a bundle, so it is not replaced"):
            write_bundle(out, **arguments(sealed))
        assert [p.name for p in out.iterdir()] == list(there)
    else:
        assert write_bundle(out, **arguments(sealed)).digest == sealed.bundle.digest


def test_a_file_where_the_bundle_should_be_is_not_replaced(sealed: ExportReport, out: Path):
    out.write_text("years of work")
    with pytest.raises(BundleError, match="is not a bundle"):
        write_bundle(out, **arguments(sealed))
    assert out.read_text() == "years of work"


def test_the_manifest_is_for_people_too_and_names_the_files_in_their_order(sealed: ExportReport):
    text = (sealed.bundle.path / MANIFEST).read_text(encoding="utf-8")
    assert text.startswith('{\n  "schema_version": 1,\n  "vskd_version"') and text.endswith("\n}\n")
    assert list(sealed.bundle.manifest.files) == sorted(sealed.bundle.manifest.files)


def test_of_several_files_that_do_not_belong_the_first_by_name_is_told(bundle_copy: Path):
    for name in "qwertyuiopasdfghjkl":
        (bundle_copy / f"{name}.txt").touch()
    with pytest.raises(BundleError, match=r"/a\.txt does not belong"):
        load_bundle(bundle_copy)


def test_both_models_of_a_bundle_are_run_with_the_kernels_that_predict(
    sealed: ExportReport, monkeypatch: pytest.MonkeyPatch
):
    asked: list[tuple[str, str]] = []

    class Spy(LiteRTModel):
        def raw(self, x):
            asked.append((self.input_type, str(x.dtype)))
            return super().raw(x)

    monkeypatch.setattr(module, "LiteRTModel", Spy)
    module.replay(sealed.bundle)
    assert asked == [("int8", "int8"), ("float32", "float32")]
