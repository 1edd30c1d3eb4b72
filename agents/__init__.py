"""The population: makers, takers and flow. Each agent is one class in one file and uses lob's public names only."""
from agents.avellaneda_stoikov import AvellanedaStoikovMaker
from agents.informed import InformedTrader
from agents.noise import NoiseTrader
from agents.symmetric import SymmetricMaker

__all__ = ["AvellanedaStoikovMaker", "InformedTrader", "NoiseTrader", "SymmetricMaker"]
