import pytest
from nppac_agents.loggers.tensorboard import TensorBoardConfig
from nppac_agents.metric_names import METRICS
from nppac_priors.atomic_files import write_json

pytestmark = pytest.mark.medium


def test_it_gets_every_number_once_with_what_it_means(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    write_json(tmp_path / "config.json", {"training": {"env_steps": 20}})
    board = TensorBoardConfig().open(tmp_path)
    position = {"event": "train", "env_steps": 12, "updates": 7, "wall_seconds": 1.0}
    board.write({**position, "phase": "online", "kl": 2.5, "odd": 1.0, "rollout_return": None})
    board.write({**position, "phase": "online", "env_steps": 14, "kl": 3.5})
    board.write({**position, "phase": "offline", "kl": 4.5, "per_episode": {"x": [1.0]}})
    for policy in ("last", "best"):
        board.write({**position, "phase": "reporting", "policy": policy, "kl": 5.5})
    board.close()
    found = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert set(found.Tags()["scalars"]) == {
        *("online/kl", "online/odd", "offline/kl"),
        *("reporting/last/kl", "reporting/best/kl"),
    }
    assert [(s.step, s.value) for s in found.Scalars("online/kl")] == [(12, 2.5), (14, 3.5)]
    assert [(s.step, s.value) for s in found.Scalars("offline/kl")] == [(7, 4.5)], "updates"
    assert [(s.step, s.value) for s in found.Scalars("reporting/best/kl")] == [(12, 5.5)]
    described = found.SummaryMetadata("online/kl").summary_description
    assert described == str(METRICS["kl"])
    assert described.startswith("Divergence KL(pi || pi0) of the policy from the prior (nats). Gr")
    assert "online/odd" not in found.summary_metadata, "a name of a plugin's is shown as it is"
