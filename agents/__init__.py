"""The population: makers, takers and flow. Each agent is one class in one file and uses lob's public names only."""
from agents.avellaneda_stoikov import AvellanedaStoikovMaker
from agents.execution import ExecutionTrader
from agents.iceberg import IcebergTrader
from agents.informed import InformedTrader
from agents.metaorder import MetaorderTrader
from agents.noise import NoiseTrader
from agents.spoofer import Spoofer
from agents.symmetric import SymmetricMaker

__all__ = [
    "AvellanedaStoikovMaker", "ExecutionTrader", "IcebergTrader", "InformedTrader", "MetaorderTrader", "NoiseTrader", "Spoofer", "SymmetricMaker",
]
