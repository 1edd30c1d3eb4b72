"""A scenario that cannot be used says where, what the rule is, and what was probably meant."""
import pytest

from lob import AgentError, Fundamental, Latency, LobError, ScenarioError
from lob.simulation.scenario import load, names

AGENT = '[[agents]]\nclass = "agents:NoiseTrader"\n'
VENUES = "[[venues]]\nname = 'a'\n[[venues]]\nname = 'b'\n"
GOOD = """
name = "small"
seed = 7
minutes = 0.05
opening_price = "50.00"

[instrument]
name = "SML"
tick_size = "0.05"
maker_fee = "-0.0001"

[fundamental]
volatility_ticks = 1
step_ns = 20_000_000

[[agents]]
class = "agents:NoiseTrader"
name = "noise"
count = 3
rate_hz = 20
latency = { feed_ns = 1_000, order_ns = 2_000 }

[[agents]]
class = "agents:InformedTrader"
"""


@pytest.fixture
def scenario(tmp_path):
    """Return a function that loads a scenario from its text."""
    def load_text(text):
        path = tmp_path / "mine.toml"
        path.write_text(text, encoding="utf-8")
        return load(path)
    return load_text


@pytest.fixture
def refused(scenario):
    """Return a function that gives the error of a scenario's text, less the file's name, which must be there."""
    def error_of(text):
        with pytest.raises(ScenarioError) as failure:
            scenario(text)
        place, _, words = str(failure.value).partition("mine.toml: ")
        assert place
        return words
    return error_of


@pytest.mark.parametrize("name", sorted(names()))
def test_every_scenario_of_the_population_loads_and_runs(name):
    world = load(name)
    run = world.simulation().run(minutes=0.1)
    assert world.name == run.provenance["scenario"] == name
    assert run.provenance["scenario_toml"] == world.toml
    assert len(run.tape) > 100


def test_the_population_has_a_calm_and_a_toxic_scenario_that_differ_in_who_knows_the_value():
    assert {"calm", "toxic"} <= set(names())
    calm, toxic = load("calm"), load("toxic")
    assert load().name == "toxic", "the default"
    assert [(type(agent), agent._count, agent._parameters, agent._latencies) for agent in toxic.agents[:3]] == [
        (type(agent), agent._count, agent._parameters, agent._latencies) for agent in calm.agents]
    assert (calm.fundamental, len(toxic.agents), toxic.agents[3].role, toxic.minutes) == (None, 4, "informed", calm.minutes)


def test_a_scenario_is_what_its_file_says(scenario):
    world = scenario(GOOD)
    assert (world.name, world.seed, world.minutes, world.opening_price_ticks, world.instrument.name) == ("small", 7, 0.05, 1_000, "SML")
    assert world.fundamental == Fundamental(volatility_ticks=1, step_ns=20_000_000)
    simulation = world.simulation()
    assert [agent._name for agent in simulation.agents] == ["noise-1", "noise-2", "noise-3", "InformedTrader"]
    assert [agent._latencies for agent in simulation.agents] == [(Latency(feed_ns=1_000, order_ns=2_000),)] * 3 + [(Latency(),)]
    assert simulation.agents[0].rate_hz == 20.0
    run = simulation.run(minutes=world.minutes)
    assert run.provenance["instrument"] == {"name": "SML", "tick_size": "0.05", "lot_size": "1", "maker_fee": "-0.0001", "taker_fee": "0"}
    assert (run.provenance["seed"], world.simulation(seed=0).seed) == (7, 0)


def test_what_a_file_leaves_out_has_its_default(scenario):
    world = scenario(AGENT)
    assert (world.name, world.seed, world.minutes, world.opening_price_ticks, world.fundamental) == ("mine", 1, 10.0, 10_000, None)


def test_a_file_names_its_venues_and_agents_name_theirs(scenario):
    world = scenario("""
opening_price = "10.00"

[[venues]]
name = "a"
gateway_ns = 20

[[venues]]
name = "b"
opening_price = "12.00"
instrument = { name = "FUT", tick_size = "0.25", lot_size = "50" }
fees = [{ taker_ppm = 5 }]
schedule = [{ at_s = 0.5, phase = "HALT" }]

[[agents]]
class = "agents:Arbitrageur"
venues = ["b", "a"]
latency = [{ feed_ns = 5 }, { order_ns = 7 }]

[[agents]]
class = "agents:NoiseTrader"
venue = "b"
""")
    provenance = world.simulation().run(seconds=1).provenance
    assert [(venue["name"], venue["opening_price_ticks"], venue["gateway_ns"], venue["schedule"]) for venue in provenance["venues"]] == [
        ("a", 1_000, 20, []), ("b", 48, 0, [[500_000_000, "HALT"]])]
    assert [(venue["instrument"]["name"], venue["instrument"]["tick_size"]) for venue in provenance["venues"]] == [("XYZ", "0.01"), ("FUT", "0.25")]
    assert [len(venue["venue"]["fees"]) for venue in provenance["venues"]] == [0, 1]
    links = provenance["agents"][0]["venues"]
    assert [(link["book"], link["latency"]["feed_ns"], link["latency"]["order_ns"]) for link in links] == [(1, 5, 0), (0, 0, 7)]
    assert "venues" not in provenance["agents"][1]


