import pytest
from method_table import METHODS
from nppac_agents.metric_names import METRICS


@pytest.mark.medium
@pytest.mark.parametrize("kind", METHODS)
def test_every_number_that_a_method_reports_is_named(build, random_batch, kind):
    agent = build(kind, **METHODS[kind].small)
    agent.prepare()
    prior_std = 0.1 if agent.method.uses_prior else None
    losses = agent.step(random_batch(prior_std=prior_std))
    assert set(losses) <= set(METRICS)
