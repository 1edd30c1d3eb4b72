"""The template: the files that `lob new-agent` writes, an agent that works and its test. Owns their text."""
import keyword
import re
from pathlib import Path

from lob.errors import ScenarioError

AGENT = '''"""{cls}: say here what it does, and by which idea or paper."""
from lob import Agent, compiled


@compiled                                   # take this line away to run it as plain Python, breakpoints and all
class {cls}(Agent):
    """Joins the bid with one order at a time, and sells what it holds at the ask.

    lots: of each order. inventory_max_lots: it buys no more above this.
    """

    role = "maker"                          # a word for the reports
    positive = ("lots",)                    # parameters that must be above zero

    lots: int = 5                           # annotated fields are parameters and state
    inventory_max_lots: int = 20
    bid_id: int = 0
    ask_id: int = 0

    def on_quote(self, market):             # the touch, as it has reached me, changed
        if self.bid_id == 0 and market.best_bid_ticks and market.inventory_lots < self.inventory_max_lots:
            self.bid_id = market.buy(market.best_bid_ticks, self.lots, post_only=True)
        if self.ask_id == 0 and market.best_ask_ticks and market.inventory_lots > 0:
            self.ask_id = market.sell(market.best_ask_ticks, market.inventory_lots, post_only=True)

    def on_done(self, market, order):       # filled, cancelled, expired or rejected: it rests no more
        if order.id == self.bid_id:
            self.bid_id = 0
        if order.id == self.ask_id:
            self.ask_id = 0
'''
TEST = '''"""What {cls} must do, beginning with what every agent must."""
from {module} import {cls}

from lob import check_agent


def test_it_conforms_and_trades():
    found = check_agent({cls})
    assert found["requests"] > 10
    assert found["fills"] > 0
'''


def names_of(name):
    """Return the module and the class that a name in either style means: my_maker and MyMaker. Raises ScenarioError if it is no name."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or keyword.iskeyword(name):
        raise ScenarioError(f"an agent's name must be of letters, digits and '_', as in MyMaker, was {name!r}")
    module = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_")
    return module, "".join(word[:1].upper() + word[1:] for word in module.split("_"))


def write_agent(name, folder):
    """Write an agent and its test into a folder; return (module, class, paths). Raises ScenarioError if a file is there already."""
    module, cls = names_of(name)
    texts = {Path(folder) / f"{module}.py": AGENT, Path(folder) / f"test_{module}.py": TEST}
    for path in texts:
        if path.exists():
            raise ScenarioError(f"{path} is there already, and is left as it is")
    for path, text in texts.items():
        path.write_text(text.format(cls=cls, module=module), encoding="utf-8")
    return module, cls, list(texts)
