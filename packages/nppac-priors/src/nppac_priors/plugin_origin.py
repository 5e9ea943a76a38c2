"""Which plugin some code belongs to, so that a fault in it is told with its name and version.

Loading a plugin notes the packages that it came from. A class or a frame of a traceback belongs to
the plugin of its top-level package.
"""

from __future__ import annotations

from types import TracebackType

from nppac_priors.errors import ContractError, NppacError, PluginFaultError

_plugins: dict[str, str] = {}
"""Distribution and version of plugins by top-level package."""


def remember(module: str, distribution: str, version: str) -> None:
    """Note that a module, and all of its top-level package, came with a plugin."""
    _plugins[_package(module)] = f"{distribution} {version}"


def plugin_of(component: object) -> str | None:
    """Distribution and version of the plugin that an object's class came with; None if of none."""
    return _plugins.get(_package(type(component).__module__))


def broken_contract(
    component: object,
    noun: str,
    problem: str,
    *,
    otherwise: type[NppacError] = ContractError,
) -> NppacError:
    """The error to raise where a component breaks its contract.

    Args:
        component: Its config, or an object without one.
        noun: What it is, such as `"prior"`.
        problem: What is wrong, and what has to be.
        otherwise: Class of the error where the component is no plugin's.

    Returns:
        A `PluginFaultError` with the plugin's distribution and version, or one of `otherwise`.
    """
    kind = getattr(component, "kind", type(component).__name__)
    plugin = plugin_of(component)
    if plugin is None:
        return otherwise(f"{noun} {kind!r}: {problem}")
    return PluginFaultError(f"plugin {plugin}: {noun} {kind!r}: {problem}")


def described(value: object) -> str:
    """A value that is not what it should be: its type, and an array's shape and data type."""
    if value is None:
        return "None"
    text = f"a {type(value).__name__}"
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple):
        text += f" of shape {tuple(shape)} and type {getattr(value, 'dtype', None)}"
    return text


def blamed(error: BaseException) -> BaseException:
    """The error, as a fault of the plugin that it passed through if it is none of ours.

    Errors that are one line already and interrupts stay what they are.
    """
    if isinstance(error, NppacError | KeyboardInterrupt):
        return error
    plugin, place = _innermost_plugin(error.__traceback__)
    if plugin is None:
        return error
    fault = PluginFaultError(f"plugin {plugin} failed in {place}: {in_one_line(error)}")
    fault.__cause__ = error
    return fault


def let_interruption_pass(error: BaseException) -> None:
    """Raises a KeyboardInterrupt where one is behind an error, or is it.

    A compiled module that is interrupted while it is imported makes an ImportError of it.
    """
    behind: BaseException | None = error
    while behind is not None:
        if isinstance(behind, KeyboardInterrupt):
            raise KeyboardInterrupt from error
        behind = behind.__cause__ or behind.__context__


def in_one_line(error: BaseException) -> str:
    """The type of an error and, where it has one, its message."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _innermost_plugin(traceback: TracebackType | None) -> tuple[str | None, str]:
    """The plugin of the innermost frame that is one's, and where in it."""
    found: str | None = None
    place = ""
    while traceback is not None:
        frame = traceback.tb_frame
        module = str(frame.f_globals.get("__name__", ""))
        if _package(module) in _plugins:
            found = _plugins[_package(module)]
            place = f"{module}.{frame.f_code.co_qualname}, line {traceback.tb_lineno}"
        traceback = traceback.tb_next
    return found, place


def _package(module: str) -> str:
    return module.partition(".")[0]
