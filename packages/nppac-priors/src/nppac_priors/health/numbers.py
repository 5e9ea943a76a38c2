"""The numbers of the health report as a table: what each is called, what it means, how it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from nppac_priors.health.assessment import Health
from nppac_priors.health.verdict import percent


class Number(NamedTuple):
    """One row.

    Attributes:
        group: Heading of the rows that belong together.
        name: In a few words.
        meaning: Definition and unit.
        value: Its value; None where it was not measured.
        form: Format specification.
    """

    group: str
    name: str
    meaning: str
    value: Callable[[Health], float | None]
    form: str

    def text(self, health: Health) -> str:
        """The value as shown."""
        value = self.value(health)
        if value is None:
            return "not measured"
        extreme = abs(value) >= 1e6 or 0 < abs(value) < 1e-3
        if self.form.endswith("g") and extreme:
            shown = power_of_ten(value)
        elif self.form.endswith("g") and abs(value) >= 1e3:
            shown = f"{value:,.0f}"
        else:
            shown = format(value, self.form)
        return shown.replace("-", "−").replace("%", " %")


def power_of_ten(value: float) -> str:
    """`3.5·10¹⁶`."""
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    return f"{mantissa}·10{str(int(exponent)).translate(_SUPERSCRIPTS)}"


_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_HELD_OUT = "On held-out episodes"
_DEMONSTRATED = "On the fitted demonstrations"
_VISITED = "At the visited states"
_STD = "Standard deviation, on and off the data"
_FORECAST = "Forecast: a policy 0.1 away from the prior's mean"
_COST = "Cost"

NUMBERS = (
    Number(
        _HELD_OUT,
        "NLL",
        "negative log-likelihood per action entry, nats; lower is better",
        lambda h: h.held_out.nll,
        ".3f",
    ),
    Number(
        _HELD_OUT,
        "RMSE",
        "root mean squared error of the mean, action units",
        lambda h: h.held_out.rmse,
        ".4f",
    ),
    Number(
        _HELD_OUT,
        "CRPS",
        "continuous ranked probability score, action units; lower is better",
        lambda h: h.held_out.crps,
        ".4f",
    ),
    *(
        Number(
            _HELD_OUT,
            f"coverage at {percent(level)}",
            f"share of actions within the central {percent(level)} interval",
            lambda h, level=level: h.held_out.coverage[level],
            ".1%",
        )
        for level in (0.5, 0.9, 0.95)
    ),
    Number(
        _HELD_OUT,
        "calibration error",
        "mean distance between stated and observed coverage, over 99 central intervals",
        lambda h: h.held_out.calibration_error,
        ".3f",
    ),
    Number(
        _HELD_OUT,
        "sharpness",
        "root of the mean predictive variance; equals the RMSE of a calibrated prior",
        lambda h: h.held_out.sharpness,
        ".4f",
    ),
    *(
        Number(
            _DEMONSTRATED,
            f"actions inside {percent(level)}",
            f"share of demonstrated actions within the central {percent(level)} interval",
            lambda h, level=level: h.demonstrated[level],
            ".1%",
        )
        for level in (0.5, 0.9)
    ),
    Number(
        _STD,
        "on the data, mean",
        "mean standard deviation over demonstration states and action dimensions",
        lambda h: h.off_data.on_data_mean_std,
        ".3g",
    ),
    Number(
        _STD,
        "on the data, median",
        "median over demonstration states of the mean over action dimensions",
        lambda h: h.off_data.on_data_median_std,
        ".3g",
    ),
    Number(
        _STD,
        "off the data, median",
        "the same over states farther from the demonstrations than 95 % of held-out states",
        lambda h: h.off_data.off_data_median_std,
        ".3g",
    ),
    Number(
        _STD,
        "growth ratio",
        "off the data over on the data; below 1 the prior grows surer where it has no data",
        lambda h: h.off_data.growth_ratio,
        ".3g",
    ),
    Number(
        _STD,
        "collapse score",
        "share of states off the data with a standard deviation below the on-data median",
        lambda h: h.off_data.collapse_score,
        ".3f",
    ),
    Number(
        _VISITED,
        "states",
        "how many were asked about; one recorded prior's mean visited them, whoever is judged",
        lambda h: None if h.visited is None else h.visited.states,
        ",d",
    ),
    Number(
        _VISITED,
        "share off the data",
        "share of visited states farther from the demonstrations than 95 % of held-out states",
        lambda h: None if h.visited is None else h.visited.off_data,
        ".1%",
    ),
    Number(
        _VISITED,
        "median there",
        "median standard deviation over the visited states off the data",
        lambda h: None if h.visited is None else h.visited.median_std,
        ".3g",
    ),
    Number(
        _VISITED,
        "growth ratio there",
        "that over the median on the data",
        lambda h: None if h.visited is None else h.visited.growth_ratio,
        ".3g",
    ),
    Number(
        _VISITED,
        "collapse score there",
        "share of the visited states off the data with a standard deviation below the on-data "
        "median",
        lambda h: None if h.visited is None else h.visited.collapse_score,
        ".3f",
    ),
    Number(
        _FORECAST,
        "KL on the data",
        "mean divergence of that policy from the prior, nats over all action dimensions; its "
        "standard deviation is the prior's on-data median",
        lambda h: h.forecast_on_data.kl.mean,
        ".3g",
    ),
    Number(
        _FORECAST,
        "KL off the data",
        "the same off the data",
        lambda h: h.forecast_off_data.kl.mean,
        ".3g",
    ),
    Number(
        _FORECAST,
        "gradient norm on the data",
        "mean norm of the divergence's gradient in the policy's means and log standard deviations",
        lambda h: h.forecast_on_data.gradient_norm.mean,
        ".3g",
    ),
    Number(
        _FORECAST,
        "gradient norm off the data",
        "the same off the data",
        lambda h: h.forecast_off_data.gradient_norm.mean,
        ".3g",
    ),
    Number(
        _COST,
        "query, µs a state",
        "time to predict one state in batches of 1,024, measured once while reporting",
        lambda h: h.query_microseconds,
        ".3g",
    ),
)


def shown_numbers(healths: Iterable[Health]) -> list[Number]:
    """The rows of a table of these: all but those that none of them has."""
    healths = list(healths)
    return [n for n in NUMBERS if any(n.value(health) is not None for health in healths)]
