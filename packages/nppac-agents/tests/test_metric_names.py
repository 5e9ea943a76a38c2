from pathlib import Path

from nppac_agents.metric_names import METRICS, SECTIONS, page

DOCS = Path(__file__).parents[3] / "docs"


def test_the_page_in_the_documents_is_current():
    assert (DOCS / "metrics.md").read_text(encoding="utf-8") == page(), (
        "python -m nppac_agents.metric_names > docs/metrics.md"
    )


def test_every_row_has_three_cells():
    rows = [line for line in page().splitlines() if line.startswith("|")]
    assert len(rows) > len(METRICS)
    for row in rows:
        assert row.replace("\\|", "").count("|") == 4, row


def test_every_name_stands_once_with_a_unit_and_a_sentence():
    assert sum(len(metrics) for _, metrics in SECTIONS.values()) == len(METRICS)
    for metric in METRICS.values():
        assert metric.unit
        assert f" ({metric.unit}). {metric.reading}".strip() in f"{metric} "
        assert str(metric).endswith(".")
        assert metric.meaning[-1] not in ".;,"
        assert "|" not in metric.meaning.replace("pi || pi0", "")
