"""An independent implementation agrees: d3rlpy learns the same from the same weights and batch.

Both sides have the same weights, everything in float64 and plain gradient descent, so that what an
update moves is the gradient itself. Noise comes from one generator, seeded before each step. Where
d3rlpy's algorithm differs, or a setting cannot be had there, the test says so and compares what is
left.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from nppac_agents import AWAC, BCQ, BEAR, CQL, CRR, IQL, TD3BC, Spaces
from nppac_agents.data.transitions import Transitions
from nppac_agents.parts import mmd
from nppac_agents.parts.optimizers import Momentum
from nppac_envs import Demonstrations
from torch import nn

pytestmark = pytest.mark.medium

d3rlpy = pytest.importorskip("d3rlpy")
torch_batch = pytest.importorskip("d3rlpy.torch_utility").TorchMiniBatch

RATE = 0.1


@pytest.fixture(autouse=True)
def _noise_in_float64():
    """Numbers of another width would be others from the same seed."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


HIDDEN = (16, 8)
SIZES = {"policy_hidden": HIDDEN, "critic_hidden": HIDDEN}


def theirs(name: str, **settings: Any) -> Any:
    """The inside of an algorithm of d3rlpy with random weights, its slow copies with others."""
    sgd, encoder = d3rlpy.optimizers.SGDFactory(), d3rlpy.models.VectorEncoderFactory([*HIDDEN])
    config = getattr(d3rlpy.algos, f"{name}Config")
    for field in config.__dataclass_fields__:
        if field.endswith("optim_factory"):
            settings[field] = sgd
        elif field.endswith("encoder_factory"):
            settings[field] = encoder
        elif field.endswith("learning_rate"):
            settings.setdefault(field, RATE)
    algorithm = config(gamma=0.9, **settings).create(device="cpu:0")
    algorithm.create_impl((4,), 2)
    modules = algorithm.impl.modules
    for module in vars(modules).values():
        if isinstance(module, nn.Module):
            module.double()
            for parameter in module.parameters():
                parameter.data.normal_(0, 0.3)
    return algorithm.impl


def ours(method: Any) -> Any:
    """An agent of the same spaces, whose parts descend by the plain gradient."""
    box = gym.spaces.Box(-1.0, 1.0, (2,), np.float32)
    spaces = Spaces(gym.spaces.Box(-np.inf, np.inf, (4,), np.float32), box)
    shown = Demonstrations(
        np.zeros((2, 4)), np.zeros((2, 2)), np.zeros((1, 4)), np.array([2]), rewards=np.zeros(2)
    )
    agent = method.build(spaces, None, shown, generator=torch.Generator().manual_seed(0))
    agent.double()
    agent.noise = torch.default_generator
    for part in agent.parts:
        part.optimizer = Momentum(part.flat, RATE, 0.0)
    return agent


def batches(terminal: float | None = None) -> tuple[Transitions, Any]:
    """The same 32 transitions for both; every third one ends, or all do as given."""
    generator = torch.Generator().manual_seed(5)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    states, next_states, actions = draw(32, 4), draw(32, 4), draw(32, 2).tanh()
    rewards = draw(32)
    ends = (torch.arange(32) % 3 == 0).double()
    if terminal is not None:
        ends = torch.full_like(ends, terminal)
    none = states.new_zeros(32, 0)
    mine = Transitions(
        states, actions, rewards, 0.9 * (1 - ends), next_states, ends, torch.zeros_like(ends),
        none, none, none, none,
    )  # fmt: skip
    columns = (rewards, rewards, ends, torch.ones_like(ends))
    reward, to_go, end, interval = (column.unsqueeze(1) for column in columns)
    yours = torch_batch(
        states, actions, reward, next_states, actions, to_go, end, interval, "cpu:0"
    )
    return mine, yours


# Weights of d3rlpy as they lie here.


def linears(module: nn.Module) -> list[tuple[torch.Tensor, torch.Tensor]]:
    found = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
    return [(layer.weight.detach().clone(), layer.bias.detach().clone()) for layer in found]


def perceptron(module: nn.Module, heads: int = 1) -> list[torch.Tensor]:
    """Weight and bias of each layer; `heads` last ones are one layer here."""
    layers = linears(module)
    last = [torch.cat(group) for group in zip(*layers[-heads:], strict=True)]
    return [tensor for layer in layers[:-heads] for tensor in layer] + last


