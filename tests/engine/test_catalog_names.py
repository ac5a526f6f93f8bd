"""Names a program may write, for the editor."""

from engine.catalog import names


def by_name() -> dict[tuple[str, str], dict[str, str]]:
    return {(each["place"], each["name"]): each for each in names()}


def test_every_place_is_there_with_what_courses_use() -> None:
    found = by_name()
    for place, name, kind in [
        ("torch", "tensor", "function"), ("torch.nn", "Linear", "class"), ("torch.nn.functional", "cross_entropy", "function"),
        ("torch.optim", "SGD", "class"), ("Tensor", "backward", "function"), ("Tensor", "grad", "property"),
    ]:  # fmt: skip
        assert found[place, name]["kind"] == kind


def test_calls_are_written_without_self_and_annotations() -> None:
    found = by_name()
    assert found["torch.nn", "Linear"]["signature"].startswith("Linear(in_features, out_features, bias=True")
    assert found["Tensor", "backward"]["signature"].startswith("backward(gradient=None, retain_graph=None")
    assert found["torch", "relu"]["doc"].startswith("max(0, x)")


def test_nothing_private_is_offered() -> None:
    assert not [each for each in names() if each["name"].startswith("_")]
