"""A policy that takes, of some candidate actions, the one that its critic values highest."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from nppac_priors import load_policy
from nppac_priors.deployed.actors import actor_of
from nppac_priors.deployed.files import save_policy
from nppac_priors.deployed.spec import ChoiceSpec, NetworkSpec
from nppac_priors.errors import PolicyFileError

pytestmark = pytest.mark.medium

S, A, N, Z = 3, 2, 6, 4
NETWORK: dict[str, Any] = {"layers": 2, "activation": "relu"}
PLAIN = NetworkSpec(**NETWORK, standardised=False)
CRITIC = NetworkSpec(**NETWORK, standardised=True, layer_norm=True)
SAMPLES = ChoiceSpec(form="choice", candidates=PLAIN, critic=CRITIC, log_range=(-5.0, 0.5))
DECODED = ChoiceSpec(form="choice", candidates=PLAIN, critic=CRITIC, perturbation=PLAIN, reach=0.4)
SPECS = {"samples": SAMPLES, "decoded": DECODED}


def tensors_of(spec: ChoiceSpec) -> dict[str, torch.Tensor]:
    """Random, in float64."""
    draw = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=draw, dtype=torch.float64)

    latents, width = (0, 2 * A) if spec.log_range else (Z, A)
    sizes = {"candidates": (S + latents, 8, width), "critic": (S + A, 7, 1)}
    if spec.perturbation is not None:
        sizes["perturbation"] = S + A, 5, A
    tensors = {"noise": normal(N, latents or A)}
    for name, (inputs, hidden, outputs) in sizes.items():
        tensors |= {f"{name}/weight_0": normal(hidden, inputs), f"{name}/bias_0": normal(hidden)}
        tensors |= {f"{name}/weight_1": normal(outputs, hidden), f"{name}/bias_1": normal(outputs)}
    scale = torch.full((S,), 2.0, dtype=torch.float64)
    return tensors | {"critic/gain_0": normal(7), "critic/shift": normal(S), "critic/scale": scale}


def by_hand(spec: ChoiceSpec, tensors: dict[str, torch.Tensor], state: torch.Tensor) -> Any:
    """The candidates (N, A) of one state (S,), and their values (N,)."""

    def layer(name: str, number: int, inputs: torch.Tensor) -> torch.Tensor:
        return tensors[f"{name}/weight_{number}"] @ inputs + tensors[f"{name}/bias_{number}"]

    def plain(name: str, inputs: torch.Tensor) -> torch.Tensor:
        return layer(name, 1, layer(name, 0, inputs).relu())

    actions, values = [], []
    for noise in tensors["noise"]:
        if spec.log_range:
            mean, log_std = plain("candidates", state).chunk(2)
            action = (mean + log_std.clamp(*spec.log_range).exp() * noise).tanh()
        else:
            action = plain("candidates", torch.cat([state, noise])).tanh()
        if spec.perturbation is not None:
            move = plain("perturbation", torch.cat([state, action])).tanh()
            action = (action + spec.reach * move).clamp(-1, 1)
        standard = (state - tensors["critic/shift"]) / tensors["critic/scale"]
        hidden = tensors["critic/weight_0"] @ torch.cat([standard.clamp(-10, 10), action])
        spread = (hidden.var(unbiased=False) + 1e-5).sqrt()
        hidden = (hidden - hidden.mean()) / spread * tensors["critic/gain_0"]
        actions.append(action)
        values.append(layer("critic", 1, (hidden + tensors["critic/bias_0"]).relu())[0])
    return torch.stack(actions), torch.stack(values)


def states() -> torch.Tensor:
    return 3.0 * torch.randn(40, S, generator=torch.Generator().manual_seed(1)).double()


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_it_takes_the_candidate_of_the_highest_value(spec):
    tensors, chosen = tensors_of(spec), set()
    found = actor_of(spec, tensors, S, A)(states())
    for state, action in zip(states(), found.mode(), strict=True):
        actions, values = by_hand(spec, tensors, state)
        best = int(values.argmax())
        chosen.add(best)
        torch.testing.assert_close(action, actions[best])
    assert len(chosen) > 2, "not always the same noise"
    assert not found.std.any(), "it has no distribution"


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_a_folder_and_its_programs_say_the_same(spec, tmp_path):
    fields = {"state_dim": S, "action_dim": A, "actor": spec}
    bounds = {"action_low": (-2.0, 0.0), "action_high": (2.0, 0.5)}
    tensors = {name: tensor.float() for name, tensor in tensors_of(spec).items()}
    save_policy(tmp_path / "policy", fields | bounds, tensors, None, None)
    policy = load_policy(tmp_path / "policy")
    assert repr(policy) == "<DeployedPolicy: choice, 3 -> 2, no prior, no alarm>"
    mode = actor_of(spec, tensors, S, A)(states().float()).mode().numpy()
    low, high = (np.array(bounds[name]) for name in ("action_low", "action_high"))
    actions = policy.act(states().numpy())
    np.testing.assert_allclose(actions, low + (mode + 1) / 2 * (high - low), atol=1e-5)
    np.testing.assert_allclose(policy.act(states()[7].numpy()), actions[7], atol=1e-5)
    policy.save_program(tmp_path / "policy.pt2")
    run = torch.export.load(tmp_path / "policy.pt2").module()
    np.testing.assert_allclose(run(states().float())["action"], actions, atol=1e-5)
    ort = pytest.importorskip("onnxruntime")
    policy.save_onnx(tmp_path / "policy.onnx")
    session = ort.InferenceSession(str(tmp_path / "policy.onnx"))
    (found,) = session.run(["action"], {"states": states().float().numpy()})
    np.testing.assert_allclose(found, actions, atol=1e-4)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"noise": None}, "'noise' has to be a matrix"),
        ({"noise": torch.zeros(0, 2)}, "'noise' has to be a matrix"),
        ({"noise": torch.zeros(6, 3)}, r"'noise' is .* has to hold real numbers of shape \(6, 2\)"),
        ({"critic/gain_0": None}, "tensor 'critic/gain_0' is missing"),
        ({"critic/weight_0": torch.zeros(7, 3)}, r"'critic/weight_0' is .* of shape \(7, 5\)"),
        ({"candidates/bias_1": torch.full((4,), torch.nan)}, "'candidates/bias_1' is not finite"),
    ],
)
def test_tensors_that_do_not_fit_are_refused(change, problem):
    given = {k: v for k, v in {**tensors_of(SAMPLES), **change}.items() if v is not None}
    with pytest.raises(PolicyFileError, match=problem):
        actor_of(SAMPLES, given, S, A)
