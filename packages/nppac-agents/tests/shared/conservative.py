"""What the gap of CQL and Cal-QL is, sample by sample."""

import math

import torch


def normals(policy, size, generator):
    """Squashed actions (N, B, A) and their log-densities (N, B), from the change of variables."""
    noise = torch.randn(size, *policy.mean.shape, generator=generator, dtype=torch.float64)
    raw = policy.mean + policy.std * noise
    density = torch.distributions.Normal(policy.mean, policy.std).log_prob(raw)
    return raw.tanh(), (density - (1 - raw.tanh() ** 2).log()).sum(-1)


def gap_by_hand(agent, batch, size, reference=None):
    """For each critic, sample by sample; draws from the agent's noise as the method does."""
    critic = agent.parts.critic.net
    corrected = []
    for states in (batch.states, batch.next_states):
        actions, log_prob = normals(agent.parts.policy(states), size, agent.noise)
        for one, density in zip(actions, log_prob, strict=True):
            q = critic(batch.states, one)
            q = q if reference is None else torch.maximum(q, reference)
            corrected.append(q - density)
    uniform = torch.empty(size, *batch.actions.shape, dtype=torch.float64)
    uniform.uniform_(-1, 1, generator=agent.noise)
    corrected += [critic(batch.states, one) - math.log(0.5**2) for one in uniform]
    soft = sum(value.exp() for value in corrected).log()
    return (soft - critic(batch.states, batch.actions)).mean(1)
