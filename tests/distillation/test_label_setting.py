"""What a training uses of labels."""

from vskd.distillation.label_setting import LabelSetting
from vskd.files import sha256_json


def test_who_is_labelled_unlabelled_and_used() -> None:
    setting = LabelSetting("subject 1", frozenset("abx"), ("a", "b", "c", "d"), ("x", "y"))
    assert setting.labelled == {"a", "b"}
    assert setting.unlabelled == {"c", "d"}
    assert setting.used == {"a", "b", "x", "y"}  # validation keeps its labels, whoever was chosen


def test_the_hash_is_of_who_was_chosen_alone() -> None:
    one = LabelSetting("ids of a.csv", frozenset("ab"), ("a", "b", "c"), ())
    assert one.hash == LabelSetting("other", frozenset("ba"), ("a", "b"), ("c",)).hash
    assert one.hash != LabelSetting("ids of a.csv", frozenset("ac"), ("a", "b", "c"), ()).hash


def test_facts() -> None:
    setting = LabelSetting("10 %", frozenset("a"), ("a", "b", "c"), ("x",))
    assert setting.facts() == {"labels": "10 %", "labels_hash": setting.hash, "labelled": 1, "unlabelled": 2}


def test_the_hash_does_not_depend_on_the_order_of_a_set() -> None:
    ids = [f"r{n}" for n in range(40)]
    assert LabelSetting("all", frozenset(ids), (), ()).hash == sha256_json(sorted(ids))
