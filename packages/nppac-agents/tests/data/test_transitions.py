import torch
from nppac_agents.data.discounting import Discounting
from nppac_agents.data.layout import Layout
from nppac_agents.data.transitions import columns_of


def test_transitions_follow_others_column_by_column():
    layout = Layout(3, 2, 2, Discounting(0.9), ("return_to_go",))
    rows = torch.randn(5, layout.width)
    whole, joined = (
        layout.unpack(rows),
        layout.unpack(rows[:2]).followed_by(layout.unpack(rows[2:])),
    )
    extra, expected = columns_of(joined), columns_of(whole)
    assert torch.equal(extra.pop("extra")["return_to_go"], expected.pop("extra")["return_to_go"])
    for name, column in expected.items():
        assert torch.equal(extra[name], column), name
