"""What the first visit costs: scripts, compressed, without the editor and the layout worker."""

from bench.browser import first_load

BUDGET = 450_000  # bytes


def test_first_load_stays_within_its_budget(page):
    weight = first_load(page, "/?lesson=heat_map")
    assert len(weight) > 40  # the modules of the page were counted
    assert not [path for path in weight if "codemirror" in path]
    assert sum(weight.values()) <= BUDGET, sorted(weight.items(), key=lambda row: -row[1])[:5]
