"""engine/trace/source.py: positions in characters, targets, loops."""

from engine.trace.source import FILENAME, Source


def position_of_call(text, name="probe"):
    """The position an instruction has while the function `name`, called by the text, runs."""
    import sys

    source = Source(text)
    found = []

    def probe(*args):
        frame = sys._getframe(1)
        found.append(source.position(frame.f_code, frame.f_lasti))
        return 1

    exec(compile(text, FILENAME, "exec"), {name: probe})
    return found


def test_position_is_the_range_of_the_sub_expression():
    text = "x = 2 + probe(1) * 3\n"
    assert position_of_call(text) == [(1, 8, 1, 16)]
    assert text[8:16] == "probe(1)"


def test_columns_count_characters_not_bytes():
    text = "损失 = '均方' or 0\nüß = 1 + probe(3)\n"
    ((line, start, _, end),) = position_of_call(text)
    assert text.split("\n")[line - 1][start:end] == "probe(3)"


def test_an_expression_over_several_lines_has_both_ends():
    assert position_of_call("y = probe(\n    1,\n)\n") == [(1, 4, 3, 1)]


def test_targets_of_plain_augmented_annotated_and_walrus_assignments():
    targets = Source("a = 1\nb += 2\nc: int = 3\nif (d := 4): pass\ne, f = 5, 6\n(g, h) = z\n").targets["<module>"]
    assert set(targets) == {"a", "b", "c", "d", "e", "f", "g", "h"}
    assert targets["f"] == [(5, 3, 5, 4)]


def test_targets_belong_to_their_function():
    source = Source("def f(x, *, k=1):\n    y = x\n    return y\ny = 2\n")
    assert set(source.targets["f"]) == {"x", "k", "y"}
    assert source.targets["<module>"] == {"y": [(4, 0, 4, 1)]}


def test_attributes_are_named_with_dots():
    assert "self.w" in Source("class A:\n    def __init__(self):\n        self.w = 1\n").targets["__init__"]


def test_loops_around_a_line_outermost_first():
    source = Source("for epoch in r:\n    for x, y in d:\n        f()\n    g()\nh()\n")
    assert list(source.loops(3)) == ["epoch", "x", "y"]
    assert list(source.loops(4)) == ["epoch"]
    assert list(source.loops(5)) == []


def test_nearest_assignment_is_the_last_one_above():
    source = Source("l = 1\nl = 2\nuse(l)\nl = 3\n")
    assert source.nearest("<module>", "l", 3)[0] == 2
    assert source.nearest("<module>", "l", 9)[0] == 4
    assert source.nearest("<module>", "m", 9) is None


def test_text_that_does_not_parse_has_no_names_and_raises_nothing():
    source = Source("for x in\n")
    assert source.tree is None and source.targets == {} and list(source.loops(1)) == []


def test_deeply_nested_text_raises_nothing():
    assert Source("x = " + "(" * 5000 + "1" + ")" * 5000).lines