def test_what_only_a_simulation_finds_wrong_names_the_file_too(scenario):
    world = scenario('[[agents]]\nclass = "agents:InformedTrader"\n')
    with pytest.raises(ScenarioError, match=r"mine\.toml: .*sees a fundamental, and the simulation has none"):
        world.simulation()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('sede = 1\n' + AGENT, "unknown key 'sede': did you mean 'seed'?"),
        ('zzz = 1\n' + AGENT, "unknown key 'zzz'; there are name, seed, minutes, opening_price, instrument, fundamental, venue, venues, agents"),
        ('seed = "1"\n' + AGENT, "seed must be a whole number, was '1'"),
        ('seed = 1.5\n' + AGENT, "seed must be a whole number, was 1.5"),
        ('seed = true\n' + AGENT, "seed must be a whole number, was True"),
        ('seed = -1\n' + AGENT, "seed must be from 0 to 2^63 - 1, was -1"),
        ('minutes = "long"\n' + AGENT, "minutes must be a number, was 'long'"),
        ('minutes = 0\n' + AGENT, "minutes must be > 0, was 0"),
        ('minutes = nan\n' + AGENT, "minutes must be > 0, was nan"),
        ('opening_price = 100.0\n' + AGENT, "opening_price must be text, was 100.0"),
        ('opening_price = "100.005"\n' + AGENT, "opening_price: price of XYZ must be a multiple of the tick size 0.01, was 100.005"),
        ('opening_price = "0"\n' + AGENT, "opening_price: price of XYZ must be 1 to 2147483648 ticks of 0.01, was 0"),
        ('opening_price = "dear"\n' + AGENT, "opening_price: price must be a number, was 'dear'"),
        ('instrument = "XYZ"\n' + AGENT, "instrument must be a table, was 'XYZ'"),
        ('[instrument]\ntick = "0.01"\n' + AGENT, "unknown key 'instrument.tick': did you mean 'tick_size'?"),
        ('[instrument]\ntick_size = 0.01\n' + AGENT, 'instrument.tick_size must be text, as in "0.01", was 0.01'),
        ('[instrument]\ntick_size = "0"\n' + AGENT, "instrument: instrument.tick_size must be positive, was 0"),
        ('fundamental = 1\n' + AGENT, "fundamental must be a table, was 1"),
        ('[fundamental]\nvolatility = 1\n' + AGENT, "unknown key 'fundamental.volatility': did you mean 'volatility_ticks'?"),
        ('[fundamental]\nvolatility_ticks = -1\n' + AGENT, "fundamental: fundamental.volatility_ticks must be a number >= 0, was -1"),
        ("", "agents must have at least one [[agents]] table"),
        ("agents = []\n", "agents must have at least one [[agents]] table"),
        ('agents = "all"\n', "agents must be a list of tables, was 'all'"),
        ("agents = [1]\n", "agents[0] must be a table, was 1"),
        ('[[agents]]\nname = "x"\n', 'agents[0].class is missing: it is "module:Class"'),
        ('[[agents]]\nclass = "NoiseTrader"\n', "agents[0].class must be \"module:Class\", was 'NoiseTrader'"),
        ('[[agents]]\nclass = 5\n', 'agents[0].class must be "module:Class", was 5'),
        ('[[agents]]\nclass = "agents:NoiseTrade"\n', "agents[0].class: agents has no agent 'NoiseTrade': did you mean 'NoiseTrader'?"),
        ('[[agents]]\nclass = "agents:Zzz"\n', "agents[0].class: agents has no agent 'Zzz'; there are Arbitrageur, AvellanedaStoikovMaker, ExecutionTrader, "),
        ('[[agents]]\nclass = "lob:Latency"\n', "agents[0].class: lob has no agent 'Latency'"),
        ('[[agents]]\nclass = "agent:NoiseTrader"\n', "agents[0].class: agent cannot be imported: No module named 'agent': did you mean 'agents'?"),
        ('[[agents]]\nclass = "no_such_module:Maker"\n', "agents[0].class: no_such_module cannot be imported: No module named 'no_such_module'"),
        ('[[agents]]\nclass = ".agents:Maker"\n', "agents[0].class: .agents cannot be imported"),
        (AGENT + "rate = 1.0\n", "agents[0]: NoiseTrader has no parameter 'rate': did you mean 'rate_hz'?"),
        (AGENT + 'rate_hz = "fast"\n', "agents[0]: NoiseTrader.rate_hz must be float, was 'fast'"),
        (AGENT + "lots_max = 1.5\n", "agents[0]: NoiseTrader.lots_max must be int, was 1.5"),
        (AGENT + "count = 0\n", "agents[0]: NoiseTrader.count must be a whole number from 1 to 1,000,000, was 0"),
        (AGENT + "name = 5\n", "agents[0].name must be text, was 5"),
        (AGENT + "self = 5\n", "agents[0]: NoiseTrader has no parameter 'self'"),
        (AGENT + "latency = 5\n", "agents[0].latency must be a table, was 5"),
        (AGENT + "latency = [5]\n", "agents[0].latency[0] must be a table, was 5"),
        (AGENT + "latency = [{}, {}]\n", "agents[0]: NoiseTrader.latency must be one for all venues, or one for each of 1, was a list of 2"),
        (AGENT + "venue = 1\n", "agents[0].venue must be the number of one of 1 books, 0 first, was 1"),
        (AGENT + 'venues = ["a"]\n', "agents[0].venue must be the number of one of 1 books, 0 first, was 'a'"),
        (AGENT + "venues = []\n", "agents[0]: NoiseTrader.venues must be a list of 1 to 1,000 venues, was []"),
        (VENUES + AGENT + AGENT + 'venues = ["a", "c"]\n', "agents[1].venues[1] must be the number of one of 2 books, 0 first, or the name, a or b, was 'c'"),
        (VENUES + AGENT + 'venues = ["a", 0]\n', "agents[0].venues must name each venue once, was ['a', 0]"),
        (VENUES + "[venue]\n" + AGENT, "venues must be at least one [[venues]] table, and no [venue] beside them"),
        ("venues = []\n" + AGENT, "venues must be at least one [[venues]] table, and no [venue] beside them"),
        ("venues = [1]\n" + AGENT, "venues[0] must be a table, was 1"),
        ("[[venues]]\n" + AGENT, "venues[0].name must be text, and no other venue's, was None"),
        (VENUES + "[[venues]]\nname = 'a'\n" + AGENT, "venues[2].name must be text, and no other venue's, was 'a'"),
        (VENUES + "gateway_ns = -1\n" + AGENT, "venues[1].gateway_ns must be a whole number of nanoseconds"),
        (VENUES + "fee = 1\n" + AGENT, "venues[1]: venue has no setting 'fee'"),
        (VENUES + "opening_price = 1\n" + AGENT, "venues[1].opening_price must be text, was 1"),
        (VENUES + "instrument = 1\n" + AGENT, "venues[1].instrument must be a table, was 1"),
        (VENUES + "instrument = { tick = '1' }\n" + AGENT, "unknown key 'venues[1].instrument.tick'"),
        (VENUES + "instrument = { tick_size = 1 }\n" + AGENT, "venues[1].instrument.tick_size must be text, as in \"0.01\", was 1"),
        (VENUES + "opening_price = '10.10'\ninstrument = { tick_size = '0.25' }\n" + AGENT, "venues[1].opening_price: price of XYZ must be a multiple"),
        (VENUES + "schedule = [{ at_s = -1, phase = 'HALT' }]\n" + AGENT, "venues[1].schedule[0] must have at_s"),
        (AGENT + "latency = { feed = 5 }\n", "unknown key 'agents[0].latency.feed': did you mean 'feed_ns'?"),
        (AGENT + "latency = { feed_ns = -5 }\n", "agents[0].latency: latency.feed_ns must be a whole number of nanoseconds from 0 to an hour, was -5"),
        (AGENT + AGENT + "lots = 5\n", "agents[1]: NoiseTrader has no parameter 'lots': did you mean 'lots_max'?"),
        ("seed = \n", "Invalid value (at line 1, column 8)"),
    ],
)
def test_a_mistake_in_a_scenario_is_named_with_its_place_and_the_word_that_was_meant(refused, text, words):
    assert refused(text).startswith(words)