def ensemble(critics: nn.Module) -> list[torch.Tensor]:
    """Stacked weights (E, in, out) of all layers, then stacked biases (E, out)."""
    members = list(zip(*(linears(critic) for critic in critics), strict=True))
    weights = [torch.stack([weight.T for weight, _ in layer]) for layer in members]
    return weights + [torch.stack([bias for _, bias in layer]) for layer in members]


def put(net: nn.Module, weights: list[torch.Tensor]) -> None:
    for parameter, weight in zip(net.parameters(), weights, strict=True):
        parameter.data.copy_(weight)


def assert_same(net: nn.Module, weights: list[torch.Tensor]) -> None:
    for parameter, weight in zip(net.parameters(), weights, strict=True):
        torch.testing.assert_close(parameter.data, weight, rtol=1e-6, atol=1e-7)


def copy_critics(agent: Any, impl: Any) -> None:
    put(agent.parts.critic.net, ensemble(impl.modules.q_funcs))
    put(agent.parts.critic.slow, ensemble(impl.modules.targ_q_funcs))


def moved(net: nn.Module, before: list[torch.Tensor]) -> bool:
    return not any(map(torch.equal, net.parameters(), before))


def seeded(step: Any, *arguments: Any) -> Any:
    torch.manual_seed(11)
    return step(*arguments)


def same_update(agent: Any, impl: Any, name: str, weights: Any, step: Any, their_step: Any) -> None:
    """A step on each side leads to the same weights of a part, which are not those before."""
    net = getattr(agent.parts, name).net
    before = [parameter.detach().clone() for parameter in net.parameters()]
    assert_same(net, weights())
    mine, yours = batches()
    seeded(step, agent, mine)
    seeded(their_step, yours)
    assert moved(net, before)
    assert_same(net, weights())


def assert_same_losses(agent: Any, impl: Any, **names: str) -> None:
    """Three whole updates on each side have the same losses; by our names, theirs."""
    for _ in range(3):
        mine, yours = batches()
        losses = seeded(agent.step, mine)
        metrics = seeded(impl.inner_update, yours, 0)
        for ours, theirs in names.items():
            assert losses[ours].item() == pytest.approx(metrics[theirs], rel=1e-5), ours


def critics_of(impl: Any) -> Any:
    return lambda: ensemble(impl.modules.q_funcs)


def policy_of(impl: Any, heads: int = 1) -> Any:
    return lambda: perceptron(impl.modules.policy, heads)


def squash_decoder(impl: Any) -> None:
    """Their decoder takes `with_squash` for its contrary: turn it round."""
    decode = impl.modules.vae_decoder.forward
    impl.modules.vae_decoder.forward = lambda x, z, squash=True: decode(x, z, not squash)


def behaviour_of(impl: Any) -> Any:
    modules = impl.modules
    return lambda: [*perceptron(modules.vae_encoder, 2), *perceptron(modules.vae_decoder)]


def test_td3_bc_makes_the_same_update():
    """The whole update; slow copies follow at one rate, with every update of the policy."""
    impl = theirs("TD3PlusBC", alpha=1.7, tau=0.2, update_actor_interval=1)
    agent = ours(TD3BC(
        value_weight=1.7, tau=0.2, gamma=0.9, critic_updates_per_actor_update=1,
        standardise_states=False, **SIZES,
    ))  # fmt: skip
    modules = impl.modules
    copy_critics(agent, impl)
    put(agent.parts.policy.net, perceptron(modules.policy))
    put(agent.parts.policy.slow, perceptron(modules.targ_policy))
    assert_same_losses(agent, impl, critic_loss="critic_loss", actor_loss="actor_loss")
    assert_same(agent.parts.critic.net, ensemble(modules.q_funcs))
    assert_same(agent.parts.critic.slow, ensemble(modules.targ_q_funcs))
    assert_same(agent.parts.policy.net, perceptron(modules.policy))
    assert_same(agent.parts.policy.slow, perceptron(modules.targ_policy))


@pytest.mark.parametrize(
    ("weights", "theirs_weights"), [("exponential", "exp"), ("binary", "binary")]
)
@pytest.mark.parametrize("baseline", ["mean", "max"])
def test_crr_makes_the_same_steps(weights, theirs_weights, baseline):
    """Critic, then policy: there the policy sees the new critic, here the old one.

    Of several critics, theirs is the mean in the advantage; there is one. Sampled actions are
    clipped there and not here, so that the policies stay away from the edge.
    """
    settings = {"weight_type": theirs_weights, "advantage_type": baseline}
    impl = theirs("CRR", beta=0.3, n_action_samples=3, **settings)
    for policy in (impl.modules.policy, impl.modules.targ_policy):
        policy._logstd.bias.data.fill_(-3.0)
        policy._mu.weight.data.mul_(0.3)
    agent = ours(CRR(
        weights=weights, baseline=baseline, advantage_temperature=0.3,
        policy_samples=3, gamma=0.9, **SIZES,
    ))  # fmt: skip
    copy_critics(agent, impl)
    put(agent.parts.policy.net, perceptron(impl.modules.policy, 2))
    put(agent.parts.policy.slow, perceptron(impl.modules.targ_policy, 2))
    method = agent.method
    same_update(agent, impl, "critic", critics_of(impl), method.critic_step, impl.update_critic)
    same_update(agent, impl, "policy", policy_of(impl, 2), method.actor_step, impl.update_actor)


