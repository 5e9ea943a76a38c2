from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from nppac_envs import ConfigError, CsvConfig, DataError
from nppac_envs.demonstrations.csv_file import CsvFields
from nppac_envs.errors import EpisodesError

TABLE = """\
episode,t,state_0,state_1,action_0,reward,success
a,0,1,10,0.1,0,0
a,1,2,20,0.2,1,1
a,2,3,30,0.3,0,0
b,0,4,40,-1,0,0
b,1,5,50,1,0,0
"""


def load(folder: Path, text: str, **settings: Any):
    (folder / "set.csv").write_text(text)
    return CsvConfig(path=folder / "set.csv", **settings).load()


def test_columns_become_arrays(tmp_path: Path):
    loaded = load(tmp_path, TABLE)
    assert loaded.states.tolist() == [[1, 10], [2, 20], [4, 40]]
    assert loaded.final_states.tolist() == [[3, 30], [5, 50]]
    assert loaded.actions[:, 0].tolist() == pytest.approx([0.1, 0.2, -1])
    assert loaded.episode_lengths.tolist() == [2, 1]
    assert loaded.rewards.tolist() == [0, 1, 0]
    assert loaded.successes.tolist() == [False, True, False]


def test_an_episode_that_ends_with_its_first_success_has_succeeded(tmp_path: Path):
    """The row is used up as the final state, and its flag is that of the step that leads there."""
    table = TABLE.replace("0.2,1,1", "0.2,0,0").replace("b,1,5,50,1,0,0", "b,1,5,50,1,1,1")
    loaded = load(tmp_path, table)
    assert loaded.successes.tolist() == [False, False, True]
    assert loaded.rewards.tolist() == [0, 0, 0]


def test_an_empty_cell_is_no_number_that_was_recorded(tmp_path: Path):
    """A logger has no reward before the first action; nor is there one after the last."""
    table = TABLE.replace("0.1,0,0", "0.1,,0").replace("b,0,4,40,-1,0,0", "b,0,4,40,-1, ,0")
    with pytest.raises(DataError, match=r"rewards is not finite .* episode 0, step 0") as caught:
        load(tmp_path, table)
    assert "--drop-rewards" in caught.value.in_options()
    loaded = load(tmp_path, table, drop_rewards=True)
    assert loaded.rewards is None
    assert loaded.states.tolist() == load(tmp_path, TABLE).states.tolist()


@pytest.mark.parametrize("words", ["True False", "TRUE FALSE", "true false", "1.0 0.0"])
def test_flags_as_pandas_and_spreadsheets_write_them(tmp_path: Path, words: str):
    yes, no = words.split()
    rows = [f"{row[:-1]}{yes if row[-1] == '1' else no}" for row in TABLE.splitlines()[1:]]
    text = "\n".join([TABLE.splitlines()[0], *rows])
    assert load(tmp_path, text).hash == load(tmp_path, TABLE).hash
    with pytest.raises(DataError, match=r"row 1 has no flag \(0, 1, true or false\) .*: 'no'"):
        load(tmp_path, text.replace(no, "no"))


