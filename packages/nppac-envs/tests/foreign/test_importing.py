"""Which environment an id stands for, where it may come from, and when it ends."""

from __future__ import annotations

import os
import subprocess
import sys

import gymnasium
import pytest
from nppac_envs import ConfigError, GymnasiumConfig
from nppac_envs.checked import make_checked


def length(config: GymnasiumConfig) -> int:
    env = make_checked(config)
    env.reset(seed=0)
    for step in range(1, 3000):
        _, _, terminated, truncated, _ = env.step(env.action_space.sample())
        if terminated or truncated:
            return step
    raise AssertionError("it does not end")


@pytest.mark.parametrize(
    ("settings", "steps"),
    [
        ({"id": "lab_arm:LabArm-v0"}, 7),
        ({"id": "lab_arm:LabArm-v0", "horizon": 9}, 9),
        ({"id": "lab_arm:LabArmEndless-v0"}, 1000),
        ({"id": "lab_arm:LabArmEndless-v0", "horizon": 4}, 4),
        ({"id": "lab_arm:make"}, 1000),
        ({"id": "lab_arm:Arm", "horizon": 3}, 3),
        ({"id": "lab_arm:make", "horizon": 30, "kwargs": {"length": 5}}, 5),
        ({"id": "Pendulum-v1"}, 200),
    ],
)
def test_an_episode_ends_where_the_config_the_registration_or_the_default_says(
    lab_arm, settings, steps
):
    assert length(GymnasiumConfig(**settings)) == steps


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"id": "no_such_lab:Arm-v0"}, r"no module 'no_such_lab'.*PYTHONPATH"),
        ({"id": "lab_arm:Leg-v0"}, r"'lab_arm' \(.*lab_arm.py\) neither registers nor defines"),
        ({"id": "NoSuchArm-v0"}, r"NameNotFound.*; \"module:Name-v0\" imports the module"),
        ({"id": "lab_arm:make", "kwargs": {"colour": 1}}, r"TypeError.*'colour'"),
        ({"id": "lab_arm:make_nothing"}, r"returned a str, no gymnasium.Env"),
    ],
)
def test_what_cannot_be_made_is_refused_in_one_line(lab_arm, settings, message):
    with pytest.raises(ConfigError, match=message) as caught:
        make_checked(GymnasiumConfig(**settings))
    assert "\n" not in str(caught.value)


def test_an_environment_that_takes_no_render_mode_is_told_what_drawing_needs(lab_arm, monkeypatch):
    monkeypatch.setattr(lab_arm, "plain", lambda: lab_arm.Arm(), raising=False)
    config = GymnasiumConfig(id="lab_arm:plain")
    with pytest.raises(ConfigError, match=r"'render_mode'; .* takes render_mode=\"rgb_array\""):
        make_checked(config, render_mode="rgb_array")


def test_a_module_that_fails_is_told_with_its_error(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "broken_arm.py").write_text("import no_such_dependency")
    with pytest.raises(ConfigError, match=r"importing 'broken_arm' raised .*no_such_dependency"):
        GymnasiumConfig(id="broken_arm:make").make()


def test_a_module_that_is_not_installed_is_noticed_without_an_import(
    lab_arm, tmp_path, monkeypatch
):
    """Of the modules within a package only an import could tell."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "loud_arm").mkdir()
    (tmp_path / "loud_arm" / "__init__.py").write_text("raise AssertionError('is imported')")
    for there in ("lab_arm:Leg-v0", "loud_arm:make", "loud_arm.left:Left-v0", "sys:make"):
        GymnasiumConfig(id=there).require()
    for missing, name in {"no_arm:make": "no_arm", "no_arm.b:B-v0": "no_arm", ":make": ""}.items():
        with pytest.raises(ConfigError, match=rf"^env.id: there is no module '{name}' among what"):
            GymnasiumConfig(id=missing).require()


@pytest.mark.medium
def test_the_working_directory_is_searched_only_if_the_python_path_has_it(tmp_path):
    (tmp_path / "here_arm.py").write_text("import gymnasium\ndef make(): return 'found'\n")
    code = (
        "from nppac_envs import GymnasiumConfig\n"
        "config = GymnasiumConfig(id='here_arm:make')\n"
        "for look in (config.require, config.make):\n"
        "    try: look(); print('found')\n"
        "    except Exception as error: print(error)"
    )

    def said(**variables: str) -> str:
        path = os.pathsep.join([*filter(None, [os.environ.get("PYTHONPATH")]), *variables.values()])
        env = os.environ | ({"PYTHONPATH": path} if path else {})
        return subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True
        ).stdout

    assert said().count("there is no module 'here_arm'") == 2
    found, made = said(PYTHONPATH=str(tmp_path)).splitlines()
    assert found == "found"
    assert "returned a str" in made


@pytest.mark.medium
@pytest.mark.parametrize("name", ["make", "Here-v0"])
def test_nor_is_it_searched_for_what_is_imported_as_an_environment_is_made(tmp_path, name):
    """By a callable, or by the entry point that an id is registered with."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "far_arm.py").write_text(
        "import gymnasium\n"
        "gymnasium.register('Here-v0', entry_point='near_arm:make')\n"
        "def make(): import near_arm; return near_arm.make()\n"
    )
    (tmp_path / "near_arm.py").write_text("def make(**options): return 'found'\n")
    code = (
        "from nppac_envs import GymnasiumConfig\n"
        f"try: GymnasiumConfig(id='far_arm:{name}').make(); print('made')\n"
        "except Exception as error: print(repr(error))"
    )
    path = os.pathsep.join(filter(None, [str(tmp_path / "lib"), os.environ.get("PYTHONPATH")]))
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=os.environ | {"PYTHONPATH": path},
        capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert "No module named 'near_arm'" in said


def test_a_config_imports_nothing():
    config = GymnasiumConfig(id="no_such_lab:Arm-v0")
    assert GymnasiumConfig.model_validate_json(config.model_dump_json()) == config
    assert config.has_success is None
    assert "no_such_lab" not in sys.modules


def test_a_registered_id_keeps_gymnasiums_own_registration(lab_arm):
    GymnasiumConfig(id="lab_arm:LabArm-v0", horizon=9).make()
    assert gymnasium.registry["LabArm-v0"].max_episode_steps == 7
