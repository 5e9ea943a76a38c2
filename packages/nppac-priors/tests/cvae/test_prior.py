import pytest
import torch
from nppac_priors import CVAEConfig, load_prior, prior_registry
from nppac_priors.cvae.distribution import CVAEMixture
from nppac_priors.cvae.ensemble import CVAEEnsemble
from nppac_priors.episodes import Episodes
from nppac_priors.health import assess
from nppac_priors.networks.training import held_out_loss
from nppac_priors.networks.training_set import TrainingSet

SMALL = CVAEConfig(
    hidden=(16,), steps=600, learning_rate=1e-2, batch_size=128, members=2, evaluate_every=25
)


@pytest.fixture(scope="module")
def demonstrations():
    """States (2000, 1), actions (2000, 1): 0.6 or -0.6, whatever the state, and noise of 0.1."""
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(2000, 1, generator=generator)
    signs = 2.0 * (torch.rand(2000, 1, generator=generator) < 0.5) - 1.0
    actions = 0.6 * signs + 0.1 * torch.randn(2000, 1, generator=generator)
    return states, actions.clamp(-1, 1)


@pytest.fixture(scope="module")
def reports():
    return []


@pytest.fixture(scope="module")
def prior(demonstrations, reports):
    lengths = torch.full((20,), 100)
    return SMALL.fit(*demonstrations, episode_lengths=lengths, progress=reports.append)


def test_is_found_by_its_kind():
    assert prior_registry().get("cvae") is CVAEConfig


@pytest.mark.medium
def test_it_has_both_modes_where_a_normal_has_their_mean(demonstrations, prior):
    distribution = prior(demonstrations[0][:20])
    at = {a: distribution.log_prob(torch.full((20, 1), a)).mean() for a in (-0.6, 0.0, 0.6)}
    assert min(at[-0.6], at[0.6]) > at[0.0] + 0.7
    torch.manual_seed(0)
    draws = distribution.sample((500,))
    assert (draws.abs() > 0.3).float().mean() > 0.75, "0.62 of a normal draw"
    assert (draws > 0).float().mean().item() == pytest.approx(0.5, abs=0.15)


@pytest.mark.medium
def test_draws_follow_the_density(demonstrations, prior):
    """Shares of draws below some actions against integrals of the estimated density."""
    distribution = prior(demonstrations[0][:1])
    torch.manual_seed(0)
    draws = distribution.sample((20_000,))[:, 0, 0]
    grid = torch.arange(-2.0, 2.0, 0.01)
    mass = 0.01 * distribution.log_prob(grid[:, None, None]).exp()[:, 0].cumsum(0)
    for edge in (-0.6, -0.3, 0.0, 0.3, 0.6):
        integral = mass[(grid - edge).abs().argmin()]
        assert (draws < edge).float().mean().item() == pytest.approx(integral.item(), abs=0.03)


@pytest.mark.medium
def test_the_fit_reports_and_stops_on_the_held_out_bound(demonstrations, reports):
    assert reports[-1].done == reports[-1].total <= SMALL.steps
    assert {"loss", "held_out_loss"} <= reports[0].values.keys()
    assert min(r.values["held_out_loss"] for r in reports) < reports[0].values["held_out_loss"]
    calls = []
    impatient = SMALL.model_copy(update={"patience": 1, "learning_rate": 0.3, "evaluate_every": 5})
    impatient.fit(*demonstrations, episode_lengths=torch.full((20,), 100), progress=calls.append)
    assert calls[-1].done == calls[-1].total < SMALL.steps


def test_an_evaluation_draws_the_same_noise_at_every_call(demonstrations):
    data = TrainingSet.check(
        *demonstrations, episode_lengths=torch.full((20,), 100), weights=torch.ones(2000),
        held_out_share=0.2, generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    objective = SMALL.objective(data, torch.Generator().manual_seed(0))
    assert data.held_out is not None
    once, again = (held_out_loss(objective, data.held_out) for _ in range(2))
    assert torch.equal(once, again)
    assert len(once) == 2
    assert once[0] != once[1], "each member has its own"


@pytest.mark.medium
def test_a_log_density_is_a_function_of_the_action_and_survives_the_file(prior, tmp_path):
    states, actions = torch.randn(5, 1), torch.rand(5, 1)
    before = torch.get_rng_state()
    density = prior(states).log_prob(actions)
    assert torch.equal(prior(states).log_prob(actions), density)
    assert torch.equal(torch.get_rng_state(), before)
    prior.save(tmp_path / "cvae.safetensors")
    restored = load_prior(tmp_path / "cvae.safetensors")
    torch.testing.assert_close(restored(states).log_prob(actions), density)


@pytest.mark.medium
def test_the_health_report_reads_its_moments_from_draws(demonstrations):
    generator = torch.Generator().manual_seed(0)
    arrays = (tensor.numpy() for tensor in demonstrations)
    split = Episodes(*arrays, torch.full((20,), 100).numpy()).hold_out(0.2, generator)
    fitted = split.fitted
    quick = SMALL.model_copy(update={"steps": 200})
    prior = quick.fit(fitted.states, fitted.actions, episode_lengths=fitted.episode_lengths)
    health = assess(prior, split, generator=generator)
    assert health.held_out.sharpness == pytest.approx(0.61, abs=0.12)
    assert health.held_out.rmse == pytest.approx(0.61, abs=0.06)


def test_a_draw_is_of_each_model_as_often():
    """Two models whose decoders always give -0.5 and 0.5."""
    generator = torch.Generator().manual_seed(0)
    models = CVAEEnsemble.draw(2, 1, 1, 2, (4,), bounded=False, generator=generator)
    models.decoder_weights[-1].data.zero_()
    models.decoder_biases[-1].data.copy_(
        torch.tensor([[-0.5, -5.0], [0.5, -5.0]]).view_as(models.decoder_biases[-1])
    )
    torch.manual_seed(0)
    draws = CVAEMixture(models, torch.zeros(3, 1), torch.zeros(2, 2), 1).sample((2_000,))
    assert ((draws.abs() - 0.5).abs() < 0.05).all()
    torch.testing.assert_close(
        (draws > 0).float().mean((0, 2)), torch.full((3,), 0.5), atol=0.04, rtol=0
    )