@pytest.mark.parametrize(
    ("header", "states"),
    [
        ("run,obs[1],obs[0],act", "obs"),
        ("run,obs.10,obs.9,act", "obs"),
        ("run,y,x,act", "x,y"),
        ("run,obs 1,obs 0,act", "obs"),
        ("run,q2,q1,act", "q"),
    ],
)
def test_names_of_columns(tmp_path: Path, header: str, states: str):
    """Columns are ordered by their numbers, or as they are listed."""
    fields = CsvFields(states=states, actions="act", episodes="run")
    loaded = load(tmp_path, f"{header}\n0,2,1,0\n0,4,3,0\n", fields=fields)
    assert loaded.states.tolist() == [[1, 2]]
    assert loaded.rewards is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "needs a header line"),
        ("episode,state,action\n", "needs a header line"),
        ("episode,state\n0,1\n0,2\n", r"no column 'action' \(actions\); it has 'episode', 'state'"),
        ("episode,state,action\n0,1,1\n0,1\n", "line 3 has 2 values, the header has 3"),
        ("episode,state,action\n0,1,1\n0,x,1\n", "row 2 has no number in column 'state': 'x'"),
        ("episode,state,action\n0,1,1\n0,,1\n", "final_states is not finite"),
        ("episode,state,action,success\n0,1,1,\n0,1,1,0\n", "must hold 0 and 1"),
        ("episode,state,action\n0,1,1\n0,nan,1\n", "final_states is not finite"),
        ("episode,state,action\n0,1,1\n1,1,1\n", "episode 0 has one step"),
        ("episode,state,action\n0,1,1\n0,1,1\n1,1,1\n1,1,1\n0,1,1\n", "episode 0 are not together"),
        ("episode,state,action,success\n0,1,1,2\n0,1,1,0\n", "must hold 0 and 1"),
        ("episode,state,action\n0,1,3\n0,1,1\n", "outside"),
        ("episode,state,action\n0,1,\ud8001\n".encode("utf-8", "surrogatepass"), "UTF-8"),
    ],
)
def test_broken_tables_are_one_line(tmp_path: Path, text: str | bytes, message: str):
    content = text if isinstance(text, bytes) else text.encode()
    (tmp_path / "set.csv").write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        CsvConfig(path=tmp_path / "set.csv").load()
    assert "\n" not in str(caught.value)


def test_a_renamed_column_has_to_be_there(tmp_path: Path):
    with pytest.raises(DataError, match="no column 'gain'"):
        load(tmp_path, TABLE, fields=CsvFields(rewards="gain"))
    with pytest.raises(DataError, match="no such file"):
        CsvConfig(path=tmp_path / "none.csv").load()


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("episode,state_0,state_0,action", "after column 'state_0' comes 'state_0'; if that is"),
        ("episode,state_0,state_2,action", "after column 'state_0' comes 'state_2'; if that is"),
        ("episode,state_1,state[1],action", r"after column 'state_1' comes 'state\[1\]'"),
        ("episode,state,action,action", "there are 2 columns 'action'"),
        ("episode,state,action,reward_0,reward_1", "rewards take one column, not reward_0, rew"),
    ],
)
def test_columns_that_leave_open_what_is_meant(tmp_path: Path, header: str, message: str):
    width = header.count(",")
    with pytest.raises(DataError, match=message):
        load(tmp_path, f"{header}\n" + f"0{',0.5' * width}\n" * 3)


def test_columns_named_one_by_one_may_skip_numbers(tmp_path: Path):
    table = "episode,state_0,state_2,action\n0,1,2,0\n0,3,4,0\n"
    loaded = load(tmp_path, table, fields=CsvFields(states="state_2,state_0"))
    assert loaded.states.tolist() == [[2, 1]]


@pytest.mark.parametrize(
    ("mark", "point", "encoding"),
    [
        (";", ",", "utf-8"),
        (";", ".", "utf-8-sig"),
        ("\t", ",", "utf-16"),
        ("\t", ".", "utf-8"),
        (",", ".", "utf-16"),
    ],
)
def test_spreadsheets_of_other_languages(tmp_path: Path, mark: str, point: str, encoding: str):
    header, *rows = TABLE.splitlines()
    rows = [row.replace(",", mark).replace(".", point) for row in rows]
    text = "\r\n".join([header.replace(",", mark), *rows])
    (tmp_path / "other.csv").write_bytes(text.encode(encoding))
    loaded = CsvConfig(path=tmp_path / "other.csv").load()
    assert loaded.hash == load(tmp_path, TABLE).hash


def test_a_word_in_one_episode_does_not_cost_the_others(tmp_path: Path):
    rows = [f"{e},{e + t / 10},{t / 4}" for e in range(3) for t in range(3)]
    text = "\n".join(["episode,state,action", *rows])
    whole = load(tmp_path, text)
    spoilt = text.replace("1,1.1,0.25", "1,error,0.25")
    with pytest.raises(EpisodesError, match="row 5 has no number in column 'state': 'error'") as no:
        load(tmp_path, spoilt)
    assert no.value.episodes == [1]
    assert no.value.in_options().endswith("--exclude 1")
    assert load(tmp_path, spoilt, exclude=(1,)).hash == whole.select([0, 2]).hash
    with pytest.raises(DataError, match="row 4 has no number in column 'action': 'a'") as no:
        load(tmp_path, re.sub(r"(?m),0.0$", ",a", text), exclude=(0,))
    assert not isinstance(no.value, EpisodesError), "none is left"