def test_iql_makes_the_same_steps():
    """Value, policy and critics; there the critics are regressed on the old V, here on the new.

    The log standard deviation is a sigmoid there and a clamped number here: its own step differs.
    """
    impl = theirs("IQL", expectile=0.8, weight_temp=2.0, tau=0.2)
    agent = ours(IQL(
        expectile=0.8, inverse_temperature=2.0, gamma=0.9, value_hidden=HIDDEN, **SIZES
    ))  # fmt: skip
    modules, method = impl.modules, agent.method
    copy_critics(agent, impl)
    put(agent.parts.value.net, perceptron(modules.value_func))
    spread = -5.0 + 7.0 * modules.policy._logstd.sigmoid().detach().squeeze(0)
    put(agent.parts.policy.net, [spread, *perceptron(modules.policy)])
    mine, yours = batches()
    value_before = [p.detach().clone() for p in agent.parts.value.net.parameters()]
    method.critic_step(agent, mine)
    method.value_step(agent, mine)
    impl.update_critic(yours)
    assert_same(agent.parts.critic.net, ensemble(modules.q_funcs))
    assert moved(agent.parts.value.net, value_before)
    assert_same(agent.parts.value.net, perceptron(modules.value_func))
    loss = method.actor_step(agent, mine)["actor_loss"].item()
    assert loss == pytest.approx(impl.update_actor(yours)["actor_loss"], rel=1e-5)
    assert_same(agent.parts.policy.net.body, perceptron(modules.policy))


def test_awac_makes_the_same_steps():
    """Their critics back up a squashed sample less its entropy, ours a sample of the policy alone.

    So all transitions end here. Their loss sums over the batch: their rate is the smaller.
    """
    impl = theirs("AWAC", lam=0.5, actor_learning_rate=RATE / 32)
    agent = ours(AWAC(
        weights="softmax", advantage_temperature=0.5, largest_advantage=None,
        policy_value="sample", gamma=0.9, policy_weight_decay=0.0, **SIZES,
    ))  # fmt: skip
    modules = impl.modules
    modules.policy._logstd.data.fill_(1.0)
    modules.policy._mu.weight.data.mul_(0.1)
    copy_critics(agent, impl)

    def policy() -> list[torch.Tensor]:
        return [modules.policy._logstd.detach().squeeze(0), *perceptron(modules.policy)]

    put(agent.parts.policy.net, policy())
    mine, yours = batches(terminal=1.0)
    agent.method.critic_step(agent, mine)
    impl.update_critic(yours)
    assert_same(agent.parts.critic.net, ensemble(modules.q_funcs))
    loss = seeded(agent.method.actor_step, agent, mine)["actor_loss"].item()
    assert 32 * loss == pytest.approx(seeded(impl.update_actor, yours)["actor_loss"], rel=1e-5)
    assert_same(agent.parts.policy.net, policy())


@pytest.mark.parametrize("soft", [False, True])
def test_cql_makes_the_same_steps(soft):
    """Critics and policy, with one action from each distribution, in whose order both draw.

    Theirs multiplies the threshold by the weight; without the entropy it backs up the mode, or the
    best of as many samples. Their temperature ascends another form of its dual, and stays here.
    """
    impl = theirs(
        "CQL", conservative_weight=0.7, alpha_threshold=2.0 / 0.7, n_action_samples=1,
        soft_q_backup=soft, max_q_backup=not soft, initial_temperature=0.3,
        temp_learning_rate=0.0, alpha_learning_rate=0.0,
    )  # fmt: skip
    modules = impl.modules
    modules.log_temp._parameter.data.fill_(np.log(0.3))
    modules.log_alpha._parameter.data.fill_(0.4)
    agent = ours(CQL(
        conservative_weight=0.7, largest_gap=2.0, conservative_samples=1, entropy_backup=soft,
        warmup_updates=0, alpha=0.3, target_entropy=None, gamma=0.9, **SIZES,
    ))  # fmt: skip
    agent.parts.temperature.net.log_value.data.fill_(np.log(0.3))
    agent.parts.multiplier.net.log_value.data.fill_(0.4)
    copy_critics(agent, impl)
    put(agent.parts.policy.net, perceptron(modules.policy, 2))
    method = agent.method
    same_update(agent, impl, "critic", critics_of(impl), method.critic_step, impl.update_critic)
    same_update(agent, impl, "policy", policy_of(impl, 2), method.actor_step, impl.update_actor)


