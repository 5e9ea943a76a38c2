"""A control loop around an exported policy: a rate, a time-out, and the prior to fall back on.

    python examples/control_loop.py FOLDER --rate 50

plays it without a robot, on made-up observations, and tells whether this machine keeps the rate.
Replace `observe` and `send` by what talks to yours. It needs torch and nppac-priors alone.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from nppac_priors import DeployedPolicy, load_policy


@dataclass
class Record:
    """What a loop did.

    Attributes:
        seconds: from each observation to its action.
        fallbacks: steps in which the prior's mean was sent instead of the policy's action.
        late: steps whose action came after their period and was not sent.
        stopped: whether observations failed to come, so that the loop ended early.
    """

    seconds: list[float] = field(default_factory=list)
    fallbacks: int = 0
    late: int = 0
    stopped: bool = False


def control(
    policy: DeployedPolicy,
    observe: Callable[[], tuple[np.ndarray, float]],
    send: Callable[[np.ndarray], None],
    *,
    rate: float,
    steps: int,
    timeout: float,
    threshold: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Record:
    """Runs the loop; whoever calls it brings the robot to rest afterwards.

    Args:
        policy: what acts.
        observe: the latest observation, and when it was taken by `clock`.
        send: what an action goes to; the robot keeps the last one until the next.
        rate: steps a second.
        steps: how many at most.
        timeout: seconds; an observation older than that ends the loop.
        threshold: of trust, below which the prior's mean is sent; `policy.threshold` gives it.
        clock: seconds.
        sleep: waits so many seconds.
    """
    record, due = Record(), clock()
    for _ in range(steps):
        begin, due = clock(), due + 1.0 / rate
        observation, taken = observe()
        if clock() - taken > timeout:
            record.stopped = True
            return record
        familiar = policy.trust(observation) >= threshold
        action = (policy.act if familiar else policy.prior_action)(observation)
        record.fallbacks += not familiar
        record.seconds.append(clock() - begin)
        if clock() <= due:
            send(action)
            sleep(max(due - clock(), 0.0))
        else:
            record.late += 1
            due = clock()
    return record


def main() -> None:
    """Tells whether this machine keeps the rate."""
    parser = argparse.ArgumentParser(description="Time a control loop with an exported policy.")
    parser.add_argument("folder", help="what nppac-run export wrote")
    parser.add_argument("--rate", type=float, default=50.0, help="steps a second (50)")
    parser.add_argument("--steps", type=int, default=500, help="how many (500)")
    arguments = parser.parse_args()
    policy = load_policy(arguments.folder)
    rng = np.random.default_rng(0)
    record = control(
        policy,
        lambda: (rng.normal(size=policy.spec.state_dim), time.monotonic()),
        lambda action: None,
        rate=arguments.rate,
        steps=arguments.steps,
        timeout=0.1,
        threshold=policy.threshold(per_step=0.01),
    )
    median, worst = np.quantile(record.seconds, [0.5, 1.0]) * 1000
    print(policy)
    print(f"{median:.2f} ms a step, {worst:.2f} ms at worst; period {1000 / arguments.rate:.1f} ms")
    print(f"{record.late} of {len(record.seconds)} actions came too late and were not sent")


if __name__ == "__main__":
    main()
