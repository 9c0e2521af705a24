import pytest

from tvm_patdnn.library.image_facts import ImageFacts, image_facts

COLOURS = {"mean": "0.5,0.25,0.125", "std": "1,2,4"}


def test_all_of_them():
    assert image_facts({**COLOURS, "classes": "cat,dog", "other": "x"}) == ImageFacts(
        mean=(0.5, 0.25, 0.125), std=(1, 2, 4), classes=("cat", "dog")
    )


@pytest.mark.parametrize(
    "properties",
    [
        {},
        {"mean": "0.5"},
        {**COLOURS, "mean": "0.5"},
        {**COLOURS, "mean": "bright"},
        {**COLOURS, "std": "1,0,1"},
        {"classes": ""},
    ],
)
def test_what_is_not_there_or_makes_no_sense_is_left_out(properties):
    assert image_facts(properties) == ImageFacts()


def test_classes_alone():
    assert image_facts({"classes": "a,b", "mean": "1"}) == ImageFacts(classes=("a", "b"))


@pytest.mark.parametrize(
    ("stored", "crop"), [("0.875", 0.875), ("1", 1), ("0", None), ("2", None), ("x", None)]
)
def test_the_share_of_an_image_that_is_scaled(stored, crop):
    assert image_facts({"crop": stored}).crop == crop