def test_a_comma_that_is_no_decimal_comma_is_no_number(tmp_path: Path):
    """1,000,000 is a million in one language and nothing in another."""
    with pytest.raises(DataError, match="row 2 has no number in column 'state': '1,000,000'"):
        load(tmp_path, "episode;state;action\n0;1,5;0\n0;1,000,000;0\n")


def test_episodes_of_one_length_need_no_column(tmp_path: Path):
    table = "state,action\n" + "".join(f"{i},0.5\n" for i in range(6))
    with pytest.raises(
        DataError, match=r"no column 'episode'.* or give episode_length: N"
    ) as caught:
        load(tmp_path, table)
    assert "--map episodes=THEIRS, or give --episode-length N" in caught.value.in_options()
    assert load(tmp_path, table, episode_length=3).episode_lengths.tolist() == [2, 2]
    with pytest.raises(DataError, match="6 steps are no whole episodes of 4"):
        load(tmp_path, table, episode_length=4)


def test_columns_that_are_left_out_are_named(tmp_path: Path):
    table = "episode,t,speed,name,state,action\n0,0,1.5,a,0,0\n0,1,1.5,b,0,0\n"
    load(tmp_path, table)
    (remark,) = CsvConfig(path=tmp_path / "set.csv").remarks()
    assert remark.topic == "left out"
    assert remark.text.endswith("state: speed"), "a clock and words are no state"
    fields = CsvFields(states="state,speed")
    assert not [*CsvConfig(path=tmp_path / "set.csv", fields=fields).remarks()]


def test_holes_in_time(tmp_path: Path):
    rows = [
        (run, 10 * run + step / 10 + 3 * (run == 1) * (step > 4))
        for run in (0, 1, 2)
        for step in range(9)
    ]
    table = "episode,timestamp,state,action\n" + "".join(f"{run},{t},{t},0\n" for run, t in rows)
    load(tmp_path, table)
    (remark,) = CsvConfig(path=tmp_path / "set.csv").remarks()
    assert "1 steps do not take 0.1 as the others do" in remark.text
    assert "episode 1, step 4 (3.1)" in remark.text
    assert remark.advice == (
        "leave these episodes out: --exclude 1; begin a new episode after each hole: --cut 1:4"
    )
    assert not [*CsvConfig(path=tmp_path / "set.csv", exclude=(1,)).remarks()]


def test_a_config_that_was_written_and_read_again_asks_for_no_more(tmp_path: Path):
    """The names that it has by default are not names that the file must have."""
    load(tmp_path, "episode,state,action\n0,1,0\n0,2,0\n")
    config = CsvConfig(path=tmp_path / "set.csv")
    assert len(CsvConfig.model_validate_json(config.model_dump_json()).load()) == 1


def test_an_underscore_is_no_part_of_a_number(tmp_path: Path):
    with pytest.raises(DataError, match="row 2 has no number in column 'state': '1_000'"):
        load(tmp_path, "episode,state,action\n0,1,0\n0,1_000,0\n")


def test_locating_maps_names(tmp_path: Path):
    from nppac_envs.demonstrations.locations import locate

    (tmp_path / "set.csv").write_text("run,obs,act\n0,1,1\n0,2,1\n")
    fields = {"states": "obs", "actions": "act", "episodes": "run"}
    assert len(locate(str(tmp_path / "set.csv"), fields=fields).load()) == 1
    with pytest.raises(ConfigError, match=r"csv .*fields.state") as caught:
        locate(str(tmp_path / "set.csv"), fields={"state": "obs"})
    assert "\n" not in str(caught.value)
