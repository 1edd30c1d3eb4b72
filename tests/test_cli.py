"""The command line: what each command prints, writes and refuses, as a user meets it."""
import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from lob import LobError, Tape, verify
from lob.cli import app, main

RUN_KEYS = {"scenario", "seed", "requests", "deliveries", "wall_seconds", "requests_per_second", "tape_sha256", "agents", "markouts"}
AGENT_KEYS = {"name", "kind", "fills", "inventory", "cash", "pnl", "fees"}
MARKOUT_KEYS = {"agent", "horizon_s", "fills", "effective", "realised", "impact", "standard_error"}
SHORT = ["--minutes", "0.2"]
OWN_AGENT = "from lob import Agent\n\n\nclass Mine(Agent):\n    def on_start(self, market):\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Return the empty folder in which the command is typed."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def typed(*words):
    """Return the result of a command that ended well."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result


def told(*words):
    """Return the one JSON object that a command prints."""
    result = typed(*words, "--json")
    assert result.stdout.count("\n") == 1
    return json.loads(result.stdout, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


@pytest.fixture
def refused(capsys, monkeypatch):
    """Return a function that gives what a command says on standard error, alone, when it ends with exit code 2."""
    def said(*words):
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["lob", *map(str, words)])
        monkeypatch.setattr(sys, "path", list(sys.path))
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        assert (ended.value.code, told.out) == (2, "")
        return "".join(line for line in told.err.splitlines(keepends=True) if not line.startswith("lob: compiling"))
    return said


@pytest.fixture
def day(folder):
    """Return the message file of a LOBSTER day of two minutes: quotes around 100.00 that are renewed and executed at random."""
    random, rows = np.random.default_rng(1), []
    resting = {}
    for i in range(3_000):
        side, time_s = int(random.choice([1, -1])), 34_200 + i * 0.04
        mine = [order_id for order_id, (of, _, _) in resting.items() if of == side]
        if len(mine) < 10:
            price, lots = 1_000_000 - side * int(random.integers(1, 4)) * 100, int(random.integers(1, 9)) * 100
            resting[i + 1] = side, price, lots
            rows.append(f"{time_s:.9f},1,{i + 1},{lots},{price},{side}")
        elif random.random() < 0.5:
            order_id = int(random.choice(mine))
            _, price, lots = resting.pop(order_id)
            rows.append(f"{time_s:.9f},3,{order_id},{lots},{price},{side}")
        else:
            order_id = min(mine, key=lambda known: (-side * resting[known][1], known))
            _, price, lots = resting.pop(order_id)
            rows.append(f"{time_s:.9f},4,{order_id},{lots},{price},{side}")
    path = folder / "TEST_2024-01-02_34200000_57600000_message_5.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


# lob simulate

def test_simulate_prints_one_json_object_with_everything_in_it(folder):
    facts = told("simulate", "toxic", *SHORT, "--seed", 3, "--out", "here")
    tape = Tape.read("here")
    assert facts.keys() >= RUN_KEYS
    assert all(agent.keys() >= AGENT_KEYS for agent in facts["agents"])
    assert all(line.keys() >= MARKOUT_KEYS for line in facts["markouts"])
    assert (facts["scenario"], facts["seed"], facts["complete"], facts["folder"]) == ("toxic", 3, True, "here")
    assert (facts["tape_sha256"], facts["tape_rows"], len(facts["agents"])) == (tape.sha256, len(tape), 105)
    assert {line["agent"] for line in facts["markouts"]} == {"symmetric", "avellaneda"}
    assert sorted({line["horizon_s"] for line in facts["markouts"]}) == [0.1, 0.5, 1.0, 2.0, 5.0, 10.0]
    assert facts["requests_per_second"] == pytest.approx(facts["requests"] / facts["wall_seconds"])
    assert (sum(agent["inventory"] for agent in facts["agents"]), sum(agent["cash"] for agent in facts["agents"])) == (0, 0)
    assert sum(agent["pnl"] for agent in facts["agents"]) == pytest.approx(0, abs=1e-6)
    assert verify(tape).ok


def test_simulate_without_options_runs_toxic_and_names_a_new_folder_each_time(folder):
    first = typed("simulate", *SHORT)
    assert "runs/toxic-seed1/tape.parquet" in first.stdout
    assert {path.name for path in (folder / "runs" / "toxic-seed1").iterdir()} == {"tape.parquet", "markouts.html"}
    assert told("simulate", *SHORT)["folder"] == "runs/toxic-seed1-2"
    assert told("simulate", *SHORT)["folder"] == "runs/toxic-seed1-3"
    assert told("simulate", "calm", *SHORT, "--seed", 0)["folder"] == "runs/calm-seed0"
    assert Tape.read(folder / "runs" / "toxic-seed1").provenance["scenario"] == "toxic"


def test_simulate_says_who_made_what_and_draws_the_curve(folder):
    words = typed("simulate", "calm", "--minutes", 2).stdout
    for word in ("symmetric", "avellaneda", "NoiseTrader", "inventory", "realised", "impact", "sha256", "markouts.html", "requests"):
        assert word in words
    assert (folder / "runs" / "calm-seed1" / "markouts.html").stat().st_size > 1_000


def test_with_several_venues_money_is_added_up_and_inventories_are_told_by_venue(folder):
    facts = told("simulate", "venues", *SHORT)
    held = [agent["inventory"] for agent in facts["agents"]]
    assert {venue: sum(lots[venue] for lots in held) for venue in held[0]} == {"primary": 0, "satellite": 0}
    assert sum(agent["pnl"] + agent["fees"] for agent in facts["agents"]) == pytest.approx(0, abs=1e-6)
    assert {line["agent"] for line in facts["markouts"]} == {"primary maker", "satellite maker"}
    typed("report", facts["folder"], "--book", 1, "--out", "satellite.html")
    assert "satellite, of primary, satellite" in (folder / "satellite.html").read_text(encoding="utf-8")


def test_plain_agents_give_the_same_tape():
    assert told("simulate", *SHORT, "--plain")["tape_sha256"] == told("simulate", *SHORT)["tape_sha256"]


def test_a_scenario_of_ones_own_runs_with_an_agent_of_ones_own(folder):
    (folder / "mine.py").write_text(OWN_AGENT + "        market.buy(market.opening_ticks, 3)\n")
    (folder / "world.toml").write_text('name = "ours"\n[[agents]]\nclass = "mine:Mine"\n')
    done = subprocess.run([sys.executable, "-m", "lob.cli", "simulate", "world.toml", *SHORT, "--json"], capture_output=True, text=True, check=True)
    facts = json.loads(done.stdout)
    assert (facts["scenario"], facts["folder"], facts["requests"], facts["agents"][0]["kind"]) == ("ours", "runs/ours-seed1", 1, "Mine")
    assert facts["agents"][0]["pnl"] is None, "without a mid nothing has a value"


def test_an_agent_that_fails_is_one_line_of_error_that_says_where_the_tape_is(folder, refused, monkeypatch):
    monkeypatch.delitem(sys.modules, "unlucky", raising=False)
    (folder / "unlucky.py").write_text(OWN_AGENT + "        market.buy(1, 3)\n        raise KeyError('bid')\n")
    (folder / "world.toml").write_text('name = "ours"\n[[agents]]\nclass = "unlucky:Mine"\n')
    said = refused("simulate", "world.toml", "--out", "here").splitlines()
    assert said == [f"error: Mine (Mine), on_start, at 0 ns: KeyError: 'bid' ({folder}/unlucky.py, line 7)", "the tape up to there is in here"]
    assert Tape.read(folder / "here").provenance["complete"] is False


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["toxik"], "error: no scenario 'toxik': did you mean 'toxic'?\n"),
        (["--minutes", "0"], "error: the length of a run must be a positive number, was 0.0\n"),
        (["--minutes", "nan"], "error: the length of a run must be a positive number, was nan\n"),
        (["--minutes", "1e9"], "error: a run must end between now, 0 ns, and 2^62 ns, not at "),
        (["--seed", str(2**63)], f"error: seed must be a whole number from 0 to 2^63 - 1, was {2**63}\n"),
        ([*SHORT, "--out", "taken/run"], "error: taken/run: no tape can be written here: Not a directory\n"),
    ],
)
def test_simulate_refuses_what_it_cannot_do_in_one_line(folder, refused, words, complaint):
    (folder / "taken").write_text("a file")
    said = refused("simulate", *words)
    assert said.startswith(complaint)
    assert said.count("\n") == 1


@pytest.mark.parametrize("words", [["--seed", "-1"], ["--seed", "one"], ["--minutes", "long"], ["--sede", "1"], ["toxic", "calm"]])
def test_an_option_that_is_none_goes_to_standard_error_too(refused, words):
    assert "Usage" in refused("simulate", *words)


# lob replay

def test_replay_prints_one_json_object_with_the_recorded_rows_in_it(day):
    facts = told("replay", day, "--agent", "agents:SymmetricMaker", "--param", "lots=100", "--out", "here")
    tape = Tape.read("here")
    assert RUN_KEYS | {"rows", "rows_per_second", "unknown_orders"} <= facts.keys()
    assert (facts["scenario"], facts["execution"], facts["rows"], facts["seed"], facts["unknown_orders"]) == ("TEST", "passive", 3_000, 1, 0)
    assert facts["rows_per_second"] == pytest.approx(facts["rows"] / facts["wall_seconds"])
    assert [agent["kind"] for agent in facts["agents"]] == ["SymmetricMaker"]
    assert facts["agents"][0]["fills"] > 20
    assert {line["agent"] for line in facts["markouts"]} == {"SymmetricMaker"}
    assert tape.provenance["agents"][0]["parameters"]["lots"] == 100
    assert (facts["tape_sha256"], verify(tape).ok) == (tape.sha256, True)


@pytest.mark.parametrize("execution", ["passive", "displace", "reactive"])
def test_replay_says_by_which_rule_agents_met_the_day(day, execution):
    facts = told("replay", day, "--agent", "agents:SymmetricMaker", "--execution", execution)
    assert facts["execution"] == execution
    assert f"execution rule: {execution}" in typed("replay", day, "--execution", execution).stdout


def test_replay_tries_every_choice_of_a_grid(day):
    runs = told("replay", day, "--agent", "agents:SymmetricMaker", "--param", "half_spread_ticks=2", "--grid", "lots=5,10", "--execution", "displace")["runs"]
    assert [(run["lots"], run["half_spread_ticks"], run["execution"]) for run in runs] == [(5, 2, "displace"), (10, 2, "displace")]
    assert "realised_1s" in typed("replay", day, "--agent", "agents:SymmetricMaker", "--grid", "lots=5,10").stdout


@pytest.mark.parametrize(("words", "complaint"), [
    (("--grid", "lots"), "--grid must be name=value,value,.* was 'lots'"), (("--grid", "lots=1", "--grid", "lots=2"), "each name once, .* was 'lots=2'"),
    (("--grid", "lots=1,2", "--param", "lots=3"), "not in a --param too, was 'lots=1,2'"), (("--grid", "lots=1,,2"), "--grid lots must be .*, was ''"),
    (("--grid", "lots=1", "--out", "here"), "--out cannot go with --grid, .* was here"),
])
def test_a_grid_that_cannot_be_run_is_refused(day, refused, words, complaint):
    assert re.search(complaint, refused("replay", day, "--agent", "agents:SymmetricMaker", *words))


def test_convert_says_what_is_in_a_day_and_the_day_replays_the_same(day):
    facts = told("convert", day, "day.parquet")
    assert (facts["out"], facts["symbol"], facts["format"], facts["unknown_references"]) == ("day.parquet", "TEST", "LOBSTER", 0)
    assert told("replay", day, "--out", "raw")["tape_sha256"] == told("replay", "day.parquet", "--out", "fast")["tape_sha256"]
    words = typed("convert", "day.parquet", "day.itch.gz").stdout
    assert re.search(r"^first +09:3\d:\d\d\.\d{9}$", words, re.MULTILINE) and f"rows{facts['rows']:>26,}"[:4] in words
    assert told("convert", "raw", "lobster")["format"] == "tape"
    assert told("convert", "raw", "new/day.parquet")["rows"] == told("convert", "raw", "newer/day.itch.gz")["rows"], "a folder that is not there is made"
    assert told("replay", "day.itch.gz", "--out", "itch")["unknown_orders"] == 0


def test_convert_takes_several_stocks_of_an_itch_file_at_once(day):
    told("convert", day, "day.itch")
    facts = told("convert", "day.itch", "days", "--symbols", "all")
    assert facts["TEST"]["out"] == "days/TEST.parquet" and facts["TEST"]["rows"] > 100
    assert re.search(r"^TEST +[\d,]+ rows  days/TEST.parquet$", typed("convert", "day.itch", "days", "--symbols", "TEST").stdout, re.MULTILINE)


def test_what_cannot_be_read_is_left_out_only_when_asked(day):
    day.write_text(day.read_text().replace("34", "3x", 1))
    assert CliRunner().invoke(app, ["convert", str(day), "day.parquet"]).exception.args[0].startswith(str(day))
    assert told("convert", day, "day.parquet", "--keep-going")["skipped"] == 1


def test_replay_writes_to_a_new_folder_named_after_the_day(day, folder):
    words = typed("replay", day).stdout
    assert "runs/TEST-replay/tape.parquet" in words
    assert "3,000 recorded rows, 0 of orders unknown; execution rule: passive" in words
    assert told("replay", day)["folder"] == "runs/TEST-replay-2"


def test_replay_runs_from_one_time_to_another(day):
    whole, part = told("replay", day), told("replay", day, "--from", "09:30:30", "--to", "9:31:15.5")
    times = Tape.read(part["folder"]).rows["time_ns"]
    assert part["rows"] < whole["rows"]
    assert times[-1] <= (9 * 3600 + 31 * 60 + 15.5) * 1e9
    assert times[-1] > (9 * 3600 + 31 * 60 + 15) * 1e9
    assert told("replay", day, "--to", "09:31")["rows"] == np.count_nonzero(Tape.read(whole["folder"]).rows["time_ns"] <= (9 * 3600 + 31 * 60) * 10**9)


def test_agents_of_a_replay_can_be_many_with_latencies_and_parameters_of_their_types(day):
    makers = ["--agent", "agents:SymmetricMaker", "--agent", "agents:AvellanedaStoikovMaker", "--param", "inventory_max_lots=7"]
    facts = told("replay", day, *makers, "--feed-latency-ns", 1_000, "--order-latency-ns", 2_000, "--seed", 0)
    described = Tape.read(facts["folder"]).provenance["agents"]
    assert [agent["kind"] for agent in described] == ["SymmetricMaker", "AvellanedaStoikovMaker"]
    assert [agent["parameters"]["inventory_max_lots"] for agent in described] == [7, 7]
    assert all(agent["latency"] == {"feed_ns": 1_000, "order_ns": 2_000, "feed_jitter_ns": 0, "order_jitter_ns": 0} for agent in described)
    assert facts["seed"] == 0
    assert told("replay", day, "--agent", "agents:SymmetricMaker", "--param", "half_spread_ticks=2")["agents"][0]["kind"] == "SymmetricMaker"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--agent", "agents:SymetricMaker"], "error: --agent: agents has no agent 'SymetricMaker': did you mean 'SymmetricMaker'?\n"),
        (["--agent", "agnets:SymmetricMaker"], "error: --agent: agnets cannot be imported: No module named 'agnets': did you mean 'agents'?\n"),
        (["--agent", "SymmetricMaker"], "error: --agent must be \"module:Class\", was 'SymmetricMaker'\n"),
        (["--agent", "agents:SymmetricMaker", "--param", "lot=5"], "error: SymmetricMaker has no parameter 'lot': did you mean 'lots'?\n"),
        (["--agent", "agents:SymmetricMaker", "--param", "lots=many"], "error: --param lots must be int, was 'many'\n"),
        (["--agent", "agents:SymmetricMaker", "--param", "lots"], "error: --param must be name=value, was 'lots'\n"),
        (["--param", "lots=5"], "error: --param lots=5 needs an --agent that has it\n"),
        (["--from", "10"], "error: --from must be a time of day as HH:MM or HH:MM:SS, was '10'\n"),
        (["--to", "24:00"], "error: --to must be a time of day as HH:MM or HH:MM:SS, was '24:00'\n"),
        (["--to", "10:00:60"], "error: --to must be a time of day as HH:MM or HH:MM:SS, was '10:00:60'\n"),
        (["--book", "missing.csv"], "error: "),
        (["--from", "15:00"], "error: "),
    ],
)
def test_replay_refuses_what_it_cannot_do_in_one_line(day, refused, words, complaint):
    said = refused("replay", day, *words)
    assert said.startswith(complaint)
    assert said.count("\n") == 1


@pytest.mark.parametrize("name", ["missing_message_5.csv", "."])
def test_replay_refuses_a_file_that_is_not_there(refused, name):
    assert refused("replay", name).startswith("error: ")


def test_a_malformed_row_is_named_with_its_number(day, refused):
    rows = day.read_text().splitlines()
    rows[41] = "nonsense"
    day.write_text("\n".join(rows) + "\n")
    said = refused("replay", day)
    assert day.name in said
    assert "42" in said


# lob report

def test_report_writes_one_page_beside_the_tape(folder, refused):
    told("simulate", "toxic", *SHORT, "--out", "run")
    page = told("report", "run", "--agent", "avellaneda")
    text = (folder / "run" / "report.html").read_text(encoding="utf-8")
    assert (page["page"], page["bytes"]) == ("run/report.html", len(text.encode()))
    assert "In focus: avellaneda." in text
    assert "report.html" in typed("report", "run/tape.parquet").stdout
    assert "book must be one that the tape has rows of: 0; was 3" in refused("report", "run", "--book", "3")


def test_report_of_two_runs_shows_them_side_by_side(folder):
    told("simulate", "toxic", *SHORT, "--out", "a")
    told("simulate", "calm", *SHORT, "--out", "b")
    typed("report", "a", "b", "--out", "new/both.html")
    assert "toxic, seed 1 beside calm, seed 1" in (folder / "new" / "both.html").read_text(encoding="utf-8")


def test_a_new_run_takes_the_pages_of_the_old_one_away(folder):
    told("simulate", "toxic", *SHORT, "--out", "run")
    typed("report", "run")
    told("simulate", "calm", *SHORT, "--out", "run")
    assert not (folder / "run" / "report.html").exists()


def test_report_refuses_what_is_no_tape_and_an_agent_that_is_not_on_it(folder, refused):
    assert "no tape here" in refused("report", "nowhere")
    told("simulate", "toxic", *SHORT, "--out", "run")
    assert "agent must be one of those on the tape, as " in refused("report", "run", "--agent", "nobody")


# lob verify

def test_verify_passes_an_honest_tape_and_says_how_much_it_checked(folder):
    facts = told("simulate", *SHORT, "--out", "here")
    assert told("verify", "here") == {"ok": True, "rows": facts["tape_rows"], "events": facts["requests"], "disagreement": None}
    assert typed("verify", "here/tape.parquet").stdout.startswith(f"{facts['tape_rows']:,} rows of {facts['requests']:,} events and ")


def test_verify_ends_with_one_and_names_the_row_of_a_tape_that_lies():
    told("simulate", *SHORT, "--out", "here")
    tape = Tape.read("here")
    tape.rows["lots_ahead"][100] += 1
    tape.write("there")
    said = CliRunner().invoke(app, ["verify", "there"])
    assert said.exit_code == 1
    assert "row 100: lots_ahead must be" in said.stdout
    verdict = CliRunner().invoke(app, ["verify", "there", "--json"])
    assert verdict.exit_code == 1
    assert json.loads(verdict.stdout)["ok"] is False
    assert json.loads(verdict.stdout)["disagreement"].startswith("row 100: lots_ahead must be")


def test_verify_refuses_a_folder_without_a_tape(folder, refused):
    assert refused("verify", ".") == "error: .: no tape here: neither tape.parquet nor tape.groups is found\n"
    (folder / "tape.parquet").write_bytes(b"PAR1 and nothing more")
    assert refused("verify", ".").startswith("error: tape.parquet: not a whole Parquet file")


# lob bench

def test_bench_prints_one_json_object_of_its_flows(monkeypatch):
    import lob.bench

    monkeypatch.setattr(lob.bench, "FLOWS", {"mixed": lambda: lob.bench.mixed(messages=2_000, live_orders=100)})
    flow, = told("bench", "mixed", "--repeats", 2)["flows"]
    assert flow["messages"] == 2_000
    assert flow["ns_per_message"] > 0
    assert "mixed" in typed("bench").stdout


def test_bench_refuses_a_flow_that_is_none(refused):
    assert refused("bench", "mixd").startswith("error: no flow 'mixd'")


# The command as a whole.

def test_without_a_command_it_says_what_there_is():
    said = CliRunner().invoke(app, [])
    assert all(command in said.output for command in ("simulate", "replay", "verify", "bench"))
    assert all(typed(command, "--help").stdout for command in ("simulate", "replay", "verify", "bench"))


def test_an_error_of_the_library_is_left_to_who_calls_it_from_python():
    assert isinstance(CliRunner().invoke(app, ["simulate", "toxik"]).exception, LobError)


@pytest.mark.parametrize("words", [["simulate", "toxik"], ["simulate", "--sede", "1"], ["replay", "missing.csv"], ["verify", "."]])
def test_a_mistake_is_told_on_standard_error_without_a_traceback(words):
    done = subprocess.run([sys.executable, "-m", "lob.cli", *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "rror" in done.stderr
    assert "Traceback" not in done.stderr


def test_json_is_all_that_is_printed_also_in_a_process_of_its_own():
    command = [sys.executable, "-m", "lob.cli", "simulate", *SHORT, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | {"FORCE_COLOR": "1"})
    assert json.loads(done.stdout).keys() >= RUN_KEYS
    assert [line for line in done.stderr.splitlines() if not line.startswith("lob: compiling")] == []


@pytest.mark.parametrize("name", ["PatientMaker", "patient_maker"])
def test_new_agent_writes_a_working_agent_and_its_test_which_passes(folder, name):
    told = typed("new-agent", name).stdout
    assert sorted(path.name for path in folder.iterdir()) == ["patient_maker.py", "test_patient_maker.py"]
    assert "pytest test_patient_maker.py" in told
    assert "pip install pytest" in told
    assert "patient_maker:PatientMaker" in told
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_patient_maker.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_new_agent_overwrites_nothing(folder, refused):
    (folder / "test_mine.py").write_text("precious")
    assert "test_mine.py is there already, and is left as it is" in refused("new-agent", "Mine")
    assert sorted(path.name for path in folder.iterdir()) == ["test_mine.py"]
    assert (folder / "test_mine.py").read_text() == "precious"


@pytest.mark.parametrize("name", ["my maker", "1st", "../x", "class"])
def test_new_agent_refuses_what_is_no_name(refused, name):
    assert "an agent's name must be of letters, digits and '_'" in refused("new-agent", name)
