import pytest

from tvm_patdnn.errors import LibraryError
from tvm_patdnn.evaluation.labelled_folder import images_in, labelled_images


def folder(root, **classes):
    for name, files in classes.items():
        (root / name).mkdir(parents=True)
        for file in files:
            (root / name / file).touch()
    return root


def test_images_are_listed_by_name(tmp_path):
    folder(tmp_path, a=["2.PNG", "1.jpg", "notes.txt"])
    assert [path.name for path in images_in(tmp_path / "a")] == ["1.jpg", "2.PNG"]
    with pytest.raises(LibraryError, match=r"there are no images in it \(.bmp, "):
        images_in(tmp_path)
    with pytest.raises(LibraryError, match="none: cannot be read: No such file"):
        images_in(tmp_path / "none")


@pytest.mark.parametrize("half", ["test", "val", "."])
def test_classes_in_alphabetical_order(tmp_path, half):
    folder(tmp_path / half, dog=["b.png"], cat=["a.png", "c.png"])
    paths, labels = labelled_images(tmp_path, (), 2)
    assert [path.name for path in paths] == ["a.png", "c.png", "b.png"]
    assert labels == [0, 0, 1]


def test_classes_that_the_model_names(tmp_path):
    folder(tmp_path, dog=["b.png"], cat=["a.png"])
    with pytest.warns(
        UserWarning, match="has folders of 2 of the 3 classes, so this is .* 2 classes"
    ):
        assert labelled_images(tmp_path, ("dog", "eel", "cat"), 3)[1] == [2, 0]
    with pytest.raises(LibraryError, match="no class 'cat'; it has dog, eel; rename the folder"):
        labelled_images(tmp_path, ("dog", "eel"), 2)


def test_folders_that_are_numbers(tmp_path):
    folder(tmp_path, **{"10": ["a.png"], "2": ["b.png"]})
    with pytest.warns(UserWarning, match="of 2 of the 1000 classes"):
        assert labelled_images(tmp_path, (), 1000)[1] == [10, 2]


def test_as_many_names_as_scores(tmp_path):
    folder(tmp_path, dog=["b.png"], cat=["a.png"])
    with pytest.raises(LibraryError, match="2 classes are named, but the model gives 10 scores"):
        labelled_images(tmp_path, ("cat", "dog"), 10)


def test_folders_of_all_classes_are_no_warning(tmp_path, recwarn):
    labelled_images(folder(tmp_path, dog=["b.png"], cat=["a.png"]), ("cat", "dog"), 2)
    assert not recwarn.list


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ({}, "has no folders; expected one for each class"),
        ({"a": [], "b": []}, "a: there are no images in it"),
        ({"a": ["1.png"]}, "has 1 folders, but the model gives 2 scores and does not name its"),
    ],
)
def test_folders_that_do_not_fit(tmp_path, classes, message):
    with pytest.raises(LibraryError, match=message):
        labelled_images(folder(tmp_path, **classes), (), 2)
    with pytest.raises(LibraryError, match="none: no such folder; give one with a folder for"):
        labelled_images(tmp_path / "none", (), 2)
