from __future__ import annotations

import functools
import json
from pathlib import Path

import jsonschema
import pytest
from nppac_agents.experiment.loading import load_experiment
from nppac_agents.experiment.registries import registries
from nppac_agents.running.assembly import spaces_and_demonstrations, with_task_rewards
from nppac_envs import MinariConfig, NpzConfig, ShippedConfig, shipped_names
from nppac_envs.demonstrations.public_sets import PUBLIC_SETS

EXAMPLES = sorted((Path(__file__).parents[4] / "examples").glob("*.json"))


@functools.cache
def validator_of(schema):
    """Checks data against a schema file, which is read once."""
    data = json.loads(schema.read_text())
    jsonschema.Draft202012Validator.check_schema(data)
    return jsonschema.Draft202012Validator(data)


def test_there_are_examples():
    own = {"quickstart", "door-nppac", "pen-nppac"}
    assert {path.stem for path in EXAMPLES} >= own | {"door-human-nppac", "pen-human-nppac"}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_validates_and_names_the_schema(path):
    config = load_experiment(path)
    assert config.output_dir == f"runs/{path.stem}-seed0"
    schema = (path.parent / str(config.schema_)).resolve()
    validator_of(schema).validate(json.loads(path.read_text()))


def test_every_builtin_kind_occurs_in_an_example():
    used = set()
    for path in EXAMPLES:
        config = load_experiment(path)
        used |= {type(part) for part in (config.env, config.prior, config.agent)}
    own = {"nppac-agents", "nppac-envs", "nppac-priors"}
    missing = {
        f"{registry.noun} {component.kind}"
        for registry in registries()
        for component in registry.components.values()
        if component.distribution in own and component.cls not in used
    }
    own_files, by_a_switch = {"prior file", "prior program"}, {"logger tensorboard"}
    with_a_service = {"logger trackio", "logger wandb"}
    assert missing == own_files | by_a_switch | with_a_service


def test_the_data_of_every_example_ships_or_is_public_under_a_name_that_is_fetched():
    public = [dict(of.settings) for of in PUBLIC_SETS.values()]
    for path in EXAMPLES:
        source = load_experiment(path).demonstrations
        if isinstance(source, NpzConfig):
            assert source.path == Path(f"{source.path.stem}.npz"), path.name
            assert source.path.stem in PUBLIC_SETS, path.name
        elif isinstance(source, MinariConfig):
            assert json.loads(path.read_text())["demonstrations"] in public, path.name
        else:
            assert source is None or isinstance(source, ShippedConfig), path.name


@pytest.mark.medium
def test_what_ships_is_of_the_examples_tasks():
    """Each set once for each environment that reads it."""
    configs = [load_experiment(path) for path in EXAMPLES]
    shipped = [c for c in configs if isinstance(c.demonstrations, ShippedConfig)]
    assert {c.demonstrations.name for c in shipped} <= set(shipped_names())
    for config in {(c.env.kind, c.demonstrations.name): c for c in shipped}.values():
        _, demonstrations = spaces_and_demonstrations(config)
        assert with_task_rewards(demonstrations, config.env).rewards is not None


def test_soft_actor_critic_is_squashed_with_its_sources_target_entropy():
    """Haarnoja et al. 2018: a bounded policy, and -1 nat for each action dimension."""
    agents = [load_experiment(path).agent for path in EXAMPLES]
    ours = [agent for agent in agents if agent.kind in ("sac", "sacfd")]
    assert {agent.kind for agent in ours} == {"sac", "sacfd"}
    assert {(agent.squash, agent.target_entropy) for agent in ours} == {(True, -1.0)}


def test_every_example_reports_on_fresh_starts():
    counts = {path.stem: load_experiment(path).evaluation.reporting_episodes for path in EXAMPLES}
    assert counts.pop("quickstart") == 50
    assert set(counts.values()) == {200}


def test_the_papers_settings_are_the_papers(repository):
    """Rudner et al. 2021, App. F and I, and the published code, for door."""
    config = load_experiment(repository / "examples" / "door-paper.json")
    agent, prior = config.agent.model_dump(), config.prior.model_dump()
    assert agent["start"] == "distilled"
    assert (agent["alpha"], agent["target_kl"], agent["kl_estimator"]) == (0.5, None, "sampled")
    assert (agent["gamma"], agent["tau"], agent["batch_size"]) == (0.99, 0.005, 1024)
    assert agent["policy_hidden"] == (256,) * 4
    assert agent["critic_hidden"] == (256,) * 2
    assert {agent[n] for n in ("squash", "critic_layer_norm", "standardise_states")} == {False}
    assert (agent["pretraining_epochs"], agent["pretraining_batch_size"]) == (400, 64)
    assert (prior["kernel"], prior["rank"], prior["steps"]) == ("matern12", 1, 500)
    assert prior["learning_rate"] == 0.1
    assert (config.training.start_steps, config.training.updates_per_step) == (1000, 1.0)
