"""The replay: a Tianshou vector buffer whose storage is one tensor on the learner's device.

One row holds one transition with the prior's moments at both of its states, so that a minibatch is
one gather and no update asks the prior for anything. Tianshou's collectors and trainers use it like
their own buffers; `sample_transitions` is the same minibatch without their containers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from tianshou.data import Batch, ReplayBuffer, ReplayBufferManager
from torch import Tensor

from nppac_agents.data.episode_columns import EPISODE_COLUMNS, Stretch
from nppac_agents.data.hindsight import Hindsight
from nppac_agents.data.layout import WHOLE, Layout
from nppac_agents.data.multi_step import multi_step
from nppac_agents.data.observed_prior import ObservedPrior, moments_along
from nppac_agents.data.transitions import Transitions, columns_of
from nppac_agents.parts.tensors import as_tensor


class TensorReplay(ReplayBufferManager):
    """Ring buffers of `capacity // n_envs` transitions, one for each environment.

    Demonstrated transitions stand behind the rings, are never overwritten, and are not counted by
    `len`.

    Args:
        capacity: transitions over all environments.
        n_envs: environments, each with its own ring.
        layout: which columns a row holds.
        observed: the prior whose moments are stored beside each transition; none for agents
            without.
        demonstrations: rows (N, width) that minibatches are drawn from too.
        demonstration_share: their share of every minibatch, rounded down to whole transitions;
            None draws uniformly from the pool of all transitions.
        hindsight: gives drawn transitions other goals; None leaves them theirs.
        device: where the rows lie.
        generator: draws the minibatches; on `device`.
    """

    def __init__(
        self,
        capacity: int,
        n_envs: int,
        layout: Layout,
        *,
        observed: ObservedPrior | None,
        demonstrations: Tensor | None = None,
        demonstration_share: float | None = None,
        hindsight: Hindsight | None = None,
        device: str | torch.device = "cpu",
        generator: torch.Generator,
    ) -> None:
        super().__init__([ReplayBuffer(capacity // n_envs) for _ in range(n_envs)])
        self.layout = layout
        self.observed = observed
        self.generator = generator
        self.n_demonstrated = 0 if demonstrations is None else len(demonstrations)
        self.demonstration_share = demonstration_share
        self.hindsight = hindsight
        self._rows = torch.empty(self.maxsize + self.n_demonstrated, layout.width, device=device)
        if demonstrations is not None:
            self._rows[self.maxsize :] = demonstrations
        self._first = np.array([*self._offset, self.maxsize])
        self._offsets = torch.from_numpy(self._first).to(device)
        self._fill_ends = torch.zeros(n_envs, dtype=torch.long, device=device)
        self._shifts = self._offsets.clone()
        self._newest = torch.full((n_envs + 1,), -1, device=device)

    def _compile(self) -> None:
        """Nothing: what Tianshou compiles here, for seconds, is compiled when it is called."""

    def add(
        self, batch: Any, buffer_ids: np.ndarray | list[int] | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Store one transition for each of the environments `buffer_ids` (default: all).

        Returns, as Tianshou's own buffers do, the row of each, and the return, the length and the
        first row of the episodes that it ended (return and length 0 for those that go on).
        """
        ids = np.arange(self.buffer_num) if buffer_ids is None else np.asarray(buffer_ids)
        rewards = np.asarray(batch.rew, dtype=np.float32)
        terminated, truncated = np.asarray(batch.terminated), np.asarray(batch.truncated)
        placed = [
            self.buffers[env]._update_state_pre_add(reward, done)
            for env, reward, done in zip(ids, rewards, terminated | truncated, strict=True)
        ]
        rows, returns, lengths, starts = (np.array(column) for column in zip(*placed, strict=True))
        rows, starts = rows + self._offset[ids], starts + self._offset[ids]
        self._write(rows, batch)
        if self.layout.extra:
            for env, first, length in zip(ids, starts, lengths, strict=True):
                if length:
                    self._complete(int(first), int(length), int(env))
        self.last_index[ids] = rows
        self._count()
        return rows, returns, lengths, starts

    def cut_episodes(self, envs: np.ndarray) -> None:
        """End the running episodes of the environments `envs` (indices) as a time limit does."""
        for env in envs.tolist():
            ring: Any = self.buffers[env]
            if not ring._ep_len:
                continue
            newest = self._offset[env] + (ring._insertion_idx - 1) % ring.maxsize
            self._rows[newest, self.layout.column("truncated")] = 1.0
            if self.layout.extra:
                self._complete(self._offset[env] + ring._ep_start_idx, ring._ep_len, env)
            ring._ep_len, ring._ep_return = 0, 0.0
            ring._ep_start_idx = ring._insertion_idx

    def _write(self, rows: np.ndarray, batch: Any) -> None:
        device = self._rows.device
        arrays = {
            "states": batch.obs,
            "actions": batch.act,
            "rewards": batch.rew,
            "terminated": batch.terminated,
            "truncated": batch.truncated,
            "next_states": batch.obs_next,
        }
        columns = {name: as_tensor(array, device) for name, array in arrays.items()}
        for name in self.layout.extra:
            shape = len(rows), self.layout.widths[name]
            columns[name] = torch.full(shape, EPISODE_COLUMNS[name].before, device=device)
        if self.observed is not None:
            columns |= self._observe(batch.obs, batch.obs_next)
        self._rows[torch.from_numpy(rows).to(device)] = self.layout.pack(columns)

    def _observe(self, states: np.ndarray, next_states: np.ndarray) -> dict[str, Tensor]:
        """The columns of the prior's moments, both states in one query."""
        assert self.observed is not None
        moments = self.observed.moments(np.concatenate([next_states, states]))
        (mean_after, mean), (std_after, std) = (part.chunk(2) for part in moments)
        return self.layout.prior_columns((mean, std), (mean_after, std_after))

    def _complete(self, first: int, length: int, env: int) -> None:
        """Fill the columns of an episode that has ended, as far as the ring still holds it."""
        size = self.buffers[env].maxsize
        last = (first - self._offset[env] + length - 1) % size
        rows = self._offset[env] + (last - np.arange(min(length, size))[::-1]) % size
        index = torch.from_numpy(rows).to(self._rows.device)
        actions, rewards = (
            self._rows[index, self.layout.column(n)] for n in ("actions", "rewards")
        )
        ends = torch.zeros_like(rewards.squeeze(1))
        ends[-1] = 1.0
        lived = Stretch(actions, rewards.squeeze(1), ends, self.layout.discounting)
        for name in self.layout.extra:
            self._rows[index, self.layout.column(name)] = EPISODE_COLUMNS[name].of(lived)

    def _count(self) -> None:
        self._lengths = np.array([len(ring) for ring in self.buffers])
        fill_ends = np.cumsum(self._lengths)
        self._fill_ends.copy_(torch.from_numpy(fill_ends))
        self._shifts.copy_(torch.from_numpy(self._first - np.append(0, fill_ends)))
        self._newest[:-1].copy_(torch.from_numpy(np.asarray(self.last_index)))

    def sample_transitions(self, batch_size: int, *, held_out: int = 0) -> Transitions:
        """A minibatch, drawn with replacement: uniformly, or with its share of demonstrations.

        The first `held_out` of `in_order` are not drawn, as long as no ring is full.
        """
        return self._learned_from(self._draw(batch_size, held_out))

    def transitions(self, rows: Tensor) -> Transitions:
        """The transitions at the given rows, of one step each."""
        return self.layout.unpack(self._read(rows))

    def _learned_from(self, rows: Tensor) -> Transitions:
        """The transitions that begin at the given rows, as the method learns from them.

        Of as many steps as it adds up, and with other goals where it gives some.
        """
        if self.hindsight is None:
            return self._steps_from(rows, self._read)
        hindsight = self.hindsight
        later = self._later(rows, hindsight.later(self._steps_left(rows)))
        new = hindsight.new_goals(self._read(rows), self._read(later))
        batch = self._steps_from(
            rows, lambda at, columns=WHOLE: hindsight.relabelled(self._read(at), new)[:, columns]
        )
        if self.observed is not None:
            batch = hindsight.observed_anew(batch, new, self.observed)
        return batch

    def _read(self, rows: Tensor, columns: slice = WHOLE) -> Tensor:
        """Columns of the given rows; faster than an index where rows lie all over the memory."""
        return self._rows[:, columns].index_select(0, rows)

    def _steps_from(self, rows: Tensor, read: Callable[[Tensor, slice], Tensor]) -> Transitions:
        """The transitions that begin at the given rows, of as many steps as the method adds up."""
        if self.layout.discounting.n_steps == 1:
            return self.layout.unpack(read(rows, WHOLE))
        return multi_step(read, rows, self.layout, self._after)

    def _after(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The rows of the next steps, and whether these have not been stored yet.

        The last step of a demonstration is marked as the end of its episode, so that nobody asks
        what comes after it.
        """
        return self._later(rows, 1), rows == self._newest[self._ring(rows)]

    def _ring(self, rows: Tensor) -> Tensor:
        """Which ring each row is of; those of demonstrations come last."""
        return torch.bucketize(rows, self._offsets[1:], right=True)

    def _later(self, rows: Tensor, steps: Tensor | int) -> Tensor:
        """The rows so many steps later, of the same ring; rows of demonstrations end with them."""
        ring = self._ring(rows)
        first = self._offsets[ring]
        size = self.maxsize // self.buffer_num
        within = first + (rows - first + steps) % size
        shown = (rows + steps).clamp(max=len(self._rows) - 1)
        return torch.where(ring == self.buffer_num, shown, within)

    def _steps_left(self, rows: Tensor) -> Tensor:
        """How many steps of its episode are stored after each row; of one that goes on, so far."""
        known = self._rows[rows, self.layout.column("steps_left").start]
        so_far = (self._newest[self._ring(rows)] - rows) % (self.maxsize // self.buffer_num)
        return torch.where(known >= 0, known.long(), so_far)

    def in_order(self, latest: int | None = None, *, first: int | None = None) -> Transitions:
        """Transitions of the interaction, ring after ring, each from its oldest to its newest.

        The newest of a ring whose episode goes on counts as truncated, so that whatever follows a
        row that neither terminated nor was truncated is its successor.

        Args:
            latest: about how many, the same number of every ring; all of them if None.
            first: only as many from the beginning of this order; nothing else is copied.
        """
        rows, newest = self._order(latest)
        rows_of = self._rows[rows[:first]]
        ends = torch.from_numpy(newest[newest < len(rows_of)]).to(rows.device)
        truncated = self.layout.column("truncated")
        ended = rows_of[ends, self.layout.column("terminated")]
        rows_of[ends, truncated] = torch.maximum(rows_of[ends, truncated], 1.0 - ended)
        return self.layout.unpack(rows_of)

    def whole_episodes(self) -> Transitions:
        """`in_order` without the episodes that go on, the newest of some rings.

        And without the oldest of a full ring, whose beginning may be overwritten.
        """
        rows, newest = self._order(None)
        rings = rows.tensor_split((newest + 1).tolist())
        outcomes = [self.layout.outcomes(self._read(ring, self.layout.outcome)) for ring in rings]
        ends = [ended.nonzero() for _, ended in outcomes]
        size = self.maxsize // self.buffer_num
        known = [
            ring[int(end[0]) + 1 if len(ring) == size else 0 : int(end[-1]) + 1]
            for ring, end in zip(rings, ends, strict=True)
            if len(end)
        ]
        return self.transitions(torch.cat([rows[:0], *known]))

    def _order(self, latest: int | None) -> tuple[Tensor, np.ndarray]:
        """The rows of the interaction as `in_order` gives them, and which are a ring's newest."""
        most = self.maxsize if latest is None else math.ceil(latest / self.buffer_num)
        lengths = np.minimum(self._lengths, most)
        rows = [
            start + (ring._insertion_idx - length + np.arange(length)) % ring.maxsize
            for ring, start, length in zip(self.buffers, self._offset, lengths, strict=True)
        ]
        ordered, newest = np.concatenate(rows), np.cumsum(lengths[lengths > 0]) - 1
        return torch.from_numpy(ordered).to(self._rows.device), newest

    def observe_anew(self, demonstrations: Tensor | None) -> None:
        """Store what the prior, which is another now, says of all states.

        Args:
            demonstrations: their rows, with the prior's moments; None where they are not here.
        """
        assert self.observed is not None
        if demonstrations is not None and self.n_demonstrated:
            self._rows[self.maxsize :] = demonstrations
        lived = self.in_order()
        last = lived.terminated.maximum(lived.truncated).nonzero().squeeze(1)
        moments = moments_along(self.observed.prior, lived.states, last, lived.next_states[last])
        rows, _ = self._order(None)
        for name, values in self.layout.prior_columns(*moments).items():
            self._rows[rows, self.layout.column(name)] = values

    def _draw(self, batch_size: int, held_out: int = 0) -> Tensor:
        if self.demonstration_share is None or len(self) == 0:
            return self._rows_of_ranks(held_out, len(self) + self.n_demonstrated, batch_size)
        demonstrated = int(self.demonstration_share * batch_size)
        total = len(self) + self.n_demonstrated
        return torch.cat(
            [
                self._rows_of_ranks(len(self), total, demonstrated),
                self._rows_of_ranks(held_out, len(self), batch_size - demonstrated),
            ]
        )

    def _rows_of_ranks(self, low: int, high: int, size: int) -> Tensor:
        """Rows of ranks drawn from [low, high): ring after ring, then the demonstrations."""
        device = self._rows.device
        ranks = torch.randint(low, high, (size,), generator=self.generator, device=device)
        rings = torch.bucketize(ranks, self._fill_ends, right=True)
        return ranks + self._shifts[rings]

    # What Tianshou's trainers and collectors call.

    def sample_indices(self, batch_size: int | None) -> np.ndarray:
        """Rows of a minibatch; all stored rows in order for 0, all in random order for None."""
        if batch_size is not None and batch_size > 0:
            return self._draw(batch_size).cpu().numpy()
        filled = zip(self._offset, self._lengths, strict=True)
        rows = np.concatenate([np.arange(start, start + length) for start, length in filled])
        if batch_size is None:
            order = torch.randperm(len(rows), generator=self.generator, device=self._rows.device)
            return rows[order.cpu().numpy()]
        return rows

    def __getitem__(self, index: Any) -> Any:
        """The transitions at `index` as a Tianshou batch, all columns under `transitions`."""
        index = np.arange(len(self._rows))[index]
        rows = torch.as_tensor(index, device=self._rows.device).reshape(-1)
        part = self.transitions(rows)
        return Batch(
            obs=part.states,
            act=part.actions,
            rew=part.rewards,
            terminated=part.terminated.bool(),
            truncated=part.truncated.bool(),
            done=(part.terminated + part.truncated).bool(),
            obs_next=part.next_states,
            transitions=Batch(columns_of(self._learned_from(rows))),
        )

    def hasnull(self) -> bool:
        """False: values are checked where they arise, not by a scan of the whole buffer."""
        return False

    def reset(self, keep_statistics: bool = False) -> None:
        """Forgets all transitions."""
        super().reset(keep_statistics=keep_statistics)
        self._count()

    # Checkpoints.

    def state(self) -> dict[str, Tensor]:
        """What later samples depend on: rows, ring positions, episode sums, generators; copies."""
        rings = [
            (len(ring), ring._insertion_idx, ring._ep_len, ring._ep_start_idx)
            for ring in self.buffers
        ]
        rows = torch.from_numpy(self.sample_indices(0)).to(self._rows.device)
        state = {
            "rows": self._rows[rows],
            "rings": torch.tensor(rings),
            "returns": torch.tensor([float(ring._ep_return) for ring in self.buffers]),
            "generator": self.generator.get_state(),
        }
        if self.hindsight is not None:
            state["hindsight"] = self.hindsight.generator.get_state()
        return state

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Restores what `state()` returned into a buffer of the same shape."""
        rings = zip(self.buffers, state["rings"].tolist(), state["returns"].tolist(), strict=True)
        for ring, (length, insertion, episode_length, episode_start), episode_return in rings:
            ring._size, ring._insertion_idx = length, insertion
            ring._ep_len, ring._ep_start_idx = episode_length, episode_start
            ring._ep_return = episode_return
        self.last_index = np.array(
            [
                start + (ring._insertion_idx - 1) % max(len(ring), 1)
                for start, ring in zip(self._offset, self.buffers, strict=True)
            ]
        )
        self._count()
        rows = torch.from_numpy(self.sample_indices(0)).to(self._rows.device)
        self._rows[rows] = state["rows"].to(self._rows.device)
        self.generator.set_state(state["generator"])
        if self.hindsight is not None:
            self.hindsight.generator.set_state(state["hindsight"])
