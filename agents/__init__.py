"""The population: makers, takers and flow. Each agent is one class in one file and uses lob's public names only."""
from agents.avellaneda_stoikov import AvellanedaStoikovMaker
from agents.informed import InformedTrader
from agents.momentum import MomentumTrader
from agents.noise import NoiseTrader
from agents.symmetric import SymmetricMaker
from agents.value import ValueTrader

__all__ = ["AvellanedaStoikovMaker", "InformedTrader", "MomentumTrader", "NoiseTrader", "SymmetricMaker", "ValueTrader"]
