from __future__ import annotations

import pytest
import torch
from nppac_priors.networks.objective import MaximumLikelihood
from nppac_priors.networks.perceptrons import StackedNetworks, gaussian_entropy
from torch.distributions import Normal


def member(networks: StackedNetworks, k: int) -> StackedNetworks:
    return StackedNetworks(
        tuple(w[k : k + 1].detach().clone() for w in networks.weights),
        tuple(b[k : k + 1].detach().clone() for b in networks.biases),
    )


def test_the_loss_is_the_mean_negative_log_likelihood(networks, batch) -> None:
    loss = MaximumLikelihood(networks).loss(batch)
    mean, log_std = networks(batch.states)
    expected = -Normal(mean, log_std.exp()).log_prob(batch.actions).sum(2).mean(1)
    torch.testing.assert_close(loss, expected)


def test_members_do_not_see_each_other(networks, batch) -> None:
    alone = [MaximumLikelihood(member(networks, k)) for k in range(3)]
    together = MaximumLikelihood(networks)
    together.loss(batch).sum().backward()
    for k, single in enumerate(alone):
        single.loss(batch).sum().backward()
        for all_members, own in zip(together.parameters, single.parameters, strict=True):
            torch.testing.assert_close(all_members.grad[k], own.grad[0])


def test_the_entropy_bonus_is_taken_off_the_loss(networks, batch) -> None:
    plain = MaximumLikelihood(networks).loss(batch)
    with_bonus = MaximumLikelihood(networks, entropy_weight=0.3)
    entropy = gaussian_entropy(networks(batch.states)[1]).mean(1)
    torch.testing.assert_close(with_bonus.loss(batch), plain - 0.3 * entropy)
    torch.testing.assert_close(with_bonus.score(batch), plain - 0.3 * entropy)


def test_the_tikhonov_penalty_is_the_squared_norm_of_all_weights(networks, batch) -> None:
    plain, penalised = MaximumLikelihood(networks), MaximumLikelihood(networks, tikhonov=0.7)
    for k in range(3):
        norm = sum(t[k].detach().double().square().sum().item() for t in networks.tensors)
        difference = penalised.loss(batch)[k] - plain.loss(batch)[k]
        assert difference.item() == pytest.approx(0.7 * norm, rel=1e-5)
    torch.testing.assert_close(penalised.score(batch), plain.score(batch))


@pytest.mark.parametrize(("target", "sign"), [(-50.0, 1.0), (50.0, -1.0)])
def test_the_multiplier_falls_above_the_target_and_rises_below(
    networks, batch, target, sign
) -> None:
    dual = MaximumLikelihood(networks, entropy_weight=0.5, target_entropy=target)
    dual.loss(batch).sum().backward()
    entropy = gaussian_entropy(networks(batch.states)[1]).mean(1)
    torch.testing.assert_close(dual.entropy_weight.grad, entropy.detach() - target)
    assert (dual.entropy_weight.grad * sign > 0).all()


def test_the_multiplier_pulls_on_the_networks_as_a_fixed_weight_does(networks, batch) -> None:
    fixed = MaximumLikelihood(member(networks, 0), entropy_weight=0.4)
    dual = MaximumLikelihood(member(networks, 0), entropy_weight=0.4, target_entropy=1.0)
    for objective in (fixed, dual):
        objective.loss(batch).sum().backward()
    for one, other in zip(fixed.parameters, dual.parameters, strict=False):
        torch.testing.assert_close(one.grad, other.grad)


def test_the_multiplier_is_never_negative(networks, batch) -> None:
    dual = MaximumLikelihood(networks, target_entropy=0.0)
    dual.entropy_weight.data.fill_(-0.2)
    dual.loss(batch)
    assert torch.equal(dual.entropy_weight, torch.zeros(3))


def test_held_out_scores_count_the_entropy_that_is_missing(networks, batch) -> None:
    nll = MaximumLikelihood(networks).score(batch)
    entropy = gaussian_entropy(networks(batch.states)[1]).mean(1).detach()
    low, high = (float(entropy.min()) - 1.0, float(entropy.max()) + 1.0)
    missing = MaximumLikelihood(networks, target_entropy=high).score(batch)
    torch.testing.assert_close(missing, nll + high - entropy)
    torch.testing.assert_close(MaximumLikelihood(networks, target_entropy=low).score(batch), nll)