def test_a_module_that_fails_while_it_is_imported_is_named(refused, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "half_written.py").write_text("from lob import Agent\nclass Mine(Agent:\n")
    (tmp_path / "half_thought.py").write_text("1 / 0\n")
    assert refused('[[agents]]\nclass = "half_written:Mine"\n').startswith("agents[0].class: half_written cannot be imported: ")
    assert refused('[[agents]]\nclass = "half_thought:Mine"\n').startswith("agents[0].class: half_thought cannot be imported: division by zero")


def test_an_agent_that_cannot_be_compiled_is_an_agent_error(scenario, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    text = "from lob import Agent, compiled\n\n@compiled\nclass Mine(Agent):\n    def on_start(self, market):\n        market.bay(1, 1)\n"
    (tmp_path / "does_not_compile.py").write_text(text)
    with pytest.raises(AgentError, match="Mine.on_start cannot be compiled: market has no 'bay': did you mean 'buy'"):
        scenario('[[agents]]\nclass = "does_not_compile:Mine"\n').simulation()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("toxik", "no scenario 'toxik': did you mean 'toxic'?"),
        ("zzz", "no scenario 'zzz': it is no file, and the named ones are calm, crowded, race, storm, thousand, toxic, venues, whales"),
        ("no/such/file.toml", "no scenario 'no/such/file.toml'"),
    ],
)
def test_a_misspelt_scenario_is_answered_with_the_near_one(name, words):
    with pytest.raises(ScenarioError) as failure:
        load(name)
    assert str(failure.value).startswith(words)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "binary.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LobError, match=r"binary\.toml: "):
        load(path)