def test_bear_makes_the_same_steps():
    """The behaviour's step, and the MMD of the same samples.

    Their policy's loss has one sample's value and an entropy, and their samples of it are not cut
    off: the policy's step differs on purpose.
    """
    impl = theirs("BEAR", n_mmd_action_samples=3, mmd_sigma=2.0, alpha_threshold=0.0)
    agent = ours(BEAR(sigma=2.0, behaviour_hidden=HIDDEN, gamma=0.9, **SIZES))
    modules, behaviour = impl.modules, agent.parts.behaviour
    modules.log_alpha._parameter.data.fill_(0.0)
    squash_decoder(impl)
    put(behaviour.net, behaviour_of(impl)())
    step = agent.method.behaviour_step
    same_update(agent, impl, "behaviour", behaviour_of(impl), step, impl.update_imitator)
    mine, yours = batches()
    put(agent.parts.policy.net, perceptron(modules.policy, 2))
    distance = seeded(impl._compute_mmd_loss, yours.observations)
    torch.manual_seed(11)
    latents = torch.randn(3 * 32, 4).clamp(-0.5, 0.5).view(3, 32, 4)
    made = behaviour.net.decode(mine.states.expand(3, 32, 4), latents)
    policy = agent.parts.policy(mine.states)
    noise = torch.randn(3, 32, 2)
    own = mmd(policy.mean + policy.std * noise, made, "laplacian", 2.0)
    torch.testing.assert_close(own.mean(), distance, rtol=1e-6, atol=1e-7)


def test_bears_critics_make_the_same_step():
    """Their target has an entropy, at no temperature here, and no slow policy, which is theirs."""
    impl = theirs("BEAR", n_target_samples=1, lam=0.75)
    agent = ours(BEAR(candidates=1, behaviour_hidden=HIDDEN, gamma=0.9, **SIZES))
    impl.modules.log_temp._parameter.data.fill_(-800.0)
    copy_critics(agent, impl)
    for network in (agent.parts.policy.net, agent.parts.policy.slow):
        put(network, perceptron(impl.modules.policy, 2))
    step = agent.method.critic_step
    same_update(agent, impl, "critic", critics_of(impl), step, impl.update_critic)


class BCQInTheirOrder(BCQ):
    """Draws the candidates of one state after those of the other, as they do."""

    def noise(self, agent: Any, candidates: int, states: torch.Tensor) -> torch.Tensor:
        shape = len(states), candidates, agent.parts.behaviour.net.latent_dim
        return torch.randn(shape).transpose(0, 1)


def test_bcq_makes_the_same_update():
    """The whole update: behaviour, critics, perturbation and the slow copies of these two."""
    impl = theirs(
        "BCQ", lam=0.6, n_action_samples=3, action_flexibility=0.4, beta=0.5, tau=0.2,
        rl_start_step=0,
    )  # fmt: skip
    agent = ours(BCQInTheirOrder(
        lowest_share=0.6, target_candidates=3, acting_candidates=3, reach=0.4, tau=0.2, gamma=0.9,
        behaviour_hidden=HIDDEN, **SIZES,
    ))  # fmt: skip
    modules = impl.modules
    squash_decoder(impl)
    put(agent.parts.behaviour.net, behaviour_of(impl)())
    put(agent.parts.policy.net, perceptron(modules.policy))
    put(agent.parts.policy.slow, perceptron(modules.targ_policy))
    copy_critics(agent, impl)
    names = {"critic_loss": "critic_loss", "actor_loss": "actor_loss"}
    assert_same_losses(agent, impl, behaviour_loss="vae_loss", **names)
    assert_same(agent.parts.behaviour.net, behaviour_of(impl)())
    assert_same(agent.parts.critic.net, ensemble(modules.q_funcs))
    assert_same(agent.parts.critic.slow, ensemble(modules.targ_q_funcs))
    assert_same(agent.parts.policy.net, perceptron(modules.policy))
    assert_same(agent.parts.policy.slow, perceptron(modules.targ_policy))
