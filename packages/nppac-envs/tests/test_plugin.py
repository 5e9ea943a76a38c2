from __future__ import annotations

import pluggy
from nppac_envs import EnvConfig, hookimpl, hookspecs, plugin


def test_the_hook_returns_the_built_in_configs_and_those_of_others():
    class MyConfig(EnvConfig):
        kind: str = "mine"

    class Package:
        @hookimpl
        def nppac_env_configs(self) -> list[type[EnvConfig]]:
            return [MyConfig]

    manager = pluggy.PluginManager("nppac.envs")
    manager.add_hookspecs(hookspecs)
    manager.register(plugin)
    manager.register(Package())
    manager.check_pending()
    offered = manager.hook.nppac_env_configs()
    built_in = plugin.nppac_env_configs()
    assert {config for configs in offered for config in configs} == {*built_in, MyConfig}


def test_built_in_kinds_differ():
    kinds = [config.model_fields["kind"].default for config in plugin.nppac_env_configs()]
    assert kinds == [
        "door",
        "pen",
        "hammer",
        "relocate",
        "halfcheetah",
        "walker2d",
        "ant",
        "hopper",
        "push",
    ]
